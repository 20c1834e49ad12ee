"""Companies that share one PostgreSQL: an account, a schema and a configuration for each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from syncd.sandbox import Account, Sandbox
from tests.support.daemons import Daemon, Place
from tests.support.mirror import Mirror, assert_mirror_equals, build, rows
from tests.support.processes import Finished, start_syncd

QUIET = {
    "pull": {"interval": "1h", "events_interval": "1h"},
    "push": {"interval": "1h"},
    "verify": {"interval": "1h", "sample": 0},
    "backup": {"keep": 0},
}
"""Nothing comes by itself but what is queued."""
TASKS = 40


@dataclass(frozen=True, slots=True)
class Company:
    """One account and its schema. Its mirror is looked at through that schema alone."""

    name: str
    place: Place
    edited: list[int] = field(default_factory=list)

    @property
    def mirror(self) -> Mirror:
        """Its mirror."""
        return self.place.mirror

    @property
    def asked(self) -> int:
        """How many requests its account has had."""
        return len(self.mirror.box.log.entries())

    @property
    def fencing(self) -> int:
        """How often its lease was taken."""
        number: int = self.mirror.value("SELECT fencing FROM lease")
        return number

    def edit(self, number: int) -> None:
        """Queue an edit of so many tasks that have none yet, as a user of the database does."""
        new = [task for task in self.place.leaves() if task not in self.edited][:number]
        assert number == len(new), "the account has too few tasks"
        self.edited.extend(new)
        for task in new:
            self.place.edit(task, name=self._edited(task))

    @property
    def is_done(self) -> bool:
        """Whether every edit is confirmed."""
        return self.place.states() == ({"confirmed": len(self.edited)} if self.edited else {})

    def has_everything(self) -> None:
        """Fail unless both sides are the same, its edits arrived once each, and only they."""
        assert_mirror_equals(self.mirror)
        updates = self.mirror.box.log.entries("update_task")
        assert sorted(self.edited) == sorted(int(each.parameters["id_task"]) for each in updates)
        tasks = self.place.account.tasks
        assert [self._edited(id) for id in self.edited] == [tasks[id].name for id in self.edited]
        assert self.is_done, self.place.states()

    @contextmanager
    def working(self) -> Iterator[Daemon]:
        """Its daemon, from its first pull on, and for the length of a block."""
        daemon = self.place.run()
        try:
            daemon.has_pulled()
            yield daemon
        finally:
            daemon.process.end()

    def _edited(self, task: int) -> str:
        return f"{self.name} edited {task}"


def at_once(companies: list[Company], *words: str) -> list[Finished]:
    """Run a command for every company, all at the same time."""
    with ExitStack() as stack:
        started = []
        for each in companies:
            path = each.place.path
            said = start_syncd("--config", path, *words, output=path.with_name(words[0]))
            started.append(stack.enter_context(said))
        return [process.wait() for process in started]


def found(stack: ExitStack, url: str, folder: Path, name: str) -> Company:
    """A company with an account of its own, whose tasks have the same numbers as the others'."""
    seed = sum(name.encode())
    account = Account.seeded(tasks=TASKS, seed=seed, archived=0, pending=0, delayed=0)
    box = stack.enter_context(Sandbox(account))
    mirror = build(box, url, folder / f"{name}.first.toml", schema=name)
    stack.callback(mirror.app.db.close)
    mirror.database_url = seen_by(url, name)
    (home := folder / name).mkdir()
    place = Place(mirror, home / "syncd.toml", stack)
    place.configure(**QUIET)
    return Company(name, place)


def seen_by(url: str, schema: str) -> str:
    """The address for a session that sees one schema and no other."""
    path = f'-csearch_path="{schema}"'.replace(" ", "\\ ")
    return f"{url}?options={quote(path)}"


def schemas(url: str) -> set[str]:
    """The schemas that hold a mirror."""
    return {
        row["name"]
        for row in rows(url, "SELECT schemaname AS name FROM pg_tables WHERE tablename = 'tasks'")
    }
