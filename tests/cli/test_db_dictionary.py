"""`syncd db dictionary`: Markdown, a page that needs nothing else, JSON, and the copy in docs."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from syncd.cli.dictionary_markdown import markdown
from syncd.cli.entry import run
from syncd.services.dictionary import dictionary
from tests.support.write_docs import DICTIONARY

NAMES = [one.name for section in dictionary() for one in section.relations]


def test_the_copy_in_docs_is_what_the_command_writes() -> None:
    assert markdown(dictionary()) == DICTIONARY.read_text(encoding="utf-8"), (
        "docs/dictionary.md is out of date: python -m tests.support.write_docs"
    )


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It needs neither a configuration nor a database: there is none here."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))


def test_markdown_goes_to_the_terminal(capsys) -> None:
    assert 0 == run(["db", "dictionary"])
    said = capsys.readouterr().out
    assert markdown(dictionary()).splitlines() == said.splitlines()
    rows = [line for line in said.splitlines() if line.startswith("|")]
    assert {4, 6} == {len(re.findall(r"(?<!\\)\|", line)) for line in rows}


class Page(HTMLParser):
    """What a page refers to, and whether its tags fit."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in {"meta", "input", "link", "img"}:
            self.open.append(tag)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.links += [given["href"] or ""] if "href" in given else []
        self.outside += [f"{tag} {name}" for name in ("src", "srcset") if name in given]

    def handle_endtag(self, tag: str) -> None:
        assert tag == self.open.pop()


def test_the_page_is_whole_and_needs_nothing_from_elsewhere(tmp_path: Path, capsys) -> None:
    assert 0 == run(["db", "dictionary", "--output", "data.html"])
    assert capsys.readouterr().out.startswith("data.html: ")
    written = (tmp_path / "data.html").read_text(encoding="utf-8")
    page = Page()
    page.feed(written)
    assert ([], []) == (page.open, page.outside)
    assert set(page.links) == {f"#{name}" for name in NAMES} <= {f"#{id}" for id in page.ids}
    assert len(page.ids) == len(set(page.ids))
    assert not re.search(r"https?:|url\(|@import|fetch\(", written)


def test_the_name_of_the_file_tells_the_form_unless_it_is_said(tmp_path: Path) -> None:
    for given, begins in (
        (["--output", "a.md"], "# Data"),
        (["--output", "b.htm"], "<!doctype html>"),
        (["--output", "c.txt", "--format", "html"], "<!doctype html>"),
    ):
        assert 0 == run(["db", "dictionary", *given])
        assert (tmp_path / given[1]).read_text(encoding="utf-8").startswith(begins)


def test_a_program_gets_one_document(capsys) -> None:
    assert 0 == run(["db", "dictionary", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert NAMES == [one["name"] for one in told["relations"]]
    (tasks,) = (one for one in told["relations"] if one["name"] == "tasks")
    assert {"reader": ["SELECT"]} == tasks["rights"]
    assert {
        "name": "id",
        "sqlite": "INTEGER",
        "postgresql": "bigint",
        "nullable": False,
        "key": True,
        "meaning": "the account's number",
    } == tasks["columns"][0]


def test_a_file_that_cannot_be_written_is_told_in_a_line(capsys) -> None:
    assert 1 == run(["db", "dictionary", "--output", "no/such/folder.md"])
    assert "no/such/folder.md" in capsys.readouterr().err
