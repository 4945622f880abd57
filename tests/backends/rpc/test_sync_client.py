"""The blocking client against a real server and against peers that misbehave."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from backends.model.errors import HeroError
from backends.rpc.connection import Connection
from backends.rpc.sync_client import SyncClient
from backends.rpc.wire import Request
from tests.backends.rpc.conftest import Serve

ROOT = Path(__file__).parents[3]


async def dispatch(connection: Connection, request: Request) -> Any:
    if request.method == "stream":
        for seq in range(3):
            connection.notify("event", {"seq": seq})
    if request.method == "ask_back":
        return await connection.call("number")
    if request.method == "fail":
        raise HeroError("denied", "No.", hint="Ask.", data={"a": 1})
    if request.method == "wait":
        await asyncio.Event().wait()
    return request.params


@contextmanager
def peer(path: Path, behave: Callable[[socket.socket], None]) -> Iterator[None]:
    """A server of one connection that does what `behave` does after the first line."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                behave(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield
        thread.join()


async def use(serve: Serve, work: Callable[[SyncClient], Any]) -> Any:
    server = await serve(dispatch)

    def run() -> Any:
        with SyncClient(server.path, timeout=20) as client:
            return work(client)

    return await asyncio.to_thread(run)


async def test_calls_are_answered_one_after_the_other(serve: Serve) -> None:
    found = await use(serve, lambda client: [client.call("echo", {"n": n}) for n in range(3)])
    assert found == [{"n": 0}, {"n": 1}, {"n": 2}]


async def test_events_that_come_during_a_call_are_kept(serve: Serve) -> None:
    def work(client: SyncClient) -> Any:
        client.call("stream")
        events = client.notifications()
        return [next(events).params["seq"] for _ in range(3)]

    assert await use(serve, work) == [0, 1, 2]


async def test_the_daemons_error_is_raised_with_all_it_says(serve: Serve) -> None:
    with pytest.raises(HeroError) as caught:
        await use(serve, lambda client: client.call("fail"))
    error = caught.value
    assert (error.code, error.message, error.hint, error.data) == ("denied", "No.", "Ask.", {"a": 1})


async def test_a_daemon_that_calls_back_is_told_that_nobody_answers(serve: Serve) -> None:
    with pytest.raises(HeroError) as caught:
        await use(serve, lambda client: client.call("ask_back"))
    assert caught.value.code == "not_found"


async def test_a_call_that_took_too_long_leaves_the_connection_usable(serve: Serve) -> None:
    def work(client: SyncClient) -> Any:
        with pytest.raises(HeroError) as caught:
            client.call("wait", timeout=0.05)
        assert caught.value.code == "timeout"
        return client.call("echo", {"a": 1})

    assert await use(serve, work) == {"a": 1}


async def test_a_large_message_goes_both_ways(serve: Serve) -> None:
    text = "x" * (8 * 1024 * 1024)
    assert await use(serve, lambda client: client.call("echo", {"text": text})) == {"text": text}


async def test_waiting_for_an_event_ends_in_time(serve: Serve) -> None:
    with pytest.raises(HeroError) as caught:
        await use(serve, lambda client: next(client.notifications(timeout=0.05)))
    assert caught.value.code == "timeout"


async def test_the_reason_of_a_stop_is_what_a_waiting_client_reads(serve: Serve) -> None:
    server = await serve(dispatch)
    connected = asyncio.Event()
    loop = asyncio.get_running_loop()

    def follow() -> Any:
        with SyncClient(server.path, timeout=20) as client:
            client.call("echo")
            loop.call_soon_threadsafe(connected.set)
            return next(client.notifications(timeout=20))

    following = asyncio.create_task(asyncio.to_thread(follow))
    await connected.wait()
    await server.close(reason="Updated.")
    with pytest.raises(HeroError) as caught:
        await following
    assert (caught.value.code, caught.value.message) == ("unreachable", "Updated.")


def test_no_socket_is_unreachable(short_dir: Path) -> None:
    with pytest.raises(HeroError) as caught:
        SyncClient(short_dir / "rpc.sock")
    assert caught.value.code == "unreachable"
    assert str(short_dir) in caught.value.message


def test_no_folder_of_a_long_path_is_unreachable(short_dir: Path) -> None:
    with pytest.raises(HeroError) as caught:
        SyncClient(short_dir / ("x" * 120) / "rpc.sock")
    assert caught.value.code == "unreachable"


def test_a_stale_socket_is_unreachable(short_dir: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(short_dir / "rpc.sock"))
    with pytest.raises(HeroError) as caught:
        SyncClient(short_dir / "rpc.sock")
    assert caught.value.code == "unreachable"


def test_a_server_without_room_is_a_timeout(short_dir: Path) -> None:
    path = short_dir / "rpc.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(0)
        with SyncClient(path), pytest.raises(HeroError) as caught:
            SyncClient(path, timeout=0.05)
    assert caught.value.code == "timeout"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"", "unreachable"),
        (b'{"jsonrpc": "2.0", "id": 1, "res', "unreachable"),
        (b"garbage\n", "failed"),
        (b"\xff\n", "failed"),
        (b'{"jsonrpc": "2.0", "id": 1}\n', "failed"),
        (b'{"jsonrpc": "2.0", "id": null, "error": {"code": -32600, "message": "What?"}}\n', "usage"),
        (b'{"jsonrpc": "2.0", "method": "rpc.bye", "params": {"message": "Bye.\\u001b[2J"}}\n', "unreachable"),
    ],
)
def test_a_peer_that_misbehaves_is_a_clear_error(short_dir: Path, said: bytes, code: str) -> None:
    path = short_dir / "rpc.sock"
    with (
        peer(path, lambda connection: connection.sendall(said)),
        SyncClient(path, timeout=20) as client,
        pytest.raises(HeroError) as caught,
    ):
        client.call("echo")
    assert caught.value.code == code
    assert "\x1b" not in str(caught.value)


def test_a_line_without_end_is_given_up_at_the_limit(short_dir: Path) -> None:
    def babble(connection: socket.socket) -> None:
        try:
            while True:
                connection.sendall(b"x" * 65536)
        except OSError:
            return

    path = short_dir / "rpc.sock"
    with peer(path, babble), SyncClient(path, timeout=20) as client, pytest.raises(HeroError) as caught:
        client.call("echo")
    assert "16,777,216" in caught.value.message


def test_it_loads_no_module_that_makes_a_verb_slow() -> None:
    program = "import sys, json, backends.rpc.sync_client; print(json.dumps(sorted(sys.modules)))"
    out = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{program}"],
        capture_output=True,
        check=True,
        env={**os.environ},
    ).stdout
    loaded = set(json.loads(out))
    slow = {"asyncio", "pydantic", "dataclasses", "inspect", "pathlib", "subprocess", "logging", "threading"}
    assert loaded & slow == set()
