"""Findings: how they are made, and what they mean for the exit code."""

from __future__ import annotations

from collections.abc import Iterable

from syncd.errors import AccountError, SyncdError
from syncd.model.reports import Finding

EXIT_CONFIG, EXIT_WAITS, EXIT_ACCOUNT, EXIT_LEASE = 2, 3, 4, 5
LEASE = "account.lease"


def ok(check: str, found: str) -> Finding:
    """Return a finding that is as it should be."""
    return Finding(check, "ok", found)


def note(check: str, found: str, fix: str = "") -> Finding:
    """Return a finding that is worth knowing, and no fault."""
    return Finding(check, "note", found, fix)


def warning(check: str, found: str, fix: str) -> Finding:
    """Return a finding that waits for a person."""
    return Finding(check, "warning", found, fix)


def problem(check: str, found: str, fix: str) -> Finding:
    """Return a finding that stops syncd from working."""
    return Finding(check, "problem", found, fix)


def of_error(check: str, error: SyncdError, *, fix: str = "") -> Finding:
    """Return the problem that an error tells of."""
    return problem(check, error.message, error.hint or fix or _usual_fix(error))


def _usual_fix(error: SyncdError) -> str:
    return "Try again in a while." if isinstance(error, AccountError) else ""


def exit_code(findings: Iterable[Finding]) -> int:
    """Return 0 where nothing asks for a person, else what the worst finding is about.

    2: a problem of the configuration or the database; 4: of the account; 5: another instance
    holds the lease, so the account was not asked; 3: warnings only.
    """
    found = list(findings)
    areas = {one.check.partition(".")[0] for one in found if one.severity == "problem"}
    if areas - {"account"}:
        return EXIT_CONFIG
    if areas:
        return EXIT_ACCOUNT
    warned = {one.check for one in found if one.severity == "warning"}
    if LEASE in warned:
        return EXIT_LEASE
    return EXIT_WAITS if warned else 0
