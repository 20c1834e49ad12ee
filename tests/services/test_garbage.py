"""Python's collector rests while records are made, and works again whatever comes of that."""

from __future__ import annotations

import gc

import pytest

from syncd.services import garbage


def test_the_collector_works_again_afterwards():
    with garbage.left_alone():
        with garbage.left_alone():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_the_collector_works_again_after_a_failure():
    with pytest.raises(ZeroDivisionError), garbage.left_alone():
        print(1 / 0)
    assert gc.isenabled()


def test_who_has_switched_it_off_finds_it_off():
    gc.disable()
    try:
        with garbage.left_alone():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
