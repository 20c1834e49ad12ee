"""What the service must do in a booted systemd, part by part; each returns what was seen.

The parts build on the first one, and leave the service running for the next.
"""

from __future__ import annotations

import json
import time

from tests.systemd import world
from tests.systemd.world import CONFIG, DATABASE, KEY, SYNCD, TOLD, Try, query, until


def it_starts(on: Try) -> str:
    """From nothing to a service, as the runbook has it."""
    on.account.start()
    world.set_up(on.box, on.account, CONFIG, port=on.unit.port)
    pulled = on.box.run(SYNCD, "pull").splitlines()[0]
    steps = on.box.run(SYNCD, "systemd", "install").splitlines()
    on.box.write("/etc/systemd/system/syncd.service.d/try.conf", world.DROP_IN)
    on.box.run("systemctl", "daemon-reload")
    begun = time.monotonic()
    on.box.run("systemctl", "enable", "--now", "syncd")  # returns when READY=1 was sent
    took = time.monotonic() - begun
    assert on.unit.active
    return f"{pulled}; {steps[0]}; ready after {took:.1f} s; status: {on.unit.status!r}"


def it_runs_as_nobody_special(on: Try) -> str:
    """Its own user, no rights, a key file that only root may read."""
    pid = str(on.unit.pid)
    who = on.box.run("ps", "-o", "user=", "-p", pid)
    key = on.box.run("stat", "-c", "%U %a", "/etc/syncd/syncd.key")
    rights = on.box.run("grep", "CapEff", f"/proc/{pid}/status").split()[1]
    assert (who, key, int(rights, 16)) == ("syncd", "root 600", 0)
    assert on.box.start("runuser", "-u", "syncd", "cat", "/etc/syncd/syncd.key").returncode != 0
    return f"user {who}, capabilities {rights}, key file: {key}"


def its_port_answers(on: Try) -> str:
    """The pages of the local port."""
    pages = {path: on.unit.page(path) for path in ("/healthz", "/readyz", "/metrics")}
    assert all(page.startswith("200") for page in pages.values()), pages
    return f"/healthz {pages['/healthz'][:60]}; /metrics {len(pages['/metrics'])} characters"


def an_edit_goes_out(on: Try) -> str:
    """Somebody queues by SQL; the running service sends it."""
    begun = time.monotonic()
    query(on.box, DATABASE, RENAME)
    until("confirmed", lambda: _last_state(on) == "confirmed")
    return f"queued by SQL, confirmed after {time.monotonic() - begun:.1f} s"


def the_group_may_read(on: Try) -> str:
    """Members of the group syncd read the mirror; others do not, and neither writes."""
    count = "SELECT count(*) FROM tasks"
    (seen,) = query(on.box, DATABASE, count, user=world.ANALYST, mode="ro")
    stranger = _refused(on, world.STRANGER, count)
    writer = _refused(on, world.ANALYST, RENAME)
    return f"{world.ANALYST} counts {seen[0]} tasks, and to write: {writer}; others: {stranger}"


RENAME = (
    "UPDATE live_tasks SET name = name || ', by SQL' WHERE id IN "
    "(SELECT id FROM tasks WHERE status = 'active' LIMIT 1)"
)


def _refused(on: Try, user: str, sql: str) -> str:
    try:
        query(on.box, DATABASE, sql, user=user)
    except PermissionError as refused:
        return str(refused).partition(": ")[2]
    raise AssertionError(f"{user} may: {sql}")


def the_group_may_be_let_in(on: Try) -> str:
    """The drop-in of the runbook: then the group queues by SQL."""
    on.box.run("chmod", "g+rw", DATABASE)
    drop_in = "/etc/systemd/system/syncd.service.d/group.conf"
    on.box.write(drop_in, "[Service]\nStateDirectoryMode=2770\n")
    on.box.run("systemctl", "daemon-reload")
    on.unit.systemctl("restart")
    query(on.box, DATABASE, RENAME, user=world.ANALYST)
    until("confirmed", lambda: _last_state(on) == "confirmed")
    folder = on.box.run("stat", "-c", "%U:%G %a", "/var/lib/syncd")
    on.unit.systemctl("stop")
    query(on.box, DATABASE, RENAME, user=world.ANALYST)  # files of hers are left to the service
    on.unit.systemctl("start")
    until("confirmed", lambda: _last_state(on) == "confirmed")
    return f"{folder}: queued by {world.ANALYST}, confirmed; also what she queued while it was down"


