"""What the tests of services share: settings for a sandbox, and a look at it without waiting."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from msgspec.structs import replace

from syncd.bootstrap import App, build
from syncd.sandbox import KEY, Account, Sandbox
from syncd.secrets import Secret
from syncd.services.first_look import Look
from syncd.services.opening import open_client
from syncd.settings import AccountSettings, DatabaseSettings, LimitSettings, Settings
from syncd.worksection.client import Client


def now() -> datetime:
    return datetime.now(UTC)


def settings_for(url: str, *, database: str = "sqlite:///syncd.db", **account: Any) -> Settings:
    """Settings of an account, paced as a simulated one may be."""
    given = {"url": url, "api_key": Secret(KEY), "timezone": "Europe/Kyiv", **account}
    return Settings(
        account=AccountSettings(**given),
        database=DatabaseSettings(url=database),
        limits=LimitSettings(requests_per_second=1e6),
    )


def with_pull(settings: Settings, **changes: Any) -> Settings:
    return replace(settings, pull=replace(settings.pull, **changes))


@contextmanager
def client_of(settings: Settings) -> Iterator[Client]:
    with open_client(settings, clock=now, sleep=lambda _: None, rng=Random(7)) as client:
        yield client


@contextmanager
def a_look(box: Sandbox, **account: Any) -> Iterator[Look]:
    settings = settings_for(box.url, **account)
    with client_of(settings) as client:
        yield Look(client, settings, now)


def a_mirror(folder: Path, *, url: str = "http://127.0.0.1:1", **account: Any) -> App:
    """An empty mirror with its schema."""
    settings = settings_for(url, database=f"sqlite:///{folder / 'syncd.db'}", **account)
    app = build(settings)
    app.ready(write=True)
    return app


def an_account_where_something_happened(**options: Any) -> Account:
    """A small account, with an event of this minute."""
    account = Account.seeded(60, **options)
    account.create_task(next(iter(account.projects)), "just now")
    return account
