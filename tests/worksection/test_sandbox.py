"""The client against the simulated account: every scheme, reading, writing, faults, limits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.errors import Throttled, TooManyRecords, Unanswered, Unauthorized
from syncd.sandbox import CLIENT, Fault, Sandbox, Switches
from syncd.secrets import Secret
from syncd.worksection.consent import Consent
from syncd.worksection.filters import Field
from syncd.worksection.methods import projects, tags, tasks
from syncd.worksection.oauth import OAuth2
from syncd.worksection.request import Attachment, Request
from syncd.worksection.signing import Hmac, Md5, Md5Page, Scheme
from syncd.worksection.tokens import TokenFile
from tests.worksection.builders import FakeTime, a_budget, a_client

PING: Request = tasks.get_all_tasks()
SCHEMES = ["md5", "md5-page", "hmac", "oauth2"]


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox() as box:
        yield box


def a_scheme(box: Sandbox, name: str, folder: Path) -> Scheme:
    if name == "oauth2":
        path = folder / "token.json"
        path.write_text(json.dumps(box.oauth.grant()))
        path.chmod(0o600)
        consent = Consent(CLIENT[0], Secret(CLIENT[1]), 5, oauth_url=box.url)
        return OAuth2(TokenFile(path, sleep=FakeTime().sleep), consent)
    if name == "hmac":
        return Hmac(Secret(box.key), clock=box.account.clock)
    return (Md5 if name == "md5" else Md5Page)(Secret(box.key))


def a_project(box: Sandbox) -> int:
    return next(p.id for p in box.account.projects.values() if p.status == "active")


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("hashed", ["both", "encoded", "raw"])
def test_every_scheme_reads_and_writes(
    box: Sandbox, tmp_path: Path, name: str, hashed: str
) -> None:
    box.set(md5_over=hashed)
    texts = ["plain", "two words & <more>, 50% «да» +1", "длинный " * 3000]
    with a_client(box.url, scheme=a_scheme(box, name, tmp_path), clock=box.account.clock) as client:
        for text in texts:
            posted = client.call(tasks.post_task(a_project(box), f"T {text[:30]}", text=text))
            identity = posted.decode(dict[str, object])
            assert identity is not None
            again = client.call(tasks.get_task(int(str(identity["id"])), extra=("text", "files")))
            task = again.decode(dict[str, object])
            assert task is not None
            assert task["text"] == text.strip() or task["text"] == text
        assert client.call(tasks.get_all_tasks(extra=("subtasks", "relations"))).data
    wrote = [e for e in box.log.entries("post_task") if e.effect]
    assert len(wrote) == len(texts)


@pytest.mark.parametrize("name", SCHEMES)
def test_every_scheme_sends_files(box: Sandbox, tmp_path: Path, name: str) -> None:
    attach = [Attachment("отчёт.txt", b"\x00\xff" * 1000), Attachment("b.bin", b"")]
    with a_client(box.url, scheme=a_scheme(box, name, tmp_path), clock=box.account.clock) as client:
        answer = client.call(tasks.post_task(a_project(box), "with files", attach=attach))
        task = answer.decode(dict[str, object])
        assert task is not None
        read = client.call(tasks.get_task(int(str(task["id"])), extra=["files"]))
    files = (read.decode(dict[str, object]) or {})["files"]
    assert [f["name"] for f in files] == ["отчёт.txt", "b.bin"]


@pytest.mark.parametrize("name", SCHEMES)
def test_dead_credentials_are_unauthorized(box: Sandbox, tmp_path: Path, name: str) -> None:
    scheme = a_scheme(box, name, tmp_path)
    box.key = "another"
    box.oauth.revoke_all()
    with a_client(box.url, scheme=scheme) as client:
        for request in (tasks.get_all_tasks(), tasks.post_task(a_project(box), "a b")):
            with pytest.raises(Unauthorized):
                client.call(request)


def test_an_expired_token_is_renewed_on_a_write_which_happens_once(
    box: Sandbox, tmp_path: Path
) -> None:
    with a_client(box.url, scheme=a_scheme(box, "oauth2", tmp_path)) as client:
        client.call(projects.me())
        box.oauth.expire_access()
        client.call(tasks.post_task(a_project(box), "once"))
    assert [e.effect for e in box.log.entries("post_task")].count(True) == 1


def test_a_missing_scope_is_unauthorized(box: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "token.json"
    path.write_text(json.dumps(box.oauth.grant(scopes=frozenset({"tasks_read"}))))
    path.chmod(0o600)
    consent = Consent(CLIENT[0], Secret(CLIENT[1]), 5, oauth_url=box.url)
    scheme = OAuth2(TokenFile(path, sleep=FakeTime().sleep), consent)
    with a_client(box.url, scheme=scheme) as client, pytest.raises(Unauthorized):
        client.call(tasks.post_task(a_project(box), "a b"))


@pytest.mark.parametrize("behind_s", [-4000, 0, 4000])
def test_a_skewed_clock_is_corrected(box: Sandbox, behind_s: float, tmp_path: Path) -> None:
    box.set(clock_skew_s=float(behind_s))
    scheme = a_scheme(box, "hmac", tmp_path)
    with a_client(box.url, scheme=scheme, clock=box.account.clock) as client:
        answer = client.call(PING)
        assert answer.skew_s == pytest.approx(behind_s, abs=3)


def test_the_owner_of_a_token(box: Sandbox) -> None:
    granted = box.oauth.grant()
    owner = Consent(CLIENT[0], Secret(CLIENT[1]), 5, oauth_url=box.url).resource(
        Secret(granted["access_token"])
    )
    assert owner.id == box.account.owner_id
    assert owner.account_url == box.url


def test_no_data_is_an_empty_list(box: Sandbox) -> None:
    box.set(omit_empty_data=True)
    with a_client(box.url) as client:
        answer = client.call(tasks.search_tasks(filter=Field("id") == 1))
    assert answer.data is None


def test_the_record_limit_is_not_a_rate_limit(box: Sandbox) -> None:
    box.set(record_limit=1)
    with a_client(box.url) as client, pytest.raises(TooManyRecords):
        client.call(tasks.get_all_tasks(extra=["subtasks"]))
    assert len(box.log) == 1


@pytest.mark.parametrize("shape", ["429", "200", "503"])
@pytest.mark.parametrize("retry_after_s", [None, 3])
def test_the_accounts_rate_limit_is_waited_for(shape: str, retry_after_s: int | None) -> None:
    time = FakeTime()
    switches = Switches(rate_limit=shape, retry_after_s=retry_after_s)
    with Sandbox(switches=switches, monotonic=time.monotonic) as box:
        budget = a_budget(time, 1e9)
        with a_client(box.url, time=time, budget=budget) as client:
            for _ in range(5):
                client.call(tags.get_task_tags())
    outcomes = [entry.outcome for entry in box.log.entries()]
    assert outcomes.count("ok") == 5
    assert len(outcomes) > 5


def test_the_budget_never_meets_the_accounts_limit() -> None:
    time = FakeTime()
    with Sandbox(switches=Switches(rate_limit="429"), monotonic=time.monotonic) as box:
        done = next(t.id for t in box.account.tasks.values() if t.status == "done")
        with a_client(box.url, time=time) as client:
            for request in (PING, tasks.update_task(done), PING, tasks.update_task(done), PING):
                client.call(request)
    assert [entry.outcome for entry in box.log.entries()] == ["ok"] * 5


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault("drop", when="after"), Unanswered),
        (Fault("drop", when="after", reset=True), Unanswered),
        (Fault("http_status", when="after", status=502), Unanswered),
        (Fault("cut_body", keep=0.4), Unanswered),
        (Fault("cut_body", keep=0.4, honest_length=True), Unanswered),
        (Fault("too_many_requests"), Throttled),
    ],
)
def test_a_creation_that_may_have_landed_is_sent_once(
    box: Sandbox, fault: Fault, expected: type[Exception]
) -> None:
    box.faults.add(fault)
    with a_client(box.url) as client, pytest.raises(expected):
        client.call(tasks.post_task(a_project(box), "once"))
    assert len(box.log.entries("post_task")) == 1


def test_a_search_is_understood(box: Sandbox) -> None:
    ids = list(box.account.tasks)[:2]
    with a_client(box.url) as client:
        answer = client.call(tasks.search_tasks(filter=Field("id").is_in(ids)))
    assert answer.data is not None
