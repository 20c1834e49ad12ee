"""Taking the lease, at once or when its holder is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING

from syncd.errors import LeaseHeld
from syncd.store.lease import Lease

if TYPE_CHECKING:
    from syncd.bootstrap.app import App

WAIT_STEP_S = 0.5


@contextmanager
def taken(
    app: App,
    hold: Callable[[], AbstractContextManager[Lease]],
    *,
    wait: bool,
    ask: Callable[[], None] = lambda: None,
) -> Iterator[Lease]:
    """Hold the lease one way or another; where told to wait, once its holder is done.

    `ask` asks a holder that would never be done, the daemon, to give way.
    """
    with ExitStack() as stack:
        held: Lease | None = None
        while held is None:
            try:
                held = stack.enter_context(hold())
            except LeaseHeld:
                if not wait:
                    raise
                ask()
                app.sleep(WAIT_STEP_S)
        yield held
