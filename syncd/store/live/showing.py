"""Which changes a row of the view shows, as SQL that both dialects read."""

from __future__ import annotations

from syncd.store.outbox import STANDING, UNSETTLED
from syncd.sync.states import TELLING

PENDING = f"o.{UNSETTLED} AND o.state <> 'failed'"
"""Changes whose values lie over the mirror."""
MADE = f"m.{STANDING.replace('state', 'm.state')}"
"""The creation that a task of the mirror came from."""
OF_CREATION = f"o.ref = c.ref AND (o.id = c.id OR o.depends_on = c.id AND {PENDING})"
"""A pending creation, and the edits it got since."""
RANK = " ".join(
    ["CASE s.state", *(f"WHEN '{state}' THEN {n}" for n, state in enumerate(TELLING)), "END"]
)
"""The most telling state first."""
