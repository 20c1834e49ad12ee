"""What is wrong, decided from facts alone: which troubles there are, how bad, and what to do.

One row of RULES for each kind; docs/incidents.md says of each what it means. The words hold no
number that grows by itself, such as an age: an incident is written anew only when it changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from syncd.model.incidents import Severity, Trouble
from syncd.sync.facts import Facts

FAILURES: Final = 3
"""So many failures in a row are no passing trouble, nor is one that lasted `OUTAGE`."""
OUTAGE: Final = timedelta(minutes=10)
LATE: Final = 3
"""A mirror is stale when it was not renewed for so many rounds of pulls."""
PARTIAL: Final = 2
"""A pull may leave out what is in flight just then; the second in a row does not."""
STALLED: Final = timedelta(minutes=15)
UNCERTAIN: Final = timedelta(minutes=30)
SKEW_S: Final = 60
LEAST_FREE: Final = 256 * 1024 * 1024
LONG_LOG: Final = 64 * 1024 * 1024
NAMED: Final = 3


Found = Iterable[tuple[str, str]]
"""The subject and the summary of each trouble of a kind; an empty subject is the whole."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of trouble: what to do about it, when there is one, and whether that is known."""

    severity: Severity
    remedy: str
    find: Callable[[Facts], Found]
    known: Callable[[Facts], bool] = lambda _: True


def troubles(facts: Facts) -> tuple[Trouble, ...]:
    """Say what is wrong."""
    return tuple(
        Trouble(kind, subject, rule.severity, summary, rule.remedy)
        for kind, rule in RULES.items()
        for subject, summary in rule.find(facts)
    )


def undecided(facts: Facts) -> frozenset[str]:
    """Return the kinds that these facts tell neither to be there nor to be gone."""
    return frozenset(kind for kind, rule in RULES.items() if not rule.known(facts))


def _account_unreachable(facts: Facts) -> Found:
    since = facts.account_failing_since
    if facts.account_error in {"", "Unauthorized"} or since is None:
        return
    if facts.account_failures >= FAILURES or facts.now - since >= OUTAGE:
        yield "", f"The account gives no good answer: {facts.account_said}"


def _key_refused(facts: Facts) -> Found:
    if facts.key_refused_at is not None or facts.account_error == "Unauthorized":
        yield "", "The account refuses our key; nothing is asked or sent, and the queue is kept."


def _mirror_stale(facts: Facts) -> Found:
    """A pull that lands again and again and leaves something out is `mirror_partial`."""
    if facts.landed_at is None:
        if facts.pull_outcome == "failed":
            yield "", f"No pull has ended well yet, and the last one failed: {facts.pull_error}"
        return
    limit = timedelta(seconds=LATE * (facts.interval_s + facts.landing_took_s))
    if facts.now - facts.landed_at > limit:
        yield "", f"The mirror shows the account as of {_at(facts.landed_at)}, and nothing newer."


def _mirror_partial(facts: Facts) -> Found:
    if facts.partial_pulls < PARTIAL or not facts.pull_notes:
        return
    suspects = f" ({_counted(facts.suspects, 'task')} suspect)" if facts.suspects else ""
    yield "", f"The pulls leave something out: {'; '.join(facts.pull_notes)}{suspects}."


def _brake(facts: Facts) -> Found:
    if facts.brakes:
        yield "", f"Removals are held until you decide: {'; '.join(facts.brakes)}."


def _state(state: str, words: str) -> Callable[[Facts], Found]:
    """Return the rule that there are changes in a state where they wait for a person."""

    def find(facts: Facts) -> Found:
        if count := facts.changes.get(state, 0):
            yield "", f"{_counted(count, 'change')} {words}."

    return find


def _uncertain_old(facts: Facts) -> Found:
    since = facts.uncertain_since
    if since is not None and facts.now - since > UNCERTAIN:
        yield "", f"A change was sent at {_at(since)}, and whether it landed is not known yet."


def _queue_stalled(facts: Facts) -> Found:
    """Work is due and nothing takes it, while nothing stands in its way (failure 4)."""
    since = facts.due_since
    if since is not None and facts.now - since > STALLED and _may_send(facts):
        yield "", f"A change could have gone since {_at(since)}, and nothing sends it."


def _may_send(facts: Facts) -> bool:
    refused = facts.key_refused_at is not None or bool(facts.account_error)
    paused = facts.paused_until is not None and facts.paused_until > facts.now
    return not (refused or paused or facts.halted)


def _halted(facts: Facts) -> Found:
    """A refused key halts too, and has a kind of its own."""
    if facts.halted and not any(True for _ in _key_refused(facts)):
        yield "", f"Nothing is asked or sent: {facts.halted}"


