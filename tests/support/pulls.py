"""Pulls in processes of their own: begun, waited for, and killed with -9 at any moment."""

from __future__ import annotations

import os
import time
from pathlib import Path

from tests.support.nursery import Child
from tests.support.processes import TIMEOUT_S, born


def begun(config: Path) -> Child:
    """Begin a pull with that configuration; it says only what goes wrong."""
    with Path(os.devnull).open("r+b") as nothing:
        return born("--config", config, "pull", files=[nothing.fileno(), nothing.fileno(), 2])


def whole(config: Path) -> tuple[int, float]:
    """Let a pull come to its own end; its exit code, and the seconds it took."""
    began = time.monotonic()
    status = begun(config).wait(TIMEOUT_S)
    return status, time.monotonic() - began


def killed_after(config: Path, seconds: float) -> int:
    """Begin a pull and kill it that far into it; minus the signal, if it still lived."""
    child = begun(config)
    time.sleep(seconds)  # not a wait for anything: it is the moment that was asked for
    child.kill()
    return child.wait(TIMEOUT_S)
