"""Slices that were read, as bytes, to be taken up again without a second reading.

A first mirror has to read every record when it comes, to know what a listing holds, and needs it
again when it is written. What was read comes back ten times faster than it is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Final

import msgspec

from syncd.model.listing import Slice
from syncd.model.records import FileRecord, Rejected, Relation, Stub, TaskRecord
from syncd.store.checkpoints import Part

FORM: Final = sha256(
    repr(
        [Slice.__slots__]
        + [one.__struct_fields__ for one in (TaskRecord, FileRecord, Relation, Stub, Rejected)]
    ).encode()
).hexdigest()[:8]
"""Differs when what is packed has other fields: it cannot be unpacked then."""
_HOW: Final = "slice"
_encode: Final = msgspec.msgpack.Encoder(decimal_format="string").encode
_decode: Final = msgspec.msgpack.Decoder(Slice).decode


def packed(part: Slice) -> Part:
    """Return a slice as the only part of its checkpoint."""
    return Part(_HOW, _encode(replace(part, tasks=dict(part.tasks.items()))))


def unpacked(parts: Sequence[Part]) -> Slice | None:
    """Return the slice that these parts are; None where they are answers as they came."""
    if not parts or parts[0].how != _HOW or parts[0].data is None:
        return None
    return _decode(parts[0].data)
