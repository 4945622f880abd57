"""A router over an empty folder of slots, and the box's HTTP side behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.backends.box.edge.conftest import Served
from tests.router.caddy import PROGRAM, Router, running
from tests.router.known import known


@pytest.fixture
def router(short_dir: Path) -> Iterator[Router]:
    if not PROGRAM:
        pytest.skip("there is no caddy on this machine (Debian package: caddy)")
    with running(short_dir) as found:
        yield found


@asynccontextmanager
async def serving_box(router: Router) -> AsyncIterator[Served]:
    """The box's HTTP side, at the socket that the router asks."""
    served = Served(router.folder, known)
    await served.edge.open()
    await served.edge.listen(served.socket, "")
    assert not served.edge.problems
    yield served
    await served.client.aclose()
    await served.edge.close()
    await served.database.close()


@pytest.fixture
async def box(router: Router) -> AsyncIterator[Served]:
    async with serving_box(router) as served:
        yield served
