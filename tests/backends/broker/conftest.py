"""A broker that ends with the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backends.broker.made_broker import ONE, SECRET_ONE, SECRET_TWO, TWO, MadeBroker
from tests.messages_api.server import MessagesApi


@pytest.fixture
def api() -> Iterator[MessagesApi]:
    with MessagesApi(keys={SECRET_ONE, SECRET_TWO}) as found:
        yield found


@pytest.fixture
def broker(short_dir: Path, api: MessagesApi) -> Iterator[MadeBroker]:
    """Not started, without keys; sara is assigned two."""
    made = MadeBroker(short_dir, api)
    made.assign("sara", ONE, TWO)
    yield made
    made.close()


@pytest.fixture
def running(broker: MadeBroker) -> MadeBroker:
    """Started, with both keys."""
    broker.start()
    broker.keep(ONE, SECRET_ONE)
    broker.keep(TWO, SECRET_TWO)
    return broker
