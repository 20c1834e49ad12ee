"""Whatever is wrong at the start: one clear line, what to do, and the right exit code."""

from __future__ import annotations

import json
import resource
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.support.home import Home
from tests.support.processes import (
    Finished,
    is_root,
    plain_environment,
    run,
    run_syncd,
    syncd_argv,
)

SECRET = "0123456789abcdef0123456789abcdef"


def clear(done: Finished, status: int, *said: str) -> None:
    """Insist on the exit code, on one or two lines, and on what they say."""
    done.expect(status)
    lines = done.stderr.splitlines()
    assert 1 <= len(lines) <= 2, done.stderr
    assert lines[0].startswith("syncd: ")
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    for words in said:
        assert words in done.stderr


# --- configuration


def test_no_configuration(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": ""}
    done = run_syncd("pull", cwd=tmp_path, env=env)
    clear(done, 2, "There is no configuration", "syncd init")


def test_a_configuration_that_is_not_there(tmp_path: Path) -> None:
    clear(run_syncd("status", "--config", "x.toml", cwd=tmp_path), 2, "x.toml does not exist")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[acount]\n", "unknown key acount"),
        ("[account]\nurll = 1\n", "unknown key account.urll"),
        ("[account\n", "is not valid TOML"),
        ('[pull]\ninterval = "often"\n', "pull.interval"),
        ("[pull]\nmax_removals = -1\n", "pull.max_removals"),
        ('[account]\nurl = "http://acme.worksection.com"\napi_key = "k"\n', "plain http"),
        ('[account]\nurl = "acme"\napi_key = "k"\n', "account.url"),
        ('[account]\nurl = "https://acme.worksection.com"\n', "no key was found"),
        ("\udcff", "is not UTF-8"),
    ],
)
def test_a_configuration_that_is_wrong_names_the_key(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "syncd.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    clear(run_syncd("pull", cwd=tmp_path), 2, said)


def test_a_wrong_value_in_the_environment_names_the_variable(home: Home) -> None:
    done = home.syncd("pull", env={"SYNCD_LIMITS__TIMEOUT": "soon"})
    clear(done, 2, "SYNCD_LIMITS__TIMEOUT")


def test_a_key_file_that_others_can_read(home: Home) -> None:
    home.set_key(home.box.key, mode=0o644)
    clear(home.syncd("pull"), 2, "others can read", "chmod 600")


# --- the account


def test_a_bad_key(home: Home) -> None:
    home.set_key(SECRET)
    done = home.syncd("pull")
    clear(done, 4)
    assert SECRET not in done.stderr


def test_a_bad_key_with_everything_shown_is_not_shown(home: Home) -> None:
    home.set_key(SECRET)
    done = home.syncd("pull", "-v").expect(4)
    assert "Traceback" in done.stderr
    assert SECRET not in done.stderr + done.stdout


def test_an_unreachable_host(home: Home) -> None:
    with home.box.refusing():
        clear(home.syncd("pull"), 4, "could not be reached", "account.url")


def test_a_database_of_another_account(pulled: Home) -> None:
    pulled.configure(url=pulled.box.url.replace("127.0.0.1", "localhost"))
    clear(pulled.syncd("pull"), 2, "mirrors 127.0.0.1")


# --- the database


@pytest.mark.parametrize("command", ["pull", "status", "task list", "db upgrade"])
def test_a_database_that_is_not_ours(home: Home, command: str) -> None:
    home.execute("CREATE TABLE accounts (id INTEGER)")
    clear(home.syncd(*command.split()), 2, "is not ours", "accounts")
    assert [("accounts",)] == home.query("SELECT name FROM sqlite_master")


@pytest.mark.parametrize("command", ["pull", "status", "task list"])
def test_a_file_that_is_no_database(home: Home, command: str) -> None:
    home.database.write_bytes(b"GIF89a" * 500)
    clear(home.syncd(*command.split()), 2, "is not a SQLite database", "database.url")


@pytest.mark.parametrize("command", ["pull", "pull --dry-run", "status", "task list", "db current"])
def test_a_newer_schema(pulled: Home, command: str) -> None:
    pulled.execute("UPDATE alembic_version SET version_num = '9999'")
    clear(pulled.syncd(*command.split()), 2, "schema 9999", "Upgrade syncd")


def test_a_folder_that_does_not_exist(home: Home) -> None:
    clear(home.syncd("pull", env={"SYNCD_DATABASE__URL": "sqlite:///gone/syncd.db"}), 2, "mkdir -p")


def test_a_read_only_database(pulled: Home) -> None:
    pulled.database.chmod(0o444)
    clear(pulled.syncd("pull", powerless=True), 2, "read-only", "Let the user of syncd write")


def test_a_read_only_folder(home: Home) -> None:
    home.folder.chmod(0o555)
    try:
        clear(home.syncd("pull", powerless=True), 2, "cannot be opened", "may write there")
    finally:
        home.folder.chmod(0o755)


def test_a_read_only_database_can_still_be_read(pulled: Home) -> None:
    pulled.database.chmod(0o444)
    for command in ("status", "task list"):
        pulled.syncd(*command.split(), powerless=True).expect(0)


@pytest.mark.parametrize("command", ["pull", "status"])
def test_a_damaged_database(pulled: Home, command: str) -> None:
    size = pulled.database.stat().st_size
    with pulled.database.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    done = pulled.syncd(command)
    assert done.status in {1, 2}
    clear(done, done.status, "damaged")


# --- the disk


def test_a_file_that_may_not_grow(home: Home) -> None:
    for id in range(400):
        home.box.account.create_task(next(iter(home.box.account.projects)), f"task {id} " * 50)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    process = subprocess.run(
        syncd_argv("pull"),
        cwd=home.folder,
        env=plain_environment(),
        capture_output=True,
        encoding="utf-8",
        preexec_fn=limit,
        timeout=60,
        check=False,
    )
    done = Finished([], process.returncode, process.stdout, process.stderr)
    clear(done, 1, "syncd.db")
    home.syncd("pull").expect(0)


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    mounted = run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)])
    if mounted.status != 0:
        pytest.skip("this machine lets nobody mount a small disk; see the limit on one file")
    try:
        yield
    finally:
        run(["umount", "-l", str(folder)]).expect(0)


