from collections.abc import Iterator

import pytest

from syncd.sandbox import Sandbox

from .peer import Peer, an_account


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(an_account()) as served:
        yield served


@pytest.fixture
def peer(box: Sandbox) -> Iterator[Peer]:
    client = Peer(box)
    yield client
    client.session.close()
