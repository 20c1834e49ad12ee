"""Processes are run, killed and reaped as the tests expect."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.nursery import Nursery
from tests.support.processes import (
    plain_environment,
    powerless_prefix,
    run,
    run_syncd,
    start,
    start_syncd,
    syncd_argv,
)

SPEAK = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
WAIT = "import time; print('ready', flush=True); time.sleep(60)"


def test_a_finished_process_is_told_in_full() -> None:
    done = run([sys.executable, "-c", SPEAK])
    assert (3, "out\n", "err\n") == (done.status, done.stdout, done.stderr)


def test_an_unexpected_status_shows_what_the_process_said() -> None:
    with pytest.raises(AssertionError, match="exit 3, expected 0"):
        run([sys.executable, "-c", SPEAK]).expect(0)


def test_the_environment_does_not_steer_our_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCD_CONFIG", "/nowhere")
    code = "import os; print(os.environ.get('SYNCD_CONFIG'), os.environ['SYNCD_GIVEN'])"
    done = run([sys.executable, "-c", code], env={"SYNCD_GIVEN": "yes"})
    assert "None yes\n" == done.stdout


def test_file_permissions_hold_for_a_powerless_process(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    secret.chmod(0o000)
    code = f"open({str(secret)!r})"
    done = run([*powerless_prefix(), sys.executable, "-c", code])
    assert "PermissionError" in done.stderr


def test_a_process_is_killed_and_reaped(tmp_path: Path) -> None:
    with start([sys.executable, "-c", WAIT], output=tmp_path / "log") as running:
        running.wait_until(lambda process: "ready" in process.stdout)
        assert -signal.SIGKILL == running.kill().status
    with pytest.raises(ProcessLookupError):
        os.kill(running.pid, 0)


def test_what_is_left_running_is_killed(tmp_path: Path) -> None:
    with start([sys.executable, "-c", WAIT], output=tmp_path / "log") as running:
        running.wait_until(lambda process: "ready" in process.stdout)
    with pytest.raises(ProcessLookupError):
        os.kill(running.pid, 0)


def test_a_process_that_ends_too_early_fails_the_test(tmp_path: Path) -> None:
    with (
        start([sys.executable, "-c", SPEAK], output=tmp_path / "log") as running,
        pytest.raises(AssertionError, match="ended with 3 first"),
    ):
        running.wait_until(lambda process: "never" in process.stdout)


SAYINGS = [
    (["--version"], ""),
    ([], ""),
    (["statsu"], ""),
    (["status"], ""),
    (["--json", "pull"], ""),
    (["task", "list", "--project", "Проєкт"], ""),
    (["init", "--url", "worksection.com", "--key-stdin"], "a key"),
]


@pytest.mark.parametrize(("words", "stdin"), SAYINGS)
def test_a_forked_command_is_what_a_started_one_is(
    tmp_path: Path, words: list[str], stdin: str
) -> None:
    env = {"SYNCD_CONFIG": "configured.toml", "COLUMNS": "60"}
    started = run(syncd_argv(*words), cwd=tmp_path, env=env, stdin=stdin)
    forked = run_syncd(*words, cwd=tmp_path, env=env, stdin=stdin)
    assert (started.status, started.stdout, started.stderr) == (
        forked.status,
        forked.stdout,
        forked.stderr,
    )
    assert forked.stdout + forked.stderr


def test_a_forked_command_is_told_by_its_number_and_reaped(tmp_path: Path) -> None:
    with start_syncd("sandbox", output=tmp_path / "box", cwd=tmp_path) as running:
        running.wait_until(lambda process: "Ctrl-C" in process.stdout)
        assert os.getsid(running.pid) == running.pid != os.getsid(0)
        assert tmp_path.samefile(f"/proc/{running.pid}/cwd")
        assert -signal.SIGKILL == running.kill().status
    with pytest.raises(ProcessLookupError):
        os.kill(running.pid, 0)


def test_a_forked_command_holds_no_file_but_its_own(tmp_path: Path) -> None:
    with start_syncd("sandbox", output=tmp_path / "box") as running:
        running.wait_until(lambda process: "Ctrl-C" in process.stdout)
        held = [str(path.readlink()) for path in Path(f"/proc/{running.pid}/fd").iterdir()]
    files = sorted(name for name in held if name.startswith("/"))
    assert [os.devnull, str(tmp_path / "box.err"), str(tmp_path / "box.out")] == files


def test_a_forked_command_that_takes_too_long_is_killed() -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        run_syncd("sandbox", timeout_s=0.05)


def test_what_was_forked_ends_with_its_parent(tmp_path: Path) -> None:
    own = Nursery(plain_environment())
    with (tmp_path / "out").open("w+b") as file:
        child = own.start(
            ["sandbox"], cwd=tmp_path, env=plain_environment(), files=[file.fileno()] * 3
        )
        own.close()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{child.pid}").exists():
        assert time.monotonic() < deadline
