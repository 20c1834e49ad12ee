"""What the try is about: simulated accounts, configurations and services inside the container."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from syncd.services.units import ADD_USER
from tests.systemd.container import Container

T = TypeVar("T")

SYNCD = "/opt/syncd/bin/syncd"
DATABASE = "/var/lib/syncd/syncd.db"
CONFIG = "/etc/syncd/syncd.toml"
KEY = "/etc/syncd/syncd.key"
TOLD = "/var/lib/syncd/told"
PYTHON = "/opt/syncd/bin/python"
ANALYST, STRANGER = "ann", "bob"
TUNED = {
    "limits": "requests_per_second = 1000",
    "pull": 'interval = "5s"\nevents_interval = "2s"',
    "push": 'interval = "2s"',
    "server": 'listen = "127.0.0.1:{port}"',
    "alerts": f'command = ["/bin/sh", "-c", "cat >> {TOLD}; echo >> {TOLD}"]',
}
DROP_IN = "[Service]\nRestartSec=1\nWatchdogSec=10\n"
"""So that a try takes two minutes; the shipped figures are for a year."""
GET = """
import sys, urllib.error, urllib.request
try:
    with urllib.request.urlopen(sys.argv[1], timeout=5) as answer:
        print(answer.status, answer.read().decode())
except urllib.error.HTTPError as error:
    print(error.code, error.read().decode())
"""
CONSENT = """
import http.client, sys, urllib.parse
page = urllib.parse.urlsplit(sys.argv[1])
browser = http.client.HTTPConnection(page.netloc)
browser.request("GET", f"{page.path}?{page.query}")
print(browser.getresponse().headers["Location"])
"""
QUERY = """
import json, sqlite3, sys
db = sqlite3.connect("file:" + sys.argv[1] + "?mode=" + sys.argv[3], uri=True, timeout=5)
rows = db.execute(sys.argv[2]).fetchall()
db.commit()
print(json.dumps(rows))
"""


def until(what: str, found: Callable[[], T | None], seconds: float = 30) -> T:
    """Return what `found` gives as soon as it is true; fail where that is never."""
    deadline = time.monotonic() + seconds
    while not (seen := found()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.1)  # systemd could be asked over its bus; a tenth of a second does as well
    return seen


@dataclass(frozen=True, slots=True)
class Account:
    """A simulated account, as a service of its own inside the container."""

    box: Container
    name: str
    port: int

    @property
    def key(self) -> str:
        """The account's key, which must show nowhere."""
        return f"canary-of-{self.name}-0123456789abcdef"

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, key: str = "") -> None:
        """Start it; it has its 60 tasks again, as they were."""
        self.box.run(
            *("systemd-run", f"--unit=account-{self.name}", "--collect", "--quiet"),
            *(
                SYNCD,
                "sandbox",
                "--port",
                str(self.port),
                "--tasks",
                "60",
                "--key",
                key or self.key,
            ),
        )
        until(f"account {self.name}", lambda: get(self.box, f"{self.url}/") is not None)

    def stop(self) -> None:
        """Stop it: the account cannot be reached."""
        self.box.run("systemctl", "stop", f"account-{self.name}")


@dataclass(frozen=True, slots=True)
class Unit:
    """One service of ours, and what systemd knows of it."""

    box: Container
    name: str
    port: int

    def show(self, name: str) -> str:
        """Return one property."""
        return self.box.run("systemctl", "show", "--value", f"--property={name}", self.name)

    @property
    def active(self) -> bool:
        """Whether systemd calls it active, which only READY=1 brings about."""
        return self.show("ActiveState") == "active"

    @property
    def pid(self) -> int:
        """Its main process."""
        return int(self.show("MainPID"))

    @property
    def status(self) -> str:
        """The words behind STATUS=."""
        return self.show("StatusText")

    def saying(self, word: str) -> str:
        """Return its status if that has the word, else nothing."""
        status = self.status
        return status if word in status else ""

    def systemctl(self, verb: str, status: int = 0) -> str:
        """Tell systemd to do something with it."""
        return self.box.run("systemctl", verb, self.name, status=status)

    def page(self, path: str) -> str:
        """Return the status and body of a page of the local port, or nothing."""
        return get(self.box, f"http://127.0.0.1:{self.port}{path}") or ""

    def fresh(self) -> bool:
        """Whether it says that its mirror is."""
        return self.page("/readyz").startswith("200")

    def journal(self, *, since: str) -> str:
        """Return what it and systemd wrote about it since a cursor."""
        words = ("journalctl", "--no-pager", "-o", "cat", "-u", self.name)
        return self.box.run(*words, f"--after-cursor={since}")

    def cursor(self) -> str:
        """Mark this moment in the journal."""
        self.box.run("journalctl", "--sync")
        words = ("journalctl", "--no-pager", "-n", "1", "-o", "json")
        return str(json.loads(self.box.run(*words))["__CURSOR"])

    def restarted(self, before: int, seconds: float) -> int:
        """Wait until another process than `before` is ready; returns it."""

        def other() -> int | None:
            pid = self.pid
            return pid if pid not in {0, before} and self.active else None

        return until(f"a restart of {self.name}", other, seconds)


@dataclass(frozen=True, slots=True)
class Try:
    """One booted system with one account and the plain service."""

    box: Container
    account: Account
    unit: Unit

    def config(self, old: str, new: str) -> None:
        """Change the configuration."""
        path = self.box.root / CONFIG.lstrip("/")
        text = path.read_text("utf-8")
        assert old in text, old
        path.write_text(text.replace(old, new, 1), encoding="utf-8")


def get(box: Container, url: str) -> str | None:
    """Return an HTTP answer, or None where nobody listens."""
    done = box.start(PYTHON, "-c", GET, url)
    return done.stdout.strip() if done.returncode == 0 else None


def query(
    box: Container, path: str, sql: str, *, user: str = "root", mode: str = "rw"
) -> list[list[Any]]:
    """Run one statement in a SQLite database, as some user. Raises PermissionError."""
    done = box.start("runuser", "-u", user, "--", "python3", "-c", QUERY, path, sql, mode)
    if done.returncode != 0:
        raise PermissionError(done.stderr.strip().splitlines()[-1])
    rows: list[list[Any]] = json.loads(done.stdout)
    return rows


def prepare(box: Container) -> None:
    """Make the users: ours, one who is let in, and one who is not."""
    box.run(*ADD_USER.split())
    box.run("useradd", "--groups", "syncd", ANALYST)
    box.run("useradd", STRANGER)


def set_up(
    box: Container, account: Account, config: str, *more: str, port: int, status: int = 0
) -> None:
    """Configure one account as the runbook has it: `syncd init`, by root."""
    box.write("/root/key", account.key, 0o600)
    box.run(
        *(SYNCD, "--config", config, "init", "--url", account.url, "--key-file", "/root/key"),
        *("--timezone", "Europe/Kyiv", *more),
        status=status,
    )
    path = box.root / config.lstrip("/")
    path.write_text(tuned(path.read_text("utf-8"), port), encoding="utf-8")


def tuned(text: str, port: int) -> str:
    """Let a configuration's own figures give way to ours."""
    text = re.sub(r"^interval = .*\n", "", text, flags=re.M)
    for section, lines in TUNED.items():
        head = f"[{section}]\n"
        text = text if head in text else f"{text}\n{head}"
        text = text.replace(head, f"{head}{lines.format(port=port)}\n", 1)
    return text
