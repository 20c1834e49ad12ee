"""The lease between two hosts: one is frozen, cut off, killed, or has a jumping clock (failure 23).

Where network namespaces cannot be made these tests are skipped, and say what is missing.
"""

from __future__ import annotations

import os
import signal

from syncd.sandbox import Fault
from tests.hosts.world import DEEP, KILLED_S, SILENT_S, World
from tests.support.daemons import until

ANSWER_S = 50.0 if DEEP else 6.0
"""How long the account takes for an answer: until after the other has taken over."""


def test_a_frozen_holder_is_followed_and_sends_nothing_when_it_wakes(world: World):
    first, second = world.pair()
    world.edit(3)
    world.sent(1)
    os.kill(first.pid, signal.SIGSTOP)
    world.edit(1)
    assert second.takes_over() < SILENT_S
    world.confirmed()
    os.kill(first.pid, signal.SIGCONT)
    first.stands_by(second)
    world.check(second, former=first)


def test_a_holder_cut_off_from_the_database_sends_nothing_more(world: World):
    """The account stays in its reach, and is slow to answer its update: that landed, unnoticed."""
    first, second = world.pair()
    first.box.faults.add(Fault("delay", "update_task", nth=1, seconds=ANSWER_S, when="after"))
    world.edit(3)
    until(first.box.faults.struck, what=world.everything)
    first.host.cut()
    assert second.takes_over() < SILENT_S
    world.confirmed()
    until(lambda: "delay" in first.asked[-1].faults, SILENT_S, what=world.everything)
    first.host.mend()
    first.stands_by(second)
    first.box.faults.clear()
    world.check(second, former=first)


def test_a_clock_that_jumps_moves_neither_the_lease_nor_the_pace(world: World):
    """Forward and back, on the holder and on the one that stands by; pulls go on coming.

    Then the one whose clock is ahead takes over, right after a request of the other.
    """
    first, second = world.pair()
    fencing = world.fencing
    for hours_first, hours_second in ((5, 0), (-5, -3), (0, 3)):
        first.set_clock(hours_first)
        second.set_clock(hours_second)
        world.edit(1)
        world.confirmed()
        world.pulls_go_on(first)
    assert fencing == world.fencing
    world.edit(1)
    world.sent(1)
    first.daemon.stop()
    second.takes_over()
    world.confirmed()
    world.check(second, former=first)


def test_kill_9_of_the_holder_lets_the_other_host_take_over(world: World):
    first, second = world.pair()
    world.edit(3)
    world.sent(1)
    first.daemon.process.kill()
    assert second.takes_over() < KILLED_S
    world.confirmed()
    world.check(second, former=first)