@pytest.mark.skipif(not is_root(), reason="only root can mount; see the limit on one file")
@pytest.mark.parametrize("size", ["64k", "600k"])
def test_a_full_disk_leaves_the_mirror_as_it_was(home: Home, size: str) -> None:
    account = home.box.account
    for id in range(800):
        account.create_task(next(iter(account.projects)), f"task {id} " * 50)
    disk = home.folder / "disk"
    disk.mkdir()
    with small_disk(disk, size):
        env = {"SYNCD_DATABASE__URL": f"sqlite:///{disk / 'syncd.db'}"}
        done = home.syncd("pull", env=env)
        clear(done, 1, "disk is full", "Make room")
        with closing(sqlite3.connect(disk / "syncd.db")) as db:
            tables = db.execute("SELECT name FROM sqlite_master WHERE name = 'tasks'").fetchall()
            rows = db.execute("SELECT count(*) FROM tasks").fetchone()[0] if tables else 0
        assert rows == 0


@pytest.mark.parametrize("unbuffered", ["1", ""])
@pytest.mark.parametrize("words", [["status"], ["status", "--json"], ["db", "current"]])
def test_a_result_that_cannot_be_written(pulled: Home, words: list[str], unbuffered: str) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with Path("/dev/full").open("w") as full:
        process = subprocess.run(
            syncd_argv(*words),
            cwd=pulled.folder,
            env=plain_environment({"PYTHONUNBUFFERED": unbuffered}),
            stdout=full,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
    clear(Finished([], process.returncode, "", process.stderr), 1, "No space left on device")


# --- errors for programs


@pytest.mark.parametrize(
    ("words", "kind", "status"),
    [
        (("pull", "--config", "x.toml"), "ConfigError", 2),
        (("pull", "--no-such-option"), "UsageError", 2),
        (("no-such-command",), "UsageError", 2),
        ((), "UsageError", 2),
        (("status",), "NoMirror", 2),
    ],
)
def test_an_error_is_one_document(
    home: Home, words: tuple[str, ...], kind: str, status: int
) -> None:
    done = home.syncd("--json", *words).expect(status)
    error = done.document["error"]
    assert {"class", "message", "hint", "exit_code"} == set(error)
    assert (kind, status) == (error["class"], error["exit_code"])
    assert done.stderr == ""


def test_an_error_of_the_account_is_a_document_too(home: Home) -> None:
    with home.box.refusing():
        done = home.syncd("pull", "--json").expect(4)
    assert "Unreachable" == done.document["error"]["class"]
    assert json.loads(done.stdout)


def test_it_needs_no_tools_of_a_shell(home: Home) -> None:
    home.syncd("pull", env={"PATH": ""}).expect(0)
