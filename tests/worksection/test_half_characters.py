"""Half of a surrogate pair, which JSON can spell and no text can hold: an answer without sense."""

from __future__ import annotations

import pytest

from syncd.errors import AccountError, BadReply, Unanswered
from syncd.worksection.methods import tasks
from tests.worksection.builders import a_client
from tests.worksection.peer import Peer, http

READ, WRITE = tasks.get_task(5), tasks.complete_task(5)
WHOLE = {
    "at the end": rb'{"status":"ok","data":"\ud800"}',
    "at the end, the second half": rb'{"status":"ok","data":"\udc00"}',
    "before other text": rb'{"status":"ok","data":{"id":"5","name":"\ud83d and so on"}}',
    "before another escape": rb'{"status":"ok","data":"\ud83d\n"}',
    "in an error": rb'{"status":"error","message":"\ud83d"}',
}
CUT = {
    "after the first half": rb'{"status":"ok","data":"\ud83d',
    "within the second half": rb'{"status":"ok","data":"\ud83d\ude',
    "after a pair": rb'{"status":"ok","data":"\ud83d\ude00',
}


def asked(body: bytes, request: tasks.Request) -> tuple[type[AccountError], int]:
    """What a call raises for an answer with this body, and how often it was sent."""
    with Peer(http(body)) as peer, a_client(peer.url) as client:
        with pytest.raises(AccountError) as caught:
            client.call(request)
        return type(caught.value), len(peer.requests)


@pytest.mark.parametrize("request_", [READ, WRITE], ids=["read", "write"])
@pytest.mark.parametrize("body", WHOLE.values(), ids=WHOLE)
def test_a_whole_answer_with_half_a_character_makes_no_sense(body, request_):
    assert (BadReply, 1) == asked(body, request_)


@pytest.mark.parametrize("body", CUT.values(), ids=CUT)
def test_an_answer_that_was_cut_within_a_character_is_no_answer(body):
    assert (Unanswered, 4) == asked(body, READ)
