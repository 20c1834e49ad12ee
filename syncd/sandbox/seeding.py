"""An account full of plausible data, made from a seed.

Records are written directly, not through the account's methods: a hundred thousand tasks take
seconds. Equal plans give equal accounts, on any machine and on any day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from math import fsum
from random import Random
from typing import TYPE_CHECKING

from syncd.sandbox import sowing, words
from syncd.sandbox.records import NO_MANAGER, Event, Member, Project, Tag, TagGroup

if TYPE_CHECKING:
    from syncd.sandbox.account import Account

ANCHOR = date(2025, 10, 1)
MEAN_PROJECT = 60
HISTORY_DAYS = 700


@dataclass(frozen=True, slots=True)
class Plan:
    """What to sow; shares are 0..1."""

    tasks: int
    seed: int
    members: int
    archived: float
    pending: float
    delayed: float
    anchor: date


def sow(account: Account, plan: Plan) -> None:
    """Fill an empty account."""
    random = Random(plan.seed)
    sow_members(account, plan, random)
    sow_tags(account)
    sizes = project_sizes(plan.tasks, random)
    for number, size in enumerate(sizes):
        project = sow_project(account, plan, random, number)
        sowing.sow_tasks(account, plan, random, project, size)
    sowing.sow_relations(account, random)
    sow_history(account, plan)
    account.touch_all()


def sow_members(account: Account, plan: Plan, random: Random) -> None:
    """People; every fifth without an address, one of them deactivated."""
    for number in range(max(3, plan.members)):
        member_id = account.new_id("member")
        member = Member(
            id=member_id,
            first_name=words.FIRST_NAMES[number * 5 % len(words.FIRST_NAMES)],
            last_name=words.LAST_NAMES[number * 7 % len(words.LAST_NAMES)],
            email=f"{member_id}@{member_id}.worksection.com",
            title=random.choice(words.POSITIONS),
            group="Owl agency",
            department=random.choice(("", "Design", "Розробка")),
            role=("Owner", "Account admin", "User")[min(number, 2)],
            rate=Decimal(random.randint(5, 60)) if number % 3 == 0 else None,
            active=number != 2,
        )
        if number % 5 != 4:
            member.email = f"user{number}@{'Example.com' if number % 7 == 3 else 'example.com'}"
        account.members[member_id] = member
    account.owner_id = next(iter(account.members))


def sow_tags(account: Account) -> None:
    """The catalogue of tags, always the same."""
    for title, kind, access, names in words.TAG_GROUPS:
        group = TagGroup(account.new_id("tag_group"), title, kind, access)
        account.tag_groups[group.id] = group
        for name in names:
            tag = Tag(account.new_id("tag"), group.id, name)
            account.tags[tag.id] = tag


def project_sizes(tasks: int, random: Random) -> list[int]:
    """Numbers of tasks per project: about sixty in mean, very uneven, `tasks` in sum."""
    count = max(min(3, tasks), round(tasks / MEAN_PROJECT)) or 1
    weights = [random.lognormvariate(0, 0.8) for _ in range(count)]
    whole = fsum(weights)  # sum() of floats differs between releases of Python
    sizes = [int(tasks * weight / whole) for weight in weights]
    for number in range(tasks - sum(sizes)):
        sizes[number % count] += 1
    return sizes


def sow_project(account: Account, plan: Plan, random: Random, number: int) -> Project:
    """A project without tasks; every fifth has no manager."""
    people = list(account.members)
    added = datetime.combine(plan.anchor, time(9, 0)) - timedelta(
        days=HISTORY_DAYS + random.randint(0, 300), minutes=-random.randint(0, 480)
    )
    project = Project(
        id=account.new_id("project"),
        name=f"{words.PROJECTS[number % len(words.PROJECTS)]}{series(number)}",
        author_id=account.owner_id,
        date_added=added,
        manager_id=NO_MANAGER if number % 5 == 4 else random.choice(people),
        company=random.choice(words.COMPANIES),
        text=random.choice(words.SENTENCES),
        date_start=added.date(),
        member_ids=random.sample(people, k=min(len(people), 3 + number % 6)),
        tag_group_ids={
            g.id for g in account.tag_groups.values() if g.access == "public" or number % 4 == 0
        },
    )
    set_status(plan, random, project, number)
    account.projects[project.id] = project
    return project


def series(number: int) -> str:
    """A number behind names that have been used before."""
    again = number // len(words.PROJECTS)
    return f" {again + 1}" if again else ""


def set_status(plan: Plan, random: Random, project: Project, number: int) -> None:
    """Archive or suspend some; the first project always stays active."""
    chance = random.random()
    if number == 0 or chance >= plan.archived + plan.pending:
        return
    if chance < plan.archived:
        project.status = "archive"
        project.date_closed = datetime.combine(plan.anchor, time(17, 30)) - timedelta(days=40)
    else:
        project.status = "pending"


def sow_history(account: Account, plan: Plan) -> None:
    """The creations of the last thirty days, as the change feed tells of them."""
    since = datetime.combine(plan.anchor, time()) - timedelta(days=30)
    recent = [task for task in account.tasks.values() if task.date_added >= since]
    for task in sorted(recent, key=lambda t: (t.date_added, t.id)):
        at = task.date_added.replace(tzinfo=account.zone).astimezone(UTC)
        page, what = account.page_of(task), "subtask" if task.parent_id else ""
        new = {"name": task.name, "assignee_id": task.assignee_id}
        account.events.append(
            Event(
                at,
                task.date_added,
                "post",
                "task",
                task.id,
                task.id,
                task.project_id,
                page,
                task.author_id,
                what,
                new,
            )
        )
