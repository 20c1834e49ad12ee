"""One invocation: the options every command takes, and what they lead to."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from syncd import __version__
from syncd.cli.output import Output

if TYPE_CHECKING:
    from syncd.bootstrap import App
    from syncd.settings import Settings


@dataclass(slots=True)
class Invocation:
    """How this run was asked for. The options fill it in, before or after the command's name."""

    config: Path | None = None
    json: bool = False
    verbose: bool = False

    @property
    def out(self) -> Output:
        """Where the command's words go."""
        return Output(json=self.json)

    def settings(self) -> Settings:
        """Read the configuration. Raises ConfigError."""
        from syncd.config import find, load

        return load(find(self.config, os.environ), os.environ)

    @contextmanager
    def app(self) -> Iterator[App]:
        """Build the application for as long as the command works with it."""
        from syncd.bootstrap import build

        app = build(self.settings())
        try:
            yield app
        finally:
            app.db.close()

    def start_log(self, settings: Settings) -> None:
        """Send what the services log to stderr with -v, and nowhere without.

        A command's own words are its report; the lines are for whoever looks closer.
        """
        from syncd import log

        chosen = settings.log
        log.set_up(form=chosen.format, level=chosen.level if self.verbose else "critical")


def common_options() -> list[click.Option]:
    """Return the options that every command takes, made anew for each."""
    return [
        click.Option(
            ["--config"],
            type=click.Path(path_type=Path),
            metavar="PATH",
            expose_value=False,
            callback=_remember("config"),
            help="The configuration file, instead of the first one found.",
        ),
        click.Option(
            ["--json"],
            is_flag=True,
            expose_value=False,
            callback=_remember("json"),
            help="Print one JSON document, also for an error.",
        ),
        click.Option(
            ["-v", "--verbose"],
            is_flag=True,
            expose_value=False,
            callback=_remember("verbose"),
            help="Log to stderr, and show where an error arose.",
        ),
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_show_version,
            help="Show the version and exit.",
        ),
    ]


def _remember(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def remember(context: click.Context, _: click.Parameter, value: Any) -> None:
        if value:
            setattr(context.ensure_object(Invocation), name, value)

    return remember


def _show_version(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        out = context.ensure_object(Invocation).out
        out.document({"version": __version__})
        out.lines([f"syncd {__version__}"])
        context.exit()
