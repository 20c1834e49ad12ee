"""Metrics in Prometheus' form: what the daemon counts, and what the database says at a scrape.

docs/metrics.md says what each means. Labels are words of ours alone: no title, name or address.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from syncd import __version__
from syncd.services.gauges import Gauges, Reading
from syncd.sync.states import SETTLED, STATES
from syncd.sync.troubles import KINDS

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
BUCKETS: Final = (0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 14400)
"""From a push of nothing to a first pull of thousands of projects, in seconds."""


@dataclass(frozen=True, slots=True)
class Own:
    """What the process knows of itself."""

    holder: bool
    budget_left: float | None = None
    """The part of the request budget that was not used of late, from 0 to 1."""


class Metrics:
    """Everything that is published; counters are fed here, gauges are read when asked for."""

    def __init__(
        self, own: Callable[[], Own], reading: Reading, *, clock: Callable[[], datetime]
    ) -> None:
        self.registry = CollectorRegistry()
        self._runs = Counter(
            "syncd_runs", "Runs that ended.", ["kind", "outcome"], registry=self.registry
        )
        self._requests = Counter(
            "syncd_requests", "Requests to the account.", ["kind"], registry=self.registry
        )
        self._errors = Counter(
            "syncd_errors", "Runs that failed.", ["kind", "class"], registry=self.registry
        )
        self._seconds = Histogram(
            "syncd_run_seconds",
            "How long runs took.",
            ["kind"],
            registry=self.registry,
            buckets=BUCKETS,
        )
        self.registry.register(_AtScrape(own, reading, clock))
        ProcessCollector(registry=self.registry)

    def ran(self, kind: str, outcome: str, seconds: float, requests: int) -> None:
        """Count a run that ended, whether well or not."""
        self._runs.labels(kind, outcome).inc()
        self._requests.labels(kind).inc(requests)
        self._seconds.labels(kind).observe(max(0.0, seconds))

    def failed(self, kind: str, error_class: str) -> None:
        """Count an error by the name of its class."""
        self._errors.labels(kind, error_class).inc()

    def page(self) -> bytes:
        """Return everything, as Prometheus reads it."""
        return generate_latest(self.registry)


class _AtScrape:
    """The gauges: the process's own, and the database's as far as it answers."""

    def __init__(
        self, own: Callable[[], Own], reading: Reading, clock: Callable[[], datetime]
    ) -> None:
        self._own = own
        self._reading = reading
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        """Yield every gauge that is known now."""
        yield InfoMetricFamily("syncd", "The program.", {"version": __version__})
        yield GaugeMetricFamily("syncd_up", "The daemon runs.", 1)
        own, read = self._own(), self._reading.gauges()
        yield GaugeMetricFamily("syncd_holder", "1: it holds the lease.", int(own.holder))
        if own.budget_left is not None:
            help = "The part of the request budget that is not used."
            yield GaugeMetricFamily("syncd_budget_left_ratio", help, own.budget_left)
        up = "The database answered this scrape."
        yield GaugeMetricFamily("syncd_database_up", up, int(read is not None))
        if read is not None:
            yield from _of_the_database(read, self._clock())


def _of_the_database(read: Gauges, now: datetime) -> Iterator[Metric]:
    if read.observed_at is not None:
        help = "How old the last complete mirror is."
        yield GaugeMetricFamily("syncd_lag_seconds", help, _age(read.observed_at, now))
    help = "How long the oldest queued change waits; 0: none does."
    waits = _age(read.queued_at, now) if read.queued_at else 0.0
    yield GaugeMetricFamily("syncd_oldest_queued_age_seconds", help, waits)
    if read.ended_at is not None:
        name, help = "syncd_last_success_timestamp_seconds", "When the last complete pull ended."
        yield GaugeMetricFamily(name, help, read.ended_at.timestamp())
    if read.drift is not None:
        help = "Tasks of the last sample that differ from the account."
        yield GaugeMetricFamily("syncd_drift_tasks", help, read.drift)
    yield GaugeMetricFamily("syncd_tasks", "Tasks in the mirror.", read.tasks)
    conflicts = read.changes.get("conflict", 0)
    yield GaugeMetricFamily("syncd_conflicts", "Changes in conflict.", conflicts)
    yield _each("syncd_changes", "Changes that are open.", "state", _OPEN, read.changes)
    yield _each("syncd_incidents", "Incidents that are open.", "kind", KINDS, read.incidents)


def _age(since: datetime, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds())


_OPEN: Final = tuple(state for state in STATES if state not in SETTLED)


def _each(
    name: str, help: str, label: str, words: tuple[str, ...], counts: Mapping[str, int]
) -> Metric:
    """Return a gauge with a value for every word: what is not there is 0, and never absent."""
    family = GaugeMetricFamily(name, help, labels=[label])
    for word in words:
        family.add_metric([word], counts.get(word, 0))
    return family
