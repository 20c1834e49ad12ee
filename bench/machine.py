"""What the figures were had on: the machine and the versions."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from bench.children import ROOT

PACKAGES = ("msgspec", "sqlalchemy", "psycopg", "requests")


def machine() -> str:
    """Describe this machine in a line."""
    return (
        f"{_field('/proc/cpuinfo', 'model name')}, {os.cpu_count()} cores,"
        f" {memory_gb():.0f} GB, {platform.system()} {platform.release()}"
    )


def memory_gb() -> float:
    """Return how much memory there is."""
    return int(_field("/proc/meminfo", "MemTotal").split()[0]) / 1e6


def versions() -> str:
    """Name the versions of what matters."""
    import syncd

    found = [f"{name} {version(name)}" for name in PACKAGES]
    return ", ".join([f"syncd {syncd.__version__}", f"Python {platform.python_version()}", *found])


def commit() -> str:
    """Name the commit of the code; the docs, which a run writes itself, are none of it."""
    try:
        found = _git("rev-parse", "--short=12", "HEAD")
    except FileNotFoundError:
        return "commit not known: no git"
    if found.returncode != 0:
        return "commit not known: no repository"
    changed = _git("diff", "--quiet", "HEAD", "--", ".", ":!docs").returncode != 0
    return f"commit {found.stdout.strip()}{' with changes' if changed else ''}"


def _git(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)


def _field(path: str, name: str) -> str:
    """Return the first value of this name in a file of lines `name : value`."""
    for line in Path(path).read_text("utf-8").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return f"no {name}"
