"""Progress on the way: a bar on a terminal, now and then a line elsewhere, else nothing."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from syncd.cli.output import Output
from syncd.cli.words import span
from syncd.services.progress import Progress, Silent

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import Task, TaskID

EVERY_S = 5.0


@contextmanager
def shown_progress(out: Output) -> Iterator[Progress]:
    """Show how far a piece of work has come, as it suits whoever looks."""
    if out.json or sys.stderr is None:
        yield Silent()
    elif sys.stderr.isatty():
        with _bar() as progress:
            yield Bar(progress)
    else:
        yield Lines(out.note, time.monotonic)


class Lines:
    """A line when work begins to take long, and then one every few seconds at most."""

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float]) -> None:
        self._say = say
        self._clock = clock
        self._last = clock()

    def step(self, what: str, *, done: int, total: int, left_s: float) -> None:
        """Tell how far it is, unless that was told a moment ago."""
        now = self._clock()
        if now - self._last >= EVERY_S:
            self._last = now
            self._say(f"{what}: {done} of {total} done, {_left(left_s)}")


class Bar:
    """A bar that counts requests, and the seconds that the rest takes at the account's pace."""

    def __init__(self, progress: RichProgress) -> None:
        self._progress = progress
        self._task: TaskID = progress.add_task("asking the account", total=None, until=None)

    def step(self, what: str, *, done: int, total: int, left_s: float) -> None:
        """Move the bar."""
        until = time.monotonic() + left_s
        self._progress.update(
            self._task, description=what, completed=done, total=total, until=until
        )


def _bar() -> RichProgress:
    from rich.console import Console
    from rich.progress import BarColumn, ProgressColumn, SpinnerColumn, TextColumn
    from rich.progress import Progress as RichProgress
    from rich.text import Text

    class Left(ProgressColumn):
        """How many are done, and how long the rest takes, counted down between the steps."""

        def render(self, task: Task) -> Text:
            return Text(_in_words(task, time.monotonic()))

    return RichProgress(
        SpinnerColumn("line"),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        Left(),
        console=Console(stderr=True),
        transient=True,
    )


def _in_words(task: Task, now: float) -> str:
    if task.total is None:
        return ""
    return f"{task.completed:.0f} of {task.total:.0f}, {_left(task.fields['until'] - now)}"


def _left(seconds: float) -> str:
    """Say how long the rest takes. At the end the answer itself is what takes time."""
    return f"about {span(seconds)} left" if seconds >= 1 else "waiting for the answer"
