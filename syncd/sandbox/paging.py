"""The older way to address things: `page=/project/P/T/` instead of ids (the API sheet, 2.2)."""

from __future__ import annotations

import re

from syncd.sandbox.parameters import Parameters
from syncd.sandbox.replies import RefusedError

PAGE = re.compile(r"^/project/(\d+)/(?:(\d+)/)?(?:(\d+)/)?$")


def addressed(sent: Parameters, scheme: str) -> Parameters:
    """The parameters with ids in the place of a page; others are left as they are.

    Raises RefusedError 3 for a page that names nothing.
    """
    page = sent.text("page")
    if not page or scheme != "md5-page":
        return sent
    match = PAGE.match(page)
    if match is None:
        raise RefusedError(3, "Page is invalid")
    project_id, *task_ids = [each for each in match.groups() if each]
    task_key = "id_parent" if sent.text("action") == "post_task" else "id_task"
    pairs = [("id_project", project_id), *((task_key, each) for each in task_ids[-1:])]
    return Parameters([*sent.pairs(), *pairs])
