"""The control endpoint, and the sandbox as a process of its own."""

import base64
import json
import signal
import subprocess
import sys

import pytest
import requests

from syncd.sandbox import Account
from syncd.sandbox.control import DEEDS

from .peer import Peer


def post(box, name, words, status=200):
    answer = requests.post(f"{box.url}/sandbox/{name}", json=words, timeout=10)
    assert answer.status_code == status, answer.text
    return answer.json()["result" if status == 200 else "message"]


def get(box, name):
    return requests.get(f"{box.url}/sandbox/{name}", timeout=10).json()["result"]


def do(box, deed, **words):
    return post(box, "do", {"do": deed, **words})


def test_people_do_what_the_api_cannot(box):
    project = do(box, "create_project", name="P")
    task = do(box, "create_task", project_id=project, name="T", max_time="1.5", text="a")
    do(box, "edit_task", task_id=task, date_end="2026-02-01", time_end="18:00", max_money=2.5)
    do(box, "rename_task", task_id=task, name="Renamed")
    other = do(box, "create_task", project_id=project, name="O")
    do(box, "add_relation", type="start-to-start", from_id=task, to_id=other)
    data = base64.b64encode(b"abc").decode()
    do(box, "add_file", task_id=task, name="f", data=data)
    do(box, "tag_task", task_id=task, tag_id=72565)
    do(box, "move_task", task_id=other, parent_id=task)
    do(box, "edit_task", task_id=task, max_time=None)
    truth = get(box, "truth")["tasks"][str(task)]
    assert truth["name"] == "Renamed"
    assert (truth["date_end"], truth["time_end"]) == ("2026-02-01", "18:00:00")
    assert (truth["max_time"], truth["max_money"]) == (None, "2.5")
    assert truth["relations"] == [["start-to-start", task, other]]
    assert truth["files"][0]["size"] == 3
    assert truth["children"] == [other]
    assert do(box, "delete_task", task_id=task) == [task, other]


def test_all_of_the_accounts_edits_can_be_done():
    methods = {n for n, m in vars(Account).items() if hasattr(m, "__wrapped__")}
    assert methods - {"seeded", "snapshot", "random_edit"} == DEEDS
    assert len(DEEDS) > 40


@pytest.mark.parametrize(
    "words",
    [
        {"do": "fly"},
        {"do": "rename_task", "task_id": 1, "name": "x"},
        {"do": "rename_task", "nothing": 1},
        {"do": "edit_task", "task_id": 331894, "date_end": "soon"},
        {},
    ],
)
def test_what_cannot_be_done_is_400(box, words):
    assert post(box, "do", words, status=400)


def test_random_edits(box):
    first = do(box, "random_edit", seed=1, times=5)
    assert len(first) == 5
    assert do(box, "random_edit", kinds=["rename"])[0].startswith("rename: ")


def test_switches(box):
    assert get(box, "switches")["rate_limit"] == "off"
    assert post(box, "switches", {"record_limit": 5})["record_limit"] == 5
    assert box.switches.record_limit == 5
    assert post(box, "switches", {"record_limit": "many"}, status=400)
    assert post(box, "switches", {"colour": "red"}, status=400)


def test_faults(box, peer):
    post(box, "faults", [{"kind": "error", "action": "get_users", "message": "No", "count": 1}])
    assert peer.refused("get_users")[1] == "No"
    assert get(box, "faults")[0]["struck"] == 1
    assert post(box, "faults", {"clear": True}) == []
    assert post(box, "faults", [{"kind": "flood"}], status=400)
    added = post(box, "faults", {"clear": True, "add": [{"kind": "drop"}]})
    assert [f["kind"] for f in added] == ["drop"]


def test_the_log(box, peer):
    peer.ask("get_users")
    peer.ask("get_projects")
    log = get(box, "log")
    assert [(e["number"], e["action"]) for e in log] == [(1, "get_users"), (2, "get_projects")]
    assert len(get(box, "log?since=1")) == 1
    assert "hash" not in json.dumps(log)
    assert box.log.actions() == ["get_users", "get_projects"]
    box.log.clear()
    assert len(box.log) == 0


def test_credentials(box, peer):
    token = do(box, "grant_tokens", scopes=["users_read"])["access_token"]
    url = f"{box.url}/api/oauth2?action=get_users&access_token={token}"
    assert requests.get(url, timeout=10).json()["status"] == "ok"
    do(box, "expire_access")
    assert requests.get(url, timeout=10).status_code == 401
    do(box, "revoke_all")
    do(box, "change_key", key="other")
    assert box.key == "other"
    assert peer.ask("get_users")["status"] == "ok"


def test_other_pages(box):
    assert requests.get(f"{box.url}/sandbox/nothing", timeout=10).status_code == 404
    page = requests.get(f"{box.url}/project/8562/", timeout=10)
    assert (page.status_code, "log in" in page.text) == (200, True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_process_of_its_own_serves_until_it_is_told_to_stop(number):
    options = ["--tasks", "50", "--seed", "3", "--key", "k", "--switch", "record_limit=7"]
    process = subprocess.Popen(
        [sys.executable, "-m", "syncd.sandbox", *options], stdout=subprocess.PIPE, text=True
    )
    try:
        line = json.loads(process.stdout.readline())
        assert (line["key"], line["tasks"]) == ("k", 50)

        class Box:
            url, key = line["url"], line["key"]

        assert Peer(Box()).refused("get_all_tasks", extra="subtasks")[1] == "Too many tasks (7 max)"
        process.send_signal(number)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_an_unknown_switch_on_the_command_line():
    command = [sys.executable, "-m", "syncd.sandbox", "--switch", "colour=red"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "colour" in done.stderr
