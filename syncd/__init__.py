"""syncd keeps a SQL database and a Worksection account the same, in both directions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from syncd.client import Client

__version__ = "0.1.0"
__all__ = ["Client", "__version__"]


def __getattr__(name: str) -> Any:
    """Load the Python API when it is asked for: every command imports this package first."""
    if name == "Client":
        from syncd.client import Client

        return Client
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
