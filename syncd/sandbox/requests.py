"""A request as it came over the wire, and an answer as it will go; no sockets here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import msgspec

from syncd.sandbox.parameters import Parameters
from syncd.sandbox.uploads import Upload, multipart

if TYPE_CHECKING:
    from syncd.sandbox.listings import Body

FORM = "application/x-www-form-urlencoded"
JSON_TYPE = "application/json; charset=utf-8"
HTML_TYPE = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Asked:
    """One HTTP request; header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        """The target without its query and without a slash at the end."""
        return self.target.partition("?")[0].rstrip("/") or "/"

    @property
    def query(self) -> str:
        """What stands behind the question mark, as sent."""
        return self.target.partition("?")[2]

    @property
    def content_type(self) -> str:
        """The type of the body."""
        return self.headers.get("content-type", "")

    @property
    def form(self) -> str:
        """The body of a form as sent; empty for other bodies."""
        return self.body.decode("latin-1") if FORM in self.content_type else ""

    def read(self) -> tuple[Parameters, tuple[Upload, ...]]:
        """All parameters in the order sent, and the files."""
        pairs: list[tuple[str, Any]] = [*split(self.query), *split(self.form)]
        files: list[Upload] = []
        if "multipart/form-data" in self.content_type:
            fields, files = multipart(self.body, self.content_type)
            pairs += fields
        elif "json" in self.content_type and self.body:
            pairs += self.json().items()
        return Parameters(pairs), tuple(files)

    def json(self) -> dict[str, Any]:
        """The body's JSON object; empty when it is none."""
        try:
            value = msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            return {}
        return value if isinstance(value, dict) else {}


def split(encoded: str) -> list[tuple[str, str]]:
    """The pairs of an url-encoded string, empty values kept."""
    return parse_qsl(encoded, keep_blank_values=True)


@dataclass(slots=True)
class Answer:
    """One HTTP answer, and what a fault makes of its delivery.

    `zipped_by` gives the gzip form where it is kept; `keep` cuts the bytes that leave, and
    `honest_length` says whether Content-Length tells of the cut.
    """

    body: bytes = b""
    status: int = 200
    content_type: str = JSON_TYPE
    headers: dict[str, str] = field(default_factory=dict)
    zipped_by: Body | None = None
    drop: bool = False
    reset: bool = False
    keep: float | None = None
    honest_length: bool = False


def json_answer(value: Any, status: int = 200) -> Answer:
    """An answer whose body is this value."""
    return Answer(msgspec.json.encode(value), status)


def html_answer(text: str, status: int = 200) -> Answer:
    """A page for people."""
    page = f"<!DOCTYPE html><html><head><title>{text}</title></head><body>{text}</body></html>"
    return Answer(page.encode(), status, HTML_TYPE)
