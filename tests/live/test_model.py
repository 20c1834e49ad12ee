"""Base overlaid with what is pending, in order, is what live_tasks shows: against a model."""

from __future__ import annotations

from copy import deepcopy
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, text, update

from syncd.store.live import live_tasks
from syncd.store.outbox import outbox
from syncd.sync.states import PENDING, STATES, TRANSITIONS, may_follow
from tests.support.records import MONDAY

IDS = (1000, 1001, 1005)
EMAILS = ("olena@acme.example", "PETRO@acme.example", "ANY", "NOONE", None)
DAYS = st.none() | st.dates(min_value=MONDAY.date().replace(year=2000)).filter(
    lambda day: day.year < 2100
)
AMOUNTS = st.none() | st.decimals(min_value=0, max_value=Decimal("99999999999"), places=4)
VALUES = {
    "name": st.text(
        st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=8
    ).filter(str.strip),
    "status": st.sampled_from(["active", "done"]),
    "priority": st.integers(0, 10),
    "assignee_email": st.sampled_from(EMAILS),
    "date_start": DAYS,
    "date_end": DAYS,
    "max_time": AMOUNTS,
    "max_money": AMOUNTS,
    "tags": st.none()
    | st.lists(st.sampled_from(["To-do", "Done", "#3", "#5", "éa"])).map(",".join),
}
EDITS = st.tuples(
    st.lists(st.sampled_from(IDS), min_size=1, unique=True),
    st.lists(st.sampled_from(sorted(VALUES)), min_size=1, unique=True).flatmap(
        lambda names: st.fixed_dictionaries({name: VALUES[name] for name in names})
    ),
)
STEPS = st.lists(
    st.one_of(
        EDITS.map(lambda edit: ("edit", *edit)),
        st.tuples(st.just("move"), st.integers(0, 30), st.sampled_from(STATES)),
    ),
    max_size=12,
)


def canonical(name, value):
    """A value as the view shows it."""
    if name == "tags":
        shown = sorted({label for label in (value or "").split(",") if label})
        return ",".join(shown) or None
    if name == "assignee_email":
        return "NOONE" if value is None else value if value in {"ANY", "NOONE"} else value.lower()
    return value.normalize() if isinstance(value, Decimal) else value


class Model:
    """The mirror's values, and the changes in their order."""

    def __init__(self, mirror):
        self.mirror = mirror
        self.changes = []

    def effective(self, id):
        shown = deepcopy(self.mirror[id])
        for change in self.changes:
            if change["task_id"] == id and change["state"] in PENDING:
                shown |= change["fields"]
        return shown

    def edit(self, ids, values):
        for id in sorted(ids):
            before = self.effective(id)
            wanted = {
                name: canonical(name, value)
                for name, value in values.items()
                if canonical(name, value) != canonical(name, before[name])
            }
            status = {name: wanted.pop(name) for name in ("status",) if name in wanted}
            parts = [wanted, status] if status.get("status") != "active" else [status, wanted]
            for fields in filter(None, parts):
                self.changes.append({"task_id": id, "fields": fields, "state": "queued"})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=STEPS)
def test_any_sequence_of_edits_shows_what_the_model_shows(shut_gate, steps):
    # Rolled back in the end: every example begins with the same mirror.
    with shut_gate.db.engine.connect() as tx:
        model = Model(_shown(tx))
        first = tx.scalar(select(outbox.c.id).order_by(outbox.c.id.desc()).limit(1)) or 0
        for what, *step in steps:
            if what == "edit":
                ids, values = step
                model.edit(ids, values)
                tx.execute(update(live_tasks).where(live_tasks.c.id.in_(ids)).values(**values))
            else:
                _move(tx, model, *step)
        queued = select(outbox).where(outbox.c.id > first).order_by(outbox.c.id)
        rows = tx.execute(queued).all()
        assert _lanes(model, rows)
        shown = _shown(tx)
        for id in IDS:
            effective = model.effective(id)
            assert effective == {name: shown[id][name] for name in effective}
        tx.rollback()


def _lanes(model, rows):
    """Tell whether each lane is the model's; tasks of one statement come in any order."""
    return all(
        [(set(c["fields"]), c["state"]) for c in model.changes if c["task_id"] == id]
        == [(set(row.fields), row.state) for row in rows if row.task_id == id]
        for id in IDS
    )


def _move(tx, model, n, state):
    """Take the n-th change to a state, where that may be; the model's and the database's alike."""
    if not model.changes:
        return
    change = model.changes[n % len(model.changes)]
    if not may_follow(change["state"], state):
        return
    lane = [one for one in model.changes if one["task_id"] == change["task_id"]]
    place = next(n for n, one in enumerate(lane) if one is change)
    queued = select(outbox.c.id).where(outbox.c.task_id == change["task_id"])
    id = tx.scalars(queued.order_by(outbox.c.id)).all()[place]
    tx.execute(update(outbox).where(outbox.c.id == id).values(state=state))
    change["state"] = state


def _shown(tx):
    rows = tx.execute(select(live_tasks).where(live_tasks.c.id.in_(IDS)))
    return {row.id: {name: _read(name, row._mapping[name]) for name in VALUES} for row in rows}


def _read(name, value):
    return value if name == "assignee_email" else canonical(name, value)  # NULL is shown as NULL


def test_every_state_can_be_reached():
    reached = {"queued", "held"}
    while more := {after for state in reached for after in TRANSITIONS[state]} - reached:
        reached |= more
    assert set(STATES) == reached


def test_our_own_statements_go_through_the_same_gate(gate):
    with gate.db.write() as tx:
        tx.execute(insert(live_tasks).values(project_id=10, name="x", max_time=Decimal("1.5")))
        tx.execute(update(live_tasks).where(live_tasks.c.id == 1000).values(date_end=MONDAY.date()))
        assert 2 == tx.scalar(text("SELECT count(*) FROM outbox"))
        (day,) = tx.scalars(select(live_tasks.c.date_end).where(live_tasks.c.id == 1000))
    assert MONDAY.date() == day
