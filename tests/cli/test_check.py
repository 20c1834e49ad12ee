"""`syncd check` as a real process: its output, its document, its exit codes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.sandbox import Account, Fault, Sandbox
from tests.support.processes import Finished, run_syncd, start_syncd

CANARY = "c0ffee5ecret0fthe0wner0ne1two3x4"
FAST = {"SYNCD_LIMITS__REQUESTS_PER_SECOND": "1000000"}


@pytest.fixture
def box() -> Iterator[Sandbox]:
    account = Account.seeded(60)
    account.create_task(next(iter(account.projects)), "just now")
    with Sandbox(account, key=CANARY) as sandbox:
        yield sandbox


@pytest.fixture
def home(box: Sandbox, tmp_path: Path) -> Path:
    """A folder with a configuration of the box."""
    key = tmp_path / "syncd.key"
    key.touch(mode=0o600)
    key.write_text(CANARY)
    (tmp_path / "syncd.toml").write_text(
        f'[account]\nurl = "{box.url}"\napi_key_file = "syncd.key"\ntimezone = "Europe/Kyiv"\n'
    )
    return tmp_path


def check(folder: Path, *arguments: str, powerless: bool = False) -> Finished:
    return run_syncd("check", *arguments, cwd=folder, env=FAST, powerless=powerless)


def severities(done: Finished) -> dict[str, str]:
    return {one["check"]: one["severity"] for one in done.document["findings"]}


def test_all_is_well_with_a_fresh_mirror(home: Path) -> None:
    run_syncd("pull", cwd=home, env=FAST).expect(0)
    done = check(home).expect(0)
    assert "All is well." in done.stdout
    assert done.stderr == ""
    assert all(line[:4].strip() in {"ok", "note", ""} for line in done.stdout.splitlines()[:-1])


def test_the_document_is_one_and_each_finding_has_four_keys(home: Path) -> None:
    found = check(home, "--json").expect(0).document["findings"]
    assert {frozenset(one) for one in found} == {frozenset(("check", "severity", "found", "fix"))}
    assert {one["severity"] for one in found} <= {"ok", "note", "warning", "problem"}


def test_it_works_before_there_is_a_mirror_and_makes_none(home: Path) -> None:
    found = severities(check(home, "--json").expect(0))
    assert (found["database.open"], found["account.rights"]) == ("note", "ok")
    assert sorted(path.name for path in home.iterdir()) == ["syncd.key", "syncd.toml"]


def test_without_a_configuration_it_says_how_to_make_one(tmp_path: Path) -> None:
    missing = tmp_path / "none.toml"
    done = check(tmp_path, "--config", str(missing)).expect(2)
    assert "syncd init" in done.stdout


@pytest.mark.parametrize(
    ("line", "said"),
    [("nonsense = 1", "nonsense"), ('auth = "md6"', "auth"), ('timezone = "Kyiv"', "timezone")],
)
def test_a_bad_configuration_is_a_finding_that_names_the_key(
    tmp_path: Path, line: str, said: str
) -> None:
    path = tmp_path / "syncd.toml"
    path.write_text(f'[account]\nurl = "https://acme.worksection.com"\napi_key = "x"\n{line}\n')
    done = check(tmp_path, "--json").expect(2)
    assert severities(done) == {"config.file": "problem"}
    assert said in done.document["findings"][0]["found"]


def test_a_key_file_open_to_others_is_a_finding(home: Path) -> None:
    (home / "syncd.key").chmod(0o644)
    done = check(home).expect(2)
    assert "chmod 600" in done.stdout


def test_a_dead_key_is_a_problem_of_the_account(box: Sandbox, home: Path) -> None:
    box.key = "0" * 32
    done = check(home, "-v").expect(4)
    assert "FAIL  account.credentials" in done.stdout
    assert CANARY not in done.stdout + done.stderr


def test_an_unreachable_account_spoils_no_other_finding(box: Sandbox, home: Path) -> None:
    run_syncd("pull", cwd=home, env=FAST).expect(0)
    with box.refusing():
        found = severities(check(home, "--json").expect(4))
        assert (found["database.integrity"], found["account.reach"]) == ("ok", "problem")
        check(home, "--offline").expect(0)


def test_a_login_page_instead_of_an_answer(box: Sandbox, home: Path) -> None:
    box.faults.add(Fault("html_login"))
    assert severities(check(home, "--json").expect(4))["account.answer"] == "problem"


def test_warnings_alone_wait_for_a_person(box: Sandbox, home: Path) -> None:
    box.set(clock_skew_s=-90.0)
    done = check(home).expect(3)
    assert "WARN  account.clock" in done.stdout
    assert "1 warning" in done.stdout


def test_a_mirror_that_cannot_be_written_is_a_problem(home: Path) -> None:
    run_syncd("pull", cwd=home, env=FAST).expect(0)
    (home / "syncd.db").chmod(0o400)
    found = severities(
        run_syncd("check", "--json", "--offline", cwd=home, env=FAST, powerless=True).expect(2)
    )
    assert (found["database.schema"], found["database.write"]) == ("ok", "problem")


def test_while_another_talks_to_the_account_it_is_left_alone(
    box: Sandbox, home: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run_syncd("pull", cwd=home, env=FAST).expect(0)
    box.faults.add(Fault("delay", action="get_all_tasks", seconds=60))
    output = tmp_path_factory.mktemp("out") / "pull"
    with start_syncd("pull", output=output, cwd=home, env=FAST) as pulling:
        pulling.wait_until(lambda _: box.faults.struck() > 0)
        asked = len(box.log.entries())
        found = severities(check(home, "--json").expect(5))
        assert (found["account.lease"], found["mirror.lease"]) == ("warning", "note")
        assert asked == len(box.log.entries())
        check(home, "--offline").expect(0)
        with start_syncd(
            "check", "--wait", output=output.with_name("check"), cwd=home, env=FAST
        ) as waiting:
            waiting.wait_until(lambda one: "account.reach" in one.stdout)
            pulling.kill()
            box.faults.clear()
            waiting.wait().expect(0)
