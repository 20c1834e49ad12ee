"""What `syncd check` finds on the way to the account, and in its lists beside the first look."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, func, select

from syncd.config import is_loopback
from syncd.errors import AccountError
from syncd.model.reports import Finding
from syncd.resources.tags import tags
from syncd.resources.tasks.table import task_tags, tasks
from syncd.services import memory
from syncd.services.findings import note, of_error, ok, problem, warning
from syncd.services.size import NEAR, RECORD_LIMIT, in_words
from syncd.worksection.client import Client
from syncd.worksection.methods.tasks import get_task
from syncd.worksection.reach import Reached, reach
from syncd.worksection.scalars import is_unset

VENDOR = "worksection.com"
REACH_S = 10.0
FEW = 20
"""From so many tasks on it is odd that not one has a tag."""
LOOKS = 3


def look_at_way(url: str) -> Iterator[Finding]:
    """Look at the address, and try name, port and certificate without sending a request."""
    host = urlsplit(url).hostname or ""
    if is_loopback(url):
        yield note("account.address", f"{url} is on this machine: a simulated account")
    elif not host.endswith(f".{VENDOR}"):
        yield note(
            "account.address",
            f"{host} is not an address of {VENDOR}",
            "Check account.url, unless the account has a domain of its own.",
        )
    yield reach_finding(reach(url, timeout_s=REACH_S))


def reach_finding(way: Reached) -> Finding:
    """Judge how far the way to the account goes."""
    match way.failed:
        case None:
            return ok("account.reach", f"{way.host} answers on port {way.port}")
        case "dns":
            return problem(
                "account.reach",
                f"DNS: the name {way.host} is not known ({way.reason})",
                "Check account.url for a slip, then this machine's network and name servers.",
            )
        case "tcp":
            return problem(
                "account.reach",
                f"TCP: {way.host} does not answer on port {way.port} ({way.reason})",
                "Check the network, and whether a firewall lets this machine out on that port.",
            )
        case "tls":
            return problem(
                "account.reach",
                f"TLS: no safe connection to {way.host} ({way.reason})",
                "Check account.url and this machine's date. A proxy that opens TLS is not let in.",
            )


@dataclass(frozen=True, slots=True)
class Tagging:
    """What the mirror knows of tags: how many tasks have some, and a few that have none."""

    catalogue: int
    tagged: int
    live: int
    untagged: tuple[int, ...]


def read_tagging(tx: Connection) -> Tagging:
    """Count tags in the mirror, and pick the newest tasks without one."""
    alive = tasks.c.removed_at.is_(None)
    with_tags = select(task_tags.c.task_id)
    newest = select(tasks.c.id).where(alive, tasks.c.id.not_in(with_tags))
    return Tagging(
        catalogue=_count(
            tx, select(func.count()).select_from(tags).where(tags.c.removed_at.is_(None))
        ),
        tagged=_count(tx, select(func.count(func.distinct(task_tags.c.task_id)))),
        live=_count(tx, select(func.count()).select_from(tasks).where(alive)),
        untagged=tuple(tx.scalars(newest.order_by(tasks.c.id.desc()).limit(LOOKS))),
    )


def _count(tx: Connection, query: Any) -> int:
    return tx.scalar(query) or 0


def look_at_tags(client: Client, known: Tagging) -> Iterator[Finding]:
    """Find out whether lists leave tags out, which some accounts' do (API sheet, section 5.3).

    Tags in the mirror came from lists, so only a mirror without any is a reason to ask.
    """
    if known.tagged or not known.catalogue:
        if known.tagged:
            yield ok("account.tags", f"lists show tags: {known.tagged:,} tasks have some")
        return
    if known.live < FEW:
        return
    try:
        shown = [id for id in known.untagged if _has_tags(client, id)]
    except AccountError as error:
        yield of_error("account.tags", error)
        return
    if shown:
        yield warning(
            "account.tags",
            f"lists leave tags out: task {shown[0]} has tags when it is asked for itself",
            "The mirror's tags are not complete; please report this account's behaviour to us.",
        )
    else:
        yield note(
            "account.tags", f"none of {known.live:,} tasks has a tag, nor has one of the newest"
        )


def _has_tags(client: Client, id: int) -> bool:
    node = client.call(get_task(id, extra=("tags",))).decode(dict[str, Any]) or {}
    return not is_unset(node.get("tags"))


def look_at_size(tx: Connection, spacing_s: float) -> Finding | None:
    """Judge the size of a mirrored account by what the mirror holds; asks nothing."""
    live = _count(tx, select(func.count()).select_from(tasks).where(tasks.c.removed_at.is_(None)))
    if not live:
        return None
    projects = _count(tx, select(func.count(func.distinct(tasks.c.project_id))))
    told = f"{live:,} tasks in {projects:,} projects"
    if memory.load(tx).over_limit_at is not None:
        pace = in_words(projects * spacing_s)
        return note(
            "account.size",
            f"{told}, over the limit of one answer: a pull asks for each project, about {pace}",
        )
    if live >= NEAR * RECORD_LIMIT:
        return note(
            "account.size",
            f"{told}: near the limit of {RECORD_LIMIT:,} in one answer;"
            " above it syncd pulls project by project",
        )
    return ok("account.size", told)
