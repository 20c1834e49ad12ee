"""Further parts: several accounts, PostgreSQL, a standby, and what must never show."""

from __future__ import annotations

import time

from syncd.sandbox import CLIENT
from tests.systemd import world
from tests.systemd.world import DATABASE, SYNCD, Account, Try, Unit, until


def it_is_closed(on: Try) -> str:
    """The score of the installed units."""
    on.box.run(SYNCD, "systemd", "install", "--instance", "a")
    said = on.box.run(
        "systemd-analyze", "security", "--no-pager", "--threshold=15", "syncd.service"
    )
    assert on.box.run("systemd-analyze", "verify", "syncd.service", "syncd@a.service") == ""
    return next(line for line in said.splitlines() if "Overall" in line).strip("→ ")


def two_accounts_side_by_side(on: Try) -> str:
    """Instances: a in SQLite, b in PostgreSQL by its socket, known by the user alone (peer)."""
    box = on.box
    box.run("runuser", "-u", "postgres", "--", "createuser", "syncd")
    box.run("runuser", "-u", "postgres", "--", "createdb", "--owner=syncd", "mirror")
    units = [Unit(box, "syncd@a", 9201), Unit(box, "syncd@b", 9202)]
    _instance(units[0], 8702)
    # Root is not the user whom PostgreSQL lets in: init writes the files, and says so with 2.
    _instance(units[1], 8703, "--database", PEER, status=2)
    for unit in units:
        until(f"{unit.name} fresh", unit.fresh)
    by_hand = box.run(*AS_THE_SERVICE, "status").splitlines()[0]
    return f"{[unit.status for unit in units]}; b by hand: {by_hand}"


PEER = "postgresql://syncd@/mirror?host=/run/postgresql"
AS_THE_SERVICE = (
    *("systemd-run", "--pipe", "--wait", "--quiet", "--uid=syncd", "-p", "StateDirectory=syncd/b"),
    *("-p", "LoadCredential=api-key:/etc/syncd/b.key", SYNCD, "--config", "/etc/syncd/b.toml"),
)


def _instance(unit: Unit, port: int, *more: str, status: int = 0) -> None:
    """Set up and start one of several accounts."""
    account = Account(unit.box, unit.name[-1], port)
    account.start()
    config = f"/etc/syncd/{account.name}.toml"
    world.set_up(unit.box, account, config, *more, port=unit.port, status=status)
    unit.box.run("systemctl", "enable", "--now", unit.name)


def a_persons_token_works_too(on: Try) -> str:
    """OAuth2: no key to hand over; the tokens and the client's secret are the service's own."""
    box, unit, account = on.box, Unit(on.box, "syncd@o", 9204), Account(on.box, "o", 8704)
    account.start()
    box.write("/root/secret", CLIENT[1], 0o600)
    asked = box.start(SYNCD, "--config", OAUTH, "init", *_consenting(account))
    (page,) = (word for word in asked.stderr.split() if "/oauth2/authorize?" in word)
    address = box.run(world.PYTHON, "-c", world.CONSENT, page)
    box.run(SYNCD, "--config", OAUTH, "init", *_consenting(account), "--oauth-code", address)
    # As in the runbook.
    tokens = ("/etc/syncd/o.tokens.json", "/var/lib/syncd/o/tokens.json")
    box.run("install", "-o", "syncd", "-m", "600", *tokens)
    box.run("chown", "syncd", "/etc/syncd/o.oauth-secret")
    path = box.root / OAUTH.lstrip("/")
    text = path.read_text("utf-8").replace('"o.tokens.json"', '"/var/lib/syncd/o/tokens.json"')
    path.write_text(world.tuned(text, unit.port), encoding="utf-8")
    box.run("systemctl", "enable", "--now", unit.name)
    until("a pull", unit.fresh)
    return f"status: {unit.status!r}"


OAUTH = "/etc/syncd/o.toml"


def _consenting(account: Account) -> tuple[str, ...]:
    return (
        *("--url", account.url, "--auth", "oauth2", "--oauth-url", account.url),
        *("--oauth-client-id", CLIENT[0], "--oauth-client-secret-file", "/root/secret"),
        *("--oauth-redirect-uri", "https://we.example/back", "--timezone", "Europe/Kyiv"),
    )


def a_database_that_restarts_is_survived(on: Try) -> str:
    """PostgreSQL goes and comes back under a running service."""
    unit = Unit(on.box, "syncd@b", 9202)
    pid = unit.pid
    on.box.run("systemctl", "stop", "postgresql@15-main")
    status = until("not ready", lambda: _unless_ready(unit))
    on.box.run("systemctl", "start", "postgresql@15-main")
    until("a recovery", unit.fresh, 60)
    return f"{status[:100]}; then ready, {'same' if unit.pid == pid else 'another'} process"


def a_database_that_is_late_is_waited_for(on: Try) -> str:
    """PostgreSQL is down when the service starts: a state to report, not a crash."""
    unit = Unit(on.box, "syncd@b", 9202)
    on.box.write("/etc/systemd/system/syncd@b.service.d/try.conf", "[Service]\nTimeoutStartSec=5\n")
    on.box.run("systemctl", "daemon-reload")
    on.box.run("systemctl", "stop", unit.name, "postgresql@15-main")
    on.box.run("systemctl", "start", "--no-block", unit.name)
    status = until("a word about it", lambda: unit.saying("waiting for the database"))
    time.sleep(12)  # it asks for more time than TimeoutStartSec, as often as it looks
    state, pid = unit.show("ActiveState"), unit.pid
    on.box.run("systemctl", "start", "postgresql@15-main")
    until("a start", lambda: unit.active and unit.fresh(), 60)
    assert (state, unit.pid) == ("activating", pid)
    return f"{state} for 12 s (TimeoutStartSec=5), status: {status[:120]!r}; then active"


def a_second_one_stands_by(on: Try) -> str:
    """Another service of the same account and PostgreSQL, as on a second host."""
    box, first, second = on.box, Unit(on.box, "syncd@b", 9202), Unit(on.box, "syncd@c", 9203)
    text = (box.root / "etc/syncd/b.toml").read_text("utf-8").replace(":9202", ":9203")
    box.write("/etc/syncd/c.toml", text)
    box.write("/etc/syncd/c.key", (box.root / "etc/syncd/b.key").read_text("utf-8"), 0o600)
    box.run("systemctl", "start", second.name)
    waits = until("standing by", lambda: second.saying("standing by"))
    box.run("kill", "-9", str(first.pid))
    takes = until("taking over", lambda: second.saying("holding"))
    back = until("standing by", lambda: first.saying("standing by"), 60)
    box.run("systemctl", "stop", second.name)
    until("taking over", lambda: first.saying("holding"))
    return f"{waits!r}; after kill -9 of the first: {takes!r}; the first comes back: {back[:40]!r}"


def _unless_ready(unit: Unit) -> str:
    page = unit.page("/readyz")
    return "" if page.startswith("200") else page or "no answer"


def no_key_is_seen(on: Try) -> str:
    """The keys are canaries: nowhere in the journal, in arguments, in the database."""
    journal = on.box.run("journalctl", "--no-pager", "-o", "json", "--all", "-u", "syncd*")
    arguments = on.box.run("ps", "-eo", "user,args")
    ours = [line for line in arguments.splitlines() if line.startswith("syncd")]
    database = (on.box.root / DATABASE.lstrip("/")).read_bytes()
    assert "canary" not in journal
    assert CLIENT[1] not in journal
    assert "canary" not in "".join(ours)
    assert b"canary" not in database
    return f"{len(journal):,} characters of journal, {len(ours)} processes, one database"
