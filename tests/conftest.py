"""Fixtures and settings for the whole suite: the databases, the seed, the closed network.

See docs/development.md for the environment variables named here.
"""

from __future__ import annotations

import logging
import os
import random
import shutil
import signal
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import pytest
import structlog
from hypothesis.database import DirectoryBasedExampleDatabase

from syncd.store import upgrade
from syncd.store.engine import open_database
from tests.support import network
from tests.support.postgres import Cluster, PostgresMissing

ROOT = Path(__file__).parent.parent
SEED = "SYNCD_TEST_SEED"
NO_POSTGRES = "SYNCD_TEST_NO_POSTGRES"
used_postgres = pytest.StashKey[set[str]]()

network.guard()

# A job in the background of a script ignores SIGINT, and what it starts inherits that; a signal
# with a handler is reset for what is started. The tests of Ctrl-C are about our program alone.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_examples = DirectoryBasedExampleDatabase(ROOT / ".hypothesis" / "examples")
# A busy machine is no failure of ours: no deadline, and no complaint about slow generation.
_slow = [hypothesis.HealthCheck.too_slow]
hypothesis.settings.register_profile(
    "fast",
    deadline=None,
    derandomize=False,
    print_blob=True,
    database=_examples,
    suppress_health_check=_slow,
)
hypothesis.settings.register_profile(
    "deep", hypothesis.settings.get_profile("fast"), max_examples=2000
)
hypothesis.settings.load_profile(os.environ.get("SYNCD_HYPOTHESIS", "fast"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--shuffle", action="store_true", help="run in an order drawn from the seed")


def pytest_configure(config: pytest.Config) -> None:
    # Set before the workers of xdist start, so that all of them draw from the same seed.
    os.environ.setdefault(SEED, str(random.SystemRandom().randrange(2**32)))
    used: set[str] = set()
    config.stash[used_postgres] = used


def pytest_report_header() -> list[str]:
    return [f"seed: {os.environ[SEED]} (again: {SEED}={os.environ[SEED]})"]


FEW = 1000
BEFORE_THE_DATABASE = ("test_lying_reads.py", "test_removals.py", "test_switches.py")
"""Scenarios of what is decided before a database is asked."""
ON_POSTGRESQL_TOO = 6


def _sampled(config: pytest.Config, items: list[pytest.Item]) -> list[pytest.Item]:
    """Leave out, unless in the deep profile, most of what only repeats on PostgreSQL a decision.

    All of it runs on SQLite, every ON_POSTGRESQL_TOO-th on PostgreSQL; pytest counts the rest as
    deselected.
    """
    if os.environ.get("SYNCD_HYPOTHESIS") == "deep":
        return items
    again = [
        item
        for item in items
        if item.path.name in BEFORE_THE_DATABASE and "[postgresql" in item.name
    ]
    left = [item for n, item in enumerate(again) if n % ON_POSTGRESQL_TOO]
    config.hook.pytest_deselected(items=left)
    names = {item.nodeid for item in left}
    return [item for item in items if item.nodeid not in names]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if len(items) > FEW:  # who names a test wants it, on both databases
        items[:] = _sampled(config, items)
    if config.getoption("--shuffle"):
        random.Random(int(os.environ[SEED])).shuffle(items)


def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None:  # a worker of xdist: tell the process that prints the summary
        used = session.config.stash[used_postgres]
        output["postgres"] = sorted(used)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object, error: object) -> None:  # noqa: ARG001 (xdist's signature)
    told = getattr(node, "workeroutput", {}).get("postgres", [])
    node.config.stash[used_postgres].update(told)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    if exitstatus:
        terminalreporter.line(f"seed: run again with {SEED}={os.environ[SEED]}")
    used = config.stash[used_postgres]
    versions = sorted(used) or ["no PostgreSQL"]
    terminalreporter.line(f"databases: SQLite {sqlite3.sqlite_version}, {', '.join(versions)}")
    if os.environ.get(NO_POSTGRES) == "1":
        terminalreporter.section("NOTHING WAS TESTED ON POSTGRESQL", red=True, bold=True)
        terminalreporter.line(f"{NO_POSTGRES}=1 is set; such a run proves half of what it should.")


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """Let a command that was run in this process leave no logging behind for the next test."""
    loggers = [logging.getLogger(name) for name in (None, "urllib3", "alembic")]
    levels, handlers = [one.level for one in loggers], loggers[0].handlers[:]
    chosen = structlog.get_config()
    yield
    for one, level in zip(loggers, levels, strict=True):
        one.setLevel(level)
    loggers[0].handlers[:] = handlers
    structlog.configure(**chosen)


@pytest.fixture(scope="session", autouse=True)
def _no_state_of_others(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep what syncd remembers outside of a PostgreSQL database out of the user's own place."""
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))
    os.environ.pop("STATE_DIRECTORY", None)


