"""The one decorator of the account's methods, and the error with which they refuse."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

if TYPE_CHECKING:
    from syncd.sandbox.account import Account

P = ParamSpec("P")
R = TypeVar("R")


class ImpossibleError(Exception):
    """The edit would leave an account that the real one could not be; nothing was changed."""


def locked(method: Callable[Concatenate[Account, P], R]) -> Callable[Concatenate[Account, P], R]:
    """The same method, holding the account's lock from its first line to its last."""

    @wraps(method)
    def under_lock(account: Account, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with account.lock:
            return method(account, *args, **kwargs)

    return under_lock


def found(table: dict[int, R], record_id: int, kind: str) -> R:
    """The record of that id, or the refusal that names it."""
    if record_id not in table:
        raise ImpossibleError(f"there is no {kind} {record_id}")
    return table[record_id]
