"""What the daemon says of itself at its local port: alive, ready, counted."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from syncd.bootstrap import App
from syncd.daemon.known import Known
from syncd.daemon.pulse import MINUTE_S, Doing, Hearts
from syncd.daemon.serve import Credentials, Health, Pages
from syncd.services.gauges import Gauges, Reading, read_gauges
from syncd.services.hook import hinted
from syncd.services.metrics import Metrics, Own
from syncd.sync.troubles import LATE


class Truth:
    """Answers health, readiness and metrics from what is known and what the database says."""

    def __init__(self, app: App, known: Known, hearts: Hearts, *, hung_s: float) -> None:
        self._app = app
        self._known = known
        self._hearts = hearts
        self._hung_s = hung_s
        self._fed_at: float | None = None
        self._holds = False
        self._on_hint: Callable[[], None] = lambda: None
        self._reading = Reading(lambda: read_gauges(app.db))
        self._metrics = Metrics(self._own, self._reading, clock=app.clock)
        self.ran, self.failed = self._metrics.ran, self._metrics.failed

    def reload(self, app: App) -> None:
        """Judge by these settings from now on."""
        self._app = app

    def holds(self, yes: bool) -> None:
        """Say whether the lease is ours."""
        self._holds = yes

    def fed(self) -> None:
        """Take down that the watchdog was fed just now."""
        self._fed_at = time.monotonic()

    def on_hint(self, do: Callable[[], None]) -> None:
        """Call `do` once a webhook has named a task."""
        self._on_hint = do

    def pages(self) -> Pages:
        """Return where the local port's answers come from."""
        server = self._app.settings.server
        page = self._metrics.page
        if server.hook_password is None:
            return Pages(self.healthy, self.ready, page)
        credentials = Credentials(server.hook_user, server.hook_password)
        return Pages(self.healthy, self.ready, page, self._hook, credentials)

    def healthy(self) -> Health:
        """Say whether work moves on: well as long as the watchdog is fed.

        Before the first feed it starts, which may take long: a database is upgraded then.
        """
        hung = self._fed_at is not None and time.monotonic() - self._fed_at > self._hung_s
        doing, desk = self._hearts.account.doing, self._hearts.desk.doing
        body = {"state": self._known.line, "doing": _shown(doing), "desk": _shown(desk)}
        return Health(not hung, body)

    def ready(self) -> Health:
        """Say whether the mirror can be believed: ours to keep, complete, and not too old."""
        found = self._reading.gauges()
        reasons = list(self._reasons(found))
        as_of = found.observed_at.isoformat() if found and found.observed_at else None
        body = {"state": self._known.line, "as_of": as_of, "reasons": reasons}
        return Health(not reasons, body)

    def _reasons(self, found: Gauges | None) -> list[str]:
        if found is None:
            return ["the database cannot be read"]
        reasons = [self._known.halted] if self._known.halted else []
        if not self._holds:
            reasons.append(self._known.role)
        if found.observed_at is None:
            return [*reasons, "no pull was complete yet"]
        age_s = (self._app.clock() - found.observed_at).total_seconds()
        if age_s > LATE * self._app.settings.pull.interval:
            reasons.append(f"the last complete pull is {age_s:.0f} s old")
        return reasons

    def _own(self) -> Own:
        used = self._hearts.account.asked_last_minute * self._known.spacing_s / MINUTE_S
        return Own(self._holds, max(0.0, 1.0 - used) if self._holds else None)

    def _hook(self, body: bytes) -> None:
        named = hinted(body)
        if named:
            self._known.hint(named)
            self._on_hint()


def _shown(doing: Doing | None) -> dict[str, Any] | None:
    if doing is None:
        return None
    return {
        "what": doing.what,
        "for_s": round(doing.for_s, 1),
        "still_s": round(doing.still_s, 1),
    }
