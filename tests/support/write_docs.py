"""Writes what is pasted into the documentation: `python -m tests.support.write_docs`.

docs/cli.md is the help of every command, docs/dictionary.md the data dictionary. Tests in tests/cli
fail while one of them is out of date.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from syncd.cli.commands import root
from syncd.cli.dictionary_markdown import markdown
from syncd.services.dictionary import dictionary

ROOT = Path(__file__).parent.parent.parent
CLI = ROOT / "docs" / "cli.md"
DICTIONARY = ROOT / "docs" / "dictionary.md"
WIDTH = 80

OPENING = """\
# The command line

The help of every command, as `--help` prints it. This file is written by
`python -m tests.support.write_docs`; a test fails while it is out of date.

Results go to stdout, messages and progress to stderr. With `--json` stdout holds one JSON
document, also for an error: `{"error": {"class", "message", "hint", "exit_code"}}`. Keys stay as
they are from release to release; decimals are texts, dates are ISO, instants are UTC.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | a failure in the middle: the disk is full, the database is gone |
| 2 | usage or configuration; a database that cannot be opened; an ID that is not in the mirror |
| 3 | done, but partial, or something waits for a person |
| 4 | the account refused us, cannot be reached or makes no sense |
| 5 | another syncd talks to the account |
| 130 | interrupted with Ctrl-C; nothing was half-written |
| 141 | whoever read the output left before its end, as with `head` |
"""


def cli_reference() -> str:
    """Return docs/cli.md as it should be."""
    chosen = {**root.context_settings, "terminal_width": WIDTH}
    context = click.Context(root, info_name="syncd", **chosen)
    parts = [OPENING]
    for path, text in _helps(root, context):
        parts.append(f"## {path}\n\n```text\n{text}\n```\n")
    return "\n".join(parts)


def _helps(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None:
                inner = click.Context(below, info_name=name, parent=context, terminal_width=WIDTH)
                yield from _helps(below, inner)


if __name__ == "__main__":
    CLI.write_text(cli_reference(), encoding="utf-8")
    DICTIONARY.write_text(markdown(dictionary()), encoding="utf-8")
