"""Files on their way in: multipart parts, and those uploaded but attached to nothing yet (6.7)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from syncd.sandbox.parameters import Parameters

DISPOSITION = re.compile(rb'([\w*]+)="((?:[^"\\]|\\.)*)"|([\w*]+)=([^;\s]+)')


@dataclass(frozen=True, slots=True)
class Upload:
    """A file part of a request: the form field it came in, its name, its bytes."""

    field: str
    name: str
    data: bytes


class Uploads:
    """Uploaded files that wait for a task or comment, by the id they were given."""

    def __init__(self) -> None:
        self._waiting: dict[str, Upload] = {}

    def keep(self, upload: Upload) -> dict[str, str]:
        """Store a file; returns the object that a later call passes as one of `files`."""
        upload_id = f"tmp{len(self._waiting) + 1:08d}"
        self._waiting[upload_id] = upload
        ext = upload.name.rpartition(".")[2] if "." in upload.name else ""
        return {"id": upload_id, "ext": ext, "name": upload.name}

    def chosen(self, parameters: Parameters) -> list[Upload]:
        """The waiting files that a call names in `files`; unknown ones are passed over."""
        asked = [f.get("id") for f in parameters.many("files") if isinstance(f, dict)]
        return [self._waiting[i] for i in asked if i in self._waiting]


def multipart(body: bytes, content_type: str) -> tuple[list[tuple[str, Any]], list[Upload]]:
    """The fields and the files of a multipart/form-data body."""
    boundary = content_type.partition("boundary=")[2].split(";")[0].strip('" ')
    fields: list[tuple[str, Any]] = []
    files: list[Upload] = []
    for part in body.split(b"--" + boundary.encode())[1:-1]:
        head, _, data = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        add_part(head, data.removesuffix(b"\r\n"), fields, files)
    return fields, files


def add_part(head: bytes, data: bytes, fields: list[tuple[str, Any]], files: list[Upload]) -> None:
    """Sort one part: a file has a filename."""
    found = {
        (m[1] or m[3]).decode(): (m[2] or m[4] or b"").decode() for m in DISPOSITION.finditer(head)
    }
    name = found.get("name", "")
    if "filename*" in found:
        files.append(Upload(name, unquote(found["filename*"].rpartition("'")[2]), data))
    elif "filename" in found:
        files.append(Upload(name, found["filename"].replace('\\"', '"'), data))
    else:
        fields.append((name, data.decode()))
