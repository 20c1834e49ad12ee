"""Column types that mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import (
    JSON,
    BigInteger,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    Numeric,
    Time,
    TypeDecorator,
)
from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from sqlalchemy import Dialect
    from sqlalchemy.types import TypeEngine

# SQLite counts rows by INTEGER PRIMARY KEY alone, and its INTEGER holds 64 bits anyway.
Id = BigInteger().with_variant(Integer(), "sqlite")

_sqlite_types: Any = sqlite  # its constructors are not typed


Many = Callable[[Sequence[Any]], Sequence[Any] | None]
"""What `bulk_processor` of a type returns: many values as the driver takes them, in one step, or
None where they have to be processed one by one. A first pull writes them by the ten thousand."""


class _LocalText(sqlite.DATETIME):
    """Text without fractions of a second."""

    def __init__(self) -> None:
        _sqlite_types.DATETIME.__init__(self, truncate_microseconds=True)

    def bind_processor(self, dialect: Dialect) -> Callable[[date | None], str | None]:
        del dialect
        return _local_text

    def bulk_processor(self, dialect: Dialect) -> Many:
        del dialect
        return _local_texts


def _local_text(value: date | None) -> str | None:
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    return None if value is None else f"{value} 00:00:00"  # as a server takes a day for a moment


def _local_texts(values: Sequence[date | None]) -> Sequence[str | None] | None:
    written = _written(values, datetime, len("2026-02-01T09:30:00"))
    return None if written is None else _texts(written.replace(b"T", b" "))


def _written(values: Sequence[Any], kind: type, length: int) -> bytes | None:
    """Return a JSON list of values, at least one, in a tenth of the time that each alone takes.

    None where they are not all of this kind, or one would be longer: it has a fraction or a zone.
    """
    if not {kind, _NONE}.issuperset(map(type, values)):
        return None
    nothing = values.count(None)
    written = msgspec.json.encode(values)
    expected = (len(values) - nothing) * len(b'"",') + nothing * len(b"null,") + len(b"[")
    return written if len(written) == expected + (len(values) - nothing) * length else None


_NONE: Final = type(None)
_texts: Final = msgspec.json.Decoder(list[str | None]).decode


class _DayText(sqlite.DATE):
    """The same text as ever, by Python's own way to write a day: four times as quick."""

    def __init__(self) -> None:
        _sqlite_types.DATE.__init__(self)

    def adapt(self, cls: Any, **_: Any) -> Any:
        """Stay: the driver's own type for days would take its place."""
        del cls
        return self

    def bind_processor(self, dialect: Dialect) -> Callable[[date | None], str | None]:
        del dialect
        return _day_text

    def bulk_processor(self, dialect: Dialect) -> Many:
        del dialect
        return _day_texts


@lru_cache(maxsize=8192)
def _day_text(value: date | None) -> str | None:
    return None if value is None else date.isoformat(value)  # of a datetime its day


def _day_texts(values: Sequence[date | None]) -> Sequence[str | None] | None:
    written = _written(values, date, len("2026-02-01"))
    return None if written is None else _texts(written)


class _TimeText(sqlite.TIME):
    """Text without fractions of a second."""

    def __init__(self) -> None:
        _sqlite_types.TIME.__init__(self, truncate_microseconds=True)

    def bulk_processor(self, dialect: Dialect) -> Many:
        del dialect
        return _time_texts


def _time_texts(values: Sequence[time | None]) -> Sequence[str | None] | None:
    written = _written(values, time, len("09:30:00"))
    return None if written is None else _texts(written)


class _PlainBytes(sqlite.BLOB):
    """Bytes as they are: SQLite's driver takes them without a wrapper."""

    def bind_processor(self, dialect: Dialect) -> None:
        del dialect


class _PlainBytea(postgresql.BYTEA):
    """Bytes as they are: in a wrapper, PostgreSQL's driver takes them by a road in Python."""

    def bind_processor(self, dialect: Dialect) -> None:
        del dialect


def bytes_of(length: int) -> LargeBinary:
    """Return the type of so many bytes."""
    on_sqlite = LargeBinary(length).with_variant(_PlainBytes(length), "sqlite")
    return on_sqlite.with_variant(_PlainBytea(length), "postgresql")


Day = Date().with_variant(_DayText(), "sqlite")

# The account's clock shows minutes; "2026-02-01 09:30:00" is what a person expects to read.
LocalTime = DateTime().with_variant(_LocalText(), "sqlite")
TimeOfDay = Time().with_variant(_TimeText(), "sqlite")

Document = JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")

_NAIVE = "an instant needs a time zone"
_START = datetime(1970, 1, 1)  # noqa: DTZ001 - without a zone, as SQLite's text is
_START_UTC = _START.replace(tzinfo=UTC)


class Instant(TypeDecorator[datetime]):
    """A UTC instant: timestamptz on PostgreSQL; text in UTC with microseconds on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any] | None:
        """Write SQLite's text in one step."""
        return _instant_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def bulk_processor(self, dialect: Dialect) -> Many:
        """Write the text of many at once; what is in UTC goes to a server as it is."""
        return _instant_texts if dialect.name == "sqlite" else _in_utc

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive datetime: it would be read in whatever zone the server has."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(_NAIVE)
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give an aware datetime in UTC on both databases."""
        if value is None:
            return None
        return value.astimezone(UTC) if dialect.name == "postgresql" else value.replace(tzinfo=UTC)


def _instant_text(value: datetime | None) -> str | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError(_NAIVE)
    return (_START + (value - _START_UTC)).isoformat(" ", "microseconds")


def _in_utc(values: Sequence[datetime | None]) -> Sequence[datetime | None] | None:
    elsewhere = any(value is not None and value.tzinfo is not UTC for value in values)
    return None if elsewhere else values


def _instant_texts(values: Sequence[datetime | None]) -> Sequence[str | None] | None:
    if _in_utc(values) is None:
        return None
    written = _written(values, datetime, len("2026-02-01T09:30:00Z"))
    if written is None:
        return None
    return _texts(written.replace(b"T", b" ").replace(b'Z"', b'.000000"'))


class ExactDecimal(TypeDecorator[Decimal]):
    """Money and hours, exact: NUMERIC on both.

    SQLite's NUMERIC affinity turns text into a number only where that loses nothing in the first
    15 digits (sqlite.org/datatype3.html, section 3), so text goes in and the shortest
    representation comes out.
    """

    impl = Numeric()
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Keep SQLAlchemy's float detour for decimals out of the SQLite road."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(_PlainNumeric())
        return dialect.type_descriptor(Numeric())

    def bind_processor(self, dialect: Dialect) -> Callable[[Decimal | None], Any] | None:
        """Send a decimal to PostgreSQL as it is."""
        return None if dialect.name == "postgresql" else super().bind_processor(dialect)

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        """Send text to SQLite."""
        del dialect
        return None if value is None else format(value, "f")

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        """Give a decimal without trailing zeros, equal on both databases."""
        del dialect
        if value is None:
            return None
        return canonical_decimal(Decimal(str(value)))


class _PlainNumeric(Numeric[Any]):
    """NUMERIC without a conversion of SQLAlchemy's on either way."""

    def bind_processor(self, dialect: Dialect) -> None:
        del dialect

    def result_processor(self, dialect: Dialect, coltype: object) -> None:
        del dialect, coltype


def canonical_decimal(value: Decimal) -> Decimal:
    """Return the value without trailing zeros and never in scientific notation: 50, 0.5."""
    return Decimal(format(value.normalize(), "f"))
