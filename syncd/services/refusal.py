"""What the gate refuses, as an error in the gate's own words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import IntegrityError

from syncd.errors import ConfigError
from syncd.store.live.texts import TEXTS

_WORDS = frozenset(TEXTS.values())
NOTHING = "Nothing was queued."


class ChangeRefused(ConfigError):
    """A rule forbids what was asked for; nothing was queued, moved or cancelled."""


def refused(key: str, *, hint: str = NOTHING) -> ChangeRefused:
    """Return the refusal that SQL would have got, by the key of its text."""
    return ChangeRefused(TEXTS[key], hint=hint)


@contextmanager
def gate(*, hint: str = NOTHING) -> Iterator[None]:
    """Raise what the gate refuses inside the block as ChangeRefused, with its very text."""
    try:
        yield
    except IntegrityError as error:
        diagnosis = getattr(error.orig, "diag", None)  # PostgreSQL's; SQLite says its text alone
        said = diagnosis.message_primary if diagnosis is not None else str(error.orig)
        if said not in _WORDS:
            raise
        raise ChangeRefused(said, hint=hint) from error
