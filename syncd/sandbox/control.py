"""The control endpoint: what people do in the account, and what a test turns, over HTTP.

POST /sandbox/do        {"do": "rename_task", "task_id": 331894, "name": "..."}
GET  /sandbox/truth     the snapshot
GET  /sandbox/log       the journal; ?since=N for entries with higher numbers
GET, POST /sandbox/faults     a list of faults to add; {"clear": true, "add": [...]} as well
GET, POST /sandbox/switches   the switches to change
"""

from __future__ import annotations

import base64
import inspect
from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime, time
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec

from syncd.sandbox.account import Account
from syncd.sandbox.faults import Fault
from syncd.sandbox.locking import ImpossibleError
from syncd.sandbox.requests import Answer, Asked, json_answer, split
from syncd.sandbox.switches import Switches

if TYPE_CHECKING:
    from syncd.sandbox.sandbox import Sandbox

DEEDS = frozenset(
    name
    for name, member in inspect.getmembers(Account, inspect.isfunction)
    if hasattr(member, "__wrapped__") and name not in ("snapshot", "random_edit")
)
"""The names of the account's edits, each of which `do` takes."""
TYPES: dict[str, Callable[[Any], Any]] = {
    "date_start": date.fromisoformat,
    "date_end": date.fromisoformat,
    "date": date.fromisoformat,
    "date_added": datetime.fromisoformat,
    "date_closed": datetime.fromisoformat,
    "time_start": time.fromisoformat,
    "time_end": time.fromisoformat,
    "max_time": lambda value: Decimal(str(value)),
    "max_money": lambda value: Decimal(str(value)),
    "money": lambda value: Decimal(str(value)),
    "rate": lambda value: Decimal(str(value)),
    "data": base64.b64decode,
    "options": set,
}


class Control:
    """Answers what stands under /sandbox/."""

    def __init__(self, box: Sandbox) -> None:
        self._box = box

    def answer(self, asked: Asked) -> Answer:
        """Answer one request; what cannot be done is HTTP 400 with the reason."""
        name = asked.path.removeprefix("/sandbox/")
        handlers = {
            "do": self._do,
            "truth": self._truth,
            "log": self._log,
            "faults": self._faults,
            "switches": self._switches,
        }
        if name not in handlers:
            return json_answer({"status": "error", "message": f"no {name} here"}, 404)
        try:
            return json_answer({"status": "ok", "result": handlers[name](asked)})
        except (ImpossibleError, msgspec.ValidationError, TypeError, ValueError) as error:
            return json_answer({"status": "error", "message": str(error)}, 400)

    def _do(self, asked: Asked) -> Any:
        words = asked.json()
        deed = words.pop("do", None)
        if deed == "random_edit":
            return self._random_edits(words)
        if deed == "change_key":
            self._box.key = str(words["key"])
            return None
        if deed in ("expire_access", "revoke_all"):
            return getattr(self._box.oauth, deed)()
        if deed == "grant_tokens":
            return self._grant(words)
        if deed not in DEEDS:
            raise ImpossibleError(f"nobody can {deed!r}")
        return getattr(self._box.account, deed)(**{k: typed(k, v) for k, v in words.items()})

    def _random_edits(self, words: dict[str, Any]) -> list[str]:
        rng = Random(words.get("seed", 0))
        times = int(words.get("times", 1))
        return [self._box.account.random_edit(rng, kinds=words.get("kinds")) for _ in range(times)]

    def _grant(self, words: dict[str, Any]) -> dict[str, Any]:
        given = {name: frozenset(words[name]) for name in ("scopes", "projects") if name in words}
        return self._box.oauth.grant(member_id=words.get("member_id"), **given)

    def _truth(self, _: Asked) -> Any:
        return self._box.account.snapshot()

    def _log(self, asked: Asked) -> list[dict[str, Any]]:
        since = int(dict(split(asked.query)).get("since", 0))
        return [asdict(entry) for entry in self._box.log.entries() if entry.number > since]

    def _faults(self, asked: Asked) -> list[dict[str, Any]]:
        if asked.method == "POST":
            sent = msgspec.json.decode(asked.body)
            words = sent if isinstance(sent, dict) else {"add": sent}
            new = msgspec.convert(words.get("add", []), list[Fault])
            if words.get("clear"):
                self._box.faults.clear()
            self._box.faults.add(*new)
        return [asdict(f) | {"struck": struck} for f, struck in self._box.faults.in_force()]

    def _switches(self, asked: Asked) -> dict[str, Any]:
        if asked.method == "POST":
            wanted = asdict(self._box.switches) | asked.json()
            if unknown := set(wanted) - set(Switches.__slots__):
                raise ImpossibleError(f"there are no switches {sorted(unknown)}")
            self._box.switches = msgspec.convert(wanted, Switches)
        return asdict(self._box.switches)


def typed(name: str, value: Any) -> Any:
    """A JSON value as the account wants it; the parameter's name decides."""
    return TYPES[name](value) if name in TYPES and value is not None else value
