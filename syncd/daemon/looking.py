"""What is done at the desk, without the account: incidents, alerts, housekeeping, backups."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select

from syncd.bootstrap import App
from syncd.daemon.known import Known
from syncd.daemon.pulse import Heartbeat
from syncd.errors import LeaseLost, StorageFailed, SyncdError
from syncd.log import get_logger
from syncd.model.incidents import Trouble
from syncd.model.reports import PullReport
from syncd.services import backup
from syncd.services.alerts import DatabaseAlarm, tell_all
from syncd.services.dead_man import DeadMan
from syncd.services.facts import gather
from syncd.services.housekeeping import BROKEN, KIND, keep_house
from syncd.services.incidents import note
from syncd.services.ways import a_teller
from syncd.settings import AlertSettings
from syncd.store.lease import Lease
from syncd.store.schema import sync_runs
from syncd.sync.troubles import troubles, undecided

DAILY: Final = timedelta(days=1)
ACTOR: Final = "daemon"
DATABASE: Final = "database_failed"


class Desk:
    """Looks at how things stand, tells people, and keeps the house."""

    def __init__(
        self, app: App, held: Lease, *, heart: Heartbeat, known: Known, go_on: Callable[[], bool]
    ) -> None:
        self._held = held
        self._heart = heart
        self._go_on = go_on
        self._known = known
        self._alerts: AlertSettings | None = None
        self.reload(app)

    def reload(self, app: App) -> None:
        """Work with these settings from now on. Raises ConfigError where an alert cannot be."""
        alerts = app.settings.alerts
        if alerts != self._alerts:  # who was told what is not forgotten over other settings
            self._teller = a_teller(app.settings, dict(os.environ), moved=self._heart.moved)
            self._dead_man = DeadMan(alerts.ping_url) if alerts.ping_url else None
            self._alarm = DatabaseAlarm(self._teller)
            self._alerts = alerts
        self._app = app

    def landed(self, report: PullReport) -> None:
        """Tell whoever counts on hearing from us that a pull was complete."""
        if self._dead_man is not None and report.outcome == "complete":
            self._dead_man.ping()

    def look(self) -> None:
        """Note what is wrong and what is over, and tell people once of either."""
        with self._heart.working("look"):
            self._look(self._app.clock())

    def _look(self, at: datetime) -> None:
        try:
            self._note(at)
        except LeaseLost:
            return
        except StorageFailed as error:
            self._known.database = error.message
            trouble = Trouble(DATABASE, "", "problem", error.message, error.hint)
            self._alarm.look(trouble, at=at)
        except Exception:  # noqa: BLE001 - once per job: the next look is taken all the same
            get_logger().exception("look.broke")
        else:
            self._alarm.look(None, at=at)

    def _note(self, at: datetime) -> None:
        settings = self._app.settings
        known = self._known.facts(at, settings.pull.interval)
        facts = gather(self._app.db, known, max_batch=settings.push.max_batch)
        # A database that fails is told by the alarm: here it works, or nothing could be noted.
        found = [one for one in troubles(facts) if one.kind != DATABASE]
        note(self._app.db, self._held, found, at=at, undecided=undecided(facts))
        tell_all(self._app.db, self._teller, at=at)

    def keep_house(self) -> None:
        """Once a day what is no longer kept goes, and a backup is made when it is time."""
        try:
            with self._heart.working("housekeeping"):
                self._keep_house()
        except SyncdError as error:
            get_logger().error("housekeeping.failed", error=error.message)
        except Exception:  # noqa: BLE001 - once per job: the next round is made all the same
            get_logger().exception("housekeeping.broke")

    def _keep_house(self) -> None:
        app, at = self._app, self._app.clock()
        if backup.due(app.db, app.settings, at):
            self._back_up(at)
        last = self._kept_at()
        if last is None or at - last >= DAILY:
            report = keep_house(app.db, app.settings, at=at, actor=ACTOR, moved=self._heart.moved)
            self._known.audit_broken = BROKEN if BROKEN in report.notes else ""

    def _back_up(self, at: datetime) -> None:
        try:
            backup.back_up(self._app.db, self._app.settings, at=at, go_on=self._goes_on)
            self._known.backup_error = ""
        except SyncdError as error:
            self._known.backup_error = error.message
            get_logger().error("backup.failed", error=error.message)

    def _goes_on(self) -> bool:
        """Asked after each piece of a backup, which is how a long one shows that it moves."""
        self._heart.moved()
        return self._go_on()

    def _kept_at(self) -> datetime | None:
        newest = select(func.max(sync_runs.c.finished_at)).where(sync_runs.c.kind == KIND)
        with self._app.db.read() as tx:
            found: datetime | None = tx.scalar(newest)
            return found
