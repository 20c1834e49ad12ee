"""The peer: dlt, mirroring the same account into the same kind of database as its manual says.

Its REST client and the merge disposition by id; nested lists become tables of their own. The first
load and a later one are timed. Starting Python is not, nor what dlt imports: it has loaded one
project into another database before. Nor is the second load, as our own pulls have done once what
is timed.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from bench.account import Account, listings, one_project
from bench.children import answer
from bench.timing import timed

if TYPE_CHECKING:
    import dlt

FIRST, AGAIN = "dlt: first load", "dlt: load again"


def missing() -> str | None:
    """Return why there is no peer here, or None."""
    if importlib.util.find_spec("dlt") is None:
        return "dlt is not installed (dependency group `bench`)"
    return None


def environ(folder: str) -> dict[str, str]:
    """Return the surroundings of a peer: all it keeps in a folder, nothing told to its makers."""
    return {"DLT_DATA_DIR": folder, "RUNTIME__DLTHUB_TELEMETRY": "false"}


def pipeline(database: str, name: str) -> dlt.Pipeline:
    """Return dlt's pipeline of this name into a database."""
    import dlt

    if database.startswith("sqlite"):
        place: Any = dlt.destinations.sqlalchemy(credentials=database)
        return dlt.pipeline(name, destination=place, dataset_name="main")
    place = dlt.destinations.postgres(credentials=database.replace("+psycopg", ""))
    return dlt.pipeline(name, destination=place, dataset_name="peer")


def records(account: Account, reads: list[dict[str, str]]) -> Iterator[Any]:
    """Yield the tasks of each answer, as dlt's own client pages through them."""
    from dlt.sources.helpers.rest_client import RESTClient
    from dlt.sources.helpers.rest_client.paginators import SinglePagePaginator

    client = RESTClient(account.url, paginator=SinglePagePaginator(), data_selector="data")
    for read in reads:
        yield from client.paginate(account.signed(read).removeprefix(account.url))


def load(account: Account, reads: list[dict[str, str]], into: dlt.Pipeline) -> None:
    """Load the account once. Raises where a job of dlt's failed."""
    import dlt

    tasks = dlt.resource(
        records(account, reads), name="tasks", primary_key="id", write_disposition="merge"
    )
    into.run(tasks).raise_on_failed_jobs()


def measured(order: dict[str, Any]) -> dict[str, Any]:
    """Measure the first load and one of the next."""
    import dlt

    account, reads = Account(order["url"]), listings(order["reads"])
    load(account, [one_project(account)], pipeline(order["warm_up"], "warm_up"))
    work = partial(load, account, reads, pipeline(order["database"], "peer"))
    samples = timed(FIRST, work)
    work()
    samples += timed(AGAIN, work)
    return {"samples": samples, "version": dlt.__version__}


if __name__ == "__main__":
    answer(measured)
