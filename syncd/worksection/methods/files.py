"""Files: their list, their bytes, and sending new ones. API sheet, sections 6.7 and 8."""

from __future__ import annotations

from collections.abc import Sequence

from syncd.worksection.parameters import filled, given
from syncd.worksection.request import Attachment, Request


def get_files(*, id_project: int | None = None, id_task: int | None = None) -> Request:
    """The files of a project or of a task. Raises ValueError unless it is one of both."""
    if (id_project is None) == (id_task is None):
        raise ValueError("get_files needs a project or a task")
    return Request("get_files", filled(id_project=id_project, id_task=id_task))


def download(id_file: int) -> Request:
    """The bytes of a file; `syncd.worksection.download` stores them."""
    return Request("download", given(id_file=id_file))


def upload_files(files: Sequence[Attachment]) -> Request:
    """Send files ahead of the task that will hold them; for `hmac` only."""
    if not files:
        raise ValueError("upload_files needs a file")
    return Request("upload_files", attachments=tuple(files))
