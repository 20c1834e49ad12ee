"""`syncd status --watch`: the state drawn anew on a terminal, a line at each change elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

from syncd.cli.output import Output
from syncd.cli.status import headline, noted, status_lines
from syncd.cli.words import counted, moment
from syncd.errors import SyncdError
from syncd.model.reports import StatusReport
from syncd.secrets import mask, redact

EVERY_S = 2.0


Seen = StatusReport | SyncdError
"""What one look gave: a state, or why there was none; either has an exit code."""


def watch(
    out: Output,
    read: Callable[[], StatusReport],
    *,
    sleep: Callable[[float], None] = time.sleep,  # a person looks; nothing tells of a change
) -> int:
    """Show the state until Ctrl-C, and return the last exit code.

    Raises what the first look raises. Later ones show it, and look again: a server may come back.
    """
    seen: Seen = read()
    with ExitStack() as stack:
        show = _drawn(out, stack) if out.terminal else _told(out)
        try:
            while True:
                show(seen)
                sleep(EVERY_S)
                seen = _look(read)
        except KeyboardInterrupt:
            return seen.exit_code


def _look(read: Callable[[], StatusReport]) -> Seen:
    try:
        return read()
    except SyncdError as error:
        return error


def _drawn(out: Output, stack: ExitStack) -> Callable[[Seen], None]:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    live = stack.enter_context(Live(console=Console(file=sys.stdout), auto_refresh=False))

    def show(seen: Seen) -> None:
        lines = "\n".join(_lines(seen, out))
        live.update(Text.from_ansi(lines), refresh=True)

    return show


def _lines(seen: Seen, out: Output) -> Iterator[str]:
    if isinstance(seen, SyncdError):
        yield f"{moment(datetime.now(UTC))}: {redact(str(seen))}"
    else:
        yield from (mask(line) for line in status_lines(seen, out))


def _told(out: Output) -> Callable[[Seen], None]:
    last: list[str] = []

    def show(seen: Seen) -> None:
        line = _summary(seen, out)
        if last != [line]:
            last[:] = [line]
            out.lines([f"{moment(datetime.now(UTC))}  {line}"])
            sys.stdout.flush()

    return show


def _summary(seen: Seen, out: Output) -> str:
    """Return the state in a line that stays the same while the state does."""
    if isinstance(seen, SyncdError):
        return redact(str(seen).replace("\n", " "))
    parts = [
        headline(seen, out).partition(" (")[0],
        counted(seen.counts["changes_queued"], "change") + " queued",
        *(one.what for one in seen.waiting),
        *(one.summary for one in noted(seen)),
    ]
    return "; ".join(parts)
