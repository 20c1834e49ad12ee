import pytest
import requests

from syncd.sandbox import CLIENT, Fault

BASE = {"client_id": CLIENT[0], "client_secret": CLIENT[1]}


def oauth(box, endpoint, **words):
    answer = requests.post(f"{box.url}/oauth2/{endpoint}", data=BASE | words, timeout=10)
    assert answer.status_code == 200
    return answer.json()


def code(box, **words):
    query = {"client_id": CLIENT[0], "response_type": "code", **words}
    answer = requests.get(f"{box.url}/oauth2/authorize", params=query, timeout=10)
    return answer.json()["code"]


def ask(box, token, action, **parameters):
    return requests.get(
        f"{box.url}/api/oauth2",
        params={"action": action, **parameters},
        headers={"Authorization": f"Bearer {token}"},
        timeout=10,
    )


def test_the_whole_way_from_consent_to_an_answer(box):
    pair = oauth(box, "token", grant_type="authorization_code", code=code(box, scope="users_read"))
    assert set(pair) == {
        "token_type",
        "expires_in",
        "access_token",
        "refresh_token",
        "account_url",
    }
    assert (pair["expires_in"], pair["account_url"]) == (86400, box.url)
    assert ask(box, pair["access_token"], "me").json()["data"]["email"] == "owner@example.com"
    assert oauth(box, "resource", access_token=pair["access_token"])["first_name"] == "Олена"


def test_consent_redirects_with_code_and_state(box):
    query = {"client_id": CLIENT[0], "redirect_uri": "https://here.example/?a=1", "state": "s"}
    url = f"{box.url}/oauth2/authorize"
    answer = requests.get(url, params=query, allow_redirects=False, timeout=10)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("https://here.example/?a=1&code=")
    assert answer.headers["Location"].endswith("&state=s")


def test_a_code_works_once_and_for_ten_minutes(box):
    used = code(box)
    assert "access_token" in oauth(box, "token", code=used)
    assert oauth(box, "token", code=used) == {
        "error": "invalid_request",
        "errorDescription": "Authorization code has been revoked",
    }
    late = code(box)
    box.account.clock.pass_time(minutes=10)
    assert oauth(box, "token", code=late)["error"] == "invalid_request"


def test_a_refresh_replaces_both_tokens_and_kills_the_old_pair(box):
    old = box.oauth.grant()
    new = oauth(box, "refresh", refresh_token=old["refresh_token"])
    assert ask(box, new["access_token"], "get_users").status_code == 200
    assert ask(box, old["access_token"], "get_users").status_code == 401
    assert oauth(box, "refresh", refresh_token=old["refresh_token"]) == {
        "error": "invalid_request",
        "errorDescription": "Cannot decrypt the refresh token",
    }


@pytest.mark.parametrize("endpoint", ["token", "refresh", "resource"])
def test_another_client_is_refused(box, endpoint):
    answer = oauth(box, endpoint, client_secret="wrong")
    assert answer["errorDescription"] == "Client authentication failed"


def test_access_ends_after_a_day_with_401(box):
    token = box.oauth.grant()["access_token"]
    box.account.clock.pass_time(hours=24)
    answer = ask(box, token, "get_users")
    assert answer.status_code == 401
    assert answer.json()["message"] == "Access token is expired"


def test_tokens_can_be_expired_and_revoked_by_hand(box):
    pair = box.oauth.grant()
    box.oauth.expire_access()
    assert "expired" in ask(box, pair["access_token"], "me").json()["errorDescription"]
    assert "access_token" in oauth(box, "refresh", refresh_token=pair["refresh_token"])
    box.oauth.revoke_all()
    assert "invalid" in ask(box, pair["access_token"], "me").json()["message"]


def test_a_scope_that_is_missing(box):
    token = box.oauth.grant(scopes=frozenset({"users_read"}))["access_token"]
    assert ask(box, token, "get_users").json()["status"] == "ok"
    answer = ask(box, token, "get_all_tasks").json()
    assert (answer["status_code"], "permissions" in answer["message"]) == (2, True)
    box.set(scope_error_code=20)
    assert ask(box, token, "get_all_tasks").json()["status_code"] == 20


def test_a_user_sees_only_their_projects(box):
    other = box.account.create_project("Other")
    task = box.account.create_task(other, "Secret")
    seen = frozenset(box.account.projects) - {other}
    token = box.oauth.grant(projects=seen)["access_token"]
    names = [p["name"] for p in ask(box, token, "get_projects").json()["data"]]
    assert names == ["Owl & Co"]
    assert ask(box, token, "get_task", id_task=task).json()["status_code"] == 5
    assert ask(box, token, "get_tasks", id_project=other).json()["status_code"] == 4
    assert len(ask(box, token, "get_all_tasks").json()["data"]) == 1
    events = ask(box, token, "get_events", period="1h").json()["data"]
    assert {e["object"]["page"].split("/")[2] for e in events} == {str(min(seen))}


def test_the_token_as_parameter_and_the_author_it_implies(box):
    member = sorted(box.account.members)[1]
    token = box.oauth.grant(member_id=member)["access_token"]
    project = next(iter(box.account.projects))
    answer = requests.post(
        f"{box.url}/api/oauth2?action=post_task&access_token={token}",
        json={"id_project": project, "title": "Mine", "email_user_from": "owner@example.com"},
        timeout=10,
    ).json()
    assert answer["data"]["user_from"]["id"] == str(member)


def test_the_key_has_no_me(peer):
    assert peer.refused("me")[0] == 0


def test_where_nothing_is(box):
    assert requests.get(f"{box.url}/oauth2/nothing", timeout=10).status_code == 404


def test_a_refresh_whose_answer_is_lost_has_rotated_all_the_same(box):
    old = box.oauth.grant()
    box.faults.add(Fault("drop", "oauth2/refresh", when="after", count=1))
    with pytest.raises(requests.ConnectionError):
        oauth(box, "refresh", refresh_token=old["refresh_token"])
    entry = box.log.entries()[-1]
    assert (entry.action, entry.outcome, entry.effect) == ("oauth2/refresh", "dropped", True)
    assert old["refresh_token"] not in str(entry)
    assert "error" in oauth(box, "refresh", refresh_token=old["refresh_token"])
