"""Who acts on this machine, for the trail and the audit log."""

from __future__ import annotations

import getpass


def local_actor() -> str:
    """Return the user of this process as an actor."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # a user id without a name, as in some containers
        return "cli:unknown"
