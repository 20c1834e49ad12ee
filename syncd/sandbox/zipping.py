"""Gzip of answers that are made of segments, where a change costs the segment it falls in.

Each segment is a deflate stream of its own that ends at a byte; such streams may be joined
(RFC 1951, an empty stored block), and the joint stream is one gzip member.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable

LEVEL = 1
KEPT_SEGMENTS = 4096
HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"
LAST_BLOCK = b"\x03\x00"


class Zipper:
    """Compressed segments by key, each kept for as long as the segment stays the same."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[bytes, bytes]] = {}

    def zipped(self, segments: Iterable[tuple[int, bytes]]) -> bytes:
        """One gzip member of all segments; equal segments give equal bytes."""
        if len(self._kept) > KEPT_SEGMENTS:
            self._kept.clear()
        parts, checksum, size = [HEADER], 0, 0
        for key, segment in segments:
            parts.append(self._deflated(key, segment))
            checksum = zlib.crc32(segment, checksum)
            size += len(segment)
        return b"".join([*parts, LAST_BLOCK, struct.pack("<II", checksum, size & 0xFFFFFFFF)])

    def _deflated(self, key: int, segment: bytes) -> bytes:
        kept = self._kept.get(key)
        if kept is None or kept[0] != segment:
            stream = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
            deflated = stream.compress(segment) + stream.flush(zlib.Z_FULL_FLUSH)
            self._kept[key] = kept = (segment, deflated)
        return kept[1]
