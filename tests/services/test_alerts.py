"""Who hears of an incident: everybody named, once for each change of its state (failure 28)."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from syncd.errors import ConfigError
from syncd.model.incidents import Incident, Trouble
from syncd.secrets import Secret
from syncd.services.alerts import BLIP, FORGOTTEN, DatabaseAlarm, Told, tell_all
from syncd.services.dead_man import DeadMan
from syncd.services.incidents import note
from syncd.services.telling import Message, NotTold, Teller
from syncd.services.ways import Command, ways
from syncd.settings import AlertSettings
from syncd.store import lease
from syncd.store.incidents import incidents
from tests.live.conftest import Gate
from tests.support.records import MONDAY

MINUTE = timedelta(minutes=1)
CANARY = "canary-71c0ffee"
KEEP = 'cat >> "$0"; echo >> "$0"'
"""A command of sh that adds what it reads to the file it is given."""


def in_shell(script: str, path: Path, patience_s: float = 10.0) -> Command:
    return Command(("sh", "-c", script, str(path)), dict(os.environ), patience_s)


@dataclass(slots=True)
class Listener:
    """Somebody who hears, unless `deaf`."""

    name: str = "listener"
    deaf: bool = False
    heard: list[str] = field(default_factory=list)

    def tell(self, message: Message) -> None:
        if self.deaf:
            raise NotTold("deaf")
        self.heard.append(f"{message.event} {message.incident.kind}")


@dataclass(slots=True)
class World:
    """A mirror with a holder who notes troubles, and a teller."""

    gate: Gate
    held: lease.Lease
    teller: Teller

    def note(self, *kinds: str, at: datetime = MONDAY) -> None:
        found = [Trouble(kind, "", "problem", f"{kind} {CANARY}.", "Do it.") for kind in kinds]
        note(self.gate.db, self.held, found, at=at)

    def tell(self, at: datetime = MONDAY) -> Told:
        return tell_all(self.gate.db, self.teller, at=at)

    def marks(self) -> list[tuple[bool, bool]]:
        """For each incident: whether people know that it opened, and that it closed."""
        told = (incidents.c.told_open_at, incidents.c.told_closed_at)
        with self.gate.db.read() as tx:
            rows = tx.execute(select(*told).order_by(incidents.c.id)).all()
        return [(row[0] is not None, row[1] is not None) for row in rows]


@pytest.fixture
def a_world(gate: Gate) -> Iterator[Callable[..., World]]:
    with lease.hold(gate.db, now=MONDAY) as held:
        yield lambda *all_ways: World(gate, held, Teller(all_ways, account="acme.example"))


@pytest.fixture
def told(tmp_path: Path) -> Path:
    return tmp_path / "told"


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


# --- once for each change of state


def test_a_command_hears_once_that_it_opened_and_once_that_it_closed(
    a_world: Callable[..., World], told: Path
) -> None:
    world = a_world(in_shell(KEEP, told))
    for minute, kinds in enumerate([["drift"], ["drift"], [], []]):
        world.note(*kinds, at=MONDAY + minute * MINUTE)
        world.tell(at=MONDAY + minute * MINUTE)
    opened, closed = lines(told)
    assert ("opened", "closed") == (opened["event"], closed["event"])
    assert {"account": "acme.example", "kind": "drift", "severity": "problem"}.items() <= (
        opened.items()
    )
    assert (MONDAY.isoformat(), None) == (opened["opened_at"], opened["closed_at"])
    assert (MONDAY + 2 * MINUTE).isoformat() == closed["closed_at"]
    assert opened["id"] == closed["id"]
    assert [(True, True)] == world.marks()


def test_what_could_not_be_told_is_told_at_the_next_round(a_world: Callable[..., World]) -> None:
    listener = Listener(deaf=True)
    world = a_world(listener)
    world.note("drift", "held")
    assert Told(0, 2) == world.tell()
    assert [(False, False)] * 2 == world.marks()
    listener.deaf = False
    assert Told(2, 0) == world.tell()
    assert Told(0, 0) == world.tell()
    assert ["opened drift", "opened held"] == listener.heard


def test_only_who_did_not_hear_is_told_again(a_world: Callable[..., World]) -> None:
    first, second = Listener("first"), Listener("second", deaf=True)
    world = a_world(first, second)
    world.note("drift")
    world.tell()
    second.deaf = False
    world.tell()
    assert (["opened drift"], ["opened drift"]) == (first.heard, second.heard)


def test_a_way_that_fails_is_not_waited_for_again_in_the_same_round(
    a_world: Callable[..., World], tmp_path: Path
) -> None:
    tried = tmp_path / "tried"
    world = a_world(in_shell('echo "{}" >> "$0"; exit 1', tried))
    world.note("drift", "held", "brake")
    assert Told(0, 3) == world.tell()
    assert 1 == len(lines(tried))


def test_what_was_over_before_anybody_heard_is_told_as_over(a_world: Callable[..., World]) -> None:
    listener = Listener()
    world = a_world(listener)
    world.note("drift")
    world.note(at=MONDAY + MINUTE)
    world.tell(at=MONDAY + MINUTE)
    assert ["closed drift"] == listener.heard
    assert [(True, True)] == world.marks()


def test_what_is_long_over_is_no_news(a_world: Callable[..., World]) -> None:
    listener = Listener()
    world = a_world(listener)
    world.note("drift", "held")
    world.note("held", at=MONDAY + MINUTE)
    world.tell(at=MONDAY + MINUTE + FORGOTTEN)
    assert ["opened held"] == listener.heard


def test_without_anybody_to_tell_nothing_counts_as_told(a_world: Callable[..., World]) -> None:
    world = a_world()
    world.note("drift")
    assert Told() == world.tell()
    assert [(False, False)] == world.marks()


# --- a command


def a_message(summary: str = "Oh.", closed_at: datetime | None = None) -> Message:
    incident = Incident(7, "drift", "", "problem", summary, "Do it.", MONDAY, closed_at)
    return Message("closed" if closed_at else "opened", "acme.example", incident)


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (("/no/such/command",), "cannot be run: No such file"),
        (("sh", "-c", "echo 'it broke' >&2; exit 3"), "sh ended with 3: it broke"),
        (("sh", "-c", "kill -9 $$"), "sh ended with -9"),
    ],
)
def test_a_command_that_fails_is_told_of_with_its_own_words(
    argv: tuple[str, ...], why: str
) -> None:
    with pytest.raises(NotTold, match=why):
        Command(argv, dict(os.environ)).tell(a_message())


def test_a_command_need_not_read(told: Path) -> None:
    in_shell("exit 0", told).tell(a_message("x" * 400))


def test_a_command_that_does_not_end_is_killed_with_all_it_started(told: Path) -> None:
    hanging = in_shell('sh -c "echo \\$\\$ > $0; sleep 60"; sleep 60', told, patience_s=0.5)
    with pytest.raises(NotTold, match=r"did not end within 0\.5 s"):
        hanging.tell(a_message())
    left = int(told.read_text())
    deadline = time.monotonic() + 10
    while alive(left):
        assert time.monotonic() < deadline, "what it started lives on"
        time.sleep(0.005)  # the kernel takes a moment; nobody else is told of its end


def test_what_a_command_leaves_running_is_not_waited_for(told: Path) -> None:
    started = time.monotonic()
    in_shell('sleep 60 & echo $! > "$0"', told).tell(a_message())
    assert time.monotonic() - started < 30
    os.kill(int(told.read_text()), signal.SIGKILL)


def alive(pid: int) -> bool:
    """Whether a process runs; one that nobody has reaped does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_nothing_secret_is_told_or_handed_on(told: Path) -> None:
    Secret(CANARY)
    environ = {**os.environ, "SYNCD_ACCOUNT__API_KEY": CANARY, "CREDENTIALS_DIRECTORY": CANARY}
    script = 'cat > "$0"; env >> "$0"; echo "key: ' + CANARY + '" >&2; exit 1'
    settings = AlertSettings(command=("sh", "-c", script, str(told)))
    (command,) = ways(settings, environ)
    message = a_message(f"The account said {CANARY}, hash=0123456789abcdef")
    with pytest.raises(NotTold) as why:
        command.tell(message)
    shown = told.read_text() + str(why.value) + message.title + message.body
    assert "The account said ***, hash=***" in shown
    assert CANARY not in shown
    assert "PATH=" in shown


