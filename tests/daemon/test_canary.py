"""Nothing secret, ever: the key and the hash of each request are searched for wherever words go.

With the log at its most talkative, a request that breaks in its middle, a thread that dies, and the
stacks that the watchdog's signal leaves behind (failure 12).
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from syncd.sandbox import KEY, auth
from tests.support.daemons import PATCHED, ROOT, Place, free_port, until
from tests.support.mirror import connected, dump, fetched
from tests.support.processes import run

BREAKS = """
import resource, time, tomllib
from requests.adapters import HTTPAdapter
from syncd.daemon.wake import Waker
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
with open(sys.argv[sys.argv.index("--config") + 1], "rb") as file:
    key = tomllib.load(file)["account"]["api_key"]
send, seen = HTTPAdapter.send, []
def broken(self, request, **more):
    answer = send(self, request, **more)
    if "get_events" in request.url or "pull" in sys.argv:
        seen.append(f"{request.method} {request.url} {dict(request.headers)} signed with {key}")
        raise RuntimeError(seen[-1])
    return answer
def dies(self, listener):
    while not seen:
        time.sleep(0.05)
    raise RuntimeError(seen[-1])
HTTPAdapter.send, Waker._hear = broken, dies
"""

ENDS = (-signal.SIGABRT, -signal.SIGSEGV)
"""The interpreter reads the stacks of other threads without stopping them: one that is just ending,
as that of an answered page, may break the reading, and the process ends by that
(github.com/python/cpython/issues/116008)."""


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The hash of each request that the account has looked at: its journal leaves them out."""
    found: set[str] = set()
    make = auth.md5_hash

    def kept(text: str, key: str) -> str:
        found.add(make(text, key))
        return make(text, key)

    monkeypatch.setattr(auth, "md5_hash", kept)
    return found


@pytest.mark.parametrize("form", ["json", "console"])
def test_no_key_and_no_hash_of_a_request_is_to_be_read_anywhere(any_place, hashes, form):
    place = any_place(log={"level": "debug", "format": form}, pull={"events_interval": "1s"})
    daemon = place.run(port=free_port(), more=BREAKS)
    for word in ("turn.broke", "thread.died"):
        until(lambda word=word: word in daemon.process.stderr, what=daemon.everything)
    pages = [daemon.page(name) for name in ("metrics", "healthz", "readyz")]
    arguments = Path(f"/proc/{daemon.process.pid}/cmdline").read_bytes()
    os.kill(daemon.process.pid, signal.SIGABRT)
    assert daemon.process.wait().status in ENDS
    said = daemon.everything()
    assert "most recent call first" in said
    broken = pulled_by_hand(place)
    assert "RuntimeError" in broken

    everything = f"{said}{pages}{arguments!r}{broken}{everything_stored(place)}"
    assert "hash=***" in everything
    assert len(hashes) > 3
    assert [] == [secret for secret in (KEY, *hashes) if secret in everything]


def pulled_by_hand(place: Place) -> str:
    """What `syncd -v pull` says where it breaks in the same way: a traceback."""
    code = PATCHED.replace("{more}", BREAKS)
    words = ("--config", os.fspath(place.path), "-v", "pull")
    done = run([sys.executable, "-c", code, json.dumps({}), *words], cwd=ROOT).expect(1)
    return done.stdout + done.stderr


def everything_stored(place: Place) -> str:
    """Each row of each table of the database."""
    names = (
        "SELECT name FROM sqlite_master WHERE type = 'table'"
        if place.mirror.database_url.startswith("sqlite")
        else "SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema()"
    )
    with connected(place.mirror.database_url) as connection:
        tables = [row["name"] for row in fetched(connection, names)]
    return str(dump(place.mirror.database_url, tables))
