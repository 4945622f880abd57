"""The edge is killed at the worst moments; what it had answered is handled by the next process."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from backends.box.edge.secrets import load_key
from tests.backends.box.edge.conftest import SECONDS
from tests.backends.box.edge.deliveries import REPO, headers, push

ROOT = Path(__file__).parents[4]


class Processes:
    """Edges of one folder, one after the other."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, *words: str, failpoint: str = "") -> subprocess.Popen[bytes]:
        script = Path(__file__).with_name("edge_process.py")
        more = {"PYTHONPATH": str(ROOT), "HERO_TEST_FAILPOINT": failpoint}
        process = subprocess.Popen([sys.executable, str(script), str(self.folder), *words], env=os.environ | more)
        self.running.append(process)
        return process

    @property
    def looks(self) -> list[str]:
        found = self.folder / "looks"
        return found.read_text().splitlines() if found.exists() else []

    async def handled(self, count: int) -> list[str]:
        """The looks, once there are `count`."""
        async with asyncio.timeout(SECONDS):
            while len(self.looks) < count:
                await asyncio.sleep(0.01)
        return self.looks

    def secret(self) -> str:
        key = load_key(self.folder / "secrets" / "key")
        return hmac.new(key, f"{REPO}\n1".encode(), hashlib.sha256).hexdigest()

    async def send(self, content: bytes) -> httpx.Response:
        """Post a delivery, as soon as the socket answers."""
        transport = httpx.AsyncHTTPTransport(uds=str(self.folder / "http.sock"))
        async with asyncio.timeout(SECONDS), httpx.AsyncClient(transport=transport) as client:
            while True:
                try:
                    await client.get("http://localhost/healthz")
                    break
                except httpx.ConnectError:
                    await asyncio.sleep(0.01)
            sent = headers(self.secret(), content)
            return await client.post("http://localhost/hooks/forge", content=content, headers=sent)


@pytest.fixture
def edges(short_dir: Path) -> Iterator[Processes]:
    found = Processes(short_dir)
    yield found
    for process in found.running:
        process.kill()
        process.wait()


async def died(process: subprocess.Popen[bytes]) -> int:
    return await asyncio.to_thread(process.wait, SECONDS)


async def test_a_hook_that_was_answered_and_not_handled_is_handled_after_a_kill(edges: Processes) -> None:
    first = edges.start("hold")
    assert (await edges.send(push("topic"))).status_code == 202
    first.kill()
    await died(first)
    assert edges.looks == []
    edges.start()
    assert await edges.handled(1) == [f"{REPO} topic 1"]
    assert (await edges.send(push("topic"))).status_code == 200


async def test_a_kill_between_the_disk_and_the_answer_loses_nothing(edges: Processes) -> None:
    first = edges.start(failpoint="edge.accepted")
    with pytest.raises(httpx.HTTPError):
        await edges.send(push("topic"))
    assert await died(first) == -signal.SIGKILL
    edges.start()
    assert await edges.handled(1) == [f"{REPO} topic 1"]


async def test_a_kill_after_the_handling_only_has_it_looked_at_again(edges: Processes) -> None:
    first = edges.start(failpoint="edge.handled")
    with pytest.raises(httpx.HTTPError):
        # The answer may be out before the kill, and then the next request meets it.
        await edges.send(push("topic"))
        await died(first)
        raise httpx.ReadError("killed after its answer")
    assert await died(first) == -signal.SIGKILL
    edges.start()
    assert await edges.handled(2) == [f"{REPO} topic 1"] * 2
