"""Finds the files that travel with the program: migrations, example configuration, unit files.

An installed wheel carries them inside the package; a checkout, editable installs included, has
them at its top. Knows nothing of what is in them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from syncd.errors import SyncdError

PACKAGE = Path(__file__).resolve().parent


def path(name: Literal["migrations", "config", "systemd"], *, package: Path = PACKAGE) -> Path:
    """Return the directory of that name.

    Raises SyncdError when this installation lacks it.
    """
    checkout = package.parent
    candidates = [package / "_shipped" / name]
    # Beside an installed package lie other people's packages, one of which may be called `config`.
    if (checkout / "pyproject.toml").is_file():
        candidates.append(checkout / name)
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    raise SyncdError(
        f"this installation is not complete: its {name} files are missing",
        hint="Install it again: pip install --force-reinstall worksection-syncd",
    )
