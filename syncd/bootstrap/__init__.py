"""Builds the application from its settings; nothing is created at import time."""

from syncd.bootstrap.app import App
from syncd.bootstrap.building import asking_for, build, utc_now
from syncd.bootstrap.works import policy

__all__ = ["App", "asking_for", "build", "policy", "utc_now"]
