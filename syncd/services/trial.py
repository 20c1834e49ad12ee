"""The trial before anything is written: consent turned into tokens, the account looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path

from syncd.errors import AccountError
from syncd.model.reports import Finding
from syncd.secrets import Secret
from syncd.services.check_account import look_at_way
from syncd.services.findings import of_error, ok, problem
from syncd.services.first_look import Look
from syncd.services.memory import account_name
from syncd.services.setup import Application
from syncd.services.size import first_pull
from syncd.settings import Settings
from syncd.worksection.client import Client
from syncd.worksection.consent import Consent
from syncd.worksection.tokens import TokenFile


def take_consent(
    application: Application,
    code: Secret,
    settings: Settings,
    tokens: Path,
    *,
    sleep: Callable[[float], None],
) -> Iterator[Finding]:
    """Exchange the code for tokens and store them; they must be for the account that was named."""
    consent = Consent(
        client_id=application.client_id,
        client_secret=application.client_secret,
        timeout_s=float(settings.limits.timeout),
        oauth_url=application.oauth_url,
    )
    try:
        given = consent.exchange_code(code, application.redirect_uri)
    except AccountError as error:
        fix = "A code lives ten minutes and is good once: open the page again for a new one."
        yield problem("account.consent", error.message, fix)
        return
    named, consented = account_name(settings.account.url), account_name(given.account_url)
    if given.account_url and named != consented:
        yield problem(
            "account.consent",
            f"the consent is for {consented}, and account.url names {named}",
            "Sign in to the right account in the browser, or give the other --url.",
        )
        return
    TokenFile(tokens, sleep=sleep).save(given)
    yield ok("account.consent", "the code was exchanged for tokens")


def try_account(
    settings: Settings,
    asking: Callable[[], AbstractContextManager[Client]],
    *,
    clock: Callable[[], datetime],
    machine_zone: str | None,
) -> Iterator[Finding]:
    """Look at the account as `settings` reach it, and count what a first pull would fetch.

    Raises LeaseHeld where another syncd talks to that account for the same mirror.
    """
    for finding in look_at_way(settings.account.url):
        yield finding
        if finding.severity == "problem":
            return
    with asking() as client:
        look = Look(client, settings, clock, machine_zone)
        yield from look.findings()
        if not look.works:
            return
        try:
            yield from first_pull(client, settings, look.projects)
        except AccountError as error:
            yield of_error("account.answer", error)
