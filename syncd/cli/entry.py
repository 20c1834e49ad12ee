"""One run of the program: whatever happens in it becomes lines, or a document, and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from syncd.cli.commands import root
from syncd.cli.failures import describe
from syncd.cli.invocation import Invocation
from syncd.cli.output import Output, show_anything

OUTPUT_CLOSED = 141
"""What a shell reports for a program that its reader has left: 128 + SIGPIPE."""


def run(argv: Sequence[str]) -> int:
    """Run the command in `argv` and return the exit code. Never raises."""
    show_anything()
    status = 0
    try:
        status = _run(argv)
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
        return OUTPUT_CLOSED
    except OSError as error:  # the result itself cannot be written: the disk behind it is full
        _discard_output()
        return status or _tell(error)
    return status


def _run(argv: Sequence[str]) -> int:
    """Run the command; an error is told in the form that was asked for, wherever it arose."""
    words = argv[: argv.index("--")] if "--" in argv else argv
    call = Invocation(json="--json" in words, verbose=bool({"-v", "--verbose"} & set(words)))
    try:
        with root.make_context("syncd", list(argv), obj=call) as context:
            return int(root.invoke(context) or 0)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        return _show_help(call, error)
    except BrokenPipeError:
        raise
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the one place for all
        failure = describe(error)
        Output(json=call.json).fail(failure, error if call.verbose else None)
        return failure.exit_code


def _show_help(call: Invocation, error: click.exceptions.NoArgsIsHelpError) -> int:
    """Show what there is, where no command was given."""
    failure = describe(error)
    if call.json or error.ctx is None:
        Output(json=call.json).fail(failure, None)
    else:
        click.echo(error.ctx.get_help(), err=True)
    return failure.exit_code


def _tell(error: OSError) -> int:
    """Tell on stderr that stdout fails."""
    failure = describe(error)
    Output(json=False).fail(failure, None)
    return failure.exit_code


def _discard_output() -> None:
    """Drop what is still buffered: at its own end Python would try, and complain, once more."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
