"""What an answer shows that should not be believed before a second look."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from syncd.model.listing import Slice
from syncd.model.plan import Image


def vanished(
    keys: Collection[str], fields: Mapping[str, str], filled: Mapping[str, int]
) -> frozenset[str]:
    """Name the fields that no record of a whole listing shows, though the mirror has them.

    `keys` are the wire keys seen, `fields` says which field each fills, `filled` counts the
    mirror's live tasks that have each field. One task losing its only due date looks like an API
    that stopped sending due dates; a look at the task itself tells them apart.
    """
    return frozenset(
        field for key, field in fields.items() if key not in keys and filled.get(field, 0) > 0
    )


def doubtful_tags(part: Slice, images: Mapping[int, Image], ids: Iterable[int]) -> list[int]:
    """Return the tasks that had tags and now come without the key, which proves nothing.

    Source: API sheet, section 5.3, tags.
    """
    return sorted(
        id for id in ids if id in part.tagless and id in images and images[id].record.tags
    )
