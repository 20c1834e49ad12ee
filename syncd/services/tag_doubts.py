"""Tags that an answer does not show: which tasks have lost theirs, and which tags are still used.

A list may leave tags out (API sheet, section 5.3), so its silence proves nothing by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import Connection, select

from syncd.model.listing import Slice
from syncd.resources.tags import tags
from syncd.resources.tasks.table import task_tags
from syncd.resources.tasks.wire import TagIds, read_tags
from syncd.services.catalogues import ask_for_tags
from syncd.services.look import tasks_themselves
from syncd.services.planning import Answers
from syncd.store.engine import Database
from syncd.store.mirror import rows_by
from syncd.sync.removal import brake_limit
from syncd.worksection.client import Client

LOOKS = 20
"""Looks, in one pull, at tasks that come without the tags they had."""
PROOF = 3
"""So many tasks must have lost a tag, when asked themselves, before the others need no look."""

TagSets = Mapping[int, frozenset[int]]
Tags = dict[int, tuple[int, ...] | None]


def settle_tags(
    db: Database,
    client: Client,
    doubtful: Sequence[int],
    *,
    tag_ids: TagIds,
    shown: Collection[int],
    listed: Collection[int] | None,
) -> tuple[Tags, frozenset[int]]:
    """Return the tags of tasks that come without those they had, and the tasks left for later.

    Costs a look at each, up to LOOKS of them. The rest are settled where they had nothing but
    deleted tags, which can cost one request more if the account's tags are not `listed` yet;
    `shown` are the tags that the listing shows.
    """
    nodes = tasks_themselves(client, doubtful[:LOOKS])
    looked = {id: read_tags(node, tag_ids) if "tags" in node else () for id, node in nodes.items()}
    left = frozenset(doubtful[LOOKS:])
    if not left:
        return looked, left
    with db.read() as tx:
        had = _known_tags(tx, doubtful)
    lost = lost_by_all(had, looked, shown)
    if lost and listed is None:
        listed = ask_for_tags(client)
    with db.read() as tx:
        gone = lost & _deleted(tx, listed or ())
    bare = frozenset(id for id in left if had[id] <= gone)
    return looked | dict.fromkeys(bare, ()), left - bare


def _known_tags(tx: Connection, ids: Collection[int]) -> TagSets:
    """Return the tags that these tasks have in the mirror."""
    found: dict[int, frozenset[int]] = dict.fromkeys(ids, frozenset())
    for row in rows_by(tx, tuple(task_tags.c), task_tags.c.task_id, ids):
        found[row.task_id] |= {row.tag_id}
    return found


def lost_by_all(had: TagSets, looked: Tags, shown: Collection[int]) -> frozenset[int]:
    """Return the tags that PROOF tasks have lost, and that no look and no list shows."""
    lost: Counter[int] = Counter()
    seen = set(shown)
    for id, now in looked.items():
        if now is None:
            seen |= had[id]
        else:
            seen.update(now)
            lost.update(had[id].difference(now))
    return frozenset(tag for tag, count in lost.items() if count >= PROOF and tag not in seen)


def _deleted(tx: Connection, listed: Collection[int]) -> frozenset[int]:
    """Return the tags that are gone from a list of tags that can be believed.

    As everywhere, an empty list and a mass disappearance are no evidence.
    """
    gone = unlisted(tx, listed)
    believed = listed and len(gone) <= brake_limit(len(_live_tags(tx)), None)
    return gone if believed else frozenset()


def unlisted(tx: Connection, listed: Collection[int]) -> frozenset[int]:
    """Return the tags that the account's own list of tags had, and lacks now."""
    return _live_tags(tx) - frozenset(listed)


def _live_tags(tx: Connection) -> frozenset[int]:
    query = select(tags.c.id).where(tags.c.removed_at.is_(None), tags.c.in_catalogue)
    return frozenset(tx.scalars(query))


def still_used(
    tx: Connection,
    suspicious: frozenset[int],
    parts: Iterable[Slice],
    answers: Answers,
    going: Collection[int],
) -> frozenset[int]:
    """Return those of the `suspicious` tags that tasks will have after this pull.

    Where neither the list nor a look decides a task's tags, the mirror's word stands; `going` are
    the tasks that are about to be removed.
    """
    used: set[int] = set()
    decided = set(going)
    for part in parts:
        for id, record in part.tasks.items():
            now = answers.tags.get(id, record.tags)
            if now is not None:
                decided.add(id)
                used.update(suspicious.intersection(now))
    links = rows_by(tx, tuple(task_tags.c), task_tags.c.tag_id, suspicious)
    return frozenset(used.union(row.tag_id for row in links if row.task_id not in decided))
