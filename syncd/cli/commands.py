"""The commands by name. A command's module is imported when it is run, not to list it."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module

import click

from syncd.cli.invocation import common_options


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a command lives, and what the list of commands says of it."""

    module: str
    help: str


ENTRIES = {
    "demo": Entry("syncd.cli.demo", "See it all work, against a simulated account."),
    "init": Entry("syncd.cli.init", "Set up: the account, its key, the database."),
    "check": Entry(
        "syncd.cli.check",
        "Check configuration, database and account; each finding comes with its fix.",
    ),
    "pull": Entry("syncd.cli.pull", "Make the mirror equal to the account."),
    "push": Entry("syncd.cli.push", "Send the queued changes."),
    "sync": Entry("syncd.cli.push", "Run one cycle: a pull, then a push."),
    "run": Entry("syncd.cli.run", "Keep both sides the same, until it is stopped."),
    "plan": Entry("syncd.cli.push", "Show what the next push would send, and what it costs."),
    "verify": Entry(
        "syncd.cli.verify", "Compare tasks of the mirror with the account, field by field."
    ),
    "status": Entry("syncd.cli.status", "Tell how fresh and how complete the mirror is."),
    "task": Entry("syncd.cli.task", "Look at the tasks in the mirror, and queue edits of them."),
    "queue": Entry("syncd.cli.queue", "Look at what is queued, and decide what waits for you."),
    "why": Entry("syncd.cli.why", "Say in one sentence why a change or a task waits."),
    "audit": Entry("syncd.cli.audit", "Read the audit log, and prove that nobody changed it."),
    "db": Entry("syncd.cli.db", "Look after the database: schema, backup, rights, dictionary."),
    "systemd": Entry("syncd.cli.systemd", "Have systemd keep the daemon running."),
    "sandbox": Entry("syncd.cli.sandbox", "Run a simulated account on this machine, until Ctrl-C."),
}


class Commands(click.Group):
    """The top of the command line."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Name every command."""
        return list(ENTRIES)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        cmd_name: str,
    ) -> click.Command | None:
        """Import a command, and give it the options that every command takes."""
        entry = ENTRIES.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = getattr(import_module(entry.module), cmd_name)
        return with_common_options(command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one may have been meant."""
        name = args[0]
        if name not in ENTRIES and not name.startswith("-"):
            meant = get_close_matches(name, ENTRIES, n=1)
            ctx.fail(f"There is no command {name!r}." + (f" Is it {meant[0]}?" if meant else ""))
        return super().resolve_command(ctx, args)

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        formatter: click.HelpFormatter,
    ) -> None:
        """List the commands without importing one."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in ENTRIES.items()])


def with_common_options(command: click.Command) -> click.Command:
    """Add the options that every command takes, below it too, where it has none of that name."""
    own = {name for param in command.params for name in param.opts}
    command.params += [option for option in common_options() if not own & set(option.opts)]
    if isinstance(command, click.Group):
        for below in command.commands.values():
            with_common_options(below)
    return command


root = with_common_options(
    Commands(
        "syncd",
        help="Keep a SQL database and a Worksection account the same.",
        epilog="Start with: syncd demo. With an account of your own: syncd init, then syncd pull.",
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
)
