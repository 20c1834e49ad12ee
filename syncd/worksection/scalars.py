"""The lenient scalar codec: every single value of the account passes here once. API sheet, 4.

The account sends the same thing as a text, a number or not at all; missing, null, "", [], {} and
zero dates all mean unset and become None. What cannot be understood raises ValueError with a
short reason, for the quarantine. Pure, and called for every field of a pull: the usual type is
asked for first.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time
from decimal import Context, Decimal
from functools import lru_cache
from typing import Any, Final

import msgspec

LARGEST_ID: Final = 2**63 - 1
MOST_DIGITS: Final = 15  # what SQLite's NUMERIC keeps (sqlite.org/datatype3.html, section 3)
MOST_DECIMALS: Final = 9
_EXACT: Final = Context(prec=MOST_DIGITS)
_INT: Final = re.compile(r"[+-]?[0-9]{1,19}")
_DECIMAL: Final = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?")
_DATE: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?: \d\d:\d\d(?::\d\d)?)?", re.ASCII)
_LOCAL: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::\d\d)?)?", re.ASCII)
_TIME: Final = re.compile(r"(\d{1,2}):(\d\d)(?::\d\d)?", re.ASCII)
_DURATION: Final = re.compile(r"(\d{1,6}):([0-5]\d)", re.ASCII)
_WRITTEN: Final = (str, int, float)
"""How a number comes."""
_TRUTH: Final = {"1": True, "0": False, "true": True, "false": False}


def is_unset(value: Any) -> bool:
    """Return whether `value` is one of the ways to say that there is none."""
    if value is None or value is msgspec.UNSET or value == "":
        return True
    if type(value) is str:
        return value.startswith("0000-00-00") or not value.strip()
    return isinstance(value, (list, dict)) and not value


def as_id(value: Any) -> int | None:
    """Return a record's number."""
    number = as_int(value)
    if number is not None and not 0 <= number <= LARGEST_ID:
        raise ValueError(f"not an id: {_shown(value)}")
    return number


def as_int(value: Any) -> int | None:
    """Return a whole number of at most 64 bits, which is what a database keeps."""
    number = _whole(value)
    if number is not None and not -LARGEST_ID <= number <= LARGEST_ID:
        raise ValueError(f"not a number of 64 bits: {_shown(value)}")
    return number


def _whole(value: Any) -> int | None:
    kind = type(value)
    if kind is int:
        return int(value)
    if kind is str and value.isdecimal() and value.isascii() and len(value) < 20:
        return int(value)
    if is_unset(value):
        return None
    if kind is str and _INT.fullmatch(value.strip()):
        return int(value)
    if kind in (float, Decimal) and value == value and abs(value) < 2**53 and value == int(value):
        return int(value)
    raise ValueError(f"not a whole number: {_shown(value)}")


def as_text(value: Any) -> str | None:
    """Return a text as it came; NUL is left out, no database takes it."""
    kind = type(value)
    if kind is str:
        if "\x00" in value:
            value = value.replace("\x00", "")
        return value or None
    if is_unset(value):
        return None
    if kind in (int, float, Decimal):
        return str(value)
    raise ValueError(f"not a text: {_shown(value)}")


def as_date(value: Any) -> date | None:
    """Return a day from YYYY-MM-DD, with or without a time behind it."""
    if type(value) is str and value:
        return _date(value)
    _expect_unset(value, "a date")
    return None


def as_local_datetime(value: Any) -> datetime | None:
    """Return the account's wall clock from YYYY-MM-DD HH:MM: no zone, whole minutes."""
    if type(value) is str and value:
        return _local_datetime(value)
    _expect_unset(value, "a date with a time")
    return None


def as_time(value: Any) -> time | None:
    """Return a time of day from HH:MM."""
    if type(value) is str and value:
        return _time(value)
    _expect_unset(value, "a time")
    return None


def as_decimal(value: Any) -> Decimal | None:
    """Return an exact number; a float becomes the decimal it was written as."""
    kind = type(value)
    if kind is int:
        return Decimal(value)
    if kind is Decimal or kind is float:
        return _finite(value)
    if kind is str and _DECIMAL.fullmatch(text := value.strip()):
        return Decimal(text.replace(",", "."))
    if is_unset(value):
        return None
    raise ValueError(f"not a number: {_shown(value)}")


def as_amount(value: Any) -> Decimal | None:
    """Return money or hours: a number of at most 15 digits, which both databases keep exactly.

    More decimals than that are a float's own noise, and are rounded away.
    """
    return _amount_as_written(value) if type(value) in _WRITTEN else _amount(value)


def _amount(value: Any) -> Decimal | None:
    number = as_decimal(value)
    if number is None:
        return None
    if number.adjusted() >= MOST_DIGITS:
        raise ValueError(f"not an amount that can be kept: {_shown(value)}")
    if len(number.as_tuple().digits) <= MOST_DECIMALS:
        return number
    return _EXACT.plus(round(number, MOST_DECIMALS)).normalize()


_amount_as_written: Final = lru_cache(maxsize=512, typed=True)(_amount)


def as_minutes(value: Any) -> int | None:
    """Return a length of time from H:MM, as costs have it."""
    match = _DURATION.fullmatch(value.strip()) if type(value) is str else None
    if match:
        return int(match[1]) * 60 + int(match[2])
    _expect_unset(value, "a length of time")
    return None


def as_bool(value: Any) -> bool | None:
    """Return a truth value from 0/1, as number or text, or a JSON one."""
    kind = type(value)
    if kind is bool:
        return bool(value)
    if kind is int and value in (0, 1):
        return bool(value)
    if kind is str and (known := _TRUTH.get(value.strip().lower())) is not None:
        return known
    _expect_unset(value, "yes or no")
    return None


def wire_date(day: date) -> str:
    """Return a day as the account takes it: DD.MM.YYYY."""
    return f"{day.day:02}.{day.month:02}.{day.year:04}"


def wire_number(number: int | Decimal) -> str:
    """Return a number as the account takes it: no exponent, no idle zeros."""
    text = f"{Decimal(number):f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


@lru_cache(maxsize=8192)
def _date(text: str) -> date | None:
    if len(text) == 10 and text[4] == text[7] == "-":  # no other form of ISO 8601
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass  # what else it may be is asked below
    if is_unset(text):
        return None
    year, month, day = _numbers(_DATE, text, "a date")
    return date(year, month, day)


def _local_datetime(text: str) -> datetime | None:
    if len(text) == 16 and text[4] == text[7] == "-" and text[13] == ":":
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass  # `suppress` takes three times as long as the reading
    if is_unset(text):
        return None
    year, month, day, hour, minute = _numbers(_LOCAL, text, "a date with a time")
    return datetime(year, month, day, hour, minute)  # noqa: DTZ001 - the account tells no zone


@lru_cache(maxsize=2048)
def _time(text: str) -> time | None:
    if is_unset(text):
        return None
    hour, minute = _numbers(_TIME, text, "a time")
    return time(hour, minute)


def _numbers(pattern: re.Pattern[str], text: str, expected: str) -> list[int]:
    match = pattern.fullmatch(text.strip())
    if not match:
        raise ValueError(f"not {expected}: {_shown(text)}")
    return [int(group or 0) for group in match.groups()]


def _finite(number: float | Decimal) -> Decimal:
    exact = Decimal(repr(number)) if isinstance(number, float) else number
    if not exact.is_finite():
        raise ValueError(f"not a number: {_shown(number)}")
    return exact


def _expect_unset(value: Any, expected: str) -> None:
    if not is_unset(value):
        raise ValueError(f"not {expected}: {_shown(value)}")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
