"""The simulated account in a process of its own, and what the bench asks of it directly.

    python -m bench.account TASKS PROJECTS

The sandbox draws how big each project is. Where a number of projects is given, they are made equal,
so that none is over the account's limit of records.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import md5
from urllib.parse import urlencode

import requests

from syncd.sandbox import seeding
from syncd.sandbox.__main__ import main as serve_account

KEY = "bench-key-0123456789"
LISTINGS = frozenset({"get_all_tasks", "get_tasks"})
ALL_LISTED = ("--archived", "0", "--pending", "0", "--delayed", "0")


@dataclass(frozen=True, slots=True)
class Account:
    """A running account, by its address."""

    url: str

    def rename(self, ids: Sequence[int], name: str) -> None:
        """Let its people rename these tasks."""
        with requests.Session() as session:
            for id in ids:
                deed = {"do": "rename_task", "task_id": id, "name": f"{name} {id}"}
                session.post(f"{self.url}/sandbox/do", json=deed, timeout=60).raise_for_status()

    def asked(self, last: int) -> list[dict[str, str]]:
        """Return the parameters of the reads that it answered, of so many last requests."""
        answer = requests.get(f"{self.url}/sandbox/log", timeout=60)
        answer.raise_for_status()
        entries = sorted(answer.json()["result"], key=lambda entry: entry["number"])
        return [
            {"action": entry["action"], **entry["parameters"]}
            for entry in entries[-last:]
            if entry["outcome"] == "ok" and entry["action"].startswith("get_")
        ]

    def signed(self, parameters: dict[str, str]) -> str:
        """Return the address that asks for this, signed."""
        query = urlencode(parameters, safe=",")
        signature = md5((query + KEY).encode(), usedforsecurity=False).hexdigest()
        return f"{self.url}/api/admin/v2/?{query}&hash={signature}"


def listings(reads: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """Return the reads that list tasks: what an unchanged pull asks for."""
    return [read for read in reads if read["action"] in LISTINGS]


def fetch(session: requests.Session, address: str) -> bytes:
    """Get one answer the plain way. Raises for anything but an answer."""
    answer = session.get(address, timeout=600)
    answer.raise_for_status()
    return answer.content


def as_sent(session: requests.Session, address: str) -> bytes:
    """Get one answer as it comes over the wire, zipped."""
    with session.get(address, timeout=600, stream=True) as answer:
        answer.raise_for_status()
        body: bytes = answer.raw.read(decode_content=False)
        return body


def one_project(account: Account) -> dict[str, str]:
    """Return the read of one project's tasks: enough for everything to be imported."""
    with requests.Session() as session:
        found = fetch(session, account.signed({"action": "get_projects"}))
    return {"action": "get_tasks", "id_project": str(json.loads(found)["data"][0]["id"])}


@contextmanager
def serving(tasks: int, projects: int | None = None) -> Iterator[Account]:
    """Serve an account without a pace, all of whose tasks are listed."""
    command = [sys.executable, "-m", "bench.account", str(tasks), str(projects or 0)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        try:
            yield Account(json.loads(process.stdout.readline())["url"])
        finally:
            process.terminate()


def equal_sizes(tasks: int, projects: int) -> list[int]:
    """Divide tasks among projects, as equally as can be."""
    whole, rest = divmod(tasks, projects)
    return [whole + (number < rest) for number in range(projects)]


def main(tasks: int, projects: int) -> None:
    """Serve until told to stop."""
    if projects:
        vars(seeding)["project_sizes"] = lambda tasks, _: equal_sizes(tasks, projects)
    serve_account(["--tasks", str(tasks), "--key", KEY, *ALL_LISTED])


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
