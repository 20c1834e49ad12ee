"""Downloading a file: its bytes are told from an error by a header. API sheet, section 8.

A failure comes as JSON with status 200, and so may a file: only Content-Disposition decides.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from syncd.errors import BadReply
from syncd.worksection.client import Client
from syncd.worksection.methods.files import download as request_for
from syncd.worksection.transport import Incoming

MAX_ERROR_BODY = 1_000_000


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A file that arrived whole."""

    path: Path
    size: int
    sha256: str


def download(client: Client, id_file: int, path: Path, *, size: int | None = None) -> Downloaded:
    """Store file `id_file` at `path`, which appears only once all of it is there.

    Raises BadReply if it has not the announced `size`, Refused if the account has no such file.
    """
    request = request_for(id_file)
    part = path.with_name(path.name + ".part")
    taken = _Taken(part)
    try:
        if client.stream(request, taken.receive) is not None:
            raise BadReply("The account answered a download with neither a file nor an error")
        if size is not None and taken.size != size:
            raise BadReply(f"File {id_file} came with {taken.size} bytes instead of {size}")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return Downloaded(path=path, size=taken.size, sha256=taken.sha256)


class _Taken:
    """What arrived in the last try."""

    def __init__(self, part: Path) -> None:
        self._part = part
        self.size = 0
        self.sha256 = ""

    def receive(self, incoming: Incoming) -> bytes | None:
        """Write a file to disk; return the body of anything else."""
        if incoming.status != 200 or "Content-Disposition" not in incoming.headers:
            return _short(incoming)
        with self._part.open("wb") as file:
            self.size, self.sha256 = _copy(incoming, file)
        return None


def _copy(incoming: Incoming, file: BinaryIO) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    for chunk in incoming.chunks():
        file.write(chunk)
        digest.update(chunk)
        size += len(chunk)
    file.flush()
    os.fsync(file.fileno())
    return size, digest.hexdigest()


def _short(incoming: Incoming) -> bytes:
    body = b""
    for chunk in incoming.chunks():
        body += chunk
        if len(body) > MAX_ERROR_BODY:
            raise BadReply("The account answered a download with something that is no file")
    return body
