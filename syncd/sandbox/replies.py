"""What an action may answer: data, bytes of a file, or a refusal with the account's words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from syncd.sandbox.listings import Body
from syncd.sandbox.records import File


@dataclass(frozen=True, slots=True)
class Reply:
    """Keys of an answer beside its status; `body` stands for all of them when it is there."""

    keys: dict[str, Any]
    body: Body | None = None
    file: File | None = None


OK = Reply({})


def data(value: Any) -> Reply:
    """The usual answer."""
    return Reply({"data": value})


class RefusedError(Exception):
    """An application error: HTTP 200 with status error (the API sheet, section 6.8)."""

    def __init__(
        self, code: int | None, message: str, details: str | None = None, test: str | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details
        self.test = test

    def form(self) -> dict[str, Any]:
        """The envelope; what is not known is absent."""
        keys = {
            "status": "error",
            "status_code": self.code,
            "message": self.message,
            "message_details": self.details,
            "test": self.test,
        }
        return {key: value for key, value in keys.items() if value is not None}


def required(name: str) -> RefusedError:
    """A parameter is missing."""
    return RefusedError(10, "Field is required", name)


def bad_project() -> RefusedError:
    """There is no such project, or not for us."""
    return RefusedError(4, "Project is invalid")


def bad_task() -> RefusedError:
    """There is no such task, or not for us."""
    return RefusedError(5, "Task is invalid")


def bad_email(email: str) -> RefusedError:
    """Nobody active has that address."""
    return RefusedError(11, "Invalid email", email)


def bad_tag(tag: str) -> RefusedError:
    """There is no such tag, or not in that project."""
    return RefusedError(16, "Tag is invalid", tag)


def too_many_tasks(limit: int) -> RefusedError:
    """Over the record limit: permanent for that request, unlike too many requests."""
    return RefusedError(None, f"Too many tasks ({limit} max)")
