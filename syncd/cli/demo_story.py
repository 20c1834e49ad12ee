"""The demo, step by step. The commands are the real ones, and each step proves what it says."""

from __future__ import annotations

import io
import json
import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import datetime
from typing import Any

from syncd.cli.demo_back import write_back
from syncd.cli.demo_next import next_steps, program
from syncd.cli.demo_people import edit
from syncd.cli.demo_place import Place
from syncd.cli.demo_proof import FIELDS, execute, fingerprint, mirrored, must, query, truth
from syncd.cli.output import Output
from syncd.sandbox import Fault, Sandbox

LIE = Fault("empty_list", action="get_all_tasks", count=1)


class Story:
    """The demo as it is told: what was run, and what came of it."""

    def __init__(self, out: Output, box: Sandbox, place: Place) -> None:
        self._out = out
        self._box = box
        self._place = place
        self._commands: list[dict[str, Any]] = []
        self._again = f"--port {box.port} --tasks {len(box.account.tasks)}"

    @property
    def document(self) -> dict[str, Any]:
        """What happened, for a program."""
        return {
            "ok": True,
            "config": self._place.config,
            "database": self._place.database,
            "tasks": len(self._box.account.tasks),
            "commands": self._commands,
        }

    def tell(self) -> None:
        """Tell it all. Raises NotAsToldError where something is not as it should be."""
        with _without_settings():
            self._the_account()
            self._first_pull()
            self._people_work()
            self._nothing_new()
            self._the_way_back()
            self._the_account_lies()
            self._out.lines(next_steps(self._out, self._place, self._again))

    def _the_account(self) -> None:
        account = self._box.account
        self._out.lines(
            [
                self._out.paint("syncd keeps a SQL copy of a Worksection account.", bold=True),
                "This demo needs no account: it simulates one. Nothing leaves this machine.",
                "",
            ]
        )
        self._head("A simulated account")
        self._say(
            f"{self._box.url} serves {len(account.tasks):,} tasks in {len(account.projects)}"
            " projects, over real HTTP.",
            f"{self._place.config} leads to it.",
        )

    def _first_pull(self) -> None:
        self._head("The first pull")
        self._run(0, "pull")
        self._equal()
        self._say(
            f"{self._place.database} holds every task that the account shows."
            f" {len(FIELDS)} fields of each",
            "were compared with the account's own records: all equal.",
        )

    def _people_work(self) -> None:
        self._head("People work in the account")
        edits = edit(self._box.account, _today(self._box))
        self._say(*(f"· {line}" for line in edits.told), "", "What would a pull change?")
        before = fingerprint(self._place.database)
        self._run(0, "pull", "--dry-run")
        must("a dry run writes nothing", before == fingerprint(self._place.database))
        self._run(0, "pull")
        self._equal()
        counts = self._last_counts()
        expected = {"inserted": edits.inserted, "updated": edits.updated, "removed": edits.removed}
        must(f"the pull counts {expected}", expected.items() <= counts.items())
        self._say("The past is kept. This task, say, has two versions now:")
        self._run(0, "task", "show", str(edits.watched))
        past = query(self._place.database, "SELECT count(*) FROM task_history")[0][0]
        must("every change left its past", past == edits.updated + edits.removed)

    def _nothing_new(self) -> None:
        self._head("A pull when nothing changed")
        before, asked = fingerprint(self._place.database), self._asked()
        self._run(0, "pull")
        must("one request is enough", self._asked() - asked == 1)
        must("not a row was written", before == fingerprint(self._place.database))
        self._say("One request, and not a row of the mirror was touched.")

    def _the_way_back(self) -> None:
        self._head("The way back")
        edits = write_back(self._box.account, _today(self._box))
        self._say("Whoever may write SQL changes the account:")
        self._sql(*edits.statements)
        self._say("Meanwhile, in the account:", *(f"· {line}" for line in edits.told))
        self._run(3, "push")
        held = query(self._place.database, "SELECT id FROM outbox WHERE state = 'conflict'")
        must("one change is in conflict, and no other", len(held) == 1)
        must("what did not collide is in the account", edits.landed())
        self._say("Both sides renamed the same task. Nothing is overwritten; you decide:")
        change = str(held[0][0])
        self._run(0, "why", change)
        self._run(0, "queue", "resolve", change, "--keep", "theirs")
        self._run(0, "sync")
        self._equal()

    def _sql(self, *statements: str) -> None:
        """Run what anybody could type at an SQL prompt."""
        self._out.lines([self._out.paint(f"sql> {each}", dim=True) for each in statements])
        self._out.lines([""])
        execute(self._place.database, *statements)

    def _the_account_lies(self) -> None:
        self._head("The account lies")
        self._say("Its next answer is an empty list, as if every task were gone.")
        self._box.faults.add(LIE)
        before = mirrored(self._place.database)
        self._run(3, "pull")
        must("the lie was told", self._box.faults.struck() == 1)
        must("not one task is lost", before == mirrored(self._place.database))
        self._say(
            f"Exit code 3, and all {len(before):,} tasks are still in the mirror.",
            "The next honest answer makes it complete again:",
        )
        self._run(0, "pull")
        self._equal()
        self._run(0, "status")

    def _head(self, title: str) -> None:
        self._out.lines([self._out.paint(f"── {title}", fg="cyan", bold=True), ""])

    def _say(self, *lines: str) -> None:
        self._out.lines([*lines, ""])

    def _run(self, expected: int, *words: str) -> None:
        """Run a command as if it were typed, and insist on its exit code."""
        from syncd.cli.entry import run

        argv = ["--config", str(self._place.config), *words]
        shown = f"{program()} {shlex.join(argv)}"
        self._out.lines([self._out.paint(f"$ {shown}", dim=True)])
        if self._out.json:
            with redirect_stdout(io.StringIO()) as said:
                status = run([*argv, "--json"])
            told = {"command": shown, "exit_code": status, "output": json.loads(said.getvalue())}
            self._commands.append(told)
        else:
            status = run(argv)
        self._out.lines([""])
        must(f"{shlex.join(words)} ends with {expected}, not {status}", status == expected)

    def _equal(self) -> None:
        same = mirrored(self._place.database) == truth(self._box.account)
        must("the mirror equals the account", same)

    def _last_counts(self) -> dict[str, int]:
        newest = "SELECT counts FROM sync_runs ORDER BY id DESC LIMIT 1"
        counts: dict[str, int] = json.loads(query(self._place.database, newest)[0][0])
        return counts

    def _asked(self) -> int:
        return len(self._box.log.entries())


def _today(box: Sandbox) -> Any:
    return datetime.now(box.account.zone).date()


@contextmanager
def _without_settings() -> Iterator[None]:
    """Hide settings in the environment: they would lead the demo to another account."""
    ours = {name: value for name, value in os.environ.items() if name.startswith("SYNCD_")}
    for name in ours:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(ours)
