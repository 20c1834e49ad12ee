"""Processes are run, killed and reaped as the tests expect."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.support.processes import powerless_prefix, run, start

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
