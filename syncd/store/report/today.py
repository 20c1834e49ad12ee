"""What day it is in the account: every view that needs "now" or "today" asks here.

A database knows no time zone of ours, and SQLite none at all. So each pull leaves in `sync_state`
from when until when the account's clock is how far ahead of UTC, for some years to come.
"""

from __future__ import annotations

from syncd.store.report.dialect import Dialect
from syncd.store.report.view import View, view


def _today(d: Dialect) -> str:
    return f"""
WITH clock AS MATERIALIZED ({d.clock})
SELECT n.now_at, {d.local_day("n.now_at")} AS today, {d.local("n.now_at")} AS local_now,
  (SELECT {d.zone} FROM sync_state s WHERE s.name = 'clock') AS time_zone,
  {d.ahead("n.now_at")} AS ahead_of_utc_s
FROM (SELECT {d.now} AS now_at) n"""


TODAY: View = view(
    "report_today",
    "One row: what time and day it is in the account. The other views ask here.",
    {
        "now_at": "this instant, UTC",
        "today": "the date on the account's clock",
        "local_now": "the time on the account's clock, to the second",
        "time_zone": "account.timezone as the last pull had it; NULL: not set, UTC is meant",
        "ahead_of_utc_s": "how far the account's clock is ahead of UTC, in seconds",
    },
    _today,
)
