"""What a check finds, one thing at a time: pure judgments, and looks at a real sandbox."""

from __future__ import annotations

import socket
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, text, update

from syncd import config
from syncd.bootstrap import App, build
from syncd.errors import LeaseHeld
from syncd.model.reports import Finding
from syncd.resources.tags import tags
from syncd.resources.tasks.table import tasks
from syncd.sandbox import CLIENT, Fault, Sandbox
from syncd.secrets import Secret
from syncd.services import check_account, check_config, check_database, check_mirror, findings
from syncd.services.check import Checking
from syncd.services.first_look import clock_finding
from syncd.services.size import count_tasks, first_pull, in_words
from syncd.services.zone import Evidence, ahead_of_utc, fitting, weigh, zone_finding
from syncd.store import health, lease
from syncd.store.quarantine import quarantine
from syncd.store.runs import RunRow, record_run
from syncd.worksection.reach import reach
from tests.services.builders import (
    a_look,
    a_mirror,
    an_account_where_something_happened,
    client_of,
    now,
    settings_for,
    with_pull,
)

NOW = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)
KYIV = ZoneInfo("Europe/Kyiv")


def by_name(found: Iterable[Finding]) -> dict[str, Finding]:
    """The findings by what they are about; the last of several."""
    return {one.check: one for one in found}


def severities(found: Iterable[Finding]) -> dict[str, str]:
    return {name: one.severity for name, one in by_name(found).items()}


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(an_account_where_something_happened()) as sandbox:
        yield sandbox


# The exit code


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], 0),
        ([findings.ok("account.clock", ""), findings.note("config.pull", "")], 0),
        ([findings.warning("mirror.complete", "", "")], 3),
        ([findings.problem("account.reach", "", "")], 4),
        ([findings.warning("mirror.complete", "", ""), findings.problem("account.x", "", "")], 4),
        ([findings.problem("database.open", "", ""), findings.problem("account.x", "", "")], 2),
        ([findings.problem("config.file", "", "")], 2),
        ([findings.warning("account.lease", "", ""), findings.warning("mirror.x", "", "")], 5),
        ([findings.warning("account.lease", "", ""), findings.problem("database.x", "", "")], 2),
    ],
)
def test_the_exit_code_is_that_of_the_worst_finding(found: list[Finding], expected: int) -> None:
    assert expected == findings.exit_code(found)


# The time zone


def wall(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None, second=0, microsecond=0)


@given(
    zone=st.sampled_from(["Europe/Kyiv", "America/New_York", "Asia/Kathmandu", "UTC"]),
    at=st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),
    ages_s=st.lists(st.integers(0, 1800), min_size=1),
)
def test_the_true_zone_always_fits(zone: str, at: datetime, ages_s: list[int]) -> None:
    # Away from a change of clocks, where one wall clock has two distances from UTC.
    spans = {ahead_of_utc(ZoneInfo(zone), at - timedelta(hours=h)) for h in (0, 1)}
    stamps = [wall(at - timedelta(seconds=age), ZoneInfo(zone)) for age in ages_s]
    evidence = weigh(stamps, now=at, since=timedelta(minutes=30), until=timedelta())
    if len(spans) == 1:
        assert evidence is not None
        assert evidence.fits(ZoneInfo(zone), at)


def test_a_stamp_of_this_minute_tells_the_distance_from_utc() -> None:
    stamps = [wall(NOW, KYIV), wall(NOW - timedelta(minutes=25), KYIV)]
    evidence = weigh(stamps, now=NOW, since=timedelta(minutes=30), until=timedelta())
    assert evidence == Evidence(timedelta(hours=2), timedelta(hours=2, minutes=6), stamps[0])
    assert fitting(evidence, NOW) == ["Europe/Kyiv"]


def test_no_stamps_and_contradicting_stamps_are_no_evidence() -> None:
    since, until = timedelta(minutes=30), timedelta()
    assert weigh([], now=NOW, since=since, until=until) is None
    far_apart = [wall(NOW, KYIV), wall(NOW - timedelta(hours=9), KYIV)]
    assert weigh(far_apart, now=NOW, since=since, until=until) is None


