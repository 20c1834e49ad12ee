"""What travels with the program is found, and only the program's own."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from syncd import shipped
from syncd.errors import SyncdError

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["migrations", "config", "systemd"])
def test_a_checkout_has_them_at_its_top(name: Literal["migrations", "config", "systemd"]) -> None:
    assert ROOT / name == shipped.path(name)


def test_a_wheel_has_them_inside_the_package(tmp_path: Path) -> None:
    inside = tmp_path / "syncd" / "_shipped" / "config"
    inside.mkdir(parents=True)
    assert inside == shipped.path("config", package=tmp_path / "syncd")


def test_somebody_elses_package_of_that_name_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    with pytest.raises(SyncdError, match="config files are missing"):
        shipped.path("config", package=tmp_path / "syncd")
