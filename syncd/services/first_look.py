"""A first look at the account, in few requests: rights, eyes, clock, time zone, size.

Every finding is given as soon as it is made. Nothing is fetched that the finding does not need,
and nothing is ever written: rights to write show with the first push.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from syncd.errors import AccountError, ConfigError, Refused, SyncdError, Unauthorized
from syncd.model.reports import Finding
from syncd.services.findings import note, of_error, ok, problem, warning
from syncd.services.zone import Evidence, weigh, zone_finding
from syncd.settings import Settings
from syncd.worksection.answer import Answer
from syncd.worksection.client import Client
from syncd.worksection.filters import Field
from syncd.worksection.methods.projects import get_events, get_projects, get_users, me
from syncd.worksection.methods.tags import get_task_tags
from syncd.worksection.methods.tasks import search_tasks
from syncd.worksection.request import Request
from syncd.worksection.scalars import as_local_datetime, as_text

SKEW_S = 30.0
PERIODS = (("30m", timedelta(minutes=30)), ("360m", timedelta(hours=6)), ("72h", timedelta(3)))
"""How far back to look for a stamp: a short period bounds the zone best, a long one finds more."""
OWNER_S_WAY = "The owner finds the key in the account: Account, API, Show API key."


@dataclass(frozen=True, slots=True)
class Need:
    """An action that syncd needs, the scope behind it, and what is lost without it."""

    request: Request
    scope: str
    without: str
    vital: bool = False


EVENTS = Need(get_events("30m"), "projects_read", "changes are seen by full pulls alone")
PROJECTS = Need(
    get_projects(),
    "projects_read",
    "projects have only a name, and an account over the record limit cannot be pulled",
)
NEEDS = (
    EVENTS,
    Need(
        search_tasks(filter=Field("id") == 1, status="active"),
        "tasks_read",
        "nothing can be pulled",
        vital=True,
    ),
    PROJECTS,
    Need(get_users(), "users_read", "members have only the name and email that tasks show"),
    Need(get_task_tags(), "tags_read", "tags have only a name"),
)


@dataclass(slots=True)
class Look:
    """One look at the account: what it was asked, and what it answered so far."""

    client: Client
    settings: Settings
    clock: Callable[[], datetime]
    machine_zone: str | None = None
    answers: dict[Need, Answer] = field(default_factory=dict)
    refused: dict[Need, AccountError] = field(default_factory=dict)

    @property
    def by_token(self) -> bool:
        """Whether the account is seen with a person's token, not with its own key."""
        return self.settings.account.auth == "oauth2"

    @property
    def works(self) -> bool:
        """Whether the account answered anything at all."""
        return bool(self.answers)

    @property
    def projects(self) -> list[str] | None:
        """The status of each project, or None where they were not answered."""
        answer = self.answers.get(PROJECTS)
        if answer is None:
            return None
        nodes = answer.decode(list[dict[str, Any]]) or []
        return [as_text(node.get("status")) or "active" for node in nodes]

    def findings(self) -> Iterator[Finding]:
        """Look, and tell what is found; ends early where going on makes no sense."""
        trouble = self._ask_all()
        yield from self._credentials(trouble)
        if not self.works:
            return
        try:
            yield from self._eyes()
            yield from self._rights()
            yield self._clock()
            yield from self._time_zone()
        except AccountError as error:
            yield of_error("account.answer", error)

    def _ask_all(self) -> SyncdError | None:
        """Ask for everything that is needed; returns what made it stop, if anything did.

        A token may lack one scope and have the next. A key is good for everything or nothing.
        """
        for need in NEEDS:
            try:
                self.answers[need] = self.client.call(need.request)
            except Refused as error:
                self.refused[need] = error
            except Unauthorized as error:
                self.refused[need] = error
                if not self.by_token:
                    return error
            except (AccountError, ConfigError) as error:
                return error
        return None

    def _credentials(self, trouble: SyncdError | None) -> Iterator[Finding]:
        if self.works:
            yield ok("account.credentials", f"{'the token' if self.by_token else 'the key'} works")
            if trouble is not None:
                yield of_error("account.answer", trouble)
            return
        error = trouble or next(iter(self.refused.values()))
        if isinstance(error, Unauthorized):
            yield problem("account.credentials", error.message, self._remedy(error))
        else:
            config = isinstance(error, ConfigError)  # no token file, or one that others can read
            yield of_error("config.tokens" if config else "account.answer", error)

    def _remedy(self, error: Unauthorized) -> str:
        if self.by_token:
            return error.hint
        if self.settings.account.auth == "md5-page":
            return f'{OWNER_S_WAY} "md5-page" is the oldest scheme: try account.auth = "md5".'
        return f"{OWNER_S_WAY} If it was changed there, store the new one: syncd init --force"

    def _eyes(self) -> Iterator[Finding]:
        """Tell with whose eyes the account is seen: what they do not see is not mirrored."""
        if not self.by_token:
            yield ok("account.eyes", "the account's own key, which sees everything")
            return
        try:
            told = self.client.call(me()).decode(object)
        except (Refused, Unauthorized) as error:
            yield warning(
                "account.eyes",
                f"whose token it is cannot be asked: {error.message}",
                "Authorise it again with the scope users_read: syncd init --force",
            )
            return
        yield note("account.eyes", f"{_person(told)}: the mirror holds what this person may see")

    def _rights(self) -> Iterator[Finding]:
        for need, error in self.refused.items():
            make = problem if need.vital else warning
            yield make(
                "account.rights",
                f"{need.request.action} is refused, so {need.without} ({error.message})",
                f"Authorise it again with the scope {need.scope}: syncd init --force"
                if self.by_token
                else "Ask the owner of the account whether the key was restricted.",
            )
        if not self.refused and len(self.answers) == len(NEEDS):
            yield ok("account.rights", ", ".join(need.request.action for need in NEEDS))

    def _clock(self) -> Finding:
        skews = [one.skew_s for one in self.answers.values() if one.skew_s is not None]
        if not skews:
            return note("account.clock", "the account does not tell its clock")
        return clock_finding(min(skews, key=abs), self.settings.account.auth)

    def _time_zone(self) -> Iterator[Finding]:
        """Compare stamps of what happened last with the clock; three requests at most."""
        if EVENTS not in self.answers:
            return
        now = self._their_clock()
        zone, evidence = self.settings.account.zone, self._evidence(now)
        yield zone_finding(zone, evidence, now=now, machine_zone=self.machine_zone)

    def _their_clock(self) -> datetime:
        """Return the present instant by the account's clock, which wrote the stamps."""
        return self.clock() + timedelta(seconds=self.answers[EVENTS].skew_s or 0.0)

    def _evidence(self, now: datetime) -> Evidence | None:
        until = timedelta()
        for period, since in PERIODS:
            answer = self.answers[EVENTS] if not until else self.client.call(get_events(period))
            stamps = read_stamps(answer)
            if stamps:
                return weigh(stamps, now=now, since=since, until=until)
            until = since
        return None