@pytest.mark.parametrize(
    ("zone", "severity", "said"),
    [
        ("Europe/Kyiv", "ok", "cannot be proven"),
        ("Europe/London", "warning", "lies in the future"),
        ("Asia/Tokyo", "warning", "too old"),
        (None, "note", "added_at"),
    ],
)
def test_a_zone_is_judged_by_the_newest_stamps(zone: str | None, severity: str, said: str) -> None:
    evidence = weigh([wall(NOW, KYIV)], now=NOW, since=timedelta(minutes=30), until=timedelta())
    found = zone_finding(ZoneInfo(zone) if zone else None, evidence, now=NOW, machine_zone=None)
    assert (severity, True) == (found.severity, said in found.found)
    assert severity == "ok" or "Europe/Kyiv" in found.fix


def test_a_quiet_account_neither_shows_nor_denies_its_zone() -> None:
    found = zone_finding(KYIV, None, now=NOW, machine_zone=None)
    assert (found.severity, "neither" in found.found) == ("note", True)


# The clock, the size


@pytest.mark.parametrize(
    ("skew_s", "severity", "side"),
    [
        (0.0, "ok", "agree"),
        (-29.0, "ok", "agree"),
        (31.0, "warning", "ahead"),
        (-90.0, "warning", "behind"),
    ],
)
def test_a_skewed_clock_is_a_warning(skew_s: float, severity: str, side: str) -> None:
    found = clock_finding(skew_s, "md5")
    assert (severity, True) == (found.severity, side in found.found)
    assert "signed requests" not in found.found


def test_a_skewed_clock_does_not_stop_signed_headers() -> None:
    assert "still pass" in clock_finding(60.0, "hmac").found


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 s"), (75, "75 s"), (600, "10 min"), (9000, "2 h 30 min")]
)
def test_a_length_of_time_is_told_in_words(seconds: float, words: str) -> None:
    assert words == in_words(seconds)


# A look at the account


def test_a_good_key_is_found_good_in_five_requests(box: Sandbox) -> None:
    with a_look(box) as look:
        found = by_name(look.findings())
        assert {one.severity for one in found.values()} == {"ok"}
    assert "sees everything" in found["account.eyes"].found
    assert len(box.log.entries()) == 5
    assert not any(entry.effect for entry in box.log.entries())


@pytest.mark.parametrize("auth", ["md5", "md5-page", "hmac"])
def test_every_scheme_of_the_key_is_looked_at_alike(box: Sandbox, auth: str) -> None:
    with a_look(box, auth=auth) as look:
        assert severities(look.findings())["account.rights"] == "ok"


@pytest.mark.parametrize("auth", ["md5", "hmac"])
def test_a_dead_key_costs_few_requests_and_names_the_way_to_a_new_one(
    box: Sandbox, auth: str
) -> None:
    with a_look(box, auth=auth, api_key=Secret("0" * 32)) as look:
        found = list(look.findings())
    assert [(one.check, one.severity) for one in found] == [("account.credentials", "problem")]
    assert "Show API key" in found[0].fix
    assert len(box.log.entries()) == 1


def test_the_accounts_own_clock_is_compared(box: Sandbox) -> None:
    box.set(clock_skew_s=90.0)
    with a_look(box) as look:
        found = by_name(look.findings())["account.clock"]
    assert (found.severity, "ahead" in found.found) == ("warning", True)


@pytest.mark.parametrize(
    ("zone", "expected"), [("Europe/Kyiv", "ok"), ("UTC", "warning"), (None, "note")]
)
def test_the_configured_zone_is_compared_with_stamps(
    box: Sandbox, zone: str | None, expected: str
) -> None:
    with a_look(box, timezone=zone) as look:
        assert severities(look.findings())["account.timezone"] == expected


def test_an_older_stamp_is_looked_for_in_longer_periods() -> None:
    with Sandbox() as quiet, a_look(quiet) as look:
        found = by_name(look.findings())["account.timezone"]
    periods = [e.parameters["period"] for e in quiet.log.entries() if e.action == "get_events"]
    assert (found.severity, periods) == ("note", ["30m", "360m", "72h"])