# --- Apprise


@dataclass(slots=True)
class Website:
    """A server on this machine that answers with `status`, elsewhere if `location` says so."""

    url: str = ""
    status: int = 200
    location: str = ""
    trickles: bool = False
    asked: list[tuple[str, bytes]] = field(default_factory=list)
    over: Event = field(default_factory=Event)


@pytest.fixture
def website() -> Iterator[Website]:
    site = Website()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            site.asked.append((self.path, self.rfile.read(length)))
            if site.trickles:
                self.trickle()
            self.send_response(site.status)
            if site.location:
                self.send_header("Location", site.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def trickle(self) -> None:
            """Begin an answer that does not end, with a byte now and then."""
            for _ in range(500):
                self.wfile.write(b"H")
                if site.over.wait(0.02):
                    return

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        site.url = f"http://127.0.0.1:{server.server_port}"
        yield site
        site.over.set()
        server.shutdown()


def apprise_at(site: Website) -> AlertSettings:
    pytest.importorskip("apprise", reason="an extra, which `make lowest` runs without")
    return AlertSettings(apprise=(Secret(site.url.replace("http", "json") + f"/?token={CANARY}"),))


def test_apprise_sends_it(website: Website) -> None:
    (service,) = ways(apprise_at(website), {})
    service.tell(a_message("2 tasks differ."))
    ((_, body),) = website.asked
    sent = json.loads(body)
    assert "syncd, acme.example: problem: drift" == sent["title"]
    assert "2 tasks differ.\nDo it." == sent["message"]
    service.tell(a_message("2 tasks differ.", MONDAY))
    assert b"It is over: 2 tasks differ." in website.asked[1][1]


def test_apprise_that_cannot_deliver_is_tried_again(website: Website) -> None:
    (service,) = ways(apprise_at(website), {})
    website.status = 500
    with pytest.raises(NotTold, match=r"alerts\.apprise 1") as why:
        service.tell(a_message())
    assert CANARY not in str(why.value)


def test_an_address_that_apprise_does_not_understand_is_an_error_that_does_not_show_it() -> None:
    pytest.importorskip("apprise", reason="an extra, which `make lowest` runs without")
    with pytest.raises(ConfigError, match=r"alerts\.apprise: .* address 1") as why:
        ways(AlertSettings(apprise=(Secret(f"nosuchthing://{CANARY}"),)), {})
    assert CANARY not in str(why.value)


def test_without_the_package_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(ConfigError, match="pip install"):
        ways(AlertSettings(apprise=(Secret("json://127.0.0.1"),)), {})


# --- a database that is gone

GONE = Trouble("database_failed", "", "problem", "The database fails: gone.", "Look.")


def test_a_database_that_is_gone_is_told_once_and_its_return_too() -> None:
    listener = Listener()
    alarm = DatabaseAlarm(Teller([listener], account="acme.example"))
    for after, trouble in [(0, GONE), (1, GONE), (2, GONE), (3, None), (4, None)]:
        alarm.look(trouble, at=MONDAY + after * BLIP)
    assert ["opened database_failed", "closed database_failed"] == listener.heard


def test_a_database_that_was_only_restarted_is_no_news() -> None:
    listener = Listener()
    alarm = DatabaseAlarm(Teller([listener], account="acme.example"))
    alarm.look(GONE, at=MONDAY)
    alarm.look(None, at=MONDAY + BLIP / 2)
    alarm.look(GONE, at=MONDAY + 2 * BLIP)
    assert [] == listener.heard


def test_what_nobody_heard_of_a_database_is_told_again() -> None:
    listener = Listener(deaf=True)
    alarm = DatabaseAlarm(Teller([listener], account="acme.example"))
    alarm.look(GONE, at=MONDAY)
    alarm.look(GONE, at=MONDAY + BLIP)
    alarm.look(None, at=MONDAY + 2 * BLIP)
    listener.deaf = False
    alarm.look(None, at=MONDAY + 3 * BLIP)
    assert ["closed database_failed"] == listener.heard


# --- the dead-man ping


def test_a_ping_asks_the_address_once(website: Website) -> None:
    assert DeadMan(Secret(f"{website.url}/ping/{CANARY}")).ping()
    assert [(f"/ping/{CANARY}", b"")] == website.asked


@pytest.mark.parametrize("status", [404, 500])
def test_a_ping_that_is_refused_is_logged_and_nothing_more(website: Website, status: int) -> None:
    website.status = status
    with capture_logs() as logged:
        assert not DeadMan(Secret(f"{website.url}/{CANARY}")).ping()
    assert ["ping.failed"] == [line["event"] for line in logged]
    assert CANARY not in str(logged)


def test_a_ping_to_nobody_is_logged_and_nothing_more() -> None:
    assert not DeadMan(Secret("http://127.0.0.1:1/ping")).ping()


def test_a_ping_whose_answer_trickles_is_left_to_itself(website: Website) -> None:
    website.trickles = True
    dead_man = DeadMan(Secret(website.url), patience_s=0.2)
    started = time.monotonic()
    assert (False, False) == (dead_man.ping(), dead_man.ping())
    assert time.monotonic() - started < 5
    assert 1 == len(website.asked)


def test_a_ping_goes_nowhere_else(website: Website) -> None:
    website.status, website.location = 302, f"{website.url}/elsewhere"
    assert not DeadMan(Secret(f"{website.url}/ping")).ping()
    assert ["/ping"] == [path for path, _ in website.asked]


@pytest.mark.parametrize("url", ["http://hc-ping.example/x", "file:///etc/passwd", "hc-ping.com"])
def test_a_ping_is_not_sent_in_the_open(url: str) -> None:
    with pytest.raises(ConfigError, match=r"alerts\.ping_url") as why:
        DeadMan(Secret(url))
    assert url not in str(why.value)
