"""Values as commands and scripts give them, made ready for a statement on `live_tasks`.

Only the form is checked here, because a driver would refuse it in words of its own; what a value
may be is for the gate to say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final

from syncd.services.refusal import NOTHING, ChangeRefused, refused
from syncd.store.live.columns import COLUMNS
from syncd.store.live.texts import TEXTS

_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_AMOUNT: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)", re.ASCII)
_WHOLE: Final = re.compile(r"[+-]?\d+", re.ASCII)
LARGEST_ID: Final = 2**63 - 1
_LARGEST_PRIORITY: Final = 2**31 - 1
_Reader = Callable[[str, Any], Any]
_TITLED: Final = frozenset({"name", "text"})


def given(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as the columns of `live_tasks` take them. Raises ChangeRefused."""
    unknown = sorted(fields.keys() - set(COLUMNS))
    if unknown:
        raise ChangeRefused(f"A task has no field {unknown[0]!r}.", hint=NOTHING)
    return {name: _read(name, value) for name, value in fields.items()}


def _read(name: str, value: Any) -> Any:
    read: _Reader = _READERS.get(name, _text)
    return None if value is None else read(name, value)


def _text(name: str, value: Any) -> str:
    said = str(value)
    if "\0" in said:
        key = "nul" if name in _TITLED else name
        words = TEXTS.get(key, f"{name} cannot hold a NUL character. Remove it.")
        raise ChangeRefused(words, hint=NOTHING)
    try:
        said.encode()
    except UnicodeEncodeError:
        raise ChangeRefused(f"{name} is not UTF-8 text.", hint=NOTHING) from None
    return said


def _whole(largest: int) -> _Reader:
    def read(name: str, value: Any) -> int:
        if isinstance(value, bool) or not _WHOLE.fullmatch(str(value)):
            raise refused(name)
        if abs(number := int(value)) > largest:
            raise refused(name)
        return number

    return read


def _amount(name: str, value: Any) -> Decimal:
    said = f"{value:f}" if isinstance(value, Decimal) else str(value)
    if isinstance(value, bool) or not _AMOUNT.fullmatch(said):
        raise refused(name)
    return Decimal(said)


def _day(name: str, value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise refused(name) from None
    raise refused(name)


def _closed(name: str, value: Any) -> datetime:
    return datetime.combine(_day(name, value), time())


def _joined(name: str, value: Any) -> str:
    """A list as the view takes it: joined by commas."""
    return _text(name, value if isinstance(value, str) else ",".join(map(str, value)))


def _items(name: str, value: Iterable[str]) -> str:
    items = [value] if isinstance(value, str) else list(value)
    return json.dumps([_text(name, item) for item in items], ensure_ascii=False)


_READERS: Final[Mapping[str, _Reader]] = {
    "project_id": _whole(LARGEST_ID),
    "parent_id": _whole(LARGEST_ID),
    "priority": _whole(_LARGEST_PRIORITY),
    "date_start": _day,
    "date_end": _day,
    "date_closed": _closed,
    "max_time": _amount,
    "max_money": _amount,
    "tags": _joined,
    "checklist": _items,
    "subscribers": _joined,
    "hidden": _joined,
    "mentions": _joined,
}
