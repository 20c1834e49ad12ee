"""What `syncd init` asks: on a terminal, what no flag told; elsewhere it names what is missing."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from syncd.config import check_zone, read_secret_file
from syncd.errors import ConfigError
from syncd.secrets import Secret

if TYPE_CHECKING:
    from syncd.services.setup import Answers, Application, Places

T = TypeVar("T")


def is_terminal() -> bool:
    """Tell whether there is somebody to ask."""
    return sys.stdin is not None and sys.stdin.isatty()


@dataclass(frozen=True, slots=True)
class Flags:
    """What was given on the command line."""

    url: str | None
    auth: str
    key_file: Path | None
    key_stdin: bool
    timezone: str | None
    database: str | None
    schema: str | None
    text: bool | None
    archived: bool | None
    oauth_client_id: str | None
    oauth_client_secret_file: Path | None
    oauth_redirect_uri: str | None
    oauth_code: str | None
    oauth_url: str
    force: bool
    no_test: bool


class Questions:
    """Asks on stderr, and again for an answer that cannot be used; remembers what is missing."""

    def __init__(self, *, interactive: bool, say: Callable[[str], None]) -> None:
        self.interactive = interactive
        self.say = say
        self.missing: list[str] = []

    def text(
        self,
        flag: str,
        given: str | None,
        question: str,
        read: Callable[[str], T],
        default: str | None = None,
    ) -> T | None:
        """Return what was given or answered, as `read` understands it."""
        if given is not None:
            return read(given)
        if self.interactive:
            return self._ask(lambda: str(click.prompt(question, default, err=True)), read)
        if default is not None:
            return read(default)
        self.missing.append(flag)
        return None

    def secret(self, flag: str, given: Path | None, question: str) -> Secret | None:
        """Return a secret from a file that is closed to others, or typed unseen."""
        if given is not None:
            return read_key(read_secret_file(flag, given.expanduser().absolute()).reveal())
        if self.interactive:
            prompt = f"{question} (it is not shown)"
            return self._ask(lambda: str(click.prompt(prompt, hide_input=True, err=True)), read_key)
        self.missing.append(flag)
        return None

    def yes(self, given: bool | None, question: str) -> bool:
        """Return a choice; no, unless told otherwise."""
        if given is not None or not self.interactive:
            return bool(given)
        return click.confirm(question, default=False, err=True)

    def _ask(self, ask: Callable[[], str], read: Callable[[str], T]) -> T:
        while True:
            try:
                return read(ask())
            except ConfigError as error:
                self.say(str(error))

    def check_complete(self) -> None:
        """Raise ConfigError, naming the flags that are missing."""
        if self.missing:
            raise ConfigError(
                f"init needs {', '.join(self.missing)} where there is no terminal to ask on.",
                hint="See: syncd init --help",
            )


def read_key(text: str) -> Secret:
    """Return a key or secret as pasted. Raises ConfigError, without saying it back."""
    key = text.strip()
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigError("That is no key: a key is one word of letters and digits.")
    return Secret(key)


def read_zone(text: str) -> str | None:
    """Return a time zone's name, None for "none". Raises ConfigError."""
    name = text.strip()
    if name.lower() in {"", "none"}:
        return None
    check_zone(name)
    return name


def put_together(ask: Questions, flags: Flags, where: Places) -> Answers:
    """Put the answers together. Raises ConfigError where some are missing or wrong."""
    from syncd.services.address import account_url, database_url
    from syncd.services.setup import Answers, machine_zone

    url = ask.text("--url", flags.url, "The account, by name or any of its pages", account_url)
    if url and url != flags.url:
        ask.say(f"The account is {url}")
    auth: Any = flags.auth
    application = _ask_application(ask, flags) if auth == "oauth2" else None
    key = _ask_key(ask, flags) if auth != "oauth2" else None
    zone = ask.text(
        "--timezone",
        flags.timezone,
        "Its time zone, such as Europe/Kyiv",
        read_zone,
        (machine_zone(os.environ) if ask.interactive else None) or "none",
    )
    database = ask.text(
        "--database",
        flags.database,
        "The database: a file, or postgresql://USER@HOST/DATABASE",
        lambda text: database_url(text, folder=Path.cwd()),
        where.database,
    )
    text = ask.yes(flags.text, "Mirror the descriptions of tasks?")
    archived = ask.yes(flags.archived, "Mirror archived projects?")
    ask.check_complete()
    return Answers(
        url=url or "",
        auth=auth,
        database=database or "",
        key=key,
        application=application,
        timezone=zone,
        schema=flags.schema,
        text=text,
        archived=archived,
    )


def _ask_key(ask: Questions, flags: Flags) -> Secret | None:
    if flags.key_file is None and flags.key_stdin and not ask.interactive:
        return read_key(sys.stdin.read() if sys.stdin is not None else "")
    if flags.key_file is None and ask.interactive:
        ask.say("The owner finds the key in the account: Account, API, Show API key.")
    return ask.secret(
        "--key-file" if flags.key_file else "--key-file or --key-stdin", flags.key_file, "The key"
    )


def _ask_application(ask: Questions, flags: Flags) -> Application | None:
    from syncd.services.setup import Application

    id = ask.text("--oauth-client-id", flags.oauth_client_id, "The application's client id", str)
    secret = ask.secret(
        "--oauth-client-secret-file", flags.oauth_client_secret_file, "Its client secret"
    )
    uri = ask.text(
        "--oauth-redirect-uri", flags.oauth_redirect_uri, "Its redirect address, as registered", str
    )
    if id is None or secret is None or uri is None:
        return None
    return Application(id.strip(), secret, uri.strip(), flags.oauth_url)
