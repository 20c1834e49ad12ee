"""A mirror under test: an App against a Sandbox, and the mirror's rows against the account's truth.

Rows are read by the databases' own drivers, as a BI tool would read them: a mistake of our column
types on the way in must not be undone by the same mistake on the way out. What is expected comes
from `account.snapshot()`, never from what the client decoded.
"""

from __future__ import annotations

import html
import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import dict_row

from syncd import bootstrap, config
from syncd.bootstrap import App
from syncd.model.reports import PullReport
from syncd.sandbox import Account, Sandbox, Switches
from syncd.services.progress import Progress, Silent
from syncd.services.pull import pull

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LATER = timedelta(hours=2)
"""Longer than the catalogues of projects, members and tags are believed."""
EVERYTHING = ("subtasks", "relations", "files", "text", "comments", "subscribers")
UNPACED = 1_000_000
KYIV = ZoneInfo("Europe/Kyiv")

MIRROR_TABLES = (
    *("tasks", "task_history", "task_history_fields", "task_tags", "task_relations", "files"),
    *("projects", "members", "tags"),
)

Row = dict[str, Any]
Plain = dict[str, Any]


class Clock:
    """Ours to set; every look at it takes a millisecond, so that no two are equal."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        with self._lock:
            self.now += timedelta(milliseconds=1)
            return self.now

    def move(self, by: timedelta) -> None:
        self.now += by


@dataclass(slots=True)
class Mirror:
    """One account over HTTP, one database, and the pulls between them."""

    box: Sandbox
    app: App
    clock: Clock
    database_url: str
    path: Path

    @property
    def account(self) -> Account:
        return self.box.account

    @property
    def view(self) -> View:
        """What the API can show of this account under these settings and switches."""
        chosen = self.app.settings.pull
        return View(chosen.extra, chosen.archived, self.box.switches, self.box.url)

    def pull(
        self,
        *,
        dry_run: bool = False,
        allow_removals: bool = False,
        progress: Progress | None = None,
        wait: bool = False,
        later: timedelta = LATER,
    ) -> PullReport:
        """Pull once, some time after whatever was before."""
        self.clock.move(later)
        if not dry_run:
            self.app.ready(write=True)
        hold = self.app.rehearsing if dry_run else self.app.pulling
        with hold(progress or Silent(), wait=wait) as work:
            return pull(work, dry_run=dry_run, allow_removals=allow_removals)

    def again(self, *, box: Sandbox | None = None, **settings: Any) -> Mirror:
        """The same database with other settings, as after an edit of the configuration."""
        made = build(box or self.box, self.database_url, self.path, **settings)
        made.app = replace(made.app, clock=self.clock)
        made.clock = self.clock
        return made

    def rows(self, query: str) -> list[Row]:
        """What a SELECT gives, by the driver's own types."""
        return rows(self.database_url, query)

    def value(self, query: str) -> Any:
        """The one value that a SELECT gives."""
        (row,) = self.rows(query)
        (found,) = row.values()
        return found

    def execute(self, statement: str) -> None:
        """Run one statement and commit it, as somebody else would."""
        with connected(self.database_url) as connection:
            connection.execute(statement)
            connection.commit()

    def live(self) -> set[int]:
        """The ids of the tasks that are not removed."""
        return {row["id"] for row in self.rows("SELECT id FROM tasks WHERE removed_at IS NULL")}

    def removed(self) -> dict[int, str]:
        """Why each removed task is."""
        query = "SELECT id, removed_reason AS why FROM tasks WHERE removed_at IS NOT NULL"
        return {row["id"]: row["why"] for row in self.rows(query)}

    def suspects(self) -> set[int]:
        """The tasks that are missing without evidence."""
        return {row["id"] for row in self.rows("SELECT id FROM tasks WHERE suspect_at IS NOT NULL")}


