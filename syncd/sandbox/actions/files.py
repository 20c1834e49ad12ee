"""The actions on files (the API sheet, sections 6.7 and 8)."""

from __future__ import annotations

from typing import Any

from syncd.sandbox import wire
from syncd.sandbox.calls import Call
from syncd.sandbox.records import File
from syncd.sandbox.replies import RefusedError, Reply, data, required


def get_files(call: Call) -> Reply:
    """The files of a task, comments included, or those of a project's tasks."""
    if call.parameters.text("id_task"):
        task_ids = {call.task().id}
    elif call.parameters.text("id_project"):
        project = call.project()
        task_ids = {t.id for t in call.account.tasks.values() if t.project_id == project.id}
    else:
        raise required("id_project or id_task")
    found = [f for f in call.account.files.values() if f.task_id in task_ids]
    return data([form(call, each) for each in found])


def form(call: Call, file: File) -> dict[str, Any]:
    """A file with its date and the person it came from."""
    return wire.file(file) | {
        "date_added": wire.stamp(file.date_added),
        "user_from": wire.user(call.account, file.member_id, call.switches),
    }


def download(call: Call) -> Reply:
    """The bytes of a file; code 4 in JSON when there is none."""
    call.parameters.required("id_file")
    file = call.account.files.get(call.parameters.number("id_file") or 0)
    if file is None or not call.sees(call.account.tasks[file.task_id]):
        raise RefusedError(4, "File not found")
    return Reply({}, file=file)


def upload_files(call: Call) -> Reply:
    """Store parts named files[] for a later creation."""
    sent = [part for part in call.attachments if part.field.startswith("files")]
    if not sent:
        raise required("files")
    call.account.version += 1
    return data([call.uploads.keep(part) for part in sent])


ACTIONS = {
    "get_files": ("files_read", get_files),
    "download": ("files_read", download),
    "upload_files": ("files_write", upload_files),
}
