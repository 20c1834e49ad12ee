"""Decisions, pure: no I/O, no clock, no random, no log. The same input gives the same plan."""
