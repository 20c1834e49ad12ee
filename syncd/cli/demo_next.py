"""What to try after the demo: commands that work on this machine as they are printed."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from syncd.cli.demo_place import Place
from syncd.cli.output import Output

QUERIES = (
    "SELECT status, count(*) FROM tasks WHERE removed_at IS NULL GROUP BY status",
    "SELECT task_id, name, valid_to FROM task_history",
)


def next_steps(out: Output, place: Place, account: str) -> Iterator[str]:
    """Name what to do with what the demo leaves behind, and how to go on from there.

    `account` is the command's end that starts the same simulated account again.
    """
    ours = f"{program()} --config {shlex.quote(str(place.config))}"
    yield out.paint("── What to try next", fg="cyan", bold=True)
    yield ""
    yield "The database stays, and any SQL tool can read it:"
    yield from (f"  {_sql(place, query)}" for query in QUERIES)
    yield ""
    yield "The same with syncd:"
    yield f"  {ours} status"
    yield f"  {ours} task list --overdue"
    yield f"  {ours} task list --assignee nobody --json"
    yield ""
    yield "The simulated account ends here. Start it again in another terminal, as it was"
    yield "before its people worked, and see what a pull would make of that:"
    yield f"  {program()} sandbox {account}"
    yield f"  {ours} pull --dry-run"
    yield ""
    yield "With an account of your own:"
    yield f"  {program()} init"


def _sql(place: Place, sql: str) -> str:
    """Return a command that runs a query with what this machine has."""
    file = shlex.quote(str(place.database))
    if shutil.which("sqlite3"):
        return f'sqlite3 {file} "{sql}"'
    python = shlex.quote(_python())
    if sys.version_info >= (3, 12):
        return f'{python} -m sqlite3 {file} "{sql}"'
    code = f"import sqlite3; [print(*row) for row in sqlite3.connect({str(place.database)!r})"
    return f'{python} -c "{code}.execute({sql!r})]"'


def program() -> str:
    """Return how this program was called, so that it can be called again."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return f"{shlex.quote(_python())} -m syncd"
    found = shutil.which(called.name)
    if found and Path(found).resolve() == called.resolve():
        return called.name
    return shlex.quote(str(_from_here(called)))


def _python() -> str:
    found = shutil.which("python3")
    # Unresolved: the python of a virtual environment is a link to the one that lacks syncd.
    if found and Path(found) == Path(sys.executable):
        return "python3"
    return str(_from_here(Path(sys.executable)))


def _from_here(path: Path) -> Path:
    """Return a path as short as it can be from the working directory."""
    absolute = path.absolute()
    here = Path.cwd()
    return absolute.relative_to(here) if absolute.is_relative_to(here) else absolute
