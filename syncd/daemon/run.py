"""`syncd run`: the life of the daemon. Wait for the database, for the lease; hold it; give it back.

The main thread only watches: it heeds signals, feeds the service manager's watchdog and starts over
when the lease is lost. While it holds the lease, whatever can hang is done by other threads.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Final

from syncd import __version__, log
from syncd.bootstrap import App, build
from syncd.daemon.known import Known
from syncd.daemon.looking import Desk
from syncd.daemon.manager import Manager
from syncd.daemon.pulse import Heartbeat, Hearts, Watchdog
from syncd.daemon.schedule import DESK, Job, Schedule
from syncd.daemon.serve import open_server
from syncd.daemon.stopping import Orders, leave
from syncd.daemon.truth import Truth
from syncd.daemon.turns import Tellers, Turns
from syncd.daemon.wake import Settling, Waker
from syncd.errors import ConfigError, DatabaseUnusable, LeaseHeld, StorageFailed, SyncdError
from syncd.settings import Settings
from syncd.store.engine import is_passing
from syncd.store.lease import Lease

TICK_S: Final = 1.0
AGAIN_S: Final = 2.0
"""How often a lease that somebody else holds, or a database that is away, is asked for again."""
GIVE_WAY_S: Final = 4.0
LAST_REQUEST_S: Final = 25.0
"""How long a request in flight is waited for at the end; then it is left, and looked for later."""
HUNG_S: Final = 300.0
"""Without a service manager: after so long without a sign of life /healthz says so."""
SILENT_SHARE: Final = 5
LEAST_S: Final = 3.0
"""A thread that only listens gives a sign every second or two; it hangs when it is silent for a
fifth of what the service manager allows, and for longer than this."""
STARTING_S: Final = 30

Load = Callable[[], Settings]


def run(load: Load, *, shadow: bool, environ: Mapping[str, str]) -> int:
    """Keep both sides the same until told to stop; returns the exit code.

    Raises ConfigError and DatabaseUnusable where it cannot start, and LeaseHeld where another
    instance holds the lease of a SQLite file; a server's lease is waited for.
    """
    settings = load()
    log.set_up(form=settings.log.format, level=settings.log.level)
    threading.excepthook = _log_death
    # What the watchdog's SIGABRT leaves in the journal: where each thread was, and no values.
    faulthandler.enable()
    daemon = Daemon(load, settings, Manager(environ), shadow=shadow)
    with daemon.orders.heeding_signals():
        daemon.live()
    if daemon.upgraded and not daemon.orders.stop:
        os.execv(sys.executable, sys.orig_argv)  # noqa: S606 - the very words we were started with
    return 0


def _log_death(died: threading.ExceptHookArgs) -> None:
    """Tell of a thread that broke as of everything else: without secrets."""
    name = died.thread.name if died.thread is not None else ""
    error = (died.exc_type, died.exc_value, died.exc_traceback)
    log.get_logger().error("thread.died", thread=name, exc_info=error)


class Daemon:
    """One daemon: what outlives a lease."""

    def __init__(self, load: Load, settings: Settings, manager: Manager, *, shadow: bool) -> None:
        self.orders = Orders()
        self._load = load
        self._manager = manager
        self._shadow = shadow
        self._known = Known()
        self._hearts = Hearts(
            Heartbeat(time.monotonic, check=self.orders.check), Heartbeat(time.monotonic)
        )
        self._app = self._built(settings)
        self._hung_s = manager.watchdog_s or HUNG_S
        self._truth = Truth(self._app, self._known, self._hearts, hung_s=self._hung_s)
        self._served = False
        self.upgraded = False
        """The database is of now: begin anew, for what an upgrade loads would stay for good."""

    def _built(self, settings: Settings) -> App:
        app = replace(build(settings), sleep=self.orders.sleep)
        self._hearts.listen(app.db)
        return app

    def live(self) -> None:
        """Hold the lease again and again, until told to stop."""
        log.get_logger().info("daemon.started", version=__version__, shadow=self._shadow)
        with ExitStack() as stack:
            listen = self._app.settings.server.listen
            if listen:
                stack.enter_context(open_server(listen, self._truth.pages()))
            stack.callback(self._end)
            while not (self.orders.stop or self.upgraded):
                self._hold()

    def _hold(self) -> None:
        """Take the lease once, and hold it for as long as it lasts."""
        try:
            self._wait_for_the_database()
            if self.upgraded:
                return
            with ExitStack() as stack:
                held = self._stand_by(stack)
                knocked = held is not None and self._serve(held)
            if knocked:
                self._idle(GIVE_WAY_S, "giving way to a command that waits for its turn")
        except (StorageFailed, DatabaseUnusable) as error:
            if not self._served and not is_passing(error):
                raise
            self._known.database = error.message
            log.get_logger().error("database.failed", error=error.message)
            self._idle(AGAIN_S, "waiting for the database")

    def _wait_for_the_database(self) -> None:
        self.upgraded = self._app.ready(write=True)
        self._known.database = ""

    def _stand_by(self, stack: ExitStack) -> Lease | None:
        """Take the lease, once whoever has it is done; None where told to stop before that."""
        while not self.orders.stop:
            try:
                self.orders.resume()
                return stack.enter_context(self._app.holding())
            except LeaseHeld as error:
                if self._app.db.is_sqlite and not self._served:
                    raise
                self._stand(error.holder)
        return None

    def _stand(self, holder: str) -> None:
        if not self._known.role.startswith("standing by"):
            log.get_logger().info("lease.held_elsewhere", holder=holder)
        self._manager.ready()  # it is settled: somebody else has it
        if not self._app.db.is_sqlite:
            self._app.epoch(self._app.db).follow()
        self._idle(AGAIN_S, f"standing by: {holder} holds the lease")

    def _idle(self, seconds: float, role: str) -> None:
        """Wait for news with nothing to do, and look alive."""
        self._known.role = role
        self._manager.status(self._known.line)
        self._manager.extend(STARTING_S)
        self._feed()
        if self.orders.take_reload():
            self._reload(None)
        self.orders.wait(seconds)

    def _feed(self) -> None:
        self._truth.fed()
        self._manager.alive()

    def _serve(self, held: Lease) -> bool:
        """Do everything that the holder does, until it is told to stop or is the holder no more.

        True where it gives way to somebody who waits.
        """
        holder = Holder(
            self._app,
            held,
            self._hearts,
            self._known,
            self._truth,
            go_on=lambda: not self.orders.stop,
            shadow=self._shadow,
        )
        log.get_logger().info("lease.taken", fencing=held.fencing)
        self._served, self._known.role = True, "in shadow" if self._shadow else "holding the lease"
        self._truth.holds(True)
        try:
            with holder.at_work():
                self._manager.ready()
                knocked = self._watch(holder, held)
                self._leave(holder)
            return knocked
        finally:
            self._truth.holds(False)

    def _watch(self, holder: Holder, held: Lease) -> bool:
        quiet_s = max(LEAST_S, self._hung_s / SILENT_SHARE)
        watchdog = self._watchdog(lambda: holder.silent(quiet_s))
        while not (self.orders.stop or held.lost or holder.turns.lost):
            if self.orders.take_reload():
                self._reload(holder)
            holder.heed_clock()
            watchdog.look()
            self._manager.status(self._known.line)
            if holder.knocked():
                log.get_logger().info("lease.given_way")
                return True
            self.orders.wait(TICK_S)
        if not self.orders.stop:
            log.get_logger().warning("lease.lost", fencing=held.fencing)
        return False

    def _watchdog(self, silent: Callable[[], str]) -> Watchdog:
        return Watchdog(self._hearts, silent=silent, feed=self._feed, patience_s=self._hung_s)

    def _leave(self, holder: Holder) -> None:
        """Let nothing more leave, and wait for what is in flight."""
        holder.stop_listening()
        if self.orders.stop:
            self._manager.stopping()
        self.orders.cut()
        watchdog = self._watchdog(lambda: "")
        ends = time.monotonic() + LAST_REQUEST_S
        while (doing := self._hearts.account.doing) is not None:
            watchdog.look()
            if self.orders.stop and time.monotonic() > ends:
                leave("request.left_in_flight", doing=doing.what)
            self.orders.wait(TICK_S / 5)

    def _reload(self, holder: Holder | None) -> None:
        """Read the configuration again; one that cannot be used changes nothing but is told."""
        self._manager.reloading()
        try:
            settings = self._checked(self._load())
            app = replace(self._app, settings=settings)
            if holder is not None:
                holder.reload(app)
        except SyncdError as error:
            self._known.settings_refused = error.message
            log.get_logger().error("settings.refused", error=error.message)
        else:
            self._known.settings_refused = ""
            self._app = app
            self._truth.reload(app)
            log.set_up(form=settings.log.format, level=settings.log.level)
            log.get_logger().info("settings.reloaded")
        self._manager.ready()

    def _checked(self, settings: Settings) -> Settings:
        """Refuse what only a new start can change."""
        now = self._app.settings
        for name, old, new in (
            ("account.url", now.account.url, settings.account.url),
            ("database", (now.database_url, now.database.schema), _place(settings)),
            ("server", now.server, settings.server),
        ):
            if old != new:
                raise ConfigError(
                    f"{name} cannot change while syncd runs; the former settings are kept.",
                    hint="Restart it: systemctl restart syncd",
                )
        return settings

    def _end(self) -> None:
        self._app.db.close()
        log.get_logger().info("daemon.ended")


def _place(settings: Settings) -> tuple[str, str | None]:
    return settings.database_url, settings.database.schema


class Holder:
    """What the holder of the lease has at work: the schedule, its turns, the desk, the waker."""

    def __init__(
        self,
        app: App,
        held: Lease,
        hearts: Hearts,
        known: Known,
        truth: Truth,
        *,
        go_on: Callable[[], bool],
        shadow: bool,
    ) -> None:
        self._schedule = Schedule()
        self._desk = Desk(app, held, heart=hearts.desk, known=known, go_on=go_on)
        tell = Tellers(truth.ran, truth.failed, self._desk.landed, self._schedule.later)
        settling = Settling(app.db)
        self.turns = Turns(
            app,
            held,
            heart=hearts.account,
            known=known,
            tell=tell,
            settling=settling,
            shadow=shadow,
        )
        truth.on_hint(lambda: self._schedule.now("events"))
        self._waker = Waker(app.db, settling, clock=app.clock, wake=self.turns.want_push)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Work for the length of a block."""
        for job in self._jobs(self.turns.app.settings):
            self._schedule.put(job)
        with self.turns.taken(), self._schedule.running(), self._waker.awake():
            yield

    def stop_listening(self) -> None:
        """Ask for nothing new: what is under way is the last."""
        self._waker.stop()

    def heed_clock(self) -> None:
        """Keep the intervals where somebody sets the clock of this machine."""
        self._schedule.heed_clock()

    def silent(self, limit_s: float) -> str:
        """Name a thread that listens and has given no sign of life for so long; empty: none."""
        silent = {"waker": self._waker.still_s, "schedule": self._schedule.overdue_s}
        return ", ".join(name for name, still_s in silent.items() if still_s > limit_s)

    def knocked(self) -> bool:
        """Tell whether a command waits for its turn. Raises StorageFailed; asks nobody."""
        return self._waker.knocked()

    def reload(self, app: App) -> None:
        """Work with these settings from now on. Raises ConfigError where they cannot be used."""
        self._desk.reload(app)
        self.turns.reload(app)
        for job in self._jobs(app.settings):
            self._schedule.put(job)
        self._schedule.now("pull")

    def _jobs(self, settings: Settings) -> tuple[Job, ...]:
        turns, desk, pulls = self.turns, self._desk, settings.pull
        return (
            Job("pull", turns.pull, pulls.interval, 0),
            Job("push", turns.push, settings.push.interval, settings.push.interval),
            Job("events", turns.follow, pulls.events_interval, pulls.events_interval),
            Job("verify", turns.check, settings.verify.interval, settings.verify.interval),
            Job("look", desk.look, LOOK_S, LOOK_S, where=DESK),
            Job("house", desk.keep_house, HOUSE_S, HOUSE_S / 6, where=DESK),
        )


LOOK_S: Final = 30.0
HOUSE_S: Final = 3600.0
