"""systemd's units: they are sound and closed, and `syncd systemd` puts them in place.

tests/systemd/try_units.py runs them for real, in a booted systemd.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from syncd import shipped
from syncd.cli.commands import root as commands
from syncd.cli.entry import run
from syncd.errors import ConfigError
from syncd.services import units
from syncd.settings import Settings
from tests.support.processes import Finished, run_syncd

UNITS = shipped.path("systemd")
SERVICES = ("syncd.service", "syncd@.service")
SYSTEM = Path("etc/systemd/system")
ANY_PROGRAM = "/bin/true"  # systemd-analyze wants a program that exists

needs_analyze = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed here"
)


def analyze(*words: str | Path, cwd: Path) -> str:
    """Return what systemd-analyze says, nothing where all is well; fail where it is not."""
    done = subprocess.run(
        ["systemd-analyze", *words], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stderr


def install(root: Path, *words: str, program: str = ANY_PROGRAM) -> Finished:
    return run_syncd("systemd", "install", "--root", root, "--program", program, *words)


@pytest.fixture
def system(tmp_path: Path) -> Path:
    """The root of a system that both units are installed in."""
    install(tmp_path).expect(0)
    install(tmp_path, "--instance", "acme").expect(0)
    return tmp_path


# --- what the shipped units say


@needs_analyze
@pytest.mark.parametrize("name", SERVICES)
def test_systemd_finds_nothing_to_say_against_them(system: Path, name: str) -> None:
    assert analyze("verify", "--man=no", f"./{name}", cwd=system / SYSTEM) == ""


@needs_analyze
def test_nor_against_the_timer(tmp_path: Path) -> None:
    for name in ("syncd-sync.service", "syncd-sync.timer"):
        text = (UNITS / name).read_text("utf-8")
        (tmp_path / name).write_text(text.replace(units.PROGRAM, ANY_PROGRAM))
    assert analyze("verify", "--man=no", "./syncd-sync.timer", cwd=tmp_path) == ""


@needs_analyze
@pytest.mark.parametrize("name", SERVICES)
def test_the_sandbox_leaves_little_open(system: Path, name: str) -> None:
    analyze("security", "--offline=true", "--threshold=15", f"./{name}", cwd=system / SYSTEM)


def lines(name: str) -> dict[str, str]:
    """Return the settings of a unit; of one that stands there several times, the last."""
    return dict(re.findall(r"^(\w+)=(.*)$", (UNITS / name).read_text("utf-8"), re.M))


def test_the_template_is_the_unit_with_a_place_for_the_name() -> None:
    changed = {
        "Description": "Keep a SQL database and a Worksection account the same, %i",
        "ExecStart": f"{units.PROGRAM} --config /etc/syncd/%i.toml run",
        "StateDirectory": "syncd/%i",
        "WorkingDirectory": "/var/lib/syncd/%i",
        "LoadCredential": "api-key:/etc/syncd/%i.key",
    }
    assert lines("syncd.service") | changed == lines("syncd@.service")


def test_they_start_a_command_that_there_is() -> None:
    words = lines("syncd.service")["ExecStart"].split()
    assert [units.PROGRAM, "--config", str(units.CONFIG)] == words[:3]
    assert commands.get_command(click.Context(commands), words[3]) is not None


def test_they_do_not_restart_what_only_a_person_can_mend() -> None:
    unit = lines("syncd.service")
    assert ("always", "0") == (unit["Restart"], unit["StartLimitIntervalSec"])
    assert str(ConfigError("").exit_code) == unit["RestartPreventExitStatus"]


def test_the_watchdog_outlasts_the_longest_silence_of_the_account() -> None:
    assert float(lines("syncd.service")["WatchdogSec"]) > 2 * Settings().limits.timeout


# --- syncd systemd print


def test_print_gives_the_unit_of_this_very_program() -> None:
    shown = run_syncd("systemd", "print").expect(0).stdout
    program = units.this_program()
    assert f"ExecStart={program} --config /etc/syncd/syncd.toml run\n" in shown
    assert Path(shlex.split(program)[0]).is_file()  # quoted where its path has a blank
    told = run_syncd("systemd", "print", "--json").expect(0).document
    assert ("syncd.service", "syncd", shown) == (told["unit"], told["service"], told["text"])


def test_another_configuration_brings_the_key_beside_it(tmp_path: Path) -> None:
    config = tmp_path / "50% of it" / "acme.toml"
    shown = run_syncd("--config", config, "systemd", "print").expect(0).stdout
    assert f'--config "{tmp_path}/50%% of it/acme.toml" run' in shown
    assert f"LoadCredential=api-key:{tmp_path}/50%% of it/acme.key\n" in shown


@pytest.mark.parametrize("name", ["a/b", "-a", "", "a b"])
def test_a_name_that_systemd_would_read_otherwise_is_refused(name: str) -> None:
    assert "is no name" in run_syncd("systemd", "print", "--instance", name).expect(2).stderr


# --- syncd systemd install


def test_it_installs_once_and_says_what_is_left_to_do(tmp_path: Path) -> None:
    done = install(tmp_path, "--json").expect(0).document
    assert (str(tmp_path / SYSTEM / "syncd.service"), "written") == (done["unit"], done["done"])
    assert [units.ADD_USER, "syncd init", "systemctl daemon-reload"] == done["next"][:3]
    assert 0o644 == (tmp_path / SYSTEM / "syncd.service").stat().st_mode & 0o777
    assert "as it was" == install(tmp_path, "--json").expect(0).document["done"]


def test_it_leaves_out_the_steps_that_are_done(tmp_path: Path) -> None:
    (tmp_path / "etc/syncd").mkdir(parents=True)
    (tmp_path / "etc/syncd/acme.toml").touch()
    (tmp_path / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\nsyncd:x:9:9::/:/bin/false\n")
    done = install(tmp_path, "--instance", "acme", "--json").expect(0).document
    assert ["daemon-reload", "enable --now syncd@acme", "status syncd@acme"] == [
        step.removeprefix("systemctl ") for step in done["next"]
    ]


def test_a_unit_of_an_older_syncd_is_replaced(system: Path) -> None:
    path = system / SYSTEM / "syncd.service"
    path.write_text(path.read_text("utf-8").replace("by syncd ", "by syncd 0.0.", 1))
    assert "replaced" == install(system, "--json").expect(0).document["done"]


def test_a_unit_that_a_person_changed_is_left_alone(system: Path) -> None:
    path = system / SYSTEM / "syncd.service"
    mine = path.read_text("utf-8").replace("RestartSec=10", "RestartSec=20")
    path.write_text(mine)
    assert "systemctl edit syncd.service" in install(system).expect(2).stderr
    assert mine == path.read_text("utf-8")
    install(system, "--force").expect(0)
    assert "RestartSec=10\n" in path.read_text("utf-8")


def test_so_is_a_unit_that_somebody_wrote(tmp_path: Path) -> None:
    (tmp_path / SYSTEM).mkdir(parents=True)
    (tmp_path / SYSTEM / "syncd.service").write_text("[Service]\nExecStart=/bin/true\n")
    install(tmp_path).expect(2)


def test_a_program_that_the_service_could_not_see_is_refused(tmp_path: Path) -> None:
    refused = install(tmp_path, program="/root/.local/bin/syncd").expect(2)
    assert "/opt/syncd" in refused.stderr
    assert not (tmp_path / "etc").exists()


def test_without_root_it_says_what_to_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    # A program that would be refused next: whatever breaks, this machine keeps its own units.
    words = ["systemd", "install", "--instance", "acme", "--program", "/root/syncd"]
    assert 2 == run(words)
    assert "sudo /root/syncd systemd install --instance acme" in capsys.readouterr().err
