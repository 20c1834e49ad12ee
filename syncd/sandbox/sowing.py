"""The tasks of a seeded account, with all that hangs on them."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

from syncd.sandbox import words
from syncd.sandbox.records import ANYONE, NOBODY, RELATION_TYPES, Comment, Cost, File, Project, Task

if TYPE_CHECKING:
    from syncd.sandbox.account import Account
    from syncd.sandbox.seeding import Plan

HOURS = tuple(Decimal(h) for h in ("0.5", "1", "1.25", "2", "7.75", "16", "40", "352"))
MONEY = tuple(Decimal(m) for m in ("100", "250.5", "999.99", "5280"))


def sow_tasks(account: Account, plan: Plan, random: Random, project: Project, size: int) -> None:
    """Exactly `size` tasks: about half at the top, a third below them, the rest on level three."""
    start = project.date_added
    span = (datetime.combine(plan.anchor, time(18)) - start) / max(size, 1)
    levels: tuple[list[Task], list[Task]] = ([], [])
    for number in range(size):
        added = start + span * (number + random.random())
        parent = choose_parent(random, levels)
        task = sow_task(account, plan, random, project, parent, working_hour(added))
        if parent is None:
            levels[0].append(task)
        elif parent.parent_id is None:
            levels[1].append(task)
    for root in levels[0]:
        close_some(account, plan, random, root)


def working_hour(added: datetime) -> datetime:
    """The same moment to the minute, but by day, where no change of clocks makes it void."""
    return added.replace(hour=8 + added.hour // 2, second=0, microsecond=0)


def choose_parent(random: Random, levels: tuple[list[Task], list[Task]]) -> Task | None:
    """Where the next task goes: mostly below a recent one, or at the top."""
    chance = random.random()
    if levels[1] and chance > 0.85:
        return random.choice(levels[1][-6:])
    if levels[0] and chance > 0.5:
        return random.choice(levels[0][-6:])
    return None


def sow_task(
    account: Account,
    plan: Plan,
    random: Random,
    project: Project,
    parent: Task | None,
    added: datetime,
) -> Task:
    """One open task with its people, dates, text, tags, files and talk."""
    task = Task(
        id=account.new_id("task"),
        project_id=project.id,
        parent_id=parent.id if parent else None,
        name=task_name(random),
        author_id=random.choice(people(account)),
        date_added=added,
        assignee_id=random.choice((ANYONE, NOBODY, *people(account))),
        priority=random.randint(0, 10) if random.random() < 0.4 else 1,
        delayed=random.random() < plan.delayed,
    )
    account.tasks[task.id] = task
    (parent.child_ids if parent else project.roots).append(task.id)
    set_dates(random, task)
    set_limits(random, task)
    task.text = task_text(random)
    set_tags(account, random, project, task)
    sow_belongings(account, random, task)
    return task


def people(account: Account) -> list[int]:
    """The ids of all members."""
    return list(account.members)


def task_name(random: Random) -> str:
    """A title in one or two languages, sometimes with what people use as labels."""
    return (
        f"{random.choice(words.LABELS)}{random.choice(words.VERBS)} {random.choice(words.SUBJECTS)}"
    )


def set_dates(random: Random, task: Task) -> None:
    """Most tasks have a due date, some of them a start and hours too."""
    chance = random.random()
    if chance < 0.3:
        return
    task.date_end = task.date_added.date() + timedelta(days=random.randint(1, 90))
    if chance > 0.6:
        task.date_start = task.date_added.date() + timedelta(days=random.randint(0, 1))
    if chance > 0.85:
        task.time_end = time(18, 0)
        task.time_start = time(8, 30) if task.date_start else None


def set_limits(random: Random, task: Task) -> None:
    """Estimates on a quarter of the tasks."""
    if random.random() < 0.25:
        task.max_time = random.choice(HOURS)
        task.max_money = random.choice(MONEY) if random.random() < 0.4 else None


def task_text(random: Random) -> str:
    """Nothing, a few sentences with CRLF between them, or a checklist with bullets."""
    chance = random.random()
    if chance < 0.35:
        return ""
    lines = random.choices(words.SENTENCES, k=1 + int(chance * 4))
    if chance > 0.8:
        lines += [f"• {item}" for item in random.choices(words.ITEMS, k=3)]
    return "\r\n".join(lines)


def set_tags(account: Account, random: Random, project: Project, task: Task) -> None:
    """Up to three tags of the groups attached to the project."""
    if random.random() < 0.55:
        allowed = [t.id for t in account.tags.values() if t.group_id in project.tag_group_ids]
        task.tag_ids = random.sample(allowed, k=random.randint(1, 3))


def sow_belongings(account: Account, random: Random, task: Task) -> None:
    """Files on some tasks, talk under some, subscribers and costs on some."""
    chance = random.random()
    for _ in range(int(chance * 15) - 12):
        sow_file(account, random, task)
    for number in range(int(random.random() * 18) - 11):
        sow_comment(account, random, task, number)
    if chance < 0.3:
        task.subscriber_ids = random.sample(people(account), k=2)
    if chance < 0.1:
        sow_cost(account, random, task)


def sow_file(account: Account, random: Random, task: Task) -> None:
    """A file of a plausible size; its bytes are made when they are asked for."""
    name, size = random.choice(words.FILE_NAMES), random.randint(1, 300_000)
    file = File(account.new_id("file"), name, size, task.id, task.author_id, task.date_added)
    account.files[file.id] = file
    task.file_ids.append(file.id)


def sow_comment(account: Account, random: Random, task: Task, number: int) -> None:
    """A comment some hours after the one before it."""
    comment = Comment(
        id=account.new_id("comment"),
        task_id=task.id,
        author_id=random.choice(people(account)),
        text=random.choice(words.SENTENCES),
        date_added=task.date_added + timedelta(hours=number, minutes=random.randint(1, 59)),
    )
    account.comments[comment.id] = comment
    task.comment_ids.append(comment.id)


def sow_cost(account: Account, random: Random, task: Task) -> None:
    """A row of time and money."""
    cost_id = account.new_id("cost")
    account.costs[cost_id] = Cost(
        id=cost_id,
        task_id=task.id,
        member_id=task.author_id,
        minutes=random.randint(1, 600),
        money=random.choice(MONEY),
        date=task.date_added.date(),
    )


def close_some(account: Account, plan: Plan, random: Random, root: Task) -> None:
    """Close whole trees mostly when old, else single leaves: never a task over an open one."""
    tree = list(account.subtree(root))
    age = (plan.anchor - root.date_added.date()).days
    whole = random.random() < 0.15 + age / 1000
    for task in reversed(tree):
        if whole or (not task.child_ids and random.random() < 0.2):
            close(plan.anchor, random, task)


def close(anchor: date, random: Random, task: Task) -> None:
    """Mark as done some days after it was added, and not after the anchor."""
    closed = task.date_added + timedelta(days=random.randint(0, 60), minutes=random.randint(1, 90))
    latest = datetime.combine(anchor, time(18))
    task.status = "done"
    task.date_closed = task.last_closed = min(closed, max(latest, task.date_added))


def sow_relations(account: Account, random: Random) -> None:
    """Links from a tenth of the tasks to later ones, some of them in another project."""
    ids = list(account.tasks)
    for position, from_id in enumerate(ids[:-1]):
        if random.random() < 0.1:
            reach = len(ids) - 1 if random.random() < 0.2 else min(position + 20, len(ids) - 1)
            edge = (
                random.choice(RELATION_TYPES),
                from_id,
                ids[random.randint(position + 1, reach)],
            )
            account.edges.setdefault(edge[1], []).append(edge)
            account.edges.setdefault(edge[2], []).append(edge)
