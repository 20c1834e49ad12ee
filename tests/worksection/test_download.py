"""A file is on disk whole or not at all, and an error is never taken for one."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from syncd.errors import AccountError, BadReply, Refused, Throttled, Unanswered
from syncd.worksection.download import download
from tests.worksection import peer as wire
from tests.worksection.builders import a_client, names_in
from tests.worksection.peer import Peer, Step, error, http, ok

CONTENT = bytes(range(256)) * 4000
ATTACHED = "attachment; filename*=UTF-8''name"
FILE = http(CONTENT, Content_Type="application/x-download", Content_Disposition=ATTACHED)


def test_a_file_is_stored_with_its_digest(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with Peer(FILE) as peer, a_client(peer.url) as client:
        result = download(client, 9, path, size=len(CONTENT))
    assert path.read_bytes() == CONTENT
    assert (result.path, result.size) == (path, len(CONTENT))
    assert result.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert peer.requests[0].params["id_file"] == "9"
    assert names_in(tmp_path) == ["file"]


def test_an_attached_json_is_a_file(tmp_path: Path) -> None:
    body = b'{"status":"error","status_code":4}'
    with Peer(http(body, Content_Disposition=ATTACHED)) as peer, a_client(peer.url) as client:
        download(client, 9, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == body


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (error(4, "File not found"), Refused),
        (ok({}), BadReply),
        (http(b"<html>log in</html>"), BadReply),
        (http(b"y" * 2_000_000), BadReply),
        (http(b"<html>", status="500 Error", Content_Disposition=ATTACHED), Unanswered),
        (error(None, "Too many requests"), Throttled),
        (http(CONTENT[:-1], Content_Disposition=ATTACHED), BadReply),
        (wire.then_close(FILE[:-1]), Unanswered),
    ],
)
def test_anything_else_leaves_no_file(
    tmp_path: Path, answer: Step, expected: type[AccountError]
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"the old one")
    with Peer(answer) as peer, a_client(peer.url) as client, pytest.raises(expected):
        download(client, 9, path, size=len(CONTENT))
    assert path.read_bytes() == b"the old one"
    assert names_in(tmp_path) == ["file"]


def test_a_cut_download_starts_anew(tmp_path: Path) -> None:
    with Peer(wire.then_close(FILE[:-1000]), FILE) as peer, a_client(peer.url) as client:
        download(client, 9, tmp_path / "file", size=len(CONTENT))
    assert (tmp_path / "file").read_bytes() == CONTENT
