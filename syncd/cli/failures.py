"""From an exception to what a person is told: what happened, what to do, and the exit code."""

from __future__ import annotations

import errno
import traceback
from dataclasses import dataclass

import click

from syncd.errors import SyncdError
from syncd.secrets import redact

USAGE = 2
MIDDLE = 1
INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure in one or two lines."""

    kind: str
    message: str
    hint: str
    exit_code: int

    @property
    def document(self) -> dict[str, object]:
        """The failure as `--json` shows it."""
        return {
            "error": {
                "class": self.kind,
                "message": self.message,
                "hint": self.hint,
                "exit_code": self.exit_code,
            }
        }


def describe(error: BaseException) -> Failure:
    """Say what an exception means to a person."""
    kind = type(error).__name__
    match error:
        case SyncdError():
            return Failure(kind, _line(error.message), _line(error.hint), error.exit_code)
        case click.exceptions.NoArgsIsHelpError():
            return Failure("UsageError", "No command was given.", _usage(error), USAGE)
        case click.UsageError():
            return Failure("UsageError", _line(error.format_message()), _usage(error), USAGE)
        case KeyboardInterrupt() | click.Abort():
            return Failure(
                "Interrupted",
                "Interrupted; nothing was half-written. Run it again to go on.",
                "",
                INTERRUPTED,
            )
        case click.ClickException():
            return Failure(kind, _line(error.format_message()), "", USAGE)
        case OSError():
            return Failure(kind, _line(_in_words(error)), _remedy(error), MIDDLE)
        case _:
            return Failure(
                kind,
                _line(f"syncd met what it does not know: {kind}: {error}"),
                "This is a fault of syncd. -v shows where it happened; please report it.",
                MIDDLE,
            )


def trace(error: BaseException) -> str:
    """Return the traceback of an error, without secrets."""
    return redact("".join(traceback.format_exception(error)))


def _line(text: str) -> str:
    """Return one line without secrets."""
    return redact(" ".join(text.split()))


def _usage(error: click.UsageError) -> str:
    path = error.ctx.command_path if error.ctx is not None else "syncd"
    return f"See: {path} --help"


def _in_words(error: OSError) -> str:
    place = f"{error.filename}: " if error.filename else ""
    return f"{place}{error.strerror or error}."


def _remedy(error: OSError) -> str:
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return "Make room and run it again; nothing was half-written."
    return ""
