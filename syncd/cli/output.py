"""Where a command's words go: the result to stdout as text or JSON, messages to stderr."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

import click

from syncd.cli.failures import Failure, trace
from syncd.secrets import mask, redact

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def show_anything() -> None:
    """Let no character end the program, whatever the terminal's encoding can show."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def one_line(text: str) -> str:
    """Return a text of the account's as one line that steers no terminal."""
    return _CONTROL.sub(" ", text).strip()


class Output:
    """What one command says, to a person or, with `json`, to a program."""

    def __init__(self, *, json: bool) -> None:
        self.json = json

    @property
    def terminal(self) -> bool:
        """Whether a person reads the result on a terminal."""
        return not self.json and _is_terminal(sys.stdout)

    def lines(self, lines: Iterable[str]) -> None:
        """Show a result to a person; a program gets `document` instead."""
        if not self.json:
            for line in lines:
                print(mask(line))

    def document(self, document: object) -> None:
        """Show a result to a program: one JSON document."""
        if self.json:
            ascii_only = (sys.stdout.encoding or "").lower() not in {"utf-8", "utf8"}
            text = json.dumps(_plain(document), ensure_ascii=ascii_only, indent=2)
            print(text)

    def note(self, text: str) -> None:
        """Tell a person something beside the result."""
        if not self.json:
            print(redact(text), file=sys.stderr, flush=True)

    def paint(self, text: str, **style: Any) -> str:
        """Return `text` in colour where the result goes to a terminal that shows it."""
        return click.style(text, **style) if not self.json and _is_coloured(sys.stdout) else text

    def fail(self, failure: Failure, error: BaseException | None) -> None:
        """Tell of a failure; of where it arose only if `error` is given."""
        if error is not None and sys.stderr is not None:
            print(trace(error), file=sys.stderr)
        self.document(failure.document)
        if not self.json and sys.stderr is not None:
            who = "syncd:"
            if _is_coloured(sys.stderr):
                who = click.style(who, fg="red", bold=True)
            lines = [f"{who} {failure.message}", *filter(None, [failure.hint])]
            print("\n".join(lines), file=sys.stderr)


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


def _is_coloured(stream: TextIO | None) -> bool:
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return _is_terminal(stream) and not plain


def _plain(value: Any) -> Any:
    """Return a value as JSON can hold it: decimals as text, dates as ISO, no secret."""
    match value:
        case str():
            return mask(value)
        case Mapping():
            return {str(key): _plain(part) for key, part in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(part) for part in value]
        case datetime() | date() | time():
            return value.isoformat()
        case Decimal() | Path():
            return str(value)
    names = getattr(value, "__struct_fields__", None)  # a record; msgspec may not be loaded
    return value if names is None else {name: _plain(getattr(value, name)) for name in names}
