"""Outbound verbs, one file each: fields, request, how to recognise that it landed. Sends nothing.

A step has one verb and makes one request at most.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from syncd.model.outbound import Verb
from syncd.operations.complete import COMPLETE
from syncd.operations.create import CREATE
from syncd.operations.operation import Draft, Operation, Sending, Unsendable
from syncd.operations.reopen import REOPEN
from syncd.operations.tag import TAG
from syncd.operations.update import UPDATE

__all__ = ["OPERATIONS", "Draft", "Operation", "Sending", "Unsendable", "draft"]

OPERATIONS: Final[Mapping[Verb, Operation]] = MappingProxyType(
    {operation.verb: operation for operation in (CREATE, REOPEN, UPDATE, TAG, COMPLETE)}
)


def draft(sending: Sending) -> Draft:
    """Return the request of a merged step, None where nothing is left, or why there can be none."""
    try:
        return OPERATIONS[sending.step.verb].request(sending)
    except ValueError as error:
        return Unsendable("", str(error))
