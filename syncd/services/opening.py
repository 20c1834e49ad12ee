"""The way to the account, as the settings describe it: budget, signature, client. No database."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from random import Random
from typing import assert_never
from urllib.parse import urlsplit

from syncd.errors import ConfigError
from syncd.services.progress import QUIET, Pulse
from syncd.settings import Settings
from syncd.worksection import signing
from syncd.worksection.budget import Budget
from syncd.worksection.client import Client
from syncd.worksection.consent import Consent
from syncd.worksection.oauth import OAuth2
from syncd.worksection.request import Request
from syncd.worksection.signing import Scheme
from syncd.worksection.tokens import TokenFile


@contextmanager
def open_client(
    settings: Settings,
    *,
    clock: Callable[[], datetime],
    sleep: Callable[[float], None],
    rng: Random,
    before: Callable[[], None] | None = None,
    pulse: Pulse = QUIET,
) -> Iterator[Client]:
    """Open the way to the account of `settings`, with no database about.

    `before` is called right before each request leaves; what it raises stops the request.
    """

    def about_to_send(request: Request) -> None:
        pulse.asking(request.action)
        if before is not None:
            before()

    budget = Budget(
        settings.limits.requests_per_second * settings.limits.share,
        host=_host(settings.account.url),
        clock=time.monotonic,
        sleep=sleep,
    )
    with Client(
        settings.account.url,
        _scheme(settings, clock=clock, sleep=sleep),
        budget,
        timeout_s=float(settings.limits.timeout),
        clock=clock,
        sleep=sleep,
        rng=rng,
        on_request=about_to_send,
        on_data=pulse.moved,
    ) as client:
        yield client


def _scheme(
    settings: Settings, *, clock: Callable[[], datetime], sleep: Callable[[float], None]
) -> Scheme:
    """Return how requests are signed. Raises ConfigError where a part is missing."""
    account = settings.account
    if account.auth == "oauth2":
        return _oauth(settings, sleep)
    if account.api_key is None:
        raise ConfigError("account.api_key_file: no key was found.", hint="Run: syncd init")
    match account.auth:
        case "md5":
            return signing.Md5(account.api_key)
        case "md5-page":
            return signing.Md5Page(account.api_key)
        case "hmac":
            return signing.Hmac(account.api_key, clock=clock)
        case _:
            assert_never(account.auth)


def _oauth(settings: Settings, sleep: Callable[[float], None]) -> Scheme:
    account = settings.account
    if not (account.oauth_client_id and account.oauth_client_secret and account.oauth_token_file):
        raise ConfigError("account.oauth_client_id: OAuth2 is not set up.", hint="Run: syncd init")
    consent = Consent(
        client_id=account.oauth_client_id,
        client_secret=account.oauth_client_secret,
        timeout_s=float(settings.limits.timeout),
        oauth_url=account.oauth_url,
    )
    return OAuth2(TokenFile(account.oauth_token_file, sleep=sleep), consent)


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""
