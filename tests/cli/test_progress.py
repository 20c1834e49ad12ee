"""Progress in words: rarely enough for a log, and honest about what is left."""

from __future__ import annotations

from itertools import pairwise

import pytest

from syncd.cli.output import Output
from syncd.cli.progress import EVERY_S, Lines, shown_progress
from syncd.cli.words import span
from syncd.services.progress import Silent


class Log:
    """Lines as they are told, with the time of each."""

    def __init__(self) -> None:
        self.now = 0.0
        self.told: list[tuple[float, str]] = []
        self.lines = Lines(lambda text: self.told.append((self.now, text)), lambda: self.now)

    def work(self, steps: int, step_s: float) -> None:
        for done in range(steps):
            left = steps - done
            self.lines.step("project 1", done=done, total=steps, left_s=left * step_s)
            self.now += step_s


def test_short_work_is_not_worth_a_word() -> None:
    log = Log()
    log.work(4, 1.0)
    assert [] == log.told


def test_long_work_tells_every_few_seconds() -> None:
    log = Log()
    log.work(60, 1.05)
    assert 60 * 1.05 / EVERY_S - 2 <= len(log.told) <= 60 * 1.05 / EVERY_S
    assert all(later - earlier >= EVERY_S for (earlier, _), (later, _) in pairwise(log.told))


def test_a_line_tells_what_is_done_and_what_is_left() -> None:
    log = Log()
    log.work(60, 1.0)
    assert "project 1: 5 of 60 done, about 55 s left" == log.told[0][1]


def test_the_last_request_is_waited_for_and_not_estimated() -> None:
    log = Log()
    log.now = EVERY_S
    log.lines.step("all tasks", done=0, total=1, left_s=0.0)
    assert log.told[0][1].endswith("waiting for the answer")


def test_a_program_hears_nothing() -> None:
    with shown_progress(Output(json=True)) as progress:
        assert isinstance(progress, Silent)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        *((0.0, "0.00 s"), (0.04, "0.04 s"), (3.21, "3.2 s"), (42.0, "42 s"), (300.0, "5 min")),
        *((7200.0, "2 h"), (3 * 86400.0, "3 days")),
    ],
)
def test_a_span_is_said_as_people_say_it(seconds: float, said: str) -> None:
    assert said == span(seconds)
