"""Prints pip constraints that pin every direct dependency to its lower bound in pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
BOUND = re.compile(r"(?P<name>[\w.-]+)(\[[\w,-]+\])?\s*>=\s*(?P<version>[\w.]+)")


def lowest(pyproject: str) -> list[str]:
    """Return one constraint for each requirement of the program and of its tests."""
    document = tomllib.loads(pyproject)
    requirements = [*document["project"]["dependencies"], *document["dependency-groups"]["test"]]
    return [_pinned(requirement) for requirement in requirements]


def _pinned(requirement: str) -> str:
    found = BOUND.match(requirement)
    if found is None:
        raise ValueError(f"{requirement}: no lower bound")
    return f"{found['name']}=={found['version']}"


if __name__ == "__main__":
    print("\n".join(lowest(PYPROJECT.read_text("utf-8"))))
