"""search_tasks: its conditions, and the small grammar of `filter` (the API sheet, section 5.4).

expression = term ("or" term)*      term = factor ("and" factor)*
factor     = "(" expression ")" | field operator value
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING

from syncd.sandbox.parameters import wire_date
from syncd.sandbox.records import Project, Task
from syncd.sandbox.replies import RefusedError

if TYPE_CHECKING:
    from syncd.sandbox.calls import Call

Test = Callable[[Task], bool]
TOKEN = re.compile(r"\s*('(?:[^'])*'|\"(?:[^\"])*\"|[()=,]|[<>!]=?|[^\s()=,<>!'\"]+)")
NUMBERS: dict[str, Callable[[Task], int]] = {
    "id": lambda task: task.id,
    "project": lambda task: task.project_id,
    "parent": lambda task: task.parent_id or 0,
}
DATES = {
    "dateadd": "date_added",
    "datestart": "date_start",
    "dateend": "date_end",
    "dateclose": "date_closed",
}
LONG_DATES = {column: column for column in DATES.values()}
COMPARE: dict[str, Callable[[date, date], bool]] = {
    ">": lambda left, right: left > right,
    "<": lambda left, right: left < right,
    ">=": lambda left, right: left >= right,
    "<=": lambda left, right: left <= right,
    "=": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
}
EXPECTED = "name has 'text' and (dateadd >= 'DD.MM.YYYY' or id in (1,2))"


def search(call: Call) -> list[Task]:
    """The tasks that meet every condition of the call, in order of creation."""
    tests = list(conditions(call))
    return [
        task
        for task in sorted(call.account.tasks.values(), key=lambda task: task.id)
        if within(call, task) and all(test(task) for test in tests)
    ]


def within(call: Call, task: Task) -> bool:
    """Whether the search goes there: archived projects only when they are named."""
    project = call.account.projects[task.project_id]
    if not call.reaches(project) or call.account.is_delayed(task):
        return False
    return project.status != "archive" or is_named(call, project)


def is_named(call: Call, project: Project) -> bool:
    """Whether id_project asks for just this project."""
    return call.parameters.number("id_project") == project.id


def conditions(call: Call) -> Iterator[Test]:
    """One test per condition that was sent; bad ids and addresses are refused."""
    parameters = call.parameters
    if parameters.text("id_project"):
        project_id = call.project().id
        yield lambda task: task.project_id == project_id
    if parameters.text("id_task"):
        yield by_task(call)
    if email := parameters.text("email_user_from"):
        author_id = call.person(email)
        yield lambda task: task.author_id == author_id
    if parameters.text("email_user_to"):
        assignee_id = call.assignee()
        yield lambda task: task.assignee_id == assignee_id
    if filter_text := parameters.text("filter"):
        yield parse(filter_text)
    if status := wanted_status(call):
        yield lambda task: task.status == status


def by_task(call: Call) -> Test:
    """id_task alone means the task, or all of its subtree: the switch decides."""
    task = call.task()
    if call.switches.search_task_id == "task":
        return lambda each: each.id == task.id
    below = {each.id for each in call.account.subtree(task)}
    return lambda each: each.id in below


def wanted_status(call: Call) -> str | None:
    """The status asked for, or the one that applies when none was."""
    status = call.parameters.text("status")
    if status in ("active", "done"):
        return status
    return None if call.switches.search_default_status == "all" else "active"


def parse(text: str) -> Test:
    """The test that a filter describes; anything else is refused with the expected format."""
    parser = Parser(list(tokens(text)))
    test = parser.expression()
    if parser.peek():
        raise refused(parser.peek())
    return test


def tokens(text: str) -> Iterator[str]:
    """Words, quoted values, operators and brackets."""
    position = 0
    while text[position:].strip():
        match = TOKEN.match(text, position)
        if match is None:
            raise refused(text[position:])
        yield match[1]
        position = match.end()


def refused(near: str) -> RefusedError:
    """A filter that is not understood; `test` shows what is (section 1)."""
    return RefusedError(10, "Filter is invalid", f"filter: {near}", EXPECTED)


class Parser:
    """Recursive descent over the tokens of one filter."""

    def __init__(self, found: list[str]) -> None:
        self._tokens = found
        self._next = 0

    def peek(self) -> str:
        """The next token, or nothing at the end."""
        return self._tokens[self._next] if self._next < len(self._tokens) else ""

    def take(self, *allowed: str) -> str:
        """Consume the next token, which must be one of those allowed, if any are named."""
        token = self.peek()
        if not token or (allowed and token not in allowed):
            raise refused(token)
        self._next += 1
        return token

    def expression(self) -> Test:
        """Terms joined by `or`."""
        tests = [self.term()]
        while self.peek() == "or":
            self.take()
            tests.append(self.term())
        return lambda task: any(test(task) for test in tests)

    def term(self) -> Test:
        """Factors joined by `and`."""
        tests = [self.factor()]
        while self.peek() == "and":
            self.take()
            tests.append(self.factor())
        return lambda task: all(test(task) for test in tests)

    def factor(self) -> Test:
        """A comparison, or an expression in brackets."""
        if self.peek() == "(":
            self.take()
            test = self.expression()
            self.take(")")
            return test
        return self.comparison(self.take())

    def comparison(self, field: str) -> Test:
        """One field with an operator that its type knows."""
        if field in NUMBERS:
            return self.number_test(NUMBERS[field])
        if field == "name":
            return self.name_test()
        if column := (DATES | LONG_DATES).get(field):
            return self.date_test(column)
        raise refused(field)

    def number_test(self, value: Callable[[Task], int]) -> Test:
        """`= 1` or `in (1,2)`."""
        if self.take("=", "in") == "=":
            wanted = {self.number()}
        else:
            self.take("(")
            wanted = {self.number()}
            while self.take(",", ")") == ",":
                wanted.add(self.number())
        return lambda task: value(task) in wanted

    def number(self) -> int:
        """A whole number, which may be quoted."""
        token = self.take().strip("'\"")
        if not token.isdecimal():
            raise refused(token)
        return int(token)

    def quoted(self) -> str:
        """A value in quotes."""
        token = self.take()
        if token[0] not in "'\"":
            raise refused(token)
        return token[1:-1]

    def name_test(self) -> Test:
        """`= 'text'` or `has 'text'`; case does not matter to `has`."""
        if self.take("=", "has") == "=":
            exact = self.quoted()
            return lambda task: task.name == exact
        part = self.quoted().casefold()
        return lambda task: part in task.name.casefold()

    def date_test(self, column: str) -> Test:
        """A comparison of days; a task without the date never matches."""
        compare = COMPARE[self.take(*COMPARE)]
        text = self.quoted()
        wanted = wire_date(text)
        if wanted is None:
            raise refused(text)
        return lambda task: (day := day_of(task, column)) is not None and compare(day, wanted)


def day_of(task: Task, column: str) -> date | None:
    """The day of a date or date-time field."""
    value: date | None = getattr(task, column)
    return value.date() if isinstance(value, datetime) else value
