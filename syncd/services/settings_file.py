"""The configuration file as `syncd init` writes it: valid, commented, and short."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from syncd.services.setup import Answers, Places
from syncd.settings import AccountSettings

_HEAD = """\
# syncd: one Worksection account, and the database that is kept equal to it.
# Written by `syncd init` on {day:%Y-%m-%d}. Check it at any time with: syncd check
# Every key has a default; any can be set in the environment too: SYNCD_PULL__INTERVAL=2m
"""
_ACCOUNT = """
[account]
url = {url}
auth = {auth}  # md5, md5-page, hmac or oauth2
"""
_KEY = """\
# The file that holds the key, mode 0600, beside this one. The key itself never stands here.
# For a systemd service, its credential api-key goes before it.
api_key_file = {file}
"""
_OAUTH = """\
oauth_client_id = {client_id}
oauth_client_secret_file = {secret}  # mode 0600, beside this file
oauth_token_file = {tokens}  # mode 0600; syncd replaces it whenever it renews the token
"""
_OAUTH_URL = "oauth_url = {url}\n"
_ZONE = """\
# The account shows its own wall clock and never says of which zone. With the zone known, added_at
# and closed_at give the instants in UTC.
{zone}
"""
_DATABASE = """
[database]
# SQLite: a file, relative to this one. PostgreSQL: postgresql+psycopg://USER@HOST/DATABASE, the
# password in ~/.pgpass rather than here.
url = {url}
{schema}
"""
_PULL = """
[pull]
extra = {extra}  # also: "text" or "html", "comments"
archived = {archived}  # whether the tasks of archived projects are mirrored
interval = "5m"  # between two pulls of `syncd run`
"""


def render(answers: Answers, where: Places, *, day: datetime) -> str:
    """Return the configuration file's text; no secret of the account's is in it."""
    zone, schema = answers.timezone, answers.schema
    return "".join(
        (
            _HEAD.format(day=day),
            _ACCOUNT.format(url=quoted(answers.url), auth=quoted(answers.auth)),
            _credentials(answers, where),
            _ZONE.format(
                zone=f"timezone = {quoted(zone)}" if zone else '# timezone = "Europe/Kyiv"'
            ),
            _DATABASE.format(
                url=quoted(answers.database),
                schema=f"schema = {quoted(schema)}"
                if schema
                else '# schema = "syncd"  # on PostgreSQL, a schema of its own',
            ),
            _PULL.format(
                extra=f"[{', '.join(quoted(word) for word in answers.extra)}]",
                archived="true" if answers.archived else "false",
            ),
        )
    )


def _credentials(answers: Answers, where: Places) -> str:
    app = answers.application
    if app is None:
        return _KEY.format(file=_name(where.key))
    text = _OAUTH.format(
        client_id=quoted(app.client_id),
        secret=_name(where.client_secret),
        tokens=_name(where.tokens),
    )
    usual = app.oauth_url == AccountSettings().oauth_url
    return text if usual else text + _OAUTH_URL.format(url=quoted(app.oauth_url))


def _name(path: Path) -> str:
    return quoted(path.name)


def quoted(text: str) -> str:
    """Return a TOML string. JSON's escapes are TOML's too, but for DEL, which JSON leaves."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