def test_one_refused_action_is_a_warning_and_says_what_is_lost(box: Sandbox) -> None:
    box.faults.add(Fault("error", action="get_task_tags", code=99, message="Not for you"))
    with a_look(box) as look:
        found = by_name(look.findings())["account.rights"]
    assert (found.severity, "tags have only a name" in found.found) == ("warning", True)


@pytest.mark.parametrize("kind", ["html_login", "garbage"])
def test_an_answer_that_is_no_json_is_told_as_that(box: Sandbox, kind: str) -> None:
    box.faults.add(Fault(kind))
    with a_look(box) as look:
        found = list(look.findings())
    assert [(one.check, one.severity) for one in found] == [("account.answer", "problem")]
    assert found[0].fix


# OAuth2: whose eyes, which scopes


def token_file(box: Sandbox, path: Path, **grant: object) -> dict[str, object]:
    """A token of the sandbox in a file, and the account settings that name it."""
    import json

    path.touch(mode=0o600)
    path.write_text(json.dumps(box.oauth.grant(**grant)))
    return {
        "auth": "oauth2",
        "api_key": None,
        "oauth_client_id": CLIENT[0],
        "oauth_client_secret": Secret(CLIENT[1]),
        "oauth_token_file": path,
        "oauth_url": box.url,
    }


def test_a_token_tells_whose_eyes_it_sees_with(box: Sandbox, tmp_path: Path) -> None:
    owner = box.account.members[box.account.owner_id]
    with a_look(box, **token_file(box, tmp_path / "t.json")) as look:
        found = by_name(look.findings())
    assert owner.email in found["account.eyes"].found
    assert found["account.rights"].severity == "ok"


def test_a_missing_scope_is_named_with_what_it_costs(box: Sandbox, tmp_path: Path) -> None:
    scopes = frozenset({"tasks_read", "projects_read", "users_read"})
    with a_look(box, **token_file(box, tmp_path / "t.json", scopes=scopes)) as look:
        found = [one for one in look.findings() if one.check == "account.rights"]
    assert [one.severity for one in found] == ["warning"]
    assert "get_task_tags" in found[0].found
    assert "tags_read" in found[0].fix


def test_without_the_scope_of_tasks_nothing_can_be_pulled(box: Sandbox, tmp_path: Path) -> None:
    scopes = frozenset({"projects_read", "users_read", "tags_read"})
    with a_look(box, **token_file(box, tmp_path / "t.json", scopes=scopes)) as look:
        assert severities(look.findings())["account.rights"] == "problem"


def test_a_revoked_token_is_a_dead_credential(box: Sandbox, tmp_path: Path) -> None:
    given = token_file(box, tmp_path / "t.json")
    box.oauth.revoke_all()
    with a_look(box, **given) as look:
        found = list(look.findings())
    assert [(one.check, one.severity) for one in found] == [("account.credentials", "problem")]


def test_a_missing_token_file_is_a_matter_of_the_configuration(
    box: Sandbox, tmp_path: Path
) -> None:
    given = token_file(box, tmp_path / "t.json")
    (tmp_path / "t.json").unlink()
    with a_look(box, **given) as look:
        found = list(look.findings())
    assert [(one.check, findings.exit_code(found)) for one in found] == [("config.tokens", 2)]


# How large, and how long


def test_all_levels_of_tasks_are_counted(box: Sandbox) -> None:
    settings = settings_for(box.url)
    with client_of(settings) as client:
        visible = count_tasks(client, settings).tasks
        archived = count_tasks(client, with_pull(settings, archived=True)).tasks
    published = [t for t in box.account.tasks.values() if not box.account.is_delayed(t)]
    assert archived == len(published)
    live = [t for t in published if box.account.projects[t.project_id].status != "archive"]
    assert visible == len(live)


def test_an_account_over_the_limit_is_told_so_with_the_time_it_takes(box: Sandbox) -> None:
    box.set(record_limit=10)
    settings = settings_for(box.url)
    with client_of(settings) as client:
        found = by_name(first_pull(client, settings, ["active"] * 200 + ["archive"]))
    assert "project by project" in found["account.size"].found
    assert "204 requests" in found["account.first_pull"].found


def test_an_empty_account_is_a_warning(box: Sandbox) -> None:
    box.faults.add(Fault("no_data", action="get_all_tasks"))
    settings = settings_for(box.url)
    with client_of(settings) as client:
        assert severities(first_pull(client, settings, []))["account.size"] == "warning"