def read_stamps(answer: Answer) -> list[datetime]:
    """Return the stamps of events that can be read; one that cannot is no evidence."""
    stamps = []
    for event in answer.decode(list[dict[str, Any]]) or []:
        try:
            stamp = as_local_datetime(event.get("date_added"))
        except ValueError:
            continue
        if stamp is not None:
            stamps.append(stamp)
    return stamps


def _person(told: object) -> str:
    if isinstance(told, list):  # the documentation shows a list once (API sheet, section 8)
        told = told[0] if told else None
    if not isinstance(told, dict):
        return "a person the account does not name"
    name = as_text(told.get("name")) or " ".join(
        filter(None, (as_text(told.get("first_name")), as_text(told.get("last_name"))))
    )
    known = (name, as_text(told.get("email")), as_text(told.get("role")))
    return ", ".join(part for part in known if part) or "a person the account does not name"


def clock_finding(skew_s: float, auth: str) -> Finding:
    """Judge how far the account's clock is ahead of ours."""
    side = "ahead of" if skew_s > 0 else "behind"
    if abs(skew_s) <= SKEW_S:
        return ok("account.clock", f"the account's and this machine's agree within {SKEW_S:.0f} s")
    signed = (
        " (signed requests follow the account's clock, so they still pass)"
        if auth == "hmac"
        else ""
    )
    return warning(
        "account.clock",
        f"the account's clock is {abs(skew_s):.0f} s {side} this machine's{signed}",
        "Set this machine's clock: timedatectl set-ntp true. The *_at columns are written by it.",
    )
