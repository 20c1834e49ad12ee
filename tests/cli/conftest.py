"""What the tests of commands share: an account, and a directory configured for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.sandbox import Account, Sandbox
from tests.support.home import Home, a_home


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(Account.seeded(60)) as sandbox:
        yield sandbox


@pytest.fixture
def home(box: Sandbox, tmp_path: Path) -> Home:
    """A configured directory without a mirror."""
    return a_home(tmp_path, box)


@pytest.fixture
def pulled(home: Home) -> Home:
    """A configured directory with a complete mirror."""
    home.pull()
    return home
