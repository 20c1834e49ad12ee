"""The command line: argv to a service, its report to text or JSON, its outcome to an exit code."""

from __future__ import annotations

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command that the process was started with."""
    from syncd.cli.entry import run

    sys.exit(run(sys.argv[1:]))
