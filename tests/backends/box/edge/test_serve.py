"""Where the HTTP side listens, what it refuses to listen at, and what a slow client can cost it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from backends.box.edge.protocol import IDLE_CONNECTIONS
from backends.box.edge.serve import Address, HttpEdge, parse_listen
from backends.model.errors import HeroError
from backends.rpc.listener import AlreadyRunning
from tests.backends.box.edge.conftest import SECONDS


async def hello(scope: dict[str, object], receive: object, send: object) -> None:
    assert callable(receive)
    assert callable(send)
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"hi"})


def an_edge(path: Path, listen: str = "", seconds: float | None = None) -> HttpEdge:
    return HttpEdge(path, lambda: hello, address=parse_listen(listen), request_seconds=seconds)


@pytest.fixture
async def edge(short_dir: Path) -> AsyncIterator[HttpEdge]:
    found = an_edge(short_dir / "http.sock", seconds=0.2)
    await found.start()
    yield found
    await found.close()


async def get(path: Path) -> str:
    async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=str(path))) as client:
        return (await client.get("http://localhost/")).text


async def ended(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(SECONDS):
        return await reader.read()


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8787", Address("127.0.0.1", 8787)),
        ("localhost:80", Address("127.0.0.1", 80)),
        ("127.9.9.9:0", Address("127.9.9.9", 0)),
        ("[::1]:8787", Address("::1", 8787)),
        ("", None),
    ],
)
def test_a_loopback_address_is_taken(text: str, address: Address | None) -> None:
    assert parse_listen(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "0.0.0.0:80",
        "[::]:80",
        "192.0.2.1:80",
        "example.test:80",
        "127.0.0.1",
        "127.0.0.1:x",
        ":80",
        "127.0.0.1:65536",
    ],
)
def test_any_other_address_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(HeroError) as told:
        parse_listen(text)
    assert told.value.code == "usage"
    assert "[edge].listen" in told.value.message


async def test_the_socket_is_for_its_owner_and_group(edge: HttpEdge) -> None:
    assert edge.path.stat().st_mode & 0o777 == 0o660
    assert await get(edge.path) == "hi"


async def test_the_real_port_is_told(short_dir: Path) -> None:
    edge = an_edge(short_dir / "http.sock", "127.0.0.1:0")
    await edge.start()
    assert edge.address is not None
    assert edge.address.port > 0
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"http://{edge.address}/")).text == "hi"
    await edge.close()


async def test_a_port_that_is_taken_is_told_and_leaves_nothing(short_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        edge = an_edge(short_dir / "http.sock", f"127.0.0.1:{other.getsockname()[1]}")
        with pytest.raises(HeroError) as told:
            await edge.start()
    assert told.value.code == "failed"
    assert not edge.path.exists()
    again = an_edge(edge.path)
    await again.start()
    await again.close()


async def test_a_socket_that_answers_is_not_taken_over(edge: HttpEdge) -> None:
    with pytest.raises(AlreadyRunning):
        await an_edge(edge.path).start()
    assert await get(edge.path) == "hi"


async def test_a_stranger_who_listens_there_is_not_taken_over(short_dir: Path) -> None:
    path = short_dir / "http.sock"
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.bind(os.fspath(path))
        stranger.listen()
        with pytest.raises(AlreadyRunning):
            await an_edge(path).start()
        assert path.exists()


async def test_a_stale_socket_is_replaced(short_dir: Path) -> None:
    path = short_dir / "http.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(os.fspath(path))
    edge = an_edge(path)
    await edge.start()
    assert await get(path) == "hi"
    await edge.close()
    assert not path.exists()


async def test_an_edge_that_closed_can_be_followed_by_another(short_dir: Path) -> None:
    path = short_dir / "http.sock"
    for _ in range(2):
        edge = an_edge(path)
        await edge.start()
        assert await get(path) == "hi"
        await edge.close()
        await edge.close()


async def test_signals_stay_the_daemons(short_dir: Path) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    edge = an_edge(short_dir / "http.sock")
    await edge.start()
    assert await get(edge.path) == "hi"
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    await edge.close()


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET / HT",
        b"\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab",
    ],
)
async def test_a_request_that_does_not_come_is_not_waited_for(edge: HttpEdge, sent: bytes) -> None:
    reader, writer = await asyncio.open_unix_connection(str(edge.path))
    writer.write(sent)
    await ended(reader)
    writer.close()


async def test_a_request_that_trickles_in_is_not_waited_for(edge: HttpEdge) -> None:
    reader, writer = await asyncio.open_unix_connection(str(edge.path))
    writer.write(b"GET / HTTP/1.1\r\nX-Long: ")

    async def trickle() -> None:
        while not writer.is_closing():
            writer.write(b"x")
            await asyncio.sleep(0.01)

    task = asyncio.create_task(trickle())
    with pytest.raises(ConnectionError):
        assert await ended(reader) == b""
        raise ConnectionResetError
    task.cancel()
    writer.close()


async def test_a_connection_is_kept_for_the_next_request(edge: HttpEdge) -> None:
    reader, writer = await asyncio.open_unix_connection(str(edge.path))
    for _ in range(3):
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(SECONDS):
            assert (await reader.readuntil(b"hi")).startswith(b"HTTP/1.1 200 ")
    writer.close()


async def test_connections_that_ask_for_nothing_do_not_fill_the_box(short_dir: Path) -> None:
    edge = an_edge(short_dir / "http.sock")
    await edge.start()
    held = [await asyncio.open_unix_connection(str(edge.path)) for _ in range(IDLE_CONNECTIONS)]
    reader, writer = await asyncio.open_unix_connection(str(edge.path))
    assert await ended(reader) == b""
    for _, each in [*held, (reader, writer)]:
        each.close()
    async with asyncio.timeout(SECONDS):
        while True:
            try:
                assert await get(edge.path) == "hi"
            except (AssertionError, httpx.HTTPError):
                await asyncio.sleep(0.01)
            else:
                break
    await edge.close()


async def test_closing_does_not_wait_for_a_client_that_holds_on(short_dir: Path) -> None:
    edge = an_edge(short_dir / "http.sock")
    await edge.start()
    reader, writer = await asyncio.open_unix_connection(str(edge.path))
    writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
    await get(edge.path)
    async with asyncio.timeout(SECONDS):
        await edge.close()
        await reader.read()
    writer.close()
