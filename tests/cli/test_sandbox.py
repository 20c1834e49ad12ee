"""`syncd sandbox`: a simulated account as a process, and what it prints is enough to use it."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path

import pytest

from tests.support.processes import run_syncd, start_syncd


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_well_when_told_to(tmp_path: Path, number: int) -> None:
    with start_syncd("sandbox", "--tasks", "5", output=tmp_path / "box") as running:
        running.wait_until(lambda process: "Ctrl-C" in process.stdout)
        assert running.end(number).expect(0).stderr == ""


def test_what_it_prints_is_a_configuration_that_works(tmp_path: Path) -> None:
    with start_syncd("sandbox", "--tasks", "20", output=tmp_path / "box") as running:
        running.wait_until(lambda process: "task list" in process.stdout)
        config = re.search(r"^\[account\].*?(?=\n\nand there)", running.stdout, re.S | re.M)
        assert config is not None
        (tmp_path / "syncd.toml").write_text(config[0])
        told = run_syncd("pull", "--json", cwd=tmp_path).expect(0).document
        assert told["counts"]["inserted"] > 0
        commands = running.stdout.partition("try:")[2].split("\n")
        for line in filter(None, commands):
            run_syncd(*line.split()[1:], cwd=tmp_path).expect(0)


def test_a_rate_and_switches_are_heeded(tmp_path: Path) -> None:
    words = ("--requests-per-second", "20", "--switch", "tags_in_lists=never", "--key", "k" * 32)
    with start_syncd("sandbox", "--json", *words, output=tmp_path / "box") as running:
        running.wait_until(lambda process: process.stdout.endswith("}\n"))
        told = json.loads(running.stdout)
        assert {"url", "key", "tasks", "timezone"} == set(told)
        (tmp_path / "syncd.toml").write_text(
            f'[account]\nurl = "{told["url"]}"\napi_key = "{told["key"]}"\n'
            "[limits]\nrequests_per_second = 50\n"
        )
        done = run_syncd("pull", "--json", cwd=tmp_path)
        assert done.status == 3  # its lists hide the tags, and the pull has found that out
        assert any("tags" in note for note in done.document["notes"])
        assert running.end().expect(0)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--switch", "colour=red"), "there is no switch 'colour'"),
        (("--switch", "tags_in_lists=red"), "tags_in_lists"),
        (("--port", "99999"), "--port"),
    ],
)
def test_what_cannot_be_is_one_clear_line(words: tuple[str, ...], said: str) -> None:
    done = run_syncd("sandbox", *words).expect(2)
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 2


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with start_syncd("sandbox", "--json", output=tmp_path / "box") as running:
        running.wait_until(lambda process: process.stdout.endswith("}\n"))
        port = json.loads(running.stdout)["url"].rpartition(":")[2]
        done = run_syncd("sandbox", "--port", port).expect(2)
    assert f"Port {port} cannot be used" in done.stderr
