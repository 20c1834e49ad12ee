"""The way in and out: options, help, encodings, what is loaded, and what is never expected."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from syncd import __version__
from syncd.cli import entry
from syncd.cli.commands import ENTRIES, root
from syncd.cli.output import one_line
from tests.support.home import Home
from tests.support.processes import run, run_syncd

HEAVY = {"requests", "sqlalchemy", "alembic", "rich", "structlog", "psycopg", "apscheduler"}


def loaded(code: str) -> set[str]:
    """Return which of the heavy modules a program loads."""
    done = run([sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"]).expect(0)
    return HEAVY & set(done.stdout.splitlines()[-1].split())


def test_help_loads_nothing_heavy() -> None:
    assert set() == loaded("from syncd.cli.entry import run\nrun(['--help'])")


@pytest.mark.parametrize("command", list(ENTRIES))
def test_the_help_of_a_command_loads_nothing_heavy(command: str) -> None:
    assert set() == loaded(f"from syncd.cli.entry import run\nrun(['{command}', '--help'])")


def test_status_loads_no_database_library(pulled: Home) -> None:
    argv = ["--config", str(pulled.config), "status"]
    assert set() == loaded(f"from syncd.cli.entry import run\nassert run({argv!r}) == 0")


def test_listing_tasks_loads_neither_http_nor_migrations(pulled: Home) -> None:
    argv = ["--config", str(pulled.config), "task", "list"]
    found = loaded(f"from syncd.cli.entry import run\nassert run({argv!r}) == 0")
    assert {"sqlalchemy"} == found


def test_every_command_is_listed_with_its_own_first_sentence() -> None:
    context = root.make_context("syncd", ["status"])
    for name, listed in ENTRIES.items():
        command = root.get_command(context, name)
        assert command is not None
        said = (command.help or "").split("\n\n")[0].replace("\n", " ")
        assert said.startswith(listed.help), f"{name}: {listed.help!r} is not how {said!r} begins"


def test_every_command_takes_the_common_options() -> None:
    context = root.make_context("syncd", ["status"])
    for name in ENTRIES:
        command = root.get_command(context, name)
        assert command is not None
        taken = {option for param in command.params for option in param.opts}
        assert {"--config", "--json", "--verbose", "--version"} <= taken


@pytest.mark.parametrize("words", [("--version",), ("pull", "--version"), ("task", "--version")])
def test_the_version_is_told_anywhere(words: tuple[str, ...]) -> None:
    assert f"syncd {__version__}\n" == run_syncd(*words).expect(0).stdout
    assert {"version": __version__} == run_syncd(*words, "--json").expect(0).document


def test_no_command_shows_what_there_is() -> None:
    done = run_syncd().expect(2)
    assert "Commands:" in done.stderr


def test_a_slip_of_the_finger_is_understood() -> None:
    assert "Is it status?" in run_syncd("statsu").expect(2).stderr


def test_what_nobody_expected_is_one_line_and_says_how_to_see_more(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def burst(*_: object, **__: object) -> None:
        raise ZeroDivisionError("api_key=0123456789abcdef")

    monkeypatch.setattr(root, "invoke", burst)
    assert entry.run(["status"]) == 1
    quiet = capsys.readouterr()
    assert entry.run(["status", "-v"]) == 1
    loud = capsys.readouterr()
    assert "ZeroDivisionError" in quiet.err.splitlines()[0]
    assert ("-v" in quiet.err, "Traceback" in quiet.err, "Traceback" in loud.err) == (
        True,
        False,
        True,
    )
    assert "0123456789abcdef" not in quiet.err + loud.err


C_LOCALE = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}


@pytest.mark.parametrize("locale", [C_LOCALE, {"PYTHONIOENCODING": "ascii"}])
def test_a_terminal_that_knows_ascii_alone_ends_nothing(
    pulled: Home, locale: dict[str, str]
) -> None:
    account = pulled.box.account
    account.rename_task(min(pulled.live()), "Друк 🚀 афіші")
    dry = pulled.syncd("pull", "--dry-run", env=locale).expect(0)
    assert "\\u0414" in dry.stdout
    told = pulled.syncd("pull", "--dry-run", "--json", env=locale).expect(0).document
    assert "Друк 🚀 афіші" == told["plan"]["updates"][0]["name"]
    error = pulled.syncd("task", "list", "--project", "Проєкт", env=locale).expect(2).stderr
    assert len(error.splitlines()) == 1


def test_an_argument_that_is_no_text_is_told_and_survived(pulled: Home) -> None:
    argv = [sys.executable, "-m", "syncd", "task", "list", "--project", "\udcff"]
    assert run(argv, cwd=pulled.folder).expect(2).stderr.startswith("syncd: There is no project")


def test_names_from_the_account_steer_no_terminal() -> None:
    assert "a [31mb c d" == one_line("a\x1b[31mb\r\nc\u202ed")


def test_the_key_is_in_nothing_that_is_printed(pulled: Home) -> None:
    key = pulled.box.key
    pulled.box.account.rename_task(min(pulled.live()), f"the key is {key}")
    for words in (["pull", "--dry-run", "--json"], ["pull"], ["task", "list", "--status", "all"]):
        done = pulled.syncd(*words).expect(0)
        assert key not in done.stdout + done.stderr


def test_what_people_wrote_is_shown_as_they_wrote_it(pulled: Home) -> None:
    pulled.box.account.rename_task(min(pulled.live()), "Promo code: SPRING, token=none")
    assert "Promo code: SPRING, token=none" in pulled.syncd("pull", "--dry-run").expect(0).stdout


def test_a_log_goes_to_stderr_with_v_and_nowhere_without(pulled: Home) -> None:
    assert pulled.syncd("pull").expect(0).stderr == ""
    loud = pulled.syncd("pull", "-v", "--json").expect(0)
    assert '"event": "pull.ended"' in loud.stderr
    assert loud.document["unchanged"]


def test_python_m_syncd_is_syncd(tmp_path: Path) -> None:
    assert run([sys.executable, "-m", "syncd", "--version"], cwd=tmp_path).expect(0).stdout
