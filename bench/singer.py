"""The other peer: Meltano's target for PostgreSQL, fed by as small a tap as there can be.

Tap and target run in one process here, so what a pipe would cost is left out. The tap sends a
record for each task, subtasks too, with their nested parts as documents; the target merges by id.
"""

from __future__ import annotations

import importlib.util
import io
import json
from collections.abc import Iterator
from contextlib import redirect_stdout
from functools import partial
from typing import Any

import msgspec
import requests

from bench.account import Account, fetch, listings, one_project
from bench.children import answer
from bench.timing import timed

FIRST, AGAIN = "Meltano: first load", "Meltano: load again"
STREAM = "tasks"
KINDS = {str: "string", int: "integer", float: "number", dict: "object", list: "array"}


def missing() -> str | None:
    """Return why there is no such peer here, or None."""
    if importlib.util.find_spec("target_postgres") is None:
        return "meltanolabs-target-postgres is not installed (dependency group `bench`)"
    return None


def flattened(nodes: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield each task of a tree without its children, a parent before them."""
    for node in nodes:
        yield {key: value for key, value in node.items() if key != "child"}
        yield from flattened(node.get("child", []))


def messages(records: list[dict[str, Any]]) -> Iterator[str]:
    """Yield what a tap writes: the schema, and a line for each record."""
    kinds: dict[str, set[str]] = {}
    for record in records:
        for key, value in record.items():
            kinds.setdefault(key, {"null"}).add(KINDS[type(value)])
    properties = {key: {"type": sorted(found)} for key, found in kinds.items()}
    properties["id"] = {"type": ["string"]}
    schema = {"type": "object", "properties": properties}
    keyed = {"type": "SCHEMA", "stream": STREAM, "schema": schema, "key_properties": ["id"]}
    yield json.dumps(keyed)
    for record in records:
        line = {"type": "RECORD", "stream": STREAM, "record": record}
        yield msgspec.json.encode(line).decode()


def load(account: Account, reads: list[dict[str, str]], database: str) -> None:
    """Load the account once."""
    from target_postgres.target import TargetPostgres

    records: list[dict[str, Any]] = []
    with requests.Session() as session:
        for read in reads:
            found = msgspec.json.decode(fetch(session, account.signed(read)))
            records += flattened(found["data"])
    target = TargetPostgres(config={"sqlalchemy_url": database, "default_target_schema": "peer"})
    with redirect_stdout(io.StringIO()):  # the target tells its state there
        target.listen(io.StringIO("\n".join(messages(records)) + "\n"))


def measured(order: dict[str, Any]) -> dict[str, Any]:
    """Measure the first load and one of the next."""
    from importlib.metadata import version

    account, reads = Account(order["url"]), listings(order["reads"])
    load(account, [one_project(account)], order["warm_up"])
    work = partial(load, account, reads, order["database"])
    samples = timed(FIRST, work)
    work()
    samples += timed(AGAIN, work)
    return {"samples": samples, "version": version("meltanolabs-target-postgres")}


if __name__ == "__main__":
    answer(measured)
