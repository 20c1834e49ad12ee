"""How a run is told of at its end, whichever kind it is: a row where it failed, none if cut off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from syncd.errors import Stopped, Unreachable
from syncd.sandbox import Account, Sandbox
from syncd.services.events.following import follow
from syncd.services.prepare import Pulling
from syncd.services.progress import Silent
from syncd.services.pull import pull
from syncd.services.verify import verify
from tests.support.mirror import Mirror, build

RUNS: dict[str, Callable[[Pulling], object]] = {
    "pull": pull,
    "events": follow,
    "verify": lambda work: verify(work, sample=3, rng=Random(7)),
}


@pytest.fixture
def mirror(ready_sqlite_url: str, tmp_path: Path) -> Iterator[Mirror]:
    with Sandbox(Account.seeded(tasks=20)) as box:
        made = build(box, ready_sqlite_url, tmp_path / "syncd.toml")
        made.pull()
        yield made
        made.app.db.close()


class Ended:
    """A pulse that lets nothing leave any more, as a daemon's does at its end."""

    def asking(self, action: str) -> None:
        raise Stopped(f"syncd was told to stop before {action}.")

    def moved(self) -> None:
        pass


def failed(mirror: Mirror) -> list[tuple[str, ...]]:
    query = "SELECT kind, scope, error FROM sync_runs WHERE outcome = 'failed'"
    return [tuple(row.values()) for row in mirror.rows(query)]


def test_a_run_that_is_told_to_stop_has_not_failed(mirror):
    with mirror.app.holding() as held, mirror.app.talking(held, pulse=Ended()) as client:
        work = mirror.app.pulling_with(held, client, Silent(), "daemon")
        for run in RUNS.values():
            with pytest.raises(Stopped):
                run(work)
    assert [] == failed(mirror)


def test_a_run_that_could_not_ask_the_account_is_on_record_as_failed(mirror):
    with mirror.box.refusing(), mirror.app.pulling(Silent()) as work:
        errors = []
        for run in RUNS.values():
            with pytest.raises(Unreachable) as caught:
                run(work)
            errors.append(caught.value.message)
    scopes = ("account", "account", "tasks")
    assert list(zip(RUNS, scopes, errors, strict=True)) == failed(mirror)