# The way to the account


@pytest.mark.parametrize(
    ("url", "checks"),
    [
        ("https://acme.worksection.com", []),
        ("https://tasks.acme.com", ["account.address"]),
        ("http://127.0.0.1:1", ["account.address"]),
    ],
)
def test_an_unusual_address_is_noted(
    url: str, checks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_account, "reach", lambda *_, **__: check_account.Reached("x", 1))
    found = list(check_account.look_at_way(url))
    assert [*checks, "account.reach"] == [one.check for one in found]


def test_dns_tcp_and_tls_are_told_apart(box: Sandbox) -> None:
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        closed = unused.getsockname()[1]
        steps = {
            url: reach(url, timeout_s=10).failed
            for url in (
                "https://acme.worksection.invalid",
                f"http://127.0.0.1:{closed}",
                box.url.replace("http:", "https:"),
                box.url,
            )
        }
    assert list(steps.values()) == ["dns", "tcp", "tls", None]


def test_each_step_of_the_way_has_its_fix() -> None:
    for step in ("dns", "tcp", "tls"):
        found = check_account.reach_finding(check_account.Reached("h", 443, step, "why"))
        assert (found.severity, found.found.lower().startswith(step)) == ("problem", True)
        assert "why" in found.found
        assert found.fix


# Tags that lists leave out


def a_tagless_mirror(folder: Path, box: Sandbox) -> App:
    """A mirror as a pull leaves it when lists show no tags."""
    app = a_mirror(folder, url=box.url)
    with app.db.write() as tx:
        tx.execute(insert(tags), [{"id": 1, "name": "a"}])
        ids = [t.id for t in box.account.tasks.values() if not box.account.is_delayed(t)][-30:]
        tx.execute(insert(tasks), [a_row(id) for id in ids])
    return app


def a_row(id: int, **changes: object) -> dict[str, object]:
    return {
        "id": id,
        "project_id": 1,
        "level": 1,
        "name": "x",
        "page": "/",
        "url": "/",
        "status": "active",
        "priority": 1,
        "valid_from": NOW,
        "observed_at": NOW,
        "content_hash": b"0" * 16,
        **changes,
    }


@pytest.mark.parametrize(("tagged", "severity"), [(True, "warning"), (False, "note")])
def test_lists_without_tags_are_compared_with_tasks_themselves(
    box: Sandbox, tmp_path: Path, tagged: bool, severity: str
) -> None:
    app = a_tagless_mirror(tmp_path, box)
    for task in box.account.tasks.values():
        tag_ids = [next(iter(box.account.tags))] if tagged else []
        task.tag_ids = type(task.tag_ids)(tag_ids)
    with closing(app.db), app.client() as client:
        with app.db.read() as tx:
            known = check_account.read_tagging(tx)
        found = list(check_account.look_at_tags(client, known))
    assert [(one.check, one.severity) for one in found] == [("account.tags", severity)]
    assert len(box.log.entries()) == 3


# The database


def look_at(path: Path) -> dict[str, Finding]:
    app = build(settings_for("http://127.0.0.1:1", database=f"sqlite:///{path}"))
    with closing(app.db):
        return by_name(check_database.look_at_database(app.db, monotonic=monotonic))


def test_a_sound_mirror_is_found_sound(tmp_path: Path) -> None:
    a_mirror(tmp_path).db.close()
    found = look_at(tmp_path / "syncd.db")
    assert {one.severity for one in found.values()} == {"ok"}
    assert {"database.schema", "database.write", "database.journal", "database.integrity"} <= set(
        found
    )


def test_a_missing_mirror_is_not_made_by_looking(tmp_path: Path) -> None:
    found = look_at(tmp_path / "syncd.db")
    assert {name: one.severity for name, one in found.items()} == {"database.open": "note"}
    assert list(tmp_path.iterdir()) == []