def config_text(
    box: Sandbox,
    database_url: str,
    *,
    extra: Iterable[str] = ("subtasks", "relations", "files"),
    archived: bool = False,
    zone: str | None = "Europe/Kyiv",
    max_removals: int | None = None,
    pace: float = UNPACED,
    url: str | None = None,
    schema: str | None = None,
    timeout: str = "20s",
    account: Mapping[str, str] | None = None,
) -> str:
    """The configuration of a mirror of that account, as TOML."""
    who = {"url": url or box.url, **(account or {"api_key": box.key})}
    lines = ["[account]", *(f"{key} = {json.dumps(value)}" for key, value in who.items())]
    lines += [f'timezone = "{zone}"'] if zone else []
    lines += ["[database]", f"url = {json.dumps(database_url)}"]
    lines += [f'schema = "{schema}"'] if schema else []
    lines += ["[pull]", f"extra = {json.dumps(list(extra))}"]
    lines += [f"archived = {json.dumps(archived)}"]
    lines += [f"max_removals = {max_removals}"] if max_removals is not None else []
    lines += ["[limits]", f"requests_per_second = {pace}", f'timeout = "{timeout}"']
    return "\n".join(lines) + "\n"


def build(box: Sandbox, database_url: str, path: Path, **settings: Any) -> Mirror:
    """An App over a configuration written to `path`, its clock and sleep ours."""
    path.write_text(config_text(box, database_url, **settings), encoding="utf-8")
    clock = Clock()
    app = replace(
        bootstrap.build(config.load(path, {})),
        clock=clock,
        sleep=lambda _: None,  # only retries sleep at this pace, and nobody here waits for them
    )
    return Mirror(box, app, clock, database_url, path)


# --- the rows of a database, by its own driver


@contextmanager
def connected(database_url: str) -> Iterator[Any]:
    """A connection that is none of ours."""
    if database_url.startswith("sqlite:///"):
        with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"), timeout=5)) as own:
            own.row_factory = sqlite3.Row
            yield own
    else:
        plain = database_url.replace("+psycopg", "")
        with psycopg.connect(plain, row_factory=dict_row) as server:
            yield server


def rows(database_url: str, query: str) -> list[Row]:
    """What a SELECT gives, by the driver's own types."""
    with connected(database_url) as connection:
        return fetched(connection, query)


def fetched(connection: Any, query: str) -> list[Row]:
    """What a SELECT gives on a connection that is open."""
    return [dict(row) for row in connection.execute(query).fetchall()]


def dump(
    database_url: str, tables: Iterable[str] = MIRROR_TABLES, *, without: Iterable[str] = ()
) -> dict[str, list[str]]:
    """Every row of these tables as text, in an order of its own: equal dumps, equal contents."""
    left_out = set(without)
    with connected(database_url) as connection:
        return {
            table: sorted(
                repr({key: value for key, value in row.items() if key not in left_out})
                for row in fetched(connection, f"SELECT * FROM {table}")
            )
            for table in tables
        }


# --- what the account shows, from its own truth


@dataclass(frozen=True, slots=True)
class View:
    """What decides which part of the account's truth a mirror can hold."""

    extra: tuple[str, ...]
    archived: bool
    switches: Switches
    url: str
    zone: ZoneInfo | None = KYIV

    def asks(self, *words: str) -> bool:
        return bool(set(words) & set(self.extra))

    def shown(self, text: str) -> str:
        """A name as the account sends it: mirrored as sent."""
        return html.escape(text) if self.switches.escape_entities else text


def visible_tasks(truth: Plain, view: View) -> dict[int, Plain]:
    """The tasks that this view of the account lists."""
    return {id: task for id, task in truth["tasks"].items() if _is_listed(truth, task, view)}


def _is_listed(truth: Plain, task: Plain, view: View) -> bool:
    status = truth["projects"][task["project_id"]]["status"]
    return (
        task["visible"]
        and (status != "archive" or view.archived)
        and (status != "pending" or view.switches.pending_listed)
        and (task["level"] == 1 or view.asks("subtasks"))
    )


def instant(local: datetime | None, zone: ZoneInfo | None) -> datetime | None:
    """The UTC instant of a wall clock time, the first one of a doubled hour."""
    if local is None or zone is None:
        return None
    return (local - local.replace(tzinfo=zone, fold=0).utcoffset()).replace(tzinfo=UTC)


def expected_task(truth: Plain, task: Plain, view: View) -> Row:
    """The columns of a task that the account decides."""
    same = (
        *("id", "project_id", "parent_id", "level", "page", "status", "priority", "author_id"),
        *("assignee_id", "date_added", "date_start", "time_start", "date_end", "time_end"),
        *("date_closed", "max_time", "max_money"),
    )
    return {key: task[key] for key in same} | {
        "name": view.shown(task["name"]),
        "url": view.url + task["page"],
        "text": _text(task["text"], view),
        "added_at": instant(task["date_added"], view.zone),
        "closed_at": instant(task["date_closed"], view.zone),
        "extra": _extra(truth, task, view),
    }


