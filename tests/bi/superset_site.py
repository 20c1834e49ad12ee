"""An Apache Superset made from nothing in a folder, served on the loopback, asked over HTTP.

It lives in an environment of its own, since it wants an old SQLAlchemy: `make superset` makes that
one, and names its programs in SYNCD_SUPERSET. No setting and no home of the user's is read.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from tests.support.processes import Running, run, start

ADMIN = "admin"
FAR_ZONE = "America/Los_Angeles"
"""Where this Superset believes to be: neither the account's zone nor the mirror's."""
PATIENCE_S = 300.0
"""For one command, or for the start; each takes some ten seconds on a machine that is idle."""
LISTENING = re.compile(r"Listening at: (http://127\.0\.0\.1:\d+)")
TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Site:
    """A Superset that runs, and the session of whoever logged in there."""

    url: str
    session: requests.Session

    def get(self, path: str) -> Any:
        """The JSON document there."""
        return json.loads(self.page(path))

    def page(self, path: str) -> str:
        """What is there; fails on anything but 200, and on being sent to another page."""
        found = self.session.get(self.url + path, timeout=PATIENCE_S, allow_redirects=False)
        assert 200 == found.status_code, f"{path}: {found.status_code} {found.text[:2000]}"
        return found.text

    def data(self, dataset: int, query: dict[str, Any]) -> requests.Response:
        """What the request says that a chart in the browser makes."""
        asked = {
            "datasource": {"id": dataset, "type": "table"},
            "queries": [query],
            "result_format": "json",
            "result_type": "full",
        }
        url = f"{self.url}/api/v1/chart/data"
        return self.session.post(url, json=asked, timeout=PATIENCE_S)

    def rows(self, dataset: int, query: dict[str, Any]) -> list[dict[str, Any]]:
        """The rows that a chart draws; fails with what Superset says where it gives none."""
        answer = self.data(dataset, query)
        assert 200 == answer.status_code, f"{answer.status_code} {answer.text[:2000]}"
        (result,) = answer.json()["result"]
        assert ("success", None) == (result["status"], result["error"]), result["query"]
        found: list[dict[str, Any]] = result["data"]
        return found


@dataclass(frozen=True, slots=True)
class Superset:
    """An installation (the folder of its programs), and the folder that all it writes goes to."""

    programs: Path
    folder: Path
    password: str = field(default_factory=lambda: secrets.token_urlsafe(12), repr=False)

    def prepare(self) -> None:
        """Make what it needs before it can be used: settings, its own database, an admin, roles."""
        database = f"sqlite:///{self.folder / 'superset.db'}"
        settings = {"SECRET_KEY": secrets.token_urlsafe(42), "SQLALCHEMY_DATABASE_URI": database}
        lines = [f"{name} = {value!r}\n" for name, value in settings.items()]
        (self.folder / "superset_config.py").write_text("".join(lines), encoding="utf-8")
        self.command("db", "upgrade")
        person = ("--firstname", "An", "--lastname", "Admin", "--email", "admin@example.com")
        who = ("--username", ADMIN, "--password", self.password)
        self.command("fab", "create-admin", *who, *person)
        self.command("init")

    def take(self, bundle: Path) -> None:
        """Import a bundle, as docs/bi/superset.md does."""
        self.command("import-dashboards", "-p", str(bundle), "-u", ADMIN)

    def command(self, *arguments: str) -> None:
        """Run `superset ARGUMENTS` to its end; fails with all it said."""
        argv = [str(self.programs / "superset"), *arguments]
        run(argv, cwd=self.folder, env=self._environment, timeout_s=PATIENCE_S).expect(0)

    @contextmanager
    def serve(self) -> Iterator[Site]:
        """Serve it on a port that is free, until the block ends."""
        options = ("-w", "1", "-k", "gthread", "--threads", "4", "--timeout", str(int(PATIENCE_S)))
        place = ("-b", "127.0.0.1:0")  # it tells in its log which port that came to be
        argv = [str(self.programs / "gunicorn"), *options, *place, "superset.app:create_app()"]
        with start(
            argv, output=self.folder / "server", cwd=self.folder, env=self._environment
        ) as running:
            running.wait_until(_answers, PATIENCE_S)
            with _session() as session:
                site = Site(_url(running), session)
                _enter(site, self.password)
                yield site

    @property
    def _environment(self) -> dict[str, str]:
        return {
            "FLASK_APP": "superset",
            "SUPERSET_CONFIG_PATH": str(self.folder / "superset_config.py"),
            "SUPERSET_HOME": str(self.folder),
            "HOME": str(self.folder),
            "TZ": FAR_ZONE,
        }


def _url(running: Running) -> str:
    found = LISTENING.search(running.stderr)
    return found[1] if found else ""


def _answers(running: Running) -> bool:
    url = _url(running)
    if not url:
        return False
    try:
        return _session().get(f"{url}/health", timeout=5).ok
    except requests.RequestException:
        return False


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # a proxy of the machine's is not asked for the loopback
    return session


def _enter(site: Site, password: str) -> None:
    """Log in at the page that a person logs in at: some addresses take nothing but its cookie."""
    token = TOKEN.search(site.page("/login/"))
    assert token is not None
    who = {"username": ADMIN, "password": password, "csrf_token": token[1]}
    answer = site.session.post(f"{site.url}/login/", data=who, timeout=PATIENCE_S)
    assert answer.ok, answer.text[:2000]
    assert not answer.url.endswith("/login/"), "the password was not taken"
