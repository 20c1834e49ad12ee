"""A wall clock that a test can set, inside a daemon; the monotonic clock goes on as it does then.

Every module that reads the time gets this one's: the file at `path` holds by how many hours it is
off. libfaketime would do it from outside, but under 0.9.10 Python 3.11's `time.sleep` fails.
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta, tzinfo
from importlib import import_module
from pathlib import Path
from typing import Any

READERS = ("syncd.", "apscheduler.")
LOADED_FIRST = ("syncd.daemon.run", "syncd.bootstrap")


class _AsBefore(type):
    def __instancecheck__(cls, one: object) -> bool:
        return isinstance(one, datetime)


def obey(path: Path) -> None:
    """Go by the clock of that file from now on, in all modules that are loaded."""

    class Moved(datetime, metaclass=_AsBefore):
        def __new__(cls, *given: Any, **named: Any) -> Any:  # nothing is ever made of this class
            return datetime(*given, **named)

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime.now(tz) + timedelta(hours=float(path.read_text()))

    for name in LOADED_FIRST:
        import_module(name)
    for name, module in list(sys.modules.items()):
        if name.startswith(READERS) and vars(module).get("datetime") is datetime:
            vars(module)["datetime"] = Moved


def move(path: Path, hours: float) -> None:
    """Set the clock: off by so many hours from now on. Nobody reads a half of it."""
    new = path.with_suffix(".new")
    new.write_text(str(hours))
    new.replace(path)
