"""A webhook's payload, which is only a hint at what to read; and the hooks that are switched off.

Hooks lose things: nothing is sent twice, tags are never told of, and after ten failures a hook is
paused (API sheet, section 7.2). The feed and the pulls go on whatever a hook says.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from syncd.errors import Refused, Unauthorized
from syncd.resources.activity import named_task
from syncd.worksection.client import Client
from syncd.worksection.methods.webhooks import get_webhooks
from syncd.worksection.scalars import as_text

MOST_WRAPPED: Final = 2
"""How often a body may be a JSON text that holds JSON."""


def hinted(body: bytes) -> frozenset[int]:
    """Return the tasks that a payload names; of a probe, or of what makes no sense, none."""
    return frozenset(id for node in _nodes(body) if (id := named_task(node)) is not None)


def paused(client: Client) -> tuple[str, ...] | None:
    """Return the addresses of the account's hooks that are not active; None where it won't tell.

    Raises AccountError where it could not be asked.
    """
    try:
        answer = client.call(get_webhooks())
    except (Refused, Unauthorized):  # only an administrator may see hooks
        return None
    nodes = answer.decode(list[dict[str, Any]]) or []
    return tuple(
        as_text(node.get("url")) or f"hook {node.get('id')}"
        for node in nodes
        if node.get("status") != "active"
    )


def _nodes(body: bytes) -> Iterator[object]:
    found: object = body
    for _ in range(1 + MOST_WRAPPED):
        if isinstance(found, bytes | str):
            found = _decoded(found)
    yield from found if isinstance(found, list) else [found]


def _decoded(text: bytes | str) -> object:
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
