"""The fast lane: the change feed says which tasks to read again; it is a hint, never a proof."""

from syncd.services.events.following import follow

__all__ = ["follow"]
