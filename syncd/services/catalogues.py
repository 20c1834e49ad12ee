"""The small kinds, kept equal on their own interval: projects, members, tags."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from syncd.errors import Refused, Unauthorized
from syncd.model.records import Rejected, Stub
from syncd.resources import catalogue as small
from syncd.resources import members, projects, tags
from syncd.resources.catalogue import Catalogue, Changes
from syncd.resources.derived import Derived
from syncd.resources.tasks import images as mirror
from syncd.resources.tasks.table import task_tags
from syncd.services.progress import Progress
from syncd.store import quarantine
from syncd.store.mirror import Values
from syncd.worksection.client import Client
from syncd.worksection.methods.projects import get_project

INTERVAL = timedelta(hours=1)
"""How old the catalogues may be; names in tasks' answers keep them current in between."""
PROJECT_LOOKS = 20
CODE_PROJECT = 4


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole answer of one catalogue."""

    catalogue: Catalogue
    rows: Sequence[Values]
    rejected: Sequence[Rejected]

    @property
    def ids(self) -> frozenset[int] | None:
        """The records it holds; None where one could not be read, and might be any of them."""
        return None if self.rejected else frozenset(row["id"] for row in self.rows)


@dataclass(frozen=True, slots=True)
class Gathered:
    """The catalogues as answered, what tasks tell of them, and what could not be had.

    `used_tags` are tags that tasks keep, though neither the list of tags nor that of tasks shows
    them.
    """

    whole: tuple[Whole, ...] = ()
    notes: tuple[str, ...] = ()
    fetched: bool = False
    denied_projects: frozenset[int] = frozenset()
    used_tags: frozenset[int] = frozenset()

    @property
    def project_status(self) -> dict[int, str] | None:
        """The status of each project, where projects were answered."""
        for one in self.whole:
            if one.catalogue.kind == "project":
                return {row["id"]: row["status"] or "active" for row in one.rows}
        return None

    @property
    def tag_ids(self) -> dict[str, tuple[int, ...]]:
        """The ids of each tag name, where tags were answered."""
        rows = [one.rows for one in self.whole if one.catalogue.kind == "tag"]
        return _by_name(rows[0]) if rows else {}

    @property
    def listed_tags(self) -> frozenset[int] | None:
        """The tags that were answered; None where they were not, or not all could be read."""
        for one in self.whole:
            if one.catalogue.kind == "tag":
                return one.ids
        return None


def _by_name(rows: Sequence[Values]) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for row in rows:
        found[row["name"]] = (*found.get(row["name"], ()), row["id"])
    return found


def catalogues(derived: Derived) -> tuple[Catalogue, ...]:
    """Return the catalogues in the order of a pull."""
    return (projects.catalogue(derived), members.catalogue(), tags.catalogue())


def due(last: datetime | None, now: datetime) -> bool:
    """Tell whether the catalogues are to be asked for again; also when the clock stepped back."""
    return last is None or not timedelta() <= now - last < INTERVAL


def gather(
    client: Client, derived: Derived, *, live_projects: Collection[int], progress: Progress
) -> Gathered:
    """Ask for every catalogue; one that is refused is a note, and the others go on.

    `live_projects` are those of the mirror: one that is not listed any more is asked for itself.
    """
    whole: list[Whole] = []
    notes: list[str] = []
    wanted = catalogues(derived)
    for done, catalogue in enumerate(wanted):
        left_s = client.budget.estimate_s(len(wanted) - done)
        progress.step(f"{catalogue.kind}s", done=done, total=len(wanted), left_s=left_s)
        try:
            whole.append(_ask(client, catalogue))
        except (Refused, Unauthorized) as error:
            notes.append(f"{catalogue.kind}s were not refreshed: {error.message}")
    denied = _denied_projects(client, whole, live_projects)
    return Gathered(tuple(whole), tuple(notes), fetched=True, denied_projects=denied)


def _ask(client: Client, catalogue: Catalogue) -> Whole:
    answer = client.call(catalogue.request())
    return Whole(catalogue, *small.read_answer(catalogue, answer.raw))


def ask_for_tags(client: Client) -> frozenset[int] | None:
    """Return the tags that the account lists, at the cost of one request; None where it refuses."""
    try:
        return _ask(client, tags.catalogue()).ids
    except (Refused, Unauthorized):
        return None


def _denied_projects(
    client: Client, whole: Sequence[Whole], live: Collection[int]
) -> frozenset[int]:
    """Return the projects the account denies when asked: code 4 (API sheet, section 6.8)."""
    listed = [one for one in whole if one.catalogue.kind == "project"]
    if not listed:
        return frozenset()
    absent = sorted(set(live) - {row["id"] for row in listed[0].rows})
    denied = set()
    for id in absent[:PROJECT_LOOKS]:
        try:
            client.call(get_project(id))
        except Refused as error:
            if error.code == CODE_PROJECT:
                denied.add(id)
    return frozenset(denied)


@dataclass(frozen=True, slots=True)
class CataloguePlan:
    """What would be written to the catalogues."""

    changes: tuple[tuple[Catalogue, Changes], ...] = ()
    rejected: tuple[Whole, ...] = ()
    notes: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)


def plan(
    tx: Connection, derived: Derived, gathered: Gathered, stubs: Mapping[str, Mapping[int, Stub]]
) -> CataloguePlan:
    """Compare whole answers, and then what tasks tell in passing, with the tables."""
    changes: list[tuple[Catalogue, Changes]] = []
    notes, counts = list(gathered.notes), {}
    whole = {one.catalogue.kind: one for one in gathered.whole}
    for catalogue in catalogues(derived):
        shown = stubs.get(catalogue.kind, {})
        listed: Sequence[Values] = ()
        if catalogue.kind in whole:
            listed = whole[catalogue.kind].rows
            change = _compare_whole(tx, whole[catalogue.kind], gathered, stubs)
            changes.append((catalogue, change))
            counts[f"{catalogue.kind}s_written"] = len(change.rows)
            counts[f"{catalogue.kind}s_removed"] = len(change.gone)
            if change.held:
                notes.append(_held_in_words(catalogue, change))
        known = {row["id"] for row in listed}
        passing = [catalogue.from_stub(stub) for id, stub in shown.items() if id not in known]
        if passing:
            change = small.compare(tx, catalogue, passing, whole=False)
            changes.append((catalogue, change))
            counts[f"{catalogue.kind}s_named"] = len(change.rows)
    rejected = tuple(one for one in gathered.whole if one.rejected)
    notes += [
        f"{len(one.rejected)} {one.catalogue.kind}s could not be understood; see quarantine"
        for one in rejected
    ]
    return CataloguePlan(tuple(changes), rejected, tuple(notes), counts)


def _compare_whole(
    tx: Connection, one: Whole, gathered: Gathered, stubs: Mapping[str, Mapping[int, Stub]]
) -> Changes:
    """Compare a whole answer with its table: what is absent goes, unless something tells of it."""
    # A record that could not be read may be any of those that seem to be absent.
    entire = one.ids is not None
    there = _not_denied(tx, gathered) if one.catalogue.kind == "project" else set()
    change = small.compare(tx, one.catalogue, one.rows, whole=entire, still_used=there)
    if not change.gone:  # nothing, or so much that the answer is in doubt, used or not
        return change
    there |= _used_by_tasks(tx, one.catalogue.kind, gathered, stubs)
    return small.compare(tx, one.catalogue, one.rows, whole=entire, still_used=there)


def _not_denied(tx: Connection, gathered: Gathered) -> set[int]:
    """Return the projects whose absence no look has confirmed."""
    return set(projects.live_ids(tx)) - gathered.denied_projects


def _used_by_tasks(
    tx: Connection, kind: str, gathered: Gathered, stubs: Mapping[str, Mapping[int, Stub]]
) -> set[int]:
    """Return what is there because tasks have it.

    Without stubs the tasks' answer was equal to the last one: the mirror's tasks are what it shows.
    """
    if kind == "member":
        return set()  # tasks go on naming a person who was deactivated (API sheet, section 8)
    if kind in stubs:
        return set(stubs[kind]) | (gathered.used_tags if kind == "tag" else set())
    if kind == "project":
        return set(mirror.count_live(tx))
    return set(tx.scalars(select(task_tags.c.tag_id).distinct()))


def _held_in_words(catalogue: Catalogue, changes: Changes) -> str:
    return (
        f"{len(changes.held)} {catalogue.kind}s are missing from the account's answer at once;"
        " they stay until an answer says otherwise"
    )


def apply(
    tx: Connection,
    planned: CataloguePlan,
    gathered: Gathered,
    *,
    at: datetime,
    run_id: int,
) -> None:
    """Write the plan, and the quarantine of each catalogue that was answered."""
    for catalogue, changes in planned.changes:
        small.apply(tx, catalogue, changes, at=at)
    for one in gathered.whole:
        quarantine.settle(tx, one.catalogue.kind, one.rejected, at=at, run_id=run_id)
