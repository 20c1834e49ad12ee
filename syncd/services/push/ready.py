"""What a unit goes out as: its task looked at, its steps merged, its requests drafted.

Nothing is written or sent here.
"""

from __future__ import annotations

from dataclasses import dataclass

from syncd.errors import BadReply
from syncd.model.outbound import Conflict, Merge, Step
from syncd.operations import Sending, Unsendable, draft
from syncd.operations.rehearsal import merged
from syncd.services.push.looking import Sight
from syncd.services.push.outgoing import Outgoing
from syncd.services.push.pushing import Run
from syncd.services.push.sights import Sights
from syncd.services.push.units import Unit
from syncd.store import enclosures, outbox
from syncd.worksection.request import Attachment, Request


@dataclass(frozen=True, slots=True)
class Ready:
    """A unit as it is to go out: what was seen, what the merge made of it, which requests."""

    unit: Unit
    sight: Sight | None
    merges: tuple[tuple[Step, Merge], ...]
    requests: tuple[tuple[Step, Request], ...] = ()
    refused: Unsendable | None = None

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """What waits for a person, of all its steps."""
        return tuple(each for _, merge in self.merges for each in merge.conflicts)

    @property
    def clean(self) -> bool:
        """Whether all of it goes out: then a search was enough of a look."""
        untouched = all(
            merge.to_send.keys() == step.fields.keys() and not merge.decided
            for step, merge in self.merges
        )
        return untouched and self.refused is None


def prepare(run: Run, out: Outgoing, unit: Unit, sights: Sights) -> Ready:
    """Look at a unit's task and merge. Raises AccountError where it could not be looked at."""
    if unit.creates:
        return _ready(run, out, unit, None)
    task_id = _task_id(run, unit)
    ready = _ready(run, out, unit, sights.of(unit, task_id), task_id)
    if ready.sight is not None and ready.sight.how == "search" and not ready.clean:
        ready = _ready(run, out, unit, sights.closely(task_id), task_id)
    return ready


def _task_id(run: Run, unit: Unit) -> int:
    """Return the task of a unit; one that this run has created is known to the database by now."""
    if unit.task_id is not None:
        return unit.task_id
    with run.work.db.read() as tx:
        now = outbox.load(tx, unit.changes)
    found = next((change.task_id for change in now.values() if change.task_id), None)
    if found is None:
        raise BadReply(f"{unit.lane} has no id yet.")
    return found


def _ready(
    run: Run, out: Outgoing, unit: Unit, sight: Sight | None, task_id: int | None = None
) -> Ready:
    theirs = sight.fields if sight is not None else None
    policy = run.work.policy
    merges = tuple(
        (step, merged(step, theirs, out.names, policy=policy, flips=out.flips(step)))
        for step in unit.steps
    )
    parent_id = _parent_id(run, out, unit) if unit.creates else None
    files = _files(run, unit) if unit.creates else ()
    requests: list[tuple[Step, Request]] = []
    for step, merge in merges:
        sending = Sending(
            step, out.names, merge.to_send, theirs or {}, task_id, parent_id, attach=files
        )
        made = draft(sending)
        if isinstance(made, Unsendable):
            return Ready(unit, sight, merges, refused=made)
        if made is not None:
            requests.append((step, made))
    return Ready(unit, sight, merges, tuple(requests))


def _parent_id(run: Run, out: Outgoing, unit: Unit) -> int | None:
    """Return the id that a creation's parent has by now, where it is named by its ref."""
    ref = unit.steps[0].fields.get("parent_ref")
    if not isinstance(ref, str):
        return None
    with run.work.db.read() as tx:
        return outbox.task_of(tx, ref, out.by_id[unit.changes[0]].depends_on)


def _files(run: Run, unit: Unit) -> tuple[Attachment, ...]:
    with run.work.db.read() as tx:
        found = enclosures.enclosed(tx, unit.changes)
    return tuple(
        Attachment(file.name, file.content, file.content_type)
        for id in unit.changes
        for file in found.get(id, ())
    )