def _text(text: str, view: View) -> str | None:
    if view.asks("html"):
        return html.escape(text, quote=False).replace("\r\n", "<br>\r\n")
    return view.shown(text) if view.asks("text") else None


def _extra(truth: Plain, task: Plain, view: View) -> Plain | None:
    """The keys of the answer that have no column, as the API sheet shows them (5.2)."""
    found: Plain = {}
    if view.asks("comments") or view.switches.has_comments_always:
        found["has_comments"] = int(bool(task["comments"]))
    if view.asks("comments") and task["comments"]:
        found["comments"] = [
            _comment(truth, task, truth["comments"][id], view)
            for id in reversed(task["comments"][-5:])
        ]
    if view.asks("subscribers"):
        # The truth has no order of subscribers; `_same_extra` compares them without one.
        found["subscribers"] = [_user(truth, id, view) for id in task["subscribers"]]
    return found or None


def _comment(truth: Plain, task: Plain, comment: Plain, view: View) -> Plain:
    return {
        "id": str(comment["id"]),
        "page": f"{task['page']}#com{comment['id']}",
        "text": view.shown(comment["text"]),
        "date_added": f"{comment['date_added']:%Y-%m-%d %H:%M}",
        "user_from": _user(truth, comment["author_id"], view),
    }


def _user(truth: Plain, id: int, view: View) -> Plain:
    member = truth["members"][id]
    email = member["email"]
    if view.switches.email_case_varies and member["kind"] == "person":
        email = email.title()
    return {"id": str(id), "email": email, "name": view.shown(member["name"])}


def expected_relations(truth: Plain, view: View) -> dict[tuple[int, int, str], tuple[int, int]]:
    """Every edge that a listed task shows, and which of its ends do."""
    if not view.asks("relations"):
        return {}
    listed = visible_tasks(truth, view)
    return {
        (first, waiting, kind): (int(first in listed), int(waiting in listed))
        for kind, first, waiting in truth["relations"]
        if first in listed or waiting in listed
    }


def expected(truth: Plain, view: View) -> dict[str, dict[Any, Any]]:
    """Every mirrored kind, by key, as a mirror of this view should hold it."""
    listed = visible_tasks(truth, view)
    return {
        "tasks": {id: expected_task(truth, task, view) for id, task in listed.items()},
        "task_tags": {(id, tag): {} for id, task in listed.items() for tag in task["tags"]},
        "task_relations": expected_relations(truth, view),
        "files": {
            file["id"]: {
                "task_id": id,
                "name": file["name"],
                "size": file["size"],
                "page": file["page"],
                "url": view.url + file["page"],
            }
            for id, task in listed.items()
            for file in task["files"]
            if view.asks("files")
        },
        "projects": {
            id: _project(project, view)
            for id, project in truth["projects"].items()
            if project["visible"]
        },
        "tags": {id: _tag(truth, tag) for id, tag in truth["tags"].items()},
        "members": _members(truth, listed, view),
    }


def _project(project: Plain, view: View) -> Row:
    same = ("id", "page", "status", "author_id", "date_added", "date_start", "date_end")
    rest = ("date_closed", "max_time", "max_money")
    return {key: project[key] for key in (*same, *rest)} | {
        "name": view.shown(project["name"]),
        "url": view.url + project["page"],
        "folder": project["company"] or None,
        "manager_id": 0 if project["manager_id"] == 1 else project["manager_id"],
        "extra": None,
        "in_catalogue": True,
    }


def _tag(truth: Plain, tag: Plain) -> Row:
    group = truth["tag_groups"][tag["group_id"]]
    return {
        "id": tag["id"],
        "name": tag["name"],
        "group_id": group["id"],
        "group_name": group["title"],
        "type": group["type"],
        "access": group["access"],
        "in_catalogue": True,
    }


def _members(truth: Plain, listed: Mapping[int, Plain], view: View) -> dict[int, Row]:
    """Everybody active in full; of the others, those whom tasks name, as far as tasks tell."""
    named = {task[key] for task in listed.values() for key in ("author_id", "assignee_id")}
    found = {}
    for id, member in truth["members"].items():
        if member["active"] and member["kind"] == "person":
            found[id] = _person(member, view)
        elif id in named:
            found[id] = {
                "email": member["email"].lower() if member["kind"] == "person" else member["email"],
                "name": view.shown(member["name"])
                if member["kind"] == "person"
                else member["name"],
                "kind": member["kind"],
            }
    return found


