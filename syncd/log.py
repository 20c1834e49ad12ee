"""structlog, set up once: JSON lines for machines, one readable line for a terminal.

Everything that is logged, by us or by a library, passes the removal of secrets.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, WrappedLogger

from syncd.secrets import redact


def get_logger() -> Any:
    """Return the program's logger; events are named `noun.past_verb`."""
    return structlog.get_logger("syncd")


def set_up(
    *,
    form: Literal["json", "console"] | None,
    level: str,
    stream: TextIO | None = None,
) -> None:
    """Send log lines to stderr; console form on a terminal unless told otherwise."""
    out = stream or sys.stderr
    chosen = form or ("console" if out.isatty() else "json")
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _redact_event,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if chosen == "json"
        else structlog.dev.ConsoleRenderer(colors=out.isatty())
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _redact_event,
            renderer,
        ],
        foreign_pre_chain=shared,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)  # else two lines for each job
    logging.getLogger("urllib3").setLevel(logging.WARNING)  # it logs addresses, which hold the hash
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def _redact_event(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return {key: _redacted(value) for key, value in event.items()}


def _redacted(value: object) -> object:
    match value:
        case str():
            return redact(value)
        case dict():
            return {key: _redacted(part) for key, part in value.items()}
        case list() | tuple():
            return [_redacted(part) for part in value]
    return value
