"""The ways in which people are told: a command of theirs, or the services that Apprise knows."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import IO, Any, Final

from syncd.errors import ConfigError
from syncd.secrets import Secret, redact
from syncd.services.memory import account_name
from syncd.services.telling import Message, NotTold, Teller, Way
from syncd.settings import AlertSettings, Settings

PATIENCE_S: Final = 30.0
QUOTED: Final = 200
"""Characters of what a failed command said that are logged."""
OURS: Final = ("SYNCD_", "CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET", "WATCHDOG_")
"""How the variables begin that are for syncd and not for what it starts: some hold the key."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command that reads the message as JSON, and ends with 0 once it is told."""

    argv: tuple[str, ...]
    environ: Mapping[str, str]
    patience_s: float = PATIENCE_S

    @property
    def name(self) -> str:
        """What tells it from the others, in the log."""
        return "alerts.command"

    def tell(self, message: Message) -> None:
        """Run the command. Raises NotTold where it cannot be run, fails or does not end."""
        # In memory: pipes would hang on what the command leaves running, and a full disk is what
        # an alert may be about.
        with _in_memory() as given, _in_memory() as said:
            given.write(json.dumps(message.document).encode())
            given.seek(0)
            status = self._run(given, said)
            if status:
                said.seek(0)
                words = " ".join(said.read(QUOTED).decode("utf-8", "replace").split())
                raise NotTold(f"{self.argv[0]} ended with {status}: {redact(words)}")

    def _run(self, given: IO[bytes], said: IO[bytes]) -> int:
        try:
            process = subprocess.Popen(
                self.argv,
                stdin=given,
                stdout=subprocess.DEVNULL,
                stderr=said,
                env=dict(self.environ),
                start_new_session=True,
            )
        except OSError as error:
            raise NotTold(f"{self.argv[0]} cannot be run: {error.strerror}") from error
        try:
            return process.wait(self.patience_s)
        except subprocess.TimeoutExpired:
            raise NotTold(f"{self.argv[0]} did not end within {self.patience_s:g} s") from None
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@dataclass(frozen=True, slots=True)
class Service:
    """One address of Apprise: mail, a chat, a phone."""

    name: str
    sender: Any

    def tell(self, message: Message) -> None:
        """Send it. Raises NotTold."""
        try:
            sent = self.sender.notify(title=message.title, body=message.body)
        except Exception as error:  # what its hundred plug-ins raise is not known
            raise NotTold(f"{self.name}: {type(error).__name__}") from error
        if not sent:
            raise NotTold(f"{self.name}: Apprise could not deliver it")


def a_teller(
    settings: Settings, environ: Mapping[str, str], *, moved: Callable[[], None] = lambda: None
) -> Teller:
    """Return what tells of the incidents of this account. Raises ConfigError as `ways` does."""
    account = account_name(settings.account.url)
    return Teller(ways(settings.alerts, environ), account=account, moved=moved)


def ways(settings: AlertSettings, environ: Mapping[str, str]) -> tuple[Way, ...]:
    """Return every way that the settings name. Raises ConfigError where one cannot be used."""
    theirs = {name: value for name, value in environ.items() if not name.startswith(OURS)}
    command = (Command(settings.command, theirs),) if settings.command else ()
    return (*command, *(_service(n, one) for n, one in enumerate(settings.apprise, 1)))


def _service(number: int, address: Secret) -> Service:
    try:
        apprise = import_module("apprise")  # an extra: only who wants it installs it
    except ImportError:
        raise ConfigError(
            "alerts.apprise: the package apprise is not installed.",
            hint="pip install 'worksection-syncd[alerts]', or use alerts.command",
        ) from None
    sender = apprise.Apprise()
    if not sender.add(address.reveal()):
        raise ConfigError(f"alerts.apprise: Apprise does not understand address {number}.")
    return Service(f"alerts.apprise {number}", sender)


def _in_memory() -> IO[bytes]:
    return os.fdopen(os.memfd_create("alert"), "w+b")