def test_another_programs_database_is_not_ours(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE customers (id)")
    found = look_at(tmp_path / "other.db")["database.open"]
    assert (found.severity, "not ours" in found.found) == ("problem", True)


def test_a_file_that_is_no_database_is_told_as_that(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"hello " * 400)
    found = look_at(tmp_path / "x.db")["database.open"]
    assert (found.severity, "not a SQLite database" in found.found) == ("problem", True)


def test_a_damaged_file_is_found_by_its_structure(tmp_path: Path) -> None:
    a_mirror(tmp_path).db.close()
    path = tmp_path / "syncd.db"
    with closing(sqlite3.connect(path)) as mirror:
        mirror.execute("PRAGMA journal_mode = DELETE")
        (root,) = mirror.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'tasks'"
        ).fetchone()
    content = bytearray(path.read_bytes())
    content[(root - 1) * 4096 : (root - 1) * 4096 + 64] = b"\xff" * 64
    path.write_bytes(content)
    found = look_at(path)
    assert found["database.integrity"].severity == "problem"
    assert "backup" in found["database.integrity"].fix


def test_a_check_of_the_structure_ends_when_its_time_is_over(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "big.db")) as big:
        big.execute(
            "CREATE TABLE t AS WITH RECURSIVE n(x) AS"
            " (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 90000) SELECT x, hex(x) AS y FROM n"
        )
        big.execute("CREATE INDEX i ON t (y)")
        big.commit()
    clock = iter([0.0, *[10.0] * 10_000])
    found = health.quick_check(tmp_path / "big.db", limit_s=5, monotonic=lambda: next(clock))
    assert (found.finished, found.complaints) == (False, ())


def test_another_journal_mode_is_a_warning(tmp_path: Path) -> None:
    a_mirror(tmp_path).db.close()
    with closing(sqlite3.connect(tmp_path / "syncd.db")) as mirror:
        mirror.execute("PRAGMA journal_mode = DELETE")
    assert look_at(tmp_path / "syncd.db")["database.journal"].severity == "warning"


def test_a_full_disk_is_seen_before_a_pull_fills_it() -> None:
    path = Path("/data/syncd.db")
    enough = health.Space(used=100_000_000, free=300_000_000)
    short = health.Space(used=100_000_000, free=240_000_000)
    assert check_database.space_finding(enough, path).severity == "ok"
    assert check_database.space_finding(short, path).severity == "warning"


def test_a_server_is_looked_at_like_a_file(postgres_url: str) -> None:
    app = build(settings_for("http://127.0.0.1:1", database=postgres_url))
    with closing(app.db):
        empty = severities(check_database.look_at_database(app.db, monotonic=monotonic))
        app.ready(write=True)
        full = severities(check_database.look_at_database(app.db, monotonic=monotonic))
    assert (empty["database.schema"], full["database.schema"]) == ("note", "ok")
    assert full["database.rights"] == "ok"


def test_a_right_that_the_role_lacks_is_named(postgres_url: str) -> None:
    app = build(settings_for("http://127.0.0.1:1", database=postgres_url))
    with closing(app.db):
        app.ready(write=True)
        with app.db.write() as tx:
            tx.execute(text("REVOKE UPDATE ON tasks FROM CURRENT_USER"))
        found = by_name(check_database.look_at_database(app.db, monotonic=monotonic))
    assert found["database.rights"].severity == "problem"
    assert "UPDATE on tasks" in found["database.rights"].found


# The mirror


def look_at_mirror(app: App, at: datetime = NOW) -> dict[str, Finding]:
    return by_name(check_mirror.look_at_mirror(app.db, app.settings, now=at))


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[App]:
    app = a_mirror(tmp_path)
    with closing(app.db):
        yield app


def record(app: App, id: int, outcome: str, at: datetime, error: str | None = None) -> None:
    with app.db.write() as tx:
        record_run(tx, id, RunRow("pull", "account", at, at, outcome, at, error=error))


def test_a_fresh_mirror_is_found_fresh(mirror: App) -> None:
    record(mirror, 1, "complete", NOW - timedelta(minutes=3))
    assert {one.severity for one in look_at_mirror(mirror).values()} == {"ok"}


def test_an_empty_mirror_is_noted(mirror: App) -> None:
    assert look_at_mirror(mirror)["mirror.last_pull"].severity == "note"