@pytest.fixture(autouse=True)
def _stay_on_this_machine() -> Iterator[None]:
    """Fail a test that reached for another machine, even where it swallowed the error."""
    network.attempts.clear()
    yield
    reached = network.attempts.copy()
    assert not reached, f"the test reached for {', '.join(reached)}: only the loopback is open"


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """A number for `random.Random`, of this run's seed and the test's name."""
    return int(os.environ[SEED]) ^ zlib.crc32(request.node.nodeid.encode())


def _cluster(config: pytest.Config) -> Iterator[Cluster]:
    if os.environ.get(NO_POSTGRES) == "1":
        pytest.skip(f"{NO_POSTGRES}=1")
    try:
        cluster, missing = Cluster(), ""
    except PostgresMissing as why:
        cluster, missing = None, str(why)
    if cluster is None:
        pytest.fail(missing, pytrace=False)
    binaries = cluster.binaries
    config.stash[used_postgres].add(f"PostgreSQL {binaries.version} ({binaries.origin})")
    yield cluster
    cluster.close()


@pytest.fixture(scope="session")
def postgres(pytestconfig: pytest.Config) -> Iterator[Cluster]:
    """The PostgreSQL server that the tests of this process share."""
    yield from _cluster(pytestconfig)


@pytest.fixture
def own_postgres(pytestconfig: pytest.Config) -> Iterator[Cluster]:
    """A PostgreSQL server for one test alone, which may stop, kill and restart it."""
    yield from _cluster(pytestconfig)


@pytest.fixture
def postgres_url(postgres: Cluster) -> Iterator[str]:
    """An empty PostgreSQL database, dropped afterwards, whoever is still connected."""
    name = postgres.create_database()
    yield postgres.url_for(name)
    postgres.drop_database(name)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A SQLite database that does not exist yet."""
    return f"sqlite:///{tmp_path / 'syncd.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """An empty database, once on each of the two engines; only the second starts a server."""
    url: str = request.getfixturevalue(
        {"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param]
    )
    return url


def _upgraded(url: str) -> str:
    with closing(open_database(url)) as db:
        upgrade.upgrade(db, now=datetime(2026, 1, 5, tzinfo=UTC))
    return url


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "syncd.db"
    _upgraded(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def _postgres_template(postgres: Cluster) -> str:
    name = postgres.create_database()
    _upgraded(postgres.url_for(name))
    return name


@pytest.fixture
def ready_sqlite_url(tmp_path: Path, _sqlite_template: Path) -> str:
    """A SQLite database that has its schema and nothing else: a copy, which is quicker made."""
    return f"sqlite:///{shutil.copy(_sqlite_template, tmp_path / 'syncd.db')}"


@pytest.fixture
def ready_postgres_url(postgres: Cluster, _postgres_template: str) -> Iterator[str]:
    """A PostgreSQL database that has its schema and nothing else."""
    name = postgres.create_database(template=_postgres_template)
    yield postgres.url_for(name)
    postgres.drop_database(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def ready_database_url(request: pytest.FixtureRequest) -> str:
    """A database that has its schema, once on each of the two engines."""
    kind = {"sqlite": "ready_sqlite_url", "postgresql": "ready_postgres_url"}[request.param]
    url: str = request.getfixturevalue(kind)
    return url
