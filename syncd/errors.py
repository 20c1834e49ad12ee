"""The error tree: errors are sorted by what to do next, and the class holds the exit code.

    SyncdError                          exit 1   a failure in the middle
    ├─ ConfigError                      exit 2   usage or configuration; refuse to start
    ├─ DatabaseUnusable                 exit 2   cannot be opened or written at the start
    │  ├─ NoMirror                      exit 2   nothing was pulled into it yet
    │  └─ SchemaMismatch                exit 2   not our database, or of another version
    ├─ StorageFailed                    exit 1   the database failed in the middle of work
    ├─ LeaseHeld                        exit 5   another instance talks to the account
    ├─ LeaseLost                        exit 5   ours was taken over; drop the result
    └─ AccountError                     exit 4
       ├─ Unreachable    nothing was sent; end the run, try later
       ├─ Throttled      not now; wait `retry_after_s`
       │  └─ Stopped     we were told to stop; nothing was sent
       ├─ Unanswered     it may have landed; a write becomes uncertain
       ├─ BadReply       it makes no sense; end the run, keep the body
       ├─ Refused        it said no, with a code
       │  └─ TooManyRecords   over the record limit of one answer; ask for less
       └─ Unauthorized   dead credentials; halt

Imports nothing of syncd. No secret may be put into any of these: they are printed and logged.
"""

from __future__ import annotations


class SyncdError(Exception):
    """A failure that a person can be told about in two lines: what happened, and what to do."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class ConfigError(SyncdError):
    """The configuration or the command line cannot be used as it is."""

    exit_code = 2


class DatabaseUnusable(SyncdError):
    """The database cannot be opened or written at the start."""

    exit_code = 2


class NoMirror(DatabaseUnusable):
    """There is no mirror yet: the database is empty, or does not exist."""


class SchemaMismatch(DatabaseUnusable):
    """The database is not ours, or its schema is of another version than this program's."""


class StorageFailed(SyncdError):
    """The database failed in the middle of work: the disk is full, the server is gone."""


class LeaseHeld(SyncdError):
    """Another instance holds the right to talk to the account; `holder` names it."""

    exit_code = 5

    def __init__(self, message: str, *, holder: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.holder = holder


class LeaseLost(SyncdError):
    """Our lease was taken over while we worked; nothing of this run may be written."""

    exit_code = 5


class AccountError(SyncdError):
    """The account refused us, could not be reached, or makes no sense."""

    exit_code = 4


class Unreachable(AccountError):
    """Nothing was sent: the name does not resolve, the connection was refused, TLS failed."""


class Throttled(AccountError):
    """The account asks us to slow down; `retry_after_s` is its own figure where it gave one."""

    def __init__(self, message: str, *, retry_after_s: float | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class Stopped(Throttled):
    """We were told to stop before this request left; whoever is next sends it."""


class Unanswered(AccountError):
    """The request may have landed, and no answer came: timeout, cut connection, 5xx."""


class BadReply(AccountError):
    """The answer makes no sense; `body` is its beginning, with secrets removed."""

    def __init__(self, message: str, *, body: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.body = body


class Refused(AccountError):
    """The account said no. The code alone is ambiguous: read it with the action and the words.

    Source: API sheet section 6.8, error codes.
    """

    def __init__(
        self,
        message: str,
        *,
        action: str,
        code: int | None,
        said: str,
        details: str = "",
        hint: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.action = action
        self.code = code
        self.said = said
        self.details = details


class TooManyRecords(Refused):
    """One answer would hold more records than the account allows; permanent for that request."""


class Unauthorized(AccountError):
    """The credentials are dead or lack a right; nothing is retried until a person acts."""
