"""`syncd systemd print` and `syncd systemd install`: the unit that keeps the daemon running."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from syncd.cli.invocation import Invocation
from syncd.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from syncd.services.units import Service


@click.group("systemd")
def systemd() -> None:
    """Have systemd keep the daemon running."""


def _shape(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that tell which unit is meant."""
    for option in (
        click.option(
            "--program", type=click.Path(path_type=Path), help="What it starts, if not this syncd."
        ),
        click.option(
            "--instance", metavar="NAME", help="One of several accounts: /etc/syncd/NAME.toml."
        ),
    ):
        command = option(command)
    return command


@systemd.command("print")
@_shape
@click.pass_obj
def print_(call: Invocation, *, instance: str | None, program: Path | None) -> int:
    """Print the unit, with this machine's paths.

    With --instance it is the template that serves any number of accounts; with --config the unit
    names that configuration, and the key beside it.
    """
    service = _service(call, instance, program)
    text = service.text()
    call.out.document({"unit": service.file, "service": service.name, "text": text})
    call.out.lines(text.splitlines())
    return 0


@systemd.command("install")
@_shape
@click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("/"),
    help="Another system's root, as of an image that is being made.",
)
@click.option("--force", is_flag=True, help="Replace a unit that was changed by hand, too.")
@click.pass_obj
def install(
    call: Invocation, *, instance: str | None, program: Path | None, root: Path, force: bool
) -> int:
    """Write the unit to /etc/systemd/system, and tell what to do next. Starts nothing.

    A unit that was changed by hand is left alone: your own lines belong into a drop-in, which
    `systemctl edit syncd` makes.
    """
    from syncd.services import units

    service = _service(call, instance, program)
    _refuse(service, root)
    path, done = units.install(service, root, force=force)
    steps = list(units.next_steps(service, root))
    call.out.document({"unit": path, "service": service.name, "done": done, "next": steps})
    call.out.lines([f"{path}: {done}", "Next:", *(f"  {step}" for step in steps)])
    return 0


def _service(call: Invocation, instance: str | None, program: Path | None) -> Service:
    from syncd.services import units

    if instance is not None and call.config is not None:
        raise ConfigError(
            "--instance and --config do not go together.",
            hint="The configuration of an instance is /etc/syncd/NAME.toml",
        )
    started = units.as_word(program.absolute()) if program else units.this_program()
    return units.Service(started, (call.config or units.CONFIG).absolute(), instance)


def _refuse(service: Service, root: Path) -> None:
    """Raise ConfigError where the unit could not be written, or not run what it names."""
    from syncd.services.units import hidden

    if root == Path("/") and os.geteuid() != 0:
        own = f" --instance {service.instance}" if service.instance else ""
        raise ConfigError(
            "Only root may write to /etc/systemd/system.",
            hint=f"Run: sudo {service.program} systemd install{own}",
        )
    if hidden(service.program):
        raise ConfigError(
            f"{service.program} is in a folder that the service may not see.",
            hint="Install syncd outside of homes, as in /opt/syncd, or name one with --program",
        )
