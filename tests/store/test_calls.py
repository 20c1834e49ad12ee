"""Listening for what others queue."""

from __future__ import annotations

import logging

import psycopg
import pytest

from syncd.store.calls import listening
from syncd.store.engine import open_database
from tests.support.postgres import end_sessions


def test_a_listener_whose_session_ends_says_so_by_its_error_alone(postgres_url, caplog):
    """An operator who looks for errors finds no traceback of a connection pool's."""
    caplog.set_level(logging.DEBUG, "sqlalchemy.pool")
    db = open_database(postgres_url)
    with pytest.raises(psycopg.OperationalError), listening(db) as listener:
        assert 1 == end_sessions(postgres_url)
        listener.heard(10)
    assert [] == [one.getMessage() for one in caplog.records if one.exc_info]
    db.close()


def test_a_listener_leaves_no_session_behind(postgres_url):
    db = open_database(postgres_url)
    with listening(db):
        pass
    assert 0 == end_sessions(postgres_url)
    db.close()
