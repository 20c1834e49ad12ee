"""The database for commands that queue: it must hold a mirror, and may need an upgrade."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from syncd.cli.invocation import Invocation

if TYPE_CHECKING:
    from syncd.bootstrap import App


@contextmanager
def writable(call: Invocation) -> Iterator[App]:
    """Open a mirror to queue edits of it. An empty database gets no schema here: it has no tasks.

    Raises NoMirror, DatabaseUnusable and SchemaMismatch.
    """
    from syncd.errors import SchemaMismatch

    with call.app() as app:
        if call.verbose:
            call.start_log(app.settings)
        with suppress(SchemaMismatch):  # an older one is upgraded, or refused, on the next line
            app.ready(write=False)
        app.ready(write=True)
        yield app
