"""What an answer shows that should not be believed before a second look."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from syncd.model.listing import Slice


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


def doubtful_tags(part: Slice, tags: Mapping[int, Collection[int]]) -> list[int]:
    """Return the tasks that had `tags`, by task, and now come without the key: it proves nothing.

    Source: API sheet, section 5.3, tags.
    """
    return sorted(id for id in part.tagless if tags.get(id))
