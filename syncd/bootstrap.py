"""Builds the application from its settings; nothing is created at import time."""

from __future__ import annotations

import getpass
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, assert_never

from syncd.config import Settings
from syncd.errors import ConfigError, DatabaseUnusable, LeaseHeld, SchemaMismatch
from syncd.resources.derived import Derived
from syncd.services.prepare import Pulling
from syncd.services.progress import Progress
from syncd.store import lease, upgrade
from syncd.store.engine import Database, open_database

if TYPE_CHECKING:
    from syncd.worksection.client import Client
    from syncd.worksection.signing import Scheme

WAIT_STEP_S = 0.5


@dataclass(frozen=True, slots=True)
class App:
    """The application: settings, database, and the clock, random and sleep everything shares."""

    settings: Settings
    db: Database
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    rng: Random

    @property
    def derived(self) -> Derived:
        """What derived columns are made with."""
        account = self.settings.account
        return Derived(account.url.rstrip("/"), account.zone)

    def ready(self, *, write: bool) -> None:
        """Make sure that the database can be used with this code.

        An empty database gets its schema; an older one is upgraded where the settings allow it.
        Raises DatabaseUnusable and SchemaMismatch.
        """
        if not write and self.db.path is not None and not self.db.path.exists():
            raise DatabaseUnusable(
                f"There is no mirror yet: {self.db.path} does not exist.", hint="Run: syncd pull"
            )
        self.db.probe(write=write)
        state = upgrade.schema_state(self.db)
        if state.current:
            return
        if not write and state.empty:
            raise DatabaseUnusable(
                f"There is no mirror yet: {self.db.label} is empty.", hint="Run: syncd pull"
            )
        if write and (state.empty or self._may_upgrade):
            upgrade.upgrade(self.db, now=self.clock())
            return
        raise SchemaMismatch(
            f"{self.db.label} has schema {state.revision}; this syncd needs {state.head}.",
            hint="Bring it up with: syncd db upgrade",
        )

    @property
    def _may_upgrade(self) -> bool:
        """A SQLite file is backed up and upgraded at once; a server waits for the word."""
        chosen = self.settings.database.auto_upgrade
        return self.db.is_sqlite if chosen is None else chosen

    @contextmanager
    def client(self) -> Iterator[Client]:
        """Open the way to the account. Nothing is sent before the first call."""
        from syncd.worksection.budget import Budget
        from syncd.worksection.client import Client

        settings = self.settings
        budget = Budget(
            settings.limits.requests_per_second,
            host=_host(settings.account.url),
            clock=time.monotonic,
            sleep=self.sleep,
        )
        with Client(
            settings.account.url,
            scheme(settings, clock=self.clock, sleep=self.sleep),
            budget,
            timeout_s=float(settings.limits.timeout),
            clock=self.clock,
            sleep=self.sleep,
            rng=self.rng,
        ) as client:
            yield client

    @contextmanager
    def pulling(
        self, progress: Progress, *, actor: str | None = None, wait: bool = False
    ) -> Iterator[Pulling]:
        """Hold the lease and open the account, for the length of a pull.

        Raises LeaseHeld while another instance holds it, unless told to `wait`.
        """
        settings = self.settings
        with self._lease(wait=wait) as held, self.client() as client:
            spacing = timedelta(seconds=client.budget.spacing_s)
            client.budget.not_before(_left_of(spacing, held, self.clock()))
            try:
                yield Pulling(
                    db=self.db,
                    client=client,
                    lease=held,
                    derived=self.derived,
                    extra=settings.pull.extra,
                    archived=settings.pull.archived,
                    max_removals=settings.pull.max_removals,
                    auth=settings.account.auth,
                    clock=self.clock,
                    progress=progress,
                    actor=actor or f"cli:{_user()}",
                )
            finally:
                asked = self.clock() if client.budget.requests else held.last_request_at
                lease.give_back(self.db, held, last_request_at=asked)

    @contextmanager
    def _lease(self, *, wait: bool) -> Iterator[lease.Lease]:
        while True:
            manager = lease.hold(self.db, now=self.clock())
            try:
                held = manager.__enter__()
            except LeaseHeld:
                if not wait:
                    raise
                self.sleep(WAIT_STEP_S)
                continue
            break
        try:
            yield held
        finally:
            manager.__exit__(None, None, None)


def _left_of(spacing: timedelta, held: lease.Lease, now: datetime) -> float:
    """Return the seconds until the account may be asked again, whoever asked it last.

    A holder that died did not leave a time behind, so a whole spacing is waited then.
    """
    last = held.last_request_at if held.clean else now
    if last is None:
        return 0.0
    return min(max(last + spacing - now, timedelta()), spacing).total_seconds()


def _host(url: str) -> str:
    from urllib.parse import urlsplit

    return urlsplit(url).hostname or ""


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in some containers
        return "unknown"


def scheme(
    settings: Settings, *, clock: Callable[[], datetime], sleep: Callable[[float], None]
) -> Scheme:
    """Return how requests are signed. Raises ConfigError where a part is missing."""
    from syncd.worksection import signing

    account = settings.account
    if account.auth == "oauth2":
        return _oauth(settings, sleep)
    if account.api_key is None:
        raise ConfigError("account.api_key_file: no key was found.", hint="Run: syncd init")
    match account.auth:
        case "md5":
            return signing.Md5(account.api_key)
        case "md5-page":
            return signing.Md5Page(account.api_key)
        case "hmac":
            return signing.Hmac(account.api_key, clock=clock)
        case _:
            assert_never(account.auth)


def _oauth(settings: Settings, sleep: Callable[[float], None]) -> Scheme:
    from syncd.worksection.consent import Consent
    from syncd.worksection.oauth import OAuth2
    from syncd.worksection.tokens import TokenFile

    account = settings.account
    if not (account.oauth_client_id and account.oauth_client_secret and account.oauth_token_file):
        raise ConfigError("account.oauth_client_id: OAuth2 is not set up.", hint="Run: syncd init")
    consent = Consent(
        client_id=account.oauth_client_id,
        client_secret=account.oauth_client_secret,
        timeout_s=float(settings.limits.timeout),
        oauth_url=account.oauth_url,
    )
    return OAuth2(TokenFile(account.oauth_token_file, sleep=sleep), consent)


def build(settings: Settings) -> App:
    """Build the application. Raises DatabaseUnusable where the database's address cannot be one."""
    return App(
        settings=settings,
        db=open_database(settings.database_url, schema=settings.database.schema),
        clock=lambda: datetime.now(UTC),
        sleep=time.sleep,
        rng=Random(),  # noqa: S311 - it spreads retries, it guards nothing
    )
