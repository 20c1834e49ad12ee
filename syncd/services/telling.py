"""Telling people of one incident, in every way there is, until all of them know."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from syncd.log import get_logger
from syncd.model.incidents import Incident
from syncd.secrets import redact

Event = Literal["opened", "closed"]


class NotTold(Exception):
    """Nobody was told, and why."""


@dataclass(frozen=True, slots=True)
class Message:
    """What people are told: what happened to an incident, of which account."""

    event: Event
    account: str
    incident: Incident

    @property
    def document(self) -> dict[str, Any]:
        """The message for a program, without a secret."""
        told = asdict(self.incident)
        for key in ("kind", "subject", "summary", "remedy"):
            told[key] = redact(told[key])
        for key in ("opened_at", "closed_at"):
            told[key] = told[key].isoformat() if told[key] else None
        return {"event": self.event, "account": self.account, **told}

    @property
    def title(self) -> str:
        """The message in a line."""
        word = self.incident.severity if self.event == "opened" else "over"
        about = " ".join(filter(None, (self.incident.kind, self.incident.subject)))
        return redact(f"syncd, {self.account}: {word}: {about}")

    @property
    def body(self) -> str:
        """What is wrong, and what to do about it as long as it is."""
        if self.event == "closed":
            return redact(f"It is over: {self.incident.summary}")
        return redact(f"{self.incident.summary}\n{self.incident.remedy}")


class Way(Protocol):
    """One way to tell people."""

    @property
    def name(self) -> str:
        """What tells it from the others, in the log."""
        ...

    def tell(self, message: Message) -> None:
        """Tell it. Raises NotTold."""
        ...


class Teller:
    """Tells of incidents in all ways; those that know already are not told again.

    So one that failed is tried again alone. Only after a restart in between hear all of them twice.
    `moved` is called after each telling, which may take its time.
    """

    def __init__(
        self, ways: Sequence[Way], *, account: str, moved: Callable[[], None] = lambda: None
    ) -> None:
        self.ways = tuple(ways)
        self._account = account
        self._moved = moved
        self._know: set[tuple[str, str, datetime, Event, str]] = set()

    def tell(self, incident: Incident, broken: set[str]) -> bool:
        """Tell whoever does not know; True once all do. Ways named in `broken` are passed over.

        A way that fails is added to them: whoever has more to tell need not wait for it again.
        """
        event: Event = "closed" if incident.closed_at else "opened"
        left = [way for way in self.ways if self._key(incident, event, way) not in self._know]
        for way in left:
            if way.name in broken:
                continue
            told = _told(way, Message(event, self._account, incident))
            self._moved()
            if told:
                self._know.add(self._key(incident, event, way))
            else:
                broken.add(way.name)
        return all(self._key(incident, event, way) in self._know for way in left)

    def forget(self, incident: Incident) -> None:
        """Forget who knows of an incident, once that is on record."""
        mine = (incident.kind, incident.subject, incident.opened_at)
        self._know = {key for key in self._know if key[:3] != mine}

    def _key(
        self, incident: Incident, event: Event, way: Way
    ) -> tuple[str, str, datetime, Event, str]:
        return incident.kind, incident.subject, incident.opened_at, event, way.name


def _told(way: Way, message: Message) -> bool:
    words = {"kind": message.incident.kind, "way": way.name, "what": message.event}
    try:
        way.tell(message)
    except NotTold as why:
        get_logger().warning("alert.failed", **words, error=str(why))
        return False
    get_logger().info("alert.told", **words)
    return True
