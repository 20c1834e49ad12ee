"""`syncd demo`: goes as told, starts anew, leaves others' files alone, and what it prints works."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from syncd.cli import demo_proof
from tests.support.processes import plain_environment, run_syncd, start_syncd

DEMO = ("demo", "--tasks", "100")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A directory in which the demo has run, and what it said."""
    folder = tmp_path_factory.mktemp("with a blank")
    return folder, run_syncd(*DEMO, cwd=folder).expect(0).stdout


def test_it_tells_its_story_to_the_end(told: tuple[Path, str]) -> None:
    _, said = told
    assert "all equal" in said
    assert "is renamed, made urgent" in said
    assert "not a row of the mirror was touched" in said
    assert "are still in the mirror" in said
    assert "What to try next" in said


def test_every_command_it_names_works_as_printed(told: tuple[Path, str]) -> None:
    folder, said = told
    after = said.partition("any SQL tool")[2]
    lines = [line.strip() for line in after.splitlines() if line.startswith("  ")]
    offline = [line for line in lines if not re.search(r" (init|sandbox|pull)\b", line)]
    assert len(offline) == 5
    for line in offline:
        done = subprocess.run(  # noqa: S602 - as a person would type it
            line,
            shell=True,
            cwd=folder,
            env=plain_environment(),
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
        assert (0, True) == (done.returncode, bool(done.stdout)), f"{line}\n{done.stderr}"


def test_its_account_can_be_had_again(told: tuple[Path, str], tmp_path: Path) -> None:
    folder, said = told
    words = re.search(r"syncd (sandbox --port \d+ --tasks \d+)", said)
    assert words is not None
    with start_syncd(*words[1].split(), output=tmp_path / "box") as running:
        running.wait_until(lambda process: "Ctrl-C" in process.stdout)
        config = str(folder / "syncd-demo" / "syncd.toml")
        done = run_syncd("--config", config, "pull", "--dry-run", "--json").expect(0)
    plan = done.document["plan"]
    sizes = {name: len(plan[name]) for name in ("inserts", "updates", "restores", "removals")}
    assert {"inserts": 0, "updates": 5, "restores": 1, "removals": 2} == sizes


def test_a_second_run_starts_anew_and_removes_nothing_of_others(tmp_path: Path) -> None:
    run_syncd(*DEMO, cwd=tmp_path).expect(0)
    note = tmp_path / "syncd-demo" / "my notes.txt"
    note.write_text("mine")
    run_syncd(*DEMO, cwd=tmp_path).expect(0)
    assert note.read_text() == "mine"


@pytest.mark.parametrize("name", ["syncd.toml", "syncd.db", "anything"])
def test_a_directory_that_is_somebody_elses_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("[account]\n")
    done = run_syncd(*DEMO, "--dir", ".", cwd=tmp_path).expect(2)
    assert "nothing was touched" in done.stderr
    assert [name] == [path.name for path in tmp_path.iterdir()]


def test_a_demo_that_became_a_real_mirror_is_refused(tmp_path: Path) -> None:
    run_syncd(*DEMO, cwd=tmp_path).expect(0)
    config = tmp_path / "syncd-demo" / "syncd.toml"
    config.write_text(
        re.sub(r"http://127[^\"]*", "https://acme.worksection.com", config.read_text())
    )
    run_syncd(*DEMO, cwd=tmp_path).expect(2)
    assert (tmp_path / "syncd-demo" / "syncd.db").exists()


def test_settings_in_the_environment_lead_it_nowhere_else(tmp_path: Path) -> None:
    env = {
        "SYNCD_ACCOUNT__URL": "https://acme.worksection.com",
        "SYNCD_DATABASE__URL": f"sqlite:///{tmp_path}/real.db",
    }
    run_syncd(*DEMO, cwd=tmp_path, env=env).expect(0)
    assert not (tmp_path / "real.db").exists()


def test_the_document_holds_every_command_with_its_own(tmp_path: Path) -> None:
    done = run_syncd(*DEMO, "--json", cwd=tmp_path).expect(0)
    assert {"ok", "config", "database", "tasks", "commands"} == set(done.document)
    statuses = [one["exit_code"] for one in done.document["commands"]]
    assert [0, 0, 0, 0, 0, 3, 0, 0, 0, 3, 0, 0] == statuses
    assert done.stderr == ""


def test_it_does_not_pass_where_something_is_amiss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from syncd.cli.entry import run

    monkeypatch.setattr("syncd.cli.demo_story.truth", lambda _: {})
    monkeypatch.chdir(tmp_path)
    assert run([*DEMO]) == 1
    assert "did not go as told: the mirror equals the account" in capsys.readouterr().err


def test_a_claim_that_does_not_hold_is_an_error() -> None:
    with pytest.raises(demo_proof.NotAsToldError):
        demo_proof.must("pigs fly", False)


def test_the_key_of_the_demo_is_its_owners_alone(told: tuple[Path, str]) -> None:
    folder, _ = told
    assert 0o600 == (folder / "syncd-demo" / "api-key").stat().st_mode & 0o777
