import hashlib

import pytest
import requests

from syncd.sandbox.auth import md5_hash, signature

from .peer import NOON

ADMIN = "/api/admin/v2"


def hashed(text: str, key: str) -> str:
    return hashlib.md5((text + key).encode()).hexdigest()  # noqa: S324 - the API's own scheme


def test_the_published_vector():
    string, key = "action=get_tasks&id_project=26", "7776461cd931e7b1c8e9632ff8e979ce"
    assert md5_hash(string, key) == "ec3ab2c28f21b4a07424f8ed688d6644"


def test_the_published_vector_is_accepted_over_http(box):
    query = "action=get_tasks&id_project=26&hash=ec3ab2c28f21b4a07424f8ed688d6644"
    answer = requests.get(f"{box.url}{ADMIN}/?{query}", timeout=10).json()
    assert answer == {"status": "error", "status_code": 4, "message": "Project is invalid"}


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_query_by_get_and_post(box, method, slash):
    query = "action=get_users"
    url = f"{box.url}{ADMIN}{slash}?{query}&hash={hashed(query, box.key)}"
    assert requests.request(method, url, timeout=10).json()["status"] == "ok"


def test_everything_in_a_form(box):
    project = next(iter(box.account.projects))
    body = f"action=post_task&id_project={project}&title=%D0%9F%D1%80%D0%B8%D0%B2%D1%96%D1%82+%26+x"
    answer = requests.post(
        f"{box.url}{ADMIN}/",
        data=f"{body}&hash={hashed(body, box.key)}",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        timeout=10,
    ).json()
    assert answer["data"]["name"] == "Привіт & x"


@pytest.mark.parametrize(
    ("over", "expected"),
    [("both", ("ok", "ok")), ("encoded", ("ok", "error")), ("raw", ("error", "ok"))],
)
def test_the_hash_may_be_over_encoded_or_raw_text(box, over, expected):
    box.set(md5_over=over)
    encoded = "action=search_tasks&filter=name%20has%20%27%D0%96%27"
    raw = "action=search_tasks&filter=name has 'Ж'"
    answers = [
        requests.get(
            f"{box.url}{ADMIN}/?{encoded}&hash={hashed(text, box.key)}", timeout=10
        ).json()["status"]
        for text in (encoded, raw)
    ]
    assert tuple(answers) == expected


def test_the_order_as_sent_counts(box):
    wrong = hashed("extra=text&action=get_users", box.key)
    url = f"{box.url}{ADMIN}/?action=get_users&extra=text&hash={wrong}"
    answer = requests.get(url, timeout=10)
    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "error", "status_code": 2, "message": "Action hash is missed or invalid"},
    )


def test_no_hash_no_action_unknown_action(box, peer):
    assert (
        requests.get(f"{box.url}{ADMIN}/?action=get_users", timeout=10).json()["status_code"] == 2
    )
    assert requests.get(f"{box.url}{ADMIN}/", timeout=10).json()["message"] == "Action is required"
    assert peer.refused("no_such_thing")[:2] == (0, "Action is invalid")


def test_a_changed_key_kills_the_old_one(box):
    old = hashed("action=get_users", box.key)
    box.key = "another"
    url = f"{box.url}{ADMIN}/?action=get_users&hash={old}"
    assert requests.get(url, timeout=10).json()["status_code"] == 2


def test_the_older_hash_over_page_and_action(box):
    project = next(iter(box.account.projects))
    page = f"/project/{project}/"
    url = f"{box.url}{ADMIN}/?action=get_tasks&page={page}&extra=text"
    url += f"&hash={hashed(page + 'get_tasks', box.key)}"
    assert requests.get(url, timeout=10).json()["data"][0]["project"]["id"] == str(project)
    assert box.log.entries()[-1].scheme == "md5-page"
    box.set(legacy_hash=False)
    assert requests.get(url, timeout=10).json()["status_code"] == 2


def test_the_older_hash_with_a_bad_page(box):
    url = f"{box.url}{ADMIN}/?action=get_tasks&page=/nowhere/"
    url += f"&hash={hashed('/nowhere/get_tasks', box.key)}"
    answer = requests.get(url, timeout=10).json()
    assert (answer["status_code"], answer["message"]) == (3, "Page is invalid")


def test_the_sdk_scheme_with_a_json_body(box):
    seconds = int(NOON.timestamp())
    task = next(iter(box.account.tasks))
    answer = requests.post(
        f"{box.url}{ADMIN}?action=get_task",
        json={"id_task": task, "extra": "text"},
        headers={"Authorization": f"Admin {seconds}_{signature('get_task', seconds, box.key)}"},
        timeout=10,
    ).json()
    assert answer["data"]["text"] == "one\r\ntwo"


@pytest.mark.parametrize(("off", "status"), [(299, 200), (301, 401), (-301, 401)])
def test_the_clock_tolerance_of_the_sdk_scheme(box, off, status):
    seconds = int(NOON.timestamp()) + off
    signed = f"Admin {seconds}_{signature('get_users', seconds, box.key)}"
    url = f"{box.url}{ADMIN}?action=get_users"
    answer = requests.post(url, headers={"Authorization": signed}, timeout=10)
    assert answer.status_code == status
    box.set(hmac_tolerance_s=None)
    assert requests.post(url, headers={"Authorization": signed}, timeout=10).status_code == 200


def test_a_wrong_signature_is_401_in_json(box):
    url = f"{box.url}{ADMIN}?action=get_users"
    headers = {"Authorization": f"Admin {int(NOON.timestamp())}_{'0' * 64}"}
    answer = requests.post(url, headers=headers, timeout=10)
    assert answer.status_code == 401
    assert answer.json()["errorDescription"] == "Authorization is invalid"


def test_the_clock_skew_shows_in_date_and_in_the_tolerance(box, peer):
    assert peer.send("get_users").headers["Date"] == "Thu, 15 Jan 2026 10:00:00 GMT"
    box.set(clock_skew_s=3600.0)
    assert peer.send("get_users").headers["Date"] == "Thu, 15 Jan 2026 11:00:00 GMT"
    seconds = int(NOON.timestamp())
    headers = {"Authorization": f"Admin {seconds}_{signature('get_users', seconds, box.key)}"}
    answer = requests.post(f"{box.url}{ADMIN}?action=get_users", headers=headers, timeout=10)
    assert answer.status_code == 401


def test_a_url_over_8_kb_is_414_in_html(box, peer):
    answer = peer.send("search_tasks", filter="x" * 8200)
    assert answer.status_code == 414
    assert answer.headers["Content-Type"].startswith("text/html")
    box.set(url_limit=20_000)
    assert peer.send("search_tasks", filter="x" * 8200).status_code == 200


def test_the_log_holds_no_secret(box, peer):
    peer.ask("get_users", access_token="s3cret")
    entry = box.log.entries()[-1]
    assert entry.parameters == {"action": "get_users"}
    assert (entry.scheme, entry.outcome, entry.http_status) == ("md5-encoded", "ok", 200)
    assert entry.bytes > 100
    assert not entry.effect
