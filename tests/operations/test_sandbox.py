"""Every verb against the simulated account: plan, look, merge, send, look again; in its moods."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from syncd.errors import Refused
from syncd.model.change import Change
from syncd.model.outbound import Place, Step
from syncd.operations import OPERATIONS, Sending, draft
from syncd.operations.rehearsal import merged
from syncd.resources.tasks.wire import Place as Where
from syncd.resources.tasks.wire import read_task
from syncd.sandbox import Sandbox
from syncd.secrets import Secret
from syncd.sync.names import Names, shown, with_ids
from syncd.sync.retry import Applied, Failed, after
from syncd.sync.verify import Verified, verify
from syncd.worksection.client import Client
from syncd.worksection.methods.tasks import get_task
from syncd.worksection.request import Request
from syncd.worksection.signing import Md5
from tests.support.changes import a_change, a_creation, a_plan
from tests.support.records import MONDAY
from tests.worksection.builders import a_client

ASKED = frozenset({"text", "files", "relations"})
DAY, LATER_DAY = date(2026, 2, 1), date(2026, 3, 1)


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox() as box:
        yield box


@pytest.fixture
def client(box: Sandbox) -> Iterator[Client]:
    with a_client(box.url, scheme=Md5(Secret(box.key)), clock=box.account.clock) as client:
        yield client


def names(box: Sandbox) -> Names:
    members, tags = box.account.members.values(), box.account.tags.values()
    return Names({m.id: m.email.lower() for m in members}, {t.id: t.title for t in tags})


def a_project(box: Sandbox) -> Any:
    return next(p for p in box.account.projects.values() if p.status == "active")


def somebody(box: Sandbox) -> Any:
    return next(iter(box.account.members.values()))


def a_task(box: Sandbox, **values: Any) -> int:
    defaults = {"assignee_id": somebody(box).id, "priority": 3, "date_end": DAY}
    return box.account.create_task(a_project(box).id, "Old name", **defaults | values)


def tags_of(box: Sandbox) -> list[int]:
    groups = a_project(box).tag_group_ids
    return [tag.id for tag in box.account.tags.values() if tag.group_id in groups]


def look(box: Sandbox, client: Client, id: int) -> dict[str, Any]:
    node = client.call(get_task(id, extra=("text", "files", "relations", "tags"))).decode(dict)
    record = read_task(node, Where(None, None, 1), ASKED, {})
    fields = shown(record, names(box))
    return {"tags": frozenset(), **fields}


def send(box: Sandbox, client: Client, change: Change) -> tuple[Any, Verified | None]:
    """Push the first step of one change; returns its outcome, and what a later look shows."""
    plan = a_plan([change], {change.task_id: Place(1)})
    step = plan.steps[0].step
    before = look(box, client, change.task_id) if change.task_id else None
    merge = merged(step, before, names(box))
    request = draft(Sending(step=step, names=names(box), values=merge.to_send, theirs=before or {}))
    assert isinstance(request, Request)
    try:
        answer = client.call(request)
    except Refused as error:
        return after(step.verb, error, attempts=0, now=MONDAY, jitter=0), None
    id = change.task_id or int((answer.decode(dict) or {})["id"])
    return Applied(), seen(box, client, step, id)


def seen(box: Sandbox, client: Client, step: Step, id: int) -> Verified:
    mine, base = with_ids(step.fields, names(box)), with_ids(step.base, names(box))
    theirs = look(box, client, id)
    result = verify(mine, base, theirs)
    landed = OPERATIONS[step.verb].landed
    resolved = Step(
        **{n: getattr(step, n) for n in Step.__slots__} | {"fields": mine, "base": base}
    )
    assert ("landed" == landed(resolved, theirs)) == result.honoured
    return result


def edit(id: int, fields: dict[str, Any], base: dict[str, Any]) -> Change:
    return a_change(1, "update", task_id=id, fields=fields, base=base)


def test_an_edit_of_every_field_lands_and_shows(box: Sandbox, client: Client) -> None:
    id = a_task(box)
    fields = {
        "name": "Новое имя & «more»",
        "priority": 9,
        "date_start": DAY,
        "date_end": LATER_DAY,
        "max_time": Decimal("1.5"),
        "max_money": Decimal(20),
        "assignee_email": "ANY",
    }
    base = {
        "name": "Old name",
        "priority": 3,
        "date_start": None,
        "date_end": DAY,
        "max_time": None,
        "max_money": None,
        "assignee_email": somebody(box).email,
    }
    outcome, verified = send(box, client, edit(id, fields, base))
    assert (Applied(), tuple(sorted(fields))) == (outcome, verified and verified.shown)


@pytest.mark.parametrize("resets", [True, False])
def test_an_edit_touches_only_what_it_names(box: Sandbox, client: Client, resets: bool) -> None:
    box.set(assignee_reset_on_omit=resets)
    id = a_task(box)
    send(box, client, edit(id, {"priority": 9}, {"priority": 3}))
    task = box.account.tasks[id]
    assert (9, somebody(box).id, DAY) == (task.priority, task.assignee_id, task.date_end)


CLEARED = {"date_end": None, "max_time": None, "assignee_email": None}


def clear(box: Sandbox, client: Client) -> tuple[Any, Verified | None]:
    id = a_task(box, max_time=Decimal(5))
    base = {"date_end": DAY, "max_time": Decimal(5), "assignee_email": somebody(box).email}
    return send(box, client, edit(id, CLEARED, base))


def test_clearing_is_confirmed_where_the_account_clears(box: Sandbox, client: Client) -> None:
    box.set(empty_value="clear")
    _, verified = clear(box, client)
    assert verified is not None
    assert tuple(sorted(CLEARED)) == verified.shown


def test_clearing_is_reported_by_field_where_it_does_not(box: Sandbox, client: Client) -> None:
    box.set(empty_value="keep")
    _, verified = clear(box, client)
    assert verified is not None
    assert ["date_end", "max_time"] == [each.field for each in verified.ignored]
    assert ("assignee_email",) == verified.shown


def test_clearing_fails_where_the_account_refuses_it(box: Sandbox, client: Client) -> None:
    box.set(empty_value="error")
    outcome, _ = clear(box, client)
    assert isinstance(outcome, Failed)


@pytest.mark.parametrize("reply", ["ok", "stale"])
def test_completing_and_reopening_show(box: Sandbox, client: Client, reply: str) -> None:
    box.set(complete_reply=reply, date_closed_lingers=True)
    id = a_task(box)
    for verb in ("complete", "reopen"):
        _, verified = send(box, client, a_change(1, verb, task_id=id))
        assert verified is not None
        assert ("status",) == verified.shown


@pytest.mark.parametrize("ignored", ["overwrite", "ignore"])
def test_tags_are_merged_whatever_update_task_does(
    box: Sandbox, client: Client, ignored: str
) -> None:
    box.set(update_task_tags=ignored)
    kept, off, on = tags_of(box)[:3]
    id = a_task(box, tag_ids=[kept, off])
    change = edit(id, {"tags": frozenset({on})}, {"tags": frozenset({off})})
    _, verified = send(box, client, change)
    assert verified is not None
    assert verified.honoured
    assert {kept, on} == set(box.account.tasks[id].tag_ids)


def test_a_creation_with_everything_lands_and_shows(box: Sandbox, client: Client) -> None:
    email = somebody(box).email
    fields = {
        "project_id": a_project(box).id,
        "name": " Новая задача ",
        "author_email": email.upper(),
        "assignee_email": email,
        "priority": 7,
        "text": "line one\nline two",
        "checklist": ("one", "two, three"),
        "mentions": (email,),
        "subscribers": (email,),
        "date_start": DAY,
        "date_end": LATER_DAY,
        "max_time": Decimal("0.5"),
        "max_money": Decimal(100),
        "tags": frozenset(tags_of(box)[:2]),
    }
    outcome, verified = send(box, client, a_creation(1, "r", fields=fields))
    assert Applied() == outcome
    assert verified is not None
    assert ((), ("checklist", "mentions", "subscribers")) == (verified.ignored, verified.unseen)


def test_a_text_of_the_greatest_length_is_cut_and_known_for_it(
    box: Sandbox, client: Client
) -> None:
    text = "я\n" * 32_768
    fields = {"project_id": a_project(box).id, "text": text}
    _, verified = send(box, client, a_creation(1, "r", fields=fields))
    assert verified is not None
    assert verified.honoured
