"""The PostgreSQL of the tests is what the tests believe it is."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from tests.support.postgres import OLDEST_MAJOR, Cluster
from tests.support.processes import start

ROOT = Path(__file__).parents[2]
A_CLUSTER = """
import time
from tests.support.postgres import Cluster
cluster = Cluster()
pid = (cluster.data / "postmaster.pid").read_text().split()[0]
print(cluster.home, cluster.data, pid, flush=True)
time.sleep(60)
"""


def test_a_database_is_empty_and_can_be_written(database_url: str) -> None:
    engine = sa.create_engine(database_url)
    with engine.begin() as tx:
        assert [] == sa.inspect(tx).get_table_names()
        tx.execute(sa.text("CREATE TABLE things (id integer PRIMARY KEY, name text)"))
        tx.execute(sa.text("INSERT INTO things VALUES (1, 'Їжак')"))
    with engine.connect() as tx:
        assert [(1, "Їжак")] == tx.execute(sa.text("SELECT id, name FROM things")).all()
    engine.dispose()


def test_the_server_is_of_a_supported_version(postgres_url: str) -> None:
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        assert connection.info.server_version >= OLDEST_MAJOR * 10000


def test_the_owner_of_a_database_is_no_superuser(postgres_url: str) -> None:
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        assert ("off",) == connection.execute("SHOW is_superuser").fetchone()


def test_without_the_password_nobody_gets_in(postgres: Cluster) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host="127.0.0.1", port=postgres.port, user="postgres", dbname="postgres")


def test_a_server_of_ones_own_can_be_killed_and_comes_back(own_postgres: Cluster) -> None:
    name = own_postgres.create_database()
    own_postgres.kill()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(own_postgres.url_for(name).replace("+psycopg", ""))
    own_postgres.start()
    psycopg.connect(own_postgres.url_for(name).replace("+psycopg", "")).close()


def test_a_server_ends_with_the_process_it_served_even_by_kill_9(
    postgres: Cluster, tmp_path: Path
) -> None:
    env = {"PYTHONPATH": str(ROOT), "SYNCD_TEST_PG_BIN": str(postgres.binaries.directory)}
    argv = [sys.executable, "-c", A_CLUSTER]
    with start(argv, output=tmp_path / "log", env=env) as running:
        running.wait_until(lambda process: process.stdout.endswith("\n"))
        home, data, pid = running.stdout.split()
        assert Path(f"/proc/{pid}").exists()
        running.kill()
    left = [Path(home), Path(data).parent]
    deadline = time.monotonic() + 20
    while any(path.exists() for path in left) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [] == [path for path in left if path.exists()]
    assert not Path(f"/proc/{pid}").exists()
