"""Where a mirror is to be moved to, as a person says it; and how it is shown without a password."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from syncd.errors import ConfigError
from syncd.secrets import Secret
from syncd.services.address import database_url
from syncd.store.engine import Database

DRIVER = "postgresql+psycopg"
_FORM = "Give it as postgresql://USER@HOST/DATABASE"
_POSTGRES_PORT = 5432


@dataclass(frozen=True, slots=True)
class Address:
    """An address with its password, which is shown to nobody, and a schema."""

    url: URL
    schema: str | None

    def __repr__(self) -> str:
        return f"Address({self.shown!r}, {self.schema!r})"

    @property
    def given(self) -> str:
        """The address with its password, to open it."""
        return self.url.render_as_string(hide_password=False)

    @property
    def shown(self) -> str:
        """The address as it belongs in the configuration."""
        url = self.url
        bare = URL.create(
            url.drivername, url.username, None, url.host, url.port, url.database, url.query
        )
        return bare.render_as_string()

    @property
    def password(self) -> bool:
        """Whether a password was given in the address."""
        return self.url.password is not None

    @property
    def pgpass(self) -> str:
        """The line of ~/.pgpass that stands for the password."""
        url = self.url
        place = f"{url.host or '*'}:{url.port or _POSTGRES_PORT}:{url.database or '*'}"
        return f"{place}:{url.username or '*'}:PASSWORD"


def read_address(text: str, schema: str | None) -> Address:
    """Understand an address. Raises ConfigError, without saying back what may hold a password."""
    try:
        url = make_url(database_url(text, folder=Path()))
    except (ArgumentError, ValueError):
        raise ConfigError("The address of the database cannot be understood.", hint=_FORM) from None
    if url.drivername != DRIVER or not url.database:
        raise ConfigError("A mirror can be moved to PostgreSQL only.", hint=_FORM)
    for name in url.query:
        if "password" in name:
            raise ConfigError(f"{name} does not belong behind a question mark.", hint=_FORM)
    if url.password is not None:
        Secret(str(url.password))  # known from here on, so that no message shows it
        Secret(unquote(text.partition("://")[2].rpartition("@")[0].partition(":")[2]))
    return Address(url, schema)


def refuse_source(db: Database) -> None:
    """Raise ConfigError unless the mirror that is configured is a SQLite file."""
    if not db.is_sqlite:
        raise ConfigError(
            f"{db.label} is on PostgreSQL already; database.url names it.",
            hint="To another server: pg_dump there, pg_restore here; see docs/postgresql.md",
        )