@pytest.mark.parametrize("outcome", ["partial", "failed"])
def test_a_pull_that_was_not_complete_is_a_warning(mirror: App, outcome: str) -> None:
    record(mirror, 1, "complete", NOW - timedelta(hours=2))
    record(mirror, 2, outcome, NOW - timedelta(hours=1), error="the reason")
    found = look_at_mirror(mirror)
    assert found["mirror.last_pull"].severity == "warning"
    assert "the reason" in found["mirror.last_pull"].found
    assert found["mirror.complete"].severity == "ok"


def test_a_mirror_that_was_not_completed_for_a_day_is_stale(mirror: App) -> None:
    record(mirror, 1, "complete", NOW - timedelta(hours=25))
    assert look_at_mirror(mirror)["mirror.complete"].severity == "warning"


def test_quarantine_and_suspects_wait_for_a_person(mirror: App) -> None:
    with mirror.db.write() as tx:
        row = {"id": 1, "kind": "task", "reason": "x", "raw": "{}", "seen_at": NOW}
        tx.execute(insert(quarantine), [row])
        tx.execute(insert(tasks), [a_row(5, suspect_at=NOW)])
    found = look_at_mirror(mirror)
    assert found["mirror.quarantine"].severity == "warning"
    assert found["mirror.suspects"].severity == "warning"


def test_a_holder_that_ended_is_told_from_one_that_works(mirror: App) -> None:
    with lease.hold(mirror.db, now=NOW) as held:
        lease.note_pace(mirror.db, held, lease.Pace(None))
        lease.give_back(mirror.db, held)
        said = {}
        for holder in ("pid 1 on elsewhere", f"pid 4194399 on {socket.gethostname()}"):
            with mirror.db.write() as tx:
                tx.execute(update(lease.lease).values(holder=holder))
            said[holder] = look_at_mirror(mirror)["mirror.lease"].found
    assert ["talks" in words for words in said.values()] == [True, False]


def test_the_mirror_of_another_account_is_a_problem(mirror: App) -> None:
    with mirror.db.write() as tx:
        tx.execute(
            text("INSERT INTO sync_state (name, value) VALUES ('account', '\"acme.example\"')")
        )
    found = look_at_mirror(mirror)["mirror.account"]
    assert (found.severity, "acme.example" in found.found) == ("problem", True)


# The configuration


def configured(folder: Path, account: str = "", rest: str = "", mode: int = 0o600) -> Path:
    key, path = folder / "syncd.key", folder / "syncd.toml"
    for each, words in ((key, "a-key-of-some-length"), (path, "")):
        each.touch(mode=0o600)
        each.write_text(words)
    base = '[account]\nurl = "https://acme.worksection.com"\n'
    credentials = account or 'api_key_file = "syncd.key"'
    path.write_text(f"{base}{credentials}\n{rest}")
    path.chmod(mode)
    return path


def look_at_config(path: Path, environ: dict[str, str] | None = None) -> dict[str, Finding]:
    settings = config.load(path, environ or {})
    return by_name(check_config.look_at_config(settings, environ or {}))


def test_a_plain_configuration_is_in_order(tmp_path: Path) -> None:
    found = look_at_config(configured(tmp_path, mode=0o644))
    assert {one.severity for one in found.values()} == {"ok"}


@pytest.mark.parametrize(
    ("account", "rest", "mode", "expected"),
    [
        ('api_key = "in-the-file-itself"', "", 0o600, ("config.key", "note")),
        ('api_key = "in-the-file-itself"', "", 0o644, ("config.file", "warning")),
        (
            "",
            '[database]\nurl = "postgresql+psycopg://a:pass-word@h/d"',
            0o644,
            ("config.file", "warning"),
        ),
        ("", "", 0o666, ("config.file", "warning")),
        ("", '[pull]\nextra = ["files"]', 0o600, ("config.pull", "warning")),
        ("", '[pull]\nextra = ["subtasks"]', 0o600, ("config.pull", "note")),
        ("", "[limits]\nrequests_per_second = 0.5", 0o600, ("config.pace", "note")),
        ("", '[limits]\ntimeout = "5s"', 0o600, ("config.timeout", "warning")),
    ],
)
def test_settings_that_surprise_are_told(
    tmp_path: Path, account: str, rest: str, mode: int, expected: tuple[str, str]
) -> None:
    found = look_at_config(configured(tmp_path, account, rest, mode))
    assert found[expected[0]].severity == expected[1]


