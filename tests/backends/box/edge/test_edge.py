"""The edge whole: what it loads when, and what it tells instead of failing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.backends.box.edge.conftest import Served
from tests.backends.box.edge.deliveries import headers, push

ROOT = Path(__file__).parents[4]


def test_a_daemon_that_starts_loads_no_http() -> None:
    program = "import sys, backends.box.edge.edge\nprint('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & {"starlette", "uvicorn", "h11", "httpx", "prometheus_client", "anyio"}


async def test_a_key_that_others_can_read_is_a_problem_and_no_hook_is_taken(short_dir: Path) -> None:
    served = Served(short_dir)
    key = short_dir / "secrets" / "key"
    key.parent.mkdir()
    key.write_text("0" * 64)
    key.chmod(0o644)
    await served.edge.open()
    await served.edge.listen(served.socket, "")
    assert "not for this user's eyes only" in served.edge.problems[0]
    answer = await served.client.post("/hooks/forge", content=push(), headers=headers("", push()))
    assert answer.status_code == 503
    assert (await served.client.get("/healthz")).json()["problems"] == list(served.edge.problems)
    await end(served)


async def test_an_address_that_may_not_be_used_is_a_problem_and_the_socket_is_served(short_dir: Path) -> None:
    served = Served(short_dir)
    await served.edge.open()
    await served.edge.listen(served.socket, "0.0.0.0:80")
    assert "may not be 0.0.0.0" in served.edge.problems[0]
    assert (await served.client.get("/healthz")).status_code == 200
    await end(served)


async def test_a_socket_that_another_serves_is_a_problem(served: Served, short_dir: Path) -> None:
    (short_dir / "other").mkdir()
    other = Served(short_dir / "other")
    await other.edge.open()
    await other.edge.listen(served.socket, "")
    assert "serves" in other.edge.problems[0]
    await end(other)
    assert (await served.client.get("/healthz")).status_code == 200


async def test_an_edge_that_was_never_opened_can_be_closed(short_dir: Path) -> None:
    served = Served(short_dir)
    await end(served)


async def test_after_the_end_nobody_answers(short_dir: Path) -> None:
    served = Served(short_dir)
    await served.edge.open()
    await served.edge.listen(served.socket, "")
    await served.edge.close()
    with pytest.raises(httpx.ConnectError):
        await served.client.get("/healthz")
    assert not served.socket.exists()
    await end(served)


async def end(served: Served) -> None:
    await served.client.aclose()
    await served.edge.close()
    await served.database.close()
