"""`syncd audit`: what it prints, and how it ends."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import text

from syncd.cli.entry import run
from syncd.store import audit
from syncd.store.audit import Event
from syncd.store.engine import open_database
from syncd.store.upgrade import upgrade
from tests.support.records import MONDAY

CONFIG = """
[account]
url = "http://127.0.0.1:1"
api_key = "0123456789abcdef0123456789abcdef"
timezone = "Europe/Kyiv"
"""
KEYS = {*("seq", "at", "run_id", "actor", "event", "entity", "entity_id", "detail", "hash")}
PROOF = {*("holds", "rows", "first", "last", "hash", "checkpoint", "broken", "exit_code")}


@pytest.fixture
def place(tmp_path):
    """A configured directory whose audit log has three rows; its account cannot be reached."""
    (tmp_path / "syncd.toml").write_text(CONFIG)
    (tmp_path / "syncd.toml").chmod(0o600)
    db = open_database(f"sqlite:///{tmp_path / 'syncd.db'}")
    upgrade(db, now=MONDAY)
    for hours, event in enumerate(("task.removed", "brake.tripped", "brake.released")):
        with db.write() as tx:
            told = [Event(event, "task", hours + 1, {"said": "one\ntwo\x1b[31m"})]
            at = MONDAY + timedelta(hours=6 * hours)
            audit.append(tx, told, at=at, actor="cli:olena", run_id=None)
    yield tmp_path, db
    db.close()


@pytest.fixture
def syncd(place, capsys):
    def call(*words):
        code = run(["audit", *words, "--config", str(place[0] / "syncd.toml")])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_the_tail_is_a_line_for_each_row_which_steers_no_terminal(syncd):
    code, out, _ = syncd("tail", "-n", "2")
    first, second = out.splitlines()
    assert 0 == code
    assert "2  2026-01-05 15:00:00 UTC  cli:olena  brake.tripped  task 2  " in first
    assert second.startswith("3  2026-01-05 21:00:00 UTC")
    assert "\x1b" not in out


def test_tail_and_search_give_one_document_with_stable_keys(syncd):
    for words in (("tail",), ("search",)):
        code, out, _ = syncd(*words, "--json")
        rows = json.loads(out)["rows"]
        assert (0, [1, 2, 3]) == (code, [row["seq"] for row in rows])
        assert all(KEYS == set(row) for row in rows)


def test_following_gives_a_line_of_json_for_each_row_until_ctrl_c(place, syncd, monkeypatch):
    _, db = place

    def sleep(_):
        if audit_rows(db) == 4:
            raise KeyboardInterrupt
        with db.write() as tx:
            audit.append(tx, [Event("note.made")], at=MONDAY, actor="daemon", run_id=None)

    monkeypatch.setattr("time.sleep", sleep)
    code, out, _ = syncd("tail", "-n", "1", "--follow", "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert (0, [3, 4]) == (code, [row["seq"] for row in rows])
    assert KEYS == set(rows[1])


def audit_rows(db):
    with db.read() as tx:
        return tx.scalar(text("SELECT count(*) FROM audit_log"))


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("--event", "brake"), [2, 3]),
        (("--task", "3"), [3]),
        (("--change", "3"), []),
        (("--actor", "olena", "tripped"), [2]),
        (("--since", "2026-01-05"), [1, 2, 3]),
        # 21:00 UTC is 23:00 in Kyiv, where the account's days begin and end
        (("--until", "2026-01-05"), [1, 2, 3]),
        (("--since", "2026-01-06"), []),
        (("--until", "2026-01-04"), []),
    ],
)
def test_a_search_takes_the_days_of_the_account(syncd, words, found):
    _, out, _ = syncd("search", *words, "--json")
    assert found == [row["seq"] for row in json.loads(out)["rows"]]


def test_a_date_that_is_none_is_refused(syncd):
    code, out, err = syncd("search", "--since", "yesterday")
    assert (2, "") == (code, out)
    assert "'yesterday' does not match" in err


def test_a_log_that_holds_says_what_was_proven(syncd):
    code, out, _ = syncd("verify")
    assert 0 == code
    assert "The audit log holds: 3 rows, 1 to 3." in out
    code, out, _ = syncd("verify", "--json")
    told = json.loads(out)
    assert (0, PROOF, True, 3) == (code, set(told), told["holds"], told["rows"])
    assert told["hash"] == json.loads(syncd("tail", "--json")[1])["rows"][-1]["hash"]


def test_a_broken_log_ends_with_1_and_names_the_first_bad_row(place, syncd):
    with place[1].write() as tx:
        tx.execute(text("DROP TRIGGER audit_log_refuses_update"))
        tx.execute(text("UPDATE audit_log SET actor = 'daemon' WHERE seq >= 2"))
    code, out, _ = syncd("verify")
    assert 1 == code
    assert "The audit log is broken at row 2: altered: its content does not give its hash." in out
    code, out, _ = syncd("verify", "--json")
    broken = json.loads(out)["broken"]
    assert (1, 2, "altered") == (code, broken["seq"], broken["kind"])


def test_without_a_mirror_it_says_so(tmp_path, capsys):
    (tmp_path / "syncd.toml").write_text(CONFIG)
    (tmp_path / "syncd.toml").chmod(0o600)
    assert 2 == run(["audit", "verify", "--config", str(tmp_path / "syncd.toml")])
    assert "There is no mirror yet" in capsys.readouterr().err