def test_what_systemd_hands_over_goes_before_the_file(tmp_path: Path) -> None:
    path = configured(tmp_path)
    (tmp_path / "syncd.key").unlink()  # as good as one that only root may read
    (tmp_path / "api-key").write_text("handed-over-by-systemd")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    key = config.load(path, environ).account.api_key
    assert key == Secret("handed-over-by-systemd")
    assert "credential" in look_at_config(path, environ)["config.key"].found


def test_what_the_environment_sets_is_told_by_name_alone(tmp_path: Path) -> None:
    environ = {"SYNCD_ACCOUNT__API_KEY": "key-in-the-environment"}
    found = look_at_config(configured(tmp_path), environ)
    assert found["config.key"].severity == "warning"
    assert found["config.environment"].found.endswith("SYNCD_ACCOUNT__API_KEY")


def test_a_configuration_that_cannot_be_used_is_a_problem_with_its_fix(tmp_path: Path) -> None:
    path = configured(tmp_path)
    (tmp_path / "syncd.key").chmod(0o644)
    found = check_config.load(path, {})
    assert isinstance(found, Finding)
    assert (found.severity, "chmod 600" in found.fix) == ("problem", True)


# All together


def checking(app: App) -> Checking:
    return Checking(app.settings, {}, asking=app.asking, clock=now)


def test_a_check_writes_nothing_but_the_lease(box: Sandbox, tmp_path: Path) -> None:
    app = a_mirror(tmp_path, url=box.url)
    with closing(app.db):
        before = dump(tmp_path / "syncd.db")
        found = list(checking(app).findings(app.db, offline=False))
        after = dump(tmp_path / "syncd.db")
    assert findings.exit_code(found) == 0
    differing = {line.partition("(")[0] for line in set(before) ^ set(after)}
    assert differing <= {'INSERT INTO "lease" VALUES'}
    assert not any(entry.effect for entry in box.log.entries())


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as mirror:
        return list(mirror.iterdump())


def test_the_account_is_not_asked_while_another_holds_the_lease(
    box: Sandbox, tmp_path: Path
) -> None:
    app = a_mirror(tmp_path, url=box.url)
    with closing(app.db), lease.hold(app.db, now=NOW):
        found = list(checking(app).findings(app.db, offline=False))
    assert findings.exit_code(found) == 5
    assert by_name(found)["account.lease"].fix
    assert box.log.entries() == []


def test_an_unreachable_account_ends_the_look_and_nothing_else(
    box: Sandbox, tmp_path: Path
) -> None:
    app = a_mirror(tmp_path, url=box.url)
    with closing(app.db), box.refusing():
        found = severities(checking(app).findings(app.db, offline=False))
    assert (found["database.integrity"], found["account.reach"]) == ("ok", "problem")
    assert "account.credentials" not in found


def test_a_turn_at_the_account_keeps_the_pace_of_the_last_one(box: Sandbox, tmp_path: Path) -> None:
    app = a_mirror(tmp_path, url=box.url)
    with closing(app.db):
        app.note_asked()
        with app.turn() as (held, _):
            assert held.clean
            assert held.last_request_at is not None


def test_looking_without_a_mirror_takes_no_lease(box: Sandbox, tmp_path: Path) -> None:
    settings = settings_for(box.url, database=f"sqlite:///{tmp_path / 'none.db'}")
    app = build(settings)
    with closing(app.db), app.asking() as client:
        assert client.base_url == box.url
    assert list(tmp_path.iterdir()) == []


def test_a_second_look_waits_where_it_is_told_to(box: Sandbox, tmp_path: Path) -> None:
    app = a_mirror(tmp_path, url=box.url)
    taken, free = threading.Event(), threading.Event()

    def hold() -> None:
        with lease.hold(app.db, now=NOW):
            taken.set()
            free.wait(30)

    other = threading.Thread(target=hold)
    with closing(app.db):
        other.start()
        taken.wait(30)
        with pytest.raises(LeaseHeld), app.asking():
            pass
        free.set()
        with app.asking(wait=True) as client:
            assert client.base_url == box.url
        other.join()
