"""OAuth2 by hand: the page to open, and the code that comes back, checked to be an answer to it.

The state is signed with the application's secret instead of being remembered, so that a script can
print the page in one run of `syncd init` and bring the code in another.
"""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

from syncd.errors import ConfigError
from syncd.secrets import Secret
from syncd.services.setup import Application
from syncd.worksection.consent import authorize_url

CODE_LIVES = timedelta(minutes=10)
STATE_LIVES = timedelta(hours=1)
"""A person may read, sign in and ask a colleague before consenting."""
AGAIN = "Run syncd init again and open the address that it prints."


def page(application: Application, *, now: datetime) -> str:
    """Return the address where a person consents."""
    return authorize_url(
        application.client_id,
        application.redirect_uri,
        make_state(application.client_secret, now),
        oauth_url=application.oauth_url,
    )


def make_state(secret: Secret, now: datetime) -> str:
    """Return a text that only we can have made, and that tells when."""
    seconds = f"{int(now.timestamp()):x}"
    return f"{seconds}.{_signature(secret, seconds)}"


def _signature(secret: Secret, text: str) -> str:
    return hmac.new(secret.reveal().encode(), b"syncd state " + text.encode(), sha256).hexdigest()[
        :32
    ]


def read_code(given: str, application: Application, *, now: datetime) -> Secret:
    """Return the code from what was pasted: the code itself, or the whole address it came in.

    Raises ConfigError for a refusal, or an address that does not answer to our page.
    """
    text = given.strip()
    if "://" not in text and "code=" not in text:
        return _code(text)
    query = parse_qs(urlsplit(text).query if "://" in text else text.lstrip("?"))
    if "error" in query:
        said = " ".join(query["error"] + query.get("error_description", []))
        raise ConfigError(f"The account did not consent: {said[:100]}.", hint=AGAIN)
    _check_state(query.get("state", [""])[0], application.client_secret, now)
    return _code(query.get("code", [""])[0])


def _code(text: str) -> Secret:
    if not text or any(each.isspace() for each in text):
        raise ConfigError(
            "That holds no code.",
            hint="Paste the whole address that the browser ended at, or the value of code in it.",
        )
    return Secret(text)


def _check_state(state: str, secret: Secret, now: datetime) -> None:
    seconds, _, signature = state.partition(".")
    if not hmac.compare_digest(signature.encode(), _signature(secret, seconds).encode()):
        raise ConfigError(
            "That address is no answer to this syncd's page: its state differs.", hint=AGAIN
        )
    if now - datetime.fromtimestamp(int(seconds, 16), now.tzinfo) > STATE_LIVES:
        raise ConfigError("That address is too old; a code lives ten minutes.", hint=AGAIN)
