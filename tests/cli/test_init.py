"""`syncd init` as a real process against a sandbox: from scripts, and by a person at a terminal."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from syncd import config
from syncd.sandbox import CLIENT, Account, Fault, Sandbox
from tests.support.processes import Finished, run_syncd
from tests.support.terminal import syncd_at_terminal

CANARY = "c0ffee5ecret0fthe0wner0ne1two3x4"
FAST = {"SYNCD_LIMITS__REQUESTS_PER_SECOND": "1000000"}
REDIRECT = "https://we.example/back"


@pytest.fixture
def box() -> Iterator[Sandbox]:
    account = Account.seeded(60)
    account.create_task(next(iter(account.projects)), "just now")
    with Sandbox(account, key=CANARY) as sandbox:
        yield sandbox


def set_up(
    folder: Path, *arguments: str | Path, key: str | None = CANARY, config: str = "syncd.toml"
) -> Finished:
    """Run init in `folder`, the key on standard input."""
    piped = [] if key is None else ["--key-stdin"]
    return run_syncd(
        "init",
        "--config",
        folder / config,
        *piped,
        *arguments,
        cwd=folder,
        env={**FAST, "HOME": str(folder)},
        stdin=key or "",
    )


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def checks(done: Finished) -> dict[str, str]:
    return {one["check"]: one["severity"] for one in done.document["findings"]}


def test_one_command_sets_up_everything(box: Sandbox, tmp_path: Path) -> None:
    done = set_up(tmp_path, "--url", f"{box.url}/project/1/", "--timezone", "Europe/Kyiv").expect(0)
    assert "tasks in" in done.stdout
    assert "first pull will take about" in done.stdout
    settings = config.load(tmp_path / "syncd.toml", {})
    assert (box.url, "Europe/Kyiv") == (settings.account.url, settings.account.timezone)
    assert (tmp_path / "syncd.key").read_text().strip() == CANARY
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert (modes["syncd.key"], modes["syncd.toml"]) == (0o600, 0o600)
    assert not any(entry.effect for entry in box.log.entries())
    run_syncd("status", cwd=tmp_path).expect(3)  # a mirror, and nothing pulled into it yet


def test_its_document_names_files_and_findings(box: Sandbox, tmp_path: Path) -> None:
    done = set_up(tmp_path, "--json", "--url", box.url, "--timezone", "Europe/Kyiv").expect(0)
    assert [str(tmp_path / "syncd.key"), str(tmp_path / "syncd.toml")] == done.document["files"]
    found = checks(done)
    assert {"account.credentials", "account.clock", "account.timezone", "account.size"} <= set(
        found
    )
    assert {"check", "severity", "found", "fix"} == set(done.document["findings"][0])


def test_the_key_comes_from_a_file_that_is_closed_to_others(box: Sandbox, tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.touch(mode=0o644)
    given.write_text(f"{CANARY}\n")
    arguments = ("--url", box.url, "--key-file", given)
    refused = set_up(tmp_path, *arguments, key=None).expect(2)
    assert "chmod 600" in refused.stderr
    given.chmod(0o600)
    set_up(tmp_path, *arguments, key=None).expect(0)
    assert (tmp_path / "syncd.key").read_text().strip() == CANARY


@pytest.mark.parametrize("arguments", [["--key", CANARY], [f"--api-key={CANARY}"], [CANARY]])
def test_the_key_is_not_taken_as_an_argument_nor_said_back(
    tmp_path: Path, arguments: list[str]
) -> None:
    done = set_up(tmp_path, "-v", "--url", "acme", *arguments, key=None).expect(2)
    assert "arguments of a process" in done.stderr
    assert CANARY not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "missing"),
    [
        ([], ["--url", "--key-file or --key-stdin"]),
        (["--url", "acme"], ["--key-file or --key-stdin"]),
        (
            ["--url", "acme", "--auth", "oauth2"],
            ["--oauth-client-id", "--oauth-client-secret-file", "--oauth-redirect-uri"],
        ),
    ],
)
def test_a_script_is_told_which_flags_are_missing(
    tmp_path: Path, arguments: list[str], missing: list[str]
) -> None:
    done = set_up(tmp_path, *arguments, key=None).expect(2)
    assert all(flag in done.stderr for flag in missing)
    assert names_in(tmp_path) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--url", "worksection.com"], "names no account"),
        (["--url", "http://acme.example"], "plain http"),
        (["--url", "acme", "--timezone", "Kyiv"], "not an IANA time zone"),
        (["--url", "acme", "--database", "mysql://h/d"], "SQLite or PostgreSQL"),
    ],
)
def test_an_answer_that_cannot_be_used_is_one_clear_line(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    done = set_up(tmp_path, *arguments).expect(2)
    assert said in done.stderr
    assert names_in(tmp_path) == []


def test_an_empty_key_is_refused(tmp_path: Path) -> None:
    assert "no key" in set_up(tmp_path, "--url", "acme", key=" \n").expect(2).stderr


def test_a_wrong_key_writes_nothing(box: Sandbox, tmp_path: Path) -> None:
    done = set_up(tmp_path, "--url", box.url, "-v", key="f" * 32).expect(4)
    assert "Show API key" in done.stdout
    assert "Nothing was written" in done.stderr
    assert "f" * 32 not in done.stdout + done.stderr
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("existing", ["syncd.toml", "syncd.key"])
def test_nothing_is_overwritten_unasked(box: Sandbox, tmp_path: Path, existing: str) -> None:
    (tmp_path / existing).write_text("mine")
    refused = set_up(tmp_path, "--url", box.url).expect(2)
    assert "--force" in refused.stderr
    assert (tmp_path / existing).read_text() == "mine"
    assert box.log.entries() == []
    set_up(tmp_path, "--url", box.url, "--force").expect(0)
    assert (tmp_path / existing).read_text() != "mine"


def test_a_failed_trial_keeps_what_was_there(box: Sandbox, tmp_path: Path) -> None:
    set_up(tmp_path, "--url", box.url).expect(0)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    set_up(tmp_path, "--url", box.url, "--force", key="f" * 32).expect(4)
    assert before["syncd.key"] == (tmp_path / "syncd.key").read_bytes()
    assert before["syncd.toml"] == (tmp_path / "syncd.toml").read_bytes()
    assert set(before) == set(names_in(tmp_path))


def test_without_a_test_the_account_is_left_alone(box: Sandbox, tmp_path: Path) -> None:
    with box.refusing():
        set_up(tmp_path, "--url", box.url, "--no-test").expect(0)
    assert box.log.entries() == []
    assert "syncd.db" in names_in(tmp_path)


def test_an_unreachable_account_is_told_by_step(box: Sandbox, tmp_path: Path) -> None:
    with box.refusing():
        done = set_up(tmp_path, "--url", box.url).expect(4)
    assert "TCP:" in done.stdout
    assert names_in(tmp_path) == []


def test_a_page_instead_of_json_is_told_as_that(box: Sandbox, tmp_path: Path) -> None:
    box.faults.add(Fault("html_login"))
    done = set_up(tmp_path, "--json", "--url", box.url).expect(4)
    assert checks(done)["account.answer"] == "problem"


def test_a_skewed_clock_and_a_wrong_zone_are_warnings(box: Sandbox, tmp_path: Path) -> None:
    box.set(clock_skew_s=75.0)
    done = set_up(
        tmp_path, "--json", "--url", box.url, "--timezone", "America/New_York", "--auth", "hmac"
    ).expect(3)
    found = checks(done)
    assert (found["account.clock"], found["account.timezone"]) == ("warning", "warning")
    assert "syncd.toml" in names_in(tmp_path)


def test_an_account_over_the_record_limit_is_told_how_long_it_takes(
    box: Sandbox, tmp_path: Path
) -> None:
    box.set(record_limit=5)
    done = set_up(tmp_path, "--url", box.url, "--timezone", "Europe/Kyiv").expect(0)
    assert "project by project" in done.stdout


def test_an_account_that_asks_to_slow_down_is_heeded(box: Sandbox, tmp_path: Path) -> None:
    box.faults.add(Fault("too_many_requests", retry_after="0", count=1))
    set_up(tmp_path, "--url", box.url, "--timezone", "Europe/Kyiv").expect(0)


def test_a_database_that_cannot_be_had_is_said_and_the_rest_stands(
    box: Sandbox, tmp_path: Path
) -> None:
    done = set_up(
        tmp_path, "--json", "--url", box.url, "--database", tmp_path / "no" / "mirror.db"
    ).expect(2)
    assert checks(done)["database.open"] == "problem"
    assert ["syncd.key", "syncd.toml"] == names_in(tmp_path)


def test_a_server_gets_its_schema(box: Sandbox, tmp_path: Path, postgres_url: str) -> None:
    address = postgres_url.replace("+psycopg", "")
    arguments = ("--url", box.url, "--database", address, "--schema", "mirror")
    set_up(tmp_path, *arguments).expect(0)
    loaded = config.load(tmp_path / "syncd.toml", {})
    assert (loaded.database.url, loaded.database.schema) == (postgres_url, "mirror")
    run_syncd("pull", cwd=tmp_path, env=FAST).expect(0)
    run_syncd("check", cwd=tmp_path, env=FAST).expect(0)


def test_another_configuration_in_the_way_is_named(box: Sandbox, tmp_path: Path) -> None:
    set_up(tmp_path, "--url", box.url).expect(0)
    done = set_up(tmp_path, "--url", box.url, config="second.toml").expect(0)
    assert f"commands here read {tmp_path / 'syncd.toml'}" in done.stdout


# A person at a terminal


def a_terminal(folder: Path, *arguments: str):
    words = ("init", "--config", folder / "new" / "syncd.toml", *arguments)
    env = {**FAST, "HOME": str(folder), "TZ": "Europe/Kyiv"}
    return syncd_at_terminal(*words, cwd=folder, env=env)


def test_a_person_is_asked_and_the_key_is_not_shown(box: Sandbox, tmp_path: Path) -> None:
    with a_terminal(tmp_path) as terminal:
        terminal.expect("The account, by name or any of its pages: ")
        terminal.type("worksection.com")
        terminal.expect("names no account")
        terminal.expect("The account, by name or any of its pages: ")
        terminal.type(f"{box.url}/project/")
        terminal.expect("The key (it is not shown): ")
        terminal.type(CANARY)
        terminal.expect("Its time zone, such as Europe/Kyiv [Europe/Kyiv]: ")
        terminal.type("")
        terminal.expect("[sqlite:///syncd.db]: ")
        terminal.type("")
        terminal.expect("descriptions of tasks? [y/N]: ")
        terminal.type("y")
        terminal.expect("archived projects? [y/N]: ")
        terminal.type("")
        status = terminal.end()
    assert status == 0, terminal.screen
    assert CANARY not in terminal.screen
    loaded = config.load(tmp_path / "new" / "syncd.toml", {})
    assert (box.url, "Europe/Kyiv") == (loaded.account.url, loaded.account.timezone)
    assert "text" in loaded.pull.extra


QUESTIONS = {
    "any of its pages: ": "",
    "The key (it is not shown): ": CANARY,
    "[Europe/Kyiv]: ": "",
    "[sqlite:///syncd.db]: ": "",
    "descriptions of tasks? [y/N]: ": "",
    "archived projects? [y/N]: ": "",
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_ctrl_c_at_any_question_leaves_nothing_behind(
    box: Sandbox, tmp_path: Path, question: str
) -> None:
    with a_terminal(tmp_path) as terminal:
        for asked, answer in QUESTIONS.items():
            terminal.expect(asked)
            if asked == question:
                break
            terminal.type(answer or (box.url if "pages" in asked else ""))
        assert terminal.interrupt() == 130
    assert names_in(tmp_path) == []
    assert box.log.entries() == []


# OAuth2 by hand


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "given-secret"
    path.touch(mode=0o600)
    path.write_text(CLIENT[1])
    return path


def by_consent(box: Sandbox, secret: Path, *more: str) -> list[str]:
    return [
        *("--url", box.url, "--auth", "oauth2", "--oauth-url", box.url),
        *("--oauth-client-id", CLIENT[0], "--oauth-client-secret-file", str(secret)),
        *("--oauth-redirect-uri", REDIRECT, "--timezone", "Europe/Kyiv", *more),
    ]


def consent(page: str) -> str:
    """Consent as a person in a browser does; returns the address it ends at."""
    answer = requests.get(page, allow_redirects=False, timeout=10)
    return answer.headers["Location"]


def page_in(shown: str) -> str:
    return next(line.strip() for line in shown.splitlines() if "/oauth2/authorize?" in line)


def test_a_script_prints_the_page_in_one_run_and_brings_the_code_in_another(
    box: Sandbox, tmp_path: Path, secret_file: Path
) -> None:
    first = set_up(tmp_path, *by_consent(box, secret_file), key=None).expect(2)
    assert "--oauth-code" in first.stderr
    assert "ten minutes" in first.stderr
    assert names_in(tmp_path) == ["given-secret"]
    address = consent(page_in(first.stderr))
    done = set_up(tmp_path, *by_consent(box, secret_file, "--oauth-code", address), key=None)
    done.expect(0)
    tokens = json.loads((tmp_path / "syncd.tokens.json").read_text())
    for path in ("syncd.tokens.json", "syncd.oauth-secret"):
        assert stat.S_IMODE((tmp_path / path).stat().st_mode) == 0o600
    said = done.stdout + done.stderr + (tmp_path / "syncd.toml").read_text()
    code = parse_qs(urlsplit(address).query)["code"][0]
    secrets = (tokens["access_token"], tokens["refresh_token"], CLIENT[1], code)
    assert not [each for each in secrets if each in said]
    assert "the mirror holds what this person may see" in done.stdout
    run_syncd("pull", cwd=tmp_path, env=FAST).expect(0)


def test_a_code_alone_is_enough_and_good_once(
    box: Sandbox, tmp_path: Path, secret_file: Path
) -> None:
    shown = set_up(tmp_path, *by_consent(box, secret_file), key=None).stderr
    code = parse_qs(urlsplit(consent(page_in(shown))).query)["code"][0]
    arguments = by_consent(box, secret_file, "--oauth-code", code)
    set_up(tmp_path, *arguments, key=None).expect(0)
    again = set_up(tmp_path, *arguments, "--json", "--force", key=None).expect(4)
    assert checks(again)["account.consent"] == "problem"
    run_syncd("check", cwd=tmp_path, env=FAST).expect(0)  # the tokens of the first run still work


def test_an_answer_to_another_page_is_refused(
    box: Sandbox, tmp_path: Path, secret_file: Path
) -> None:
    forged = f"{REDIRECT}?code=abcdef&state=1.2"
    done = set_up(tmp_path, *by_consent(box, secret_file, "--oauth-code", forged), key=None)
    assert "state differs" in done.expect(2).stderr


def test_missing_scopes_are_warnings_or_problems(
    box: Sandbox, tmp_path: Path, secret_file: Path
) -> None:
    tokens = "projects_read,tasks_read,users_read"
    page = (
        f"{box.url}/oauth2/authorize?client_id={CLIENT[0]}&redirect_uri={REDIRECT}&scope={tokens}"
    )
    code = parse_qs(urlsplit(consent(page)).query)["code"][0]
    arguments = by_consent(box, secret_file, "--oauth-code", code, "--json")
    done = set_up(tmp_path, *arguments, key=None).expect(3)
    refused = [one for one in done.document["findings"] if one["check"] == "account.rights"]
    assert ["tags_read" in one["fix"] for one in refused] == [True]


def test_a_person_consents_and_pastes_the_address(
    box: Sandbox, tmp_path: Path, secret_file: Path
) -> None:
    arguments = by_consent(box, secret_file, "--database", str(tmp_path / "m.db"), "--text")
    with a_terminal(tmp_path, *arguments, "--no-archived") as terminal:
        terminal.expect("The code, or the whole address: ")
        terminal.type("https://we.example/back?error=access_denied")
        terminal.expect("did not consent")
        terminal.expect("The code, or the whole address: ")
        terminal.type(consent(page_in(terminal.screen)))
        assert terminal.end() == 0, terminal.screen
    assert (tmp_path / "new" / "syncd.tokens.json").exists()


def test_ctrl_c_in_the_middle_of_the_trial_leaves_nothing_behind(
    box: Sandbox, tmp_path: Path
) -> None:
    given = tmp_path / "given"
    given.touch(mode=0o600)
    given.write_text(CANARY)
    box.faults.add(Fault("delay", action="get_all_tasks", seconds=60))
    known = ("--url", box.url, "--key-file", str(given), "--timezone", "none", "--no-text")
    rest = ("--no-archived", "--database", str(tmp_path / "m.db"))
    with a_terminal(tmp_path, *known, *rest) as terminal:
        terminal.expect("account.timezone")
        assert terminal.interrupt() == 130
    assert names_in(tmp_path) == ["given"]