def _person(member: Plain, view: View) -> Row:
    return {
        "email": member["email"].lower(),
        "name": member["name"] if not view.switches.escape_entities else None,
        "kind": "person",
        "first_name": member["first_name"] or None,
        "last_name": member["last_name"] or None,
        "title": member["title"] or None,
        "role": member["role"].lower(),
        "group_name": member["group"] or None,
        "department": member["department"] or None,
        "in_catalogue": True,
    }


# --- what the mirror holds, as plain values

_DATES = frozenset({"date_start", "date_end"})
_LOCAL = frozenset({"date_added", "date_closed"})
_TIMES = frozenset({"time_start", "time_end"})
_INSTANTS = frozenset(
    {"added_at", "closed_at", "valid_from", "valid_to", "removed_at", "suspect_at", "observed_at"}
)
_NUMBERS = frozenset({"max_time", "max_money"})
_DOCUMENTS = frozenset({"extra", "relations"})
_FLAGS = frozenset({"in_catalogue"})


def plain(row: Row) -> Row:
    """A row by Python's types, whichever database it came from; strict about SQLite's texts."""
    return {key: None if value is None else _plain(key, value) for key, value in row.items()}


def _plain(key: str, value: Any) -> Any:
    if key in _NUMBERS:
        return Decimal(str(value))
    if key in _INSTANTS:
        return _instant(value)
    if isinstance(value, str) and key in _LOCAL:
        return datetime.strptime(value, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - the account's own
    if isinstance(value, str) and key in _DATES:
        return date.fromisoformat(value)
    if isinstance(value, str) and key in _TIMES:
        return time.fromisoformat(value)
    if isinstance(value, str) and key in _DOCUMENTS:
        return json.loads(value)
    return bool(value) if key in _FLAGS else value


def _instant(value: Any) -> datetime:
    if isinstance(value, str):
        return datetime.strptime(value, "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC)
    assert value.tzinfo is not None, "an instant of PostgreSQL comes with its zone"
    return value.astimezone(UTC)


def held(database_url: str) -> dict[str, dict[Any, Any]]:
    """The live rows of every mirrored kind, by key."""
    with connected(database_url) as connection:

        def live(table: str) -> dict[int, Row]:
            query = f"SELECT * FROM {table} WHERE removed_at IS NULL"
            return {row["id"]: plain(row) for row in fetched(connection, query)}

        return {
            "tasks": live("tasks"),
            "task_tags": {
                (row["task_id"], row["tag_id"]): {}
                for row in fetched(connection, "SELECT * FROM task_tags")
            },
            "task_relations": {
                (row["from_task_id"], row["to_task_id"], row["type"]): (
                    row["reported_by_from"],
                    row["reported_by_to"],
                )
                for row in fetched(connection, "SELECT * FROM task_relations")
            },
            "files": live("files"),
            "projects": live("projects"),
            "tags": live("tags"),
            "members": {
                row["id"]: plain(row) for row in fetched(connection, "SELECT * FROM members")
            },
        }


# --- the comparison

KINDS = ("tasks", "task_tags", "task_relations", "files", "projects", "tags", "members")
REPORTED = 40


def differences(
    mirror: Mapping[str, Mapping[Any, Any]],
    truth: Mapping[str, Mapping[Any, Any]],
    kinds: Iterable[str] = KINDS,
) -> list[str]:
    """Every difference in a line of its own; no line is what equality means."""
    return [line for kind in kinds for line in _differences(kind, mirror[kind], truth[kind])]


def _differences(kind: str, mirror: Mapping[Any, Any], truth: Mapping[Any, Any]) -> Iterator[str]:
    for key in sorted(truth.keys() - mirror.keys()):
        yield f"{kind} {key}: missing in the mirror; the account has {truth[key]}"
    if kind != "members":  # a person nobody names any more stays, as the last tasks told of him
        for key in sorted(mirror.keys() - truth.keys()):
            yield f"{kind} {key}: in the mirror, and the account does not show it"
    for key in sorted(truth.keys() & mirror.keys()):
        yield from _unequal(kind, key, mirror[key], truth[key])


def _unequal(kind: str, key: Any, ours: Any, theirs: Any) -> Iterator[str]:
    if not isinstance(theirs, dict):
        if ours != theirs:
            yield f"{kind} {key}: mirror {ours!r}, account {theirs!r}"
        return
    for name, value in theirs.items():
        if name == "name" and value is None:
            continue
        if not (_same_extra(ours[name], value) if name == "extra" else ours[name] == value):
            yield f"{kind} {key} {name}: mirror {ours[name]!r}, account {value!r}"


def _same_extra(ours: Plain | None, theirs: Plain | None) -> bool:
    return _unordered(ours) == _unordered(theirs)


def _unordered(extra: Plain | None) -> Plain | None:
    if not extra or "subscribers" not in extra:
        return extra
    return extra | {"subscribers": sorted(extra["subscribers"], key=lambda user: user["id"])}


def assert_same(lines: list[str], said: str = "") -> None:
    """Fail with the differences, if there are any, in a form that can be read."""
    more = [f"... and {len(lines) - REPORTED} more"] if len(lines) > REPORTED else []
    title = f"the mirror differs from the account{said}, in {len(lines)} places:"
    assert not lines, "\n".join([title, *lines[:REPORTED], *more])


def assert_mirror_equals(
    mirror: Mirror,
    truth: Plain | None = None,
    *,
    kinds: Iterable[str] = KINDS,
    view: View | None = None,
) -> None:
    """Compare every live row, field by field, with the account's own truth."""
    truth = truth or mirror.account.snapshot()
    wanted = expected(truth, view or mirror.view)
    assert_same(differences(held(mirror.database_url), wanted, kinds))


# --- the past

_IMAGE_TAGS = "SELECT task_id, tag_id FROM task_tags"
_IMAGE_EDGES = "SELECT * FROM task_relations"


def images_at(database_url: str, at: datetime) -> dict[int, Row]:
    """The images of all tasks that were live at an instant, with their tags and relations then."""
    with connected(database_url) as connection:
        past = [plain(row) for row in fetched(connection, "SELECT * FROM task_history")]
        present = [plain(row) for row in fetched(connection, "SELECT * FROM tasks")]
        tags = _grouped(fetched(connection, _IMAGE_TAGS), "task_id", lambda row: row["tag_id"])
        edges = _present_edges(fetched(connection, _IMAGE_EDGES))
    found = {}
    for row in past:
        if row["valid_from"] <= at < row["valid_to"]:
            assert row["task_id"] not in found, f"two images of task {row['task_id']} at {at}"
            found[row["task_id"]] = row | {
                "id": row["task_id"],
                "tags": set(_loaded(row["tags"])),
                "relations": {(e["type"], e["from"], e["to"]) for e in row["relations"]},
            }
    for row in present:
        if row["valid_from"] <= at:
            assert row["id"] not in found, f"a past and the present image of {row['id']} at {at}"
            shown = {"tags": tags.get(row["id"], set()), "relations": edges.get(row["id"], set())}
            found[row["id"]] = row | shown
    return {id: row for id, row in found.items() if row["removed_at"] is None}


def _loaded(document: Any) -> Any:
    return json.loads(document) if isinstance(document, str) else document


def _grouped(found: list[Row], key: str, value: Callable[[Row], Any]) -> dict[int, set[Any]]:
    groups: dict[int, set[Any]] = {}
    for row in found:
        groups.setdefault(row[key], set()).add(value(row))
    return groups


def _present_edges(found: list[Row]) -> dict[int, set[tuple[str, int, int]]]:
    edges: dict[int, set[tuple[str, int, int]]] = {}
    for row in found:
        edge = (row["type"], row["from_task_id"], row["to_task_id"])
        for end, said in (("from_task_id", "reported_by_from"), ("to_task_id", "reported_by_to")):
            if row[said]:
                edges.setdefault(row[end], set()).add(edge)
    return edges


def assert_history_shows(mirror: Mirror, truth: Plain, at: datetime, view: View) -> None:
    """Compare the images that were valid at an instant with the account as it was then."""
    wanted = {
        id: expected_task(truth, task, view)
        | {"tags": task["tags"], "relations": task["relations"]}
        for id, task in visible_tasks(truth, view).items()
    }
    found = images_at(mirror.database_url, at)
    assert_same(differences({"tasks": found}, {"tasks": wanted}, ["tasks"]), f" of {at}")
