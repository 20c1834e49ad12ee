"""The file of OAuth2 tokens: read, checked, locked between processes, replaced in one step.

The account gives a new pair for the old one and forgets the old. So a new pair is stored before
it is used, and room for it is made before it is asked for. API sheet, section 2.4.
"""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from syncd.errors import ConfigError, StorageFailed, Unreachable
from syncd.secrets import Secret

ROOM: Final = 16_384  # bytes; a pair takes 2 or 3 kB
LOCK_TRIES: Final = 120
LOCK_PAUSE_S: Final = 0.5
_OURS: Final = ("access_token", "refresh_token", "account_url")


@dataclass(frozen=True, slots=True)
class Tokens:
    """A pair of tokens, where they are good for, and what else came with them."""

    access: Secret
    refresh: Secret
    account_url: str
    rest: Mapping[str, Any] = field(default_factory=dict, repr=False)


def tokens_from(document: Mapping[str, Any]) -> Tokens | None:
    """Build tokens from JSON, or return None when one is missing."""
    access, refresh = document.get("access_token"), document.get("refresh_token")
    if not (isinstance(access, str) and isinstance(refresh, str) and access and refresh):
        return None
    return Tokens(
        access=Secret(access),
        refresh=Secret(refresh),
        account_url=str(document.get("account_url") or ""),
        rest={key: value for key, value in document.items() if key not in _OURS},
    )


class TokenFile:
    """One JSON file that only its owner can read."""

    def __init__(self, path: Path, *, sleep: Callable[[float], None]) -> None:
        self.path = path
        self._sleep = sleep

    def load(self) -> Tokens:
        """Return what is stored. Raises ConfigError: missing, readable by others, no tokens."""
        tokens = self._read()
        if isinstance(tokens, Tokens):
            return tokens
        raise ConfigError(
            f"The token file {self.path} cannot be used: {tokens}",
            hint="Write a new one with `syncd init`.",
        )

    def save(self, tokens: Tokens) -> None:
        """Replace the file. Raises StorageFailed, and then the old file is untouched."""
        with self.room() as store:
            store(tokens)

    @contextmanager
    def room(self) -> Iterator[Callable[[Tokens], None]]:
        """Make room on disk first, so that storing what is then asked for can hardly fail."""
        try:
            descriptor, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        except OSError as error:
            raise self._unwritable(error) from None
        part = Path(name)
        try:
            with os.fdopen(descriptor, "r+b") as file:
                self._write(file.fileno(), b" " * ROOM)
                yield lambda tokens: self._replace(file.fileno(), part, tokens)
        finally:
            part.unlink(missing_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock that every process of ours takes before it renews the tokens.

        Raises Unreachable when another holds it for a minute.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        try:
            descriptor = os.open(self.path.with_name(self.path.name + ".lock"), flags, 0o600)
        except OSError as error:
            raise self._unwritable(error) from None
        try:
            self._lock(descriptor)
            yield
        finally:
            os.close(descriptor)

    def _lock(self, descriptor: int) -> None:
        for _ in range(LOCK_TRIES):
            with suppress(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            self._sleep(LOCK_PAUSE_S)
        raise Unreachable("Another process has been renewing the OAuth2 token for a minute")

    def _read(self) -> Tokens | str:
        """Return the tokens, or why there are none."""
        try:
            with self.path.open("rb") as file:
                if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                    return "others can read it; run chmod 600 on it"
                tokens = tokens_from(msgspec.json.decode(file.read(), type=dict[str, Any]))
        except OSError as error:
            return error.strerror or "it cannot be read"
        except ValueError:
            tokens = None
        return tokens or "it holds no pair of tokens"

    def _replace(self, descriptor: int, part: Path, tokens: Tokens) -> None:
        try:
            os.lseek(descriptor, 0, os.SEEK_SET)
            self._write(descriptor, _document(tokens))
            part.replace(self.path)
            _sync_directory(self.path.parent)
        except OSError as error:
            raise self._unwritable(error) from None

    def _write(self, descriptor: int, content: bytes) -> None:
        """Write over what is there and only then cut, so that the room stays ours until then."""
        try:
            written = 0
            while written < len(content):
                written += os.write(descriptor, content[written:])
            os.ftruncate(descriptor, len(content))
            os.fsync(descriptor)
        except OSError as error:
            raise self._unwritable(error) from None

    def _unwritable(self, error: OSError) -> StorageFailed:
        return StorageFailed(
            f"The token file {self.path} cannot be written: {error.strerror}",
            hint="Its directory must be writable: tokens are replaced by a rename.",
        )


def _document(tokens: Tokens) -> bytes:
    document = {
        **tokens.rest,
        "access_token": tokens.access.reveal(),
        "refresh_token": tokens.refresh.reveal(),
        "account_url": tokens.account_url,
    }
    return msgspec.json.format(msgspec.json.encode(document)) + b"\n"


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