def _last_state(on: Try) -> str:
    (row,) = query(on.box, DATABASE, "SELECT state FROM outbox ORDER BY id DESC LIMIT 1")
    return str(row[0])


def a_hand_is_told_that_it_is_done_already(on: Try) -> str:
    """One-off commands beside the service."""
    done = on.box.start(SYNCD, "pull")
    assert done.returncode == 5, done
    status = on.box.run(SYNCD, "status").splitlines()[0]
    return f"syncd pull ends with 5: {done.stderr.splitlines()[0]}; syncd status: {status}"


def its_log_names_the_runs(on: Try) -> str:
    """The journal's lines are JSON, and found by the number of a run, as the runbook does."""
    number = until("a push that has ended", lambda: _last_push(on))
    find = ("journalctl", "--no-pager", "-u", "syncd", "-o", "cat", "--grep", f'"run": {number},')
    line = on.box.run(*find).splitlines()[0]
    assert json.loads(line)["run"] == number
    return line[:160]


def _last_push(on: Try) -> int | None:
    (row,) = query(on.box, DATABASE, "SELECT max(id) FROM sync_runs WHERE kind = 'push'")
    number: int | None = row[0]
    return number


def a_reload_takes_the_new_settings(on: Try) -> str:
    """SIGHUP: RELOADING=1, then READY=1, in the same process."""
    pid, mark = on.unit.pid, on.unit.cursor()
    on.config('interval = "5s"', 'interval = "4s"')
    on.box.run("systemctl", "log-level", "debug")
    on.unit.systemctl("reload")
    told = until("RELOADING=1 and READY=1", lambda: _notified(on, mark, "RELOADING=1", "READY=1"))
    on.box.run("systemctl", "log-level", "info")
    assert (on.unit.pid, on.unit.active) == (pid, True)
    return f"{told}; same process; status: {on.unit.status!r}"


def _notified(on: Try, mark: str, *words: str) -> str:
    """Return the notes of the service to systemd, as its debug log has them, once all are there."""
    lines = on.box.run(
        "journalctl", "--no-pager", "-o", "cat", f"--after-cursor={mark}"
    ).splitlines()
    notes = [
        line for line in lines if "Got notification message" in line and "syncd.service" in line
    ]
    seen = [word for word in words if any(word in note for note in notes)]
    return " then ".join(seen) if len(seen) == len(words) else ""


def a_bad_configuration_keeps_the_old_one(on: Try) -> str:
    """A slip in the file is told, also by the alert command, and changes nothing."""
    pid, mark = on.unit.pid, on.unit.cursor()
    on.config("[pull]", "[pull]\nintervall = 1")
    on.unit.systemctl("reload")
    until("a line about it", lambda: _line(on, mark, "pull.intervall"))
    status = until("a word in the status", lambda: on.unit.saying("pull.intervall"))
    health = on.unit.page("/healthz")
    told = until("an alert", lambda: _told(on, "settings_refused"), 60)
    on.config("[pull]\nintervall = 1", "[pull]")
    on.unit.systemctl("reload")
    assert (on.unit.pid, on.unit.active, health[:3]) == (pid, True, "200")
    return f"status: {status!r}; /healthz {health[:3]}; the alert command got {told[:200]}"


def _told(on: Try, kind: str) -> str:
    """Return what the alert command was given about a kind of incident."""
    path = on.box.root / TOLD.lstrip("/")
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return next((line for line in lines if kind in line), "")


def _line(on: Try, mark: str, word: str) -> str:
    return next((line for line in on.unit.journal(since=mark).splitlines() if word in line), "")


