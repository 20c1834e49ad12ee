"""multipart/form-data for attachments, written by hand so that the bytes are ours (RFC 7578)."""

from __future__ import annotations

import hashlib

from syncd.worksection.request import Attachment


def multipart(parts: tuple[tuple[str, Attachment], ...]) -> tuple[str, bytes]:
    """Return the content type and the body that carry `parts`."""
    boundary = _boundary(parts)
    body = b"".join(_part(boundary, name, part) for name, part in parts)
    return f"multipart/form-data; boundary={boundary}", body + f"--{boundary}--\r\n".encode()


def _boundary(parts: tuple[tuple[str, Attachment], ...]) -> str:
    """A digest of the content: no content holds its own, and the same request is the same bytes."""
    digest = hashlib.sha256()
    for name, part in parts:
        digest.update(f"{name}\0{part.name}\0".encode() + part.content)
    return digest.hexdigest()


def _part(boundary: str, name: str, part: Attachment) -> bytes:
    head = (
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="{name}"; filename="{_quoted(part.name)}"\r\n'
        f"Content-Type: {part.content_type}\r\n\r\n"
    )
    return head.encode() + part.content + b"\r\n"


def _quoted(name: str) -> str:
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
