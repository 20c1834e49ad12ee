"""Check: look at configuration, database, mirror and account, and say how to mend what is amiss.

Writes nothing but the lease, asks the account about ten times, and never stops at a finding that
does not make the next one meaningless.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

from syncd.errors import LeaseHeld, SyncdError
from syncd.model.reports import Finding
from syncd.services.check_account import (
    Tagging,
    look_at_size,
    look_at_tags,
    look_at_way,
    read_tagging,
)
from syncd.services.check_config import look_at_config
from syncd.services.check_database import look_at_database
from syncd.services.check_mirror import look_at_mirror
from syncd.services.findings import LEASE, note, of_error, warning
from syncd.services.first_look import Look
from syncd.settings import Settings
from syncd.store.engine import Database
from syncd.worksection.client import Client


@dataclass(frozen=True, slots=True)
class Checking:
    """What a check works with; `asking` opens the account, and raises LeaseHeld if it may not."""

    settings: Settings
    environ: Mapping[str, str]
    asking: Callable[[], AbstractContextManager[Client]]
    clock: Callable[[], datetime]
    machine_zone: str | None = None

    def findings(self, db: Database | SyncdError, *, offline: bool) -> Iterator[Finding]:
        """Look at everything, the account last; `offline` leaves the account alone."""
        yield from look_at_config(self.settings, self.environ)
        mirrored = False
        if isinstance(db, Database):
            for finding in look_at_database(db, monotonic=monotonic):
                mirrored |= finding.check == "database.schema" and finding.severity == "ok"
                yield finding
        else:
            yield of_error("database.open", db)
        mirror = db if isinstance(db, Database) and mirrored else None
        if mirror is not None:
            yield from look_at_mirror(mirror, self.settings, now=self.clock())
        if offline:
            yield note("account.offline", "the account was not asked")
        else:
            yield from self._account(mirror)

    def _account(self, mirror: Database | None) -> Iterator[Finding]:
        for finding in look_at_way(self.settings.account.url):
            yield finding
            if finding.severity == "problem":
                return
        try:
            with self.asking() as client:
                yield from self._look(client, mirror)
        except LeaseHeld as error:
            yield warning(
                LEASE,
                f"the account was not asked: {error.holder} talks to it now",
                "Ask when that is done with --wait, or leave the account alone with --offline.",
            )
        except SyncdError as error:
            yield of_error("account.answer", error)

    def _look(self, client: Client, mirror: Database | None) -> Iterator[Finding]:
        look = Look(client, self.settings, self.clock, self.machine_zone)
        yield from look.findings()
        if mirror is None or not look.works:
            return
        tagging, size = _remembered(mirror, client.budget.spacing_s)
        if size is not None:
            yield size
        yield from look_at_tags(client, tagging)


def _remembered(mirror: Database, spacing_s: float) -> tuple[Tagging, Finding | None]:
    with mirror.read() as tx:
        return read_tagging(tx), look_at_size(tx, spacing_s)