def a_killed_process_is_replaced(on: Try) -> str:
    """kill -9."""
    pid, begun = on.unit.pid, time.monotonic()
    on.box.run("kill", "-9", str(pid))
    new = on.unit.restarted(pid, 20)
    return f"{pid} killed, {new} ready after {time.monotonic() - begun:.1f} s (RestartSec=1)"


def a_hung_process_is_replaced(on: Try) -> str:
    """SIGSTOP: no progress, no food for the watchdog."""
    pid, mark, begun = on.unit.pid, on.unit.cursor(), time.monotonic()
    on.box.run("kill", "-STOP", str(pid))
    new = on.unit.restarted(pid, 60)
    took = time.monotonic() - begun
    said = _line(on, mark, "Watchdog timeout")
    assert said
    return f"{pid} stopped, {new} ready after {took:.1f} s: {said}"


def at_rest_it_is_not_taken_for_hung(on: Try) -> str:
    """A service that has nothing to do feeds the watchdog all the same."""
    on.config('interval = "4s"', 'interval = "1h"')
    on.unit.systemctl("reload")
    pid = on.unit.pid
    time.sleep(25)  # two and a half intervals of the watchdog, in which nothing may happen
    assert (on.unit.pid, on.unit.active) == (pid, True)
    on.config('interval = "1h"', 'interval = "4s"')
    on.unit.systemctl("reload")
    return "25 s without work under WatchdogSec=10: the same process"


def no_account_is_a_state(on: Try) -> str:
    """A start while the account cannot be reached."""
    on.account.stop()
    on.unit.systemctl("restart")
    assert on.unit.active
    status = until("a word about it", lambda: on.unit.saying("reach"))
    health = on.unit.page("/readyz")
    on.account.start()
    until("a recovery", on.unit.fresh, 60)
    return f"active, status: {status!r}; /readyz {health[:80]}; then 200 once the account is back"


def a_bad_configuration_at_the_start_stays_down(on: Try) -> str:
    """Exit 2 is not restarted: it would be wrong again."""
    on.config("[pull]", "[pull]\nintervall = 1")
    mark = on.unit.cursor()
    on.unit.systemctl("restart", status=1)
    time.sleep(3)  # three times RestartSec
    state = (on.unit.show("ActiveState"), on.unit.show("ExecMainStatus"))
    assert state == ("failed", "2"), state
    said = _line(on, mark, "pull.intervall")
    on.config("[pull]\nintervall = 1", "[pull]")
    on.unit.systemctl("start")
    return f"{state[0]}, exit {state[1]}: {said}"


def a_missing_key_is_named(on: Try) -> str:
    """Not systemd's 243/CREDENTIALS, but our own two lines."""
    key = on.box.root / "etc/syncd/syncd.key"
    key.rename(key.with_suffix(".away"))
    mark = on.unit.cursor()
    on.unit.systemctl("restart", status=1)
    said = until("a word about it", lambda: _line(on, mark, "api_key_file"))
    status = on.unit.show("ExecMainStatus")
    key.with_suffix(".away").rename(key)
    on.unit.systemctl("start")
    assert status == "2"
    return f"exit {status}: {said}"


def a_key_is_changed(on: Try) -> str:
    """The owner makes a new key; the runbook's two commands bring it in."""
    on.account.stop()
    on.account.start(NEW_KEY)
    status = until("a word about it", lambda: on.unit.saying("credentials"), 60)
    on.box.write(KEY, NEW_KEY, 0o600)
    mark = on.unit.cursor()
    on.unit.systemctl("restart")
    until("a pull", lambda: _line(on, mark, '"pull.ended"'))
    return f"{status!r}; after the restart a pull is complete"


NEW_KEY = "canary-the-second-fedcba9876543210"


def it_stops_in_time(on: Try) -> str:
    """SIGTERM."""
    begun = time.monotonic()
    on.unit.systemctl("stop")
    took, result = time.monotonic() - begun, on.unit.show("Result")
    assert (result, took < 60) == ("success", True), (result, took)
    (queued,) = query(on.box, DATABASE, "SELECT holder FROM lease")
    on.unit.systemctl("start")
    return f"stopped after {took:.1f} s, result {result}, holder of the lease {queued[0]}"
