"""Secrets do not show, and are removed from any text."""

from __future__ import annotations

import copy
import pickle

import pytest

from syncd.secrets import Secret, redact

KEY = "canary-4f2a9c17d0"


@pytest.mark.parametrize("show", [repr, str, "{}".format, "{!r:>20}".format, "%s".__mod__])
def test_a_secret_does_not_show(show):
    assert KEY not in show(Secret(KEY))
    assert KEY not in show([Secret(KEY)])


def test_a_secret_is_not_pickled_and_survives_a_copy():
    with pytest.raises(TypeError):
        pickle.dumps(Secret(KEY))
    with pytest.raises(TypeError):
        Secret(KEY).__getstate__()
    assert copy.deepcopy({"key": Secret(KEY)})["key"].reveal() == KEY


@pytest.mark.parametrize(
    "text",
    [
        f"the key {KEY} itself",
        "https://a/api?action=x&hash=0123456789abcdef",
        "Authorization: Bearer abcdefghijklmnop.qrst",
        "Admin 1700000000_00112233445566778899aabbccddeeff",
        '{"access_token": "t0ken-t0ken", "refresh_token": "r"}',
        "client_secret=shh-shh-shh&x=1",
    ],
)
def test_redaction_leaves_no_secret_and_some_sense(text):
    Secret(KEY)
    shown = redact(text)
    hidden = (KEY, "0123456789abcdef", "abcdefghijklmnop", "00112233", "t0ken", "shh-shh")
    assert not [part for part in hidden if part in shown]
    assert "***" in shown


def test_ordinary_text_stays():
    text = "project 12 holds more tasks than one answer may (code 10)"
    assert redact(text) == text
