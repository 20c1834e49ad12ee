"""What the account answered: the envelope taken apart once, the data left for its reader.

API sheet, section 1. `data` may be missing where a list is empty.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from syncd.errors import BadReply
from syncd.secrets import Secret
from syncd.worksection.secret import Hidden, redact

T = TypeVar("T")
KEPT_OF_A_BAD_BODY = 2_000  # characters


class Envelope(msgspec.Struct, rename={"oauth_words": "errorDescription"}):
    """The top of every JSON answer. Only the outer keys are read; big values stay raw."""

    status: Any = None
    status_code: Any = None
    message: Any = None
    message_details: Any = None
    error: Any = None
    error_description: Any = None
    oauth_words: Any = None
    test: Any = None
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    total: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    projects: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    id: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET

    def __repr__(self) -> str:
        return "Envelope(...)"  # an account may say back what it was sent, the hash too

    @property
    def said(self) -> str:
        """The account's words, whichever key holds them."""
        for words in (self.message, self.oauth_words, self.error_description, self.error):
            if words not in (None, ""):
                return str(words)
        return ""

    @property
    def code(self) -> int | None:
        """The status code as a number."""
        try:
            return int(self.status_code)
        except (TypeError, ValueError):
            return None

    @property
    def details(self) -> str:
        """What the message is about; a filter error tells the expected format in `test`."""
        parts = (self.message_details, self.test)
        return "; ".join(str(part) for part in parts if part not in (None, ""))


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP reply read to its end, not yet understood; `taken` if its body went elsewhere."""

    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes = field(repr=False)
    observed_at: datetime
    received_at: datetime
    elapsed_s: float
    skew_s: float | None
    secrets: tuple[Secret | Hidden, ...] = ()
    taken: bool = False

    def excerpt(self) -> str:
        """Return the beginning of the body, fit to be kept and shown."""
        text = self.body[: 4 * KEPT_OF_A_BAD_BODY].decode("utf-8", "replace")
        return redact(text, *self.secrets)[:KEPT_OF_A_BAD_BODY]


@dataclass(frozen=True, slots=True)
class Answer:
    """The account did what was asked. `data` is None where it sent none: an empty list."""

    action: str
    body: bytes = field(repr=False)
    data: msgspec.Raw | None = field(repr=False)
    top: dict[str, msgspec.Raw] = field(repr=False)
    observed_at: datetime
    received_at: datetime
    elapsed_s: float
    skew_s: float | None

    @property
    def raw(self) -> bytes | None:
        """`data` as it came, or None where there is none."""
        return None if self.data is None else bytes(self.data)

    def decode(self, shape: type[T]) -> T | None:
        """Return `data` as `shape`, or None where there is none. Raises BadReply."""
        return None if self.data is None else self._decoded(self.data, shape)

    def decode_top(self, key: str, shape: type[T]) -> T | None:
        """Return what stands beside the status under `key` (`total`, `projects`, `id`)."""
        raw = self.top.get(key)
        return None if raw is None else self._decoded(raw, shape)

    def _decoded(self, raw: msgspec.Raw, shape: type[T]) -> T:
        try:
            return msgspec.json.decode(raw, type=shape)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            reason = str(error)
        excerpt = bytes(raw)[:KEPT_OF_A_BAD_BODY].decode("utf-8", "replace")
        raise BadReply(
            f"The account's answer to {self.action} has another shape than known: {reason}",
            body=redact(excerpt),
        )


def present(raw: msgspec.Raw | msgspec.UnsetType) -> msgspec.Raw | None:
    """Return `raw`, or None where the key is missing or null."""
    if isinstance(raw, msgspec.UnsetType) or bytes(memoryview(raw)[:4]) == b"null":
        return None
    return raw