def _clock_skew(facts: Facts) -> Found:
    """Signed requests carry our time, and an account refuses what is far off (failure 30)."""
    if facts.skew_s is not None and abs(facts.skew_s) > SKEW_S:
        minutes, side = round(abs(facts.skew_s) / 60), "before" if facts.skew_s > 0 else "behind"
        yield "", f"The clock of this machine is about {minutes} min {side} the account's."


def _drift(facts: Facts) -> Found:
    if facts.drift:
        differ = "differs" if facts.drift == 1 else "differ"
        yield "", f"{_counted(facts.drift, 'task')} of the last sample {differ} from the account."


def _webhook_paused(facts: Facts) -> Found:
    for name in facts.paused_webhooks or ():
        yield name, f"The account no longer calls the webhook {name}."


def _disk_low(facts: Facts) -> Found:
    """A backup needs as much room as the database takes."""
    if facts.free_bytes is None:
        return
    if facts.free_bytes < LEAST_FREE:
        yield "", f"Less than {LEAST_FREE // 2**20} MB are free on the disk of the database."
    elif facts.free_bytes < facts.database_bytes:
        yield "", "Less room is free on the disk of the database than the database itself takes."


def _log_held(facts: Facts) -> Found:
    """Only the end of that query stops it: SQLite keeps what somebody may still read. A pull of
    everything writes as much log as the file has, which is no reason to complain."""
    if facts.held_log_bytes > max(LONG_LOG, facts.database_bytes - facts.held_log_bytes):
        now = f" Reading now: {', '.join(facts.readers[:NAMED])}." if facts.readers else ""
        yield "", f"A query that does not end holds the database's log, which grows.{now}"


def _said(name: str, words: str) -> Callable[[Facts], Found]:
    """Return the rule that a fact which is a text says what is wrong."""

    def find(facts: Facts) -> Found:
        if said := getattr(facts, name):
            yield "", f"{words}: {said}"

    return find


def _knows(name: str) -> Callable[[Facts], bool]:
    return lambda facts: getattr(facts, name) is not None


def _queue(state: str, word: str) -> str:
    return f"syncd queue list --state {state}, then: syncd queue {word}"


RULES: Final[dict[str, Rule]] = {
    "account_unreachable": Rule(
        "problem", "syncd check says what is in the way; it is tried again.", _account_unreachable
    ),
    "key_refused": Rule(
        "problem",
        "Put a key that works where account.api_key_file says, then: systemctl reload syncd",
        _key_refused,
    ),
    "mirror_stale": Rule("problem", "syncd status, then: syncd check", _mirror_stale),
    "mirror_partial": Rule("warning", "syncd status says what to do about each.", _mirror_partial),
    "brake": Rule(
        "problem",
        "syncd pull --allow-removals --dry-run, and if that is right, the same without --dry-run",
        _brake,
    ),
    "conflict": Rule(
        "warning",
        _queue("conflict", "resolve"),
        _state("conflict", "in conflict: both sides changed the same"),
    ),
    "held": Rule(
        "problem",
        _queue("held", "release or cancel"),
        _state("held", "held: too many were queued at once"),
    ),
    "failed": Rule(
        "warning",
        _queue("failed", "retry or cancel"),
        _state("failed", "failed, which nothing sends again by itself"),
    ),
    "uncertain_old": Rule("problem", _queue("uncertain", "show"), _uncertain_old),
    "queue_stalled": Rule(
        "problem", "syncd plan, then: journalctl -u syncd; restart it", _queue_stalled
    ),
    "halted": Rule("problem", "Do what it says, then: systemctl reload syncd", _halted),
    "clock_skew": Rule(
        "warning",
        "timedatectl; let chrony or systemd-timesyncd set the clock",
        _clock_skew,
        _knows("skew_s"),
    ),
    "drift": Rule("problem", "syncd verify shows them", _drift, _knows("drift")),
    "webhook_paused": Rule(
        "warning",
        "Look why it was refused (server.hook_user and its password), then turn it on again there.",
        _webhook_paused,
        _knows("paused_webhooks"),
    ),
    "database_failed": Rule(
        "problem",
        "syncd status says what is wrong with it",
        _said("database", "The database fails"),
    ),
    "backup_failed": Rule(
        "problem",
        "syncd db backup shows why",
        _said("backup_error", "No backup could be made"),
        _knows("backup_error"),
    ),
    "disk_low": Rule("problem", "Make room, before a write fails.", _disk_low),
    "log_held": Rule(
        "warning", "End that query, or the program that asks; the log empties by itself.", _log_held
    ),
    "audit_broken": Rule(
        "problem",
        "syncd audit verify says where",
        _said("audit_broken", "The audit log is not sound"),
        _knows("audit_broken"),
    ),
    "settings_refused": Rule(
        "warning",
        "Correct the file, then: systemctl reload syncd",
        _said("settings_refused", "The configuration was not read again, the former holds"),
    ),
}
KINDS: Final = tuple(RULES)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun if number == 1 else noun + 's'}"


def _at(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"
