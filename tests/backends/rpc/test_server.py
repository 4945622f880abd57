"""One process a path, whatever lies there before and however the last one ended; a stop loses no answer."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from backends.model.errors import HeroError
from backends.model.paths import SOCKET_PATH_LIMIT
from backends.rpc.connection import Connection, connect
from backends.rpc.listener import lock_path
from backends.rpc.server import AlreadyRunning, Server
from backends.rpc.sockets import PATH_LIMIT
from backends.rpc.sync_client import SyncClient
from backends.rpc.wire import Request
from tests.backends.rpc.conftest import Dial, Serve

ROOT = Path(__file__).parents[3]
DAEMON = Path(__file__).with_name("daemon.py")
DEADLINE = 20.0


async def pid(connection: Connection, request: Request) -> Any:
    return os.getpid()


async def test_the_socket_has_its_rights_and_its_group(serve: Serve) -> None:
    server = await serve(pid, mode=0o660, group=os.getgid())
    found = server.path.stat()
    assert stat.S_IMODE(found.st_mode) == 0o660
    assert found.st_gid == os.getgid()
    assert sorted(path.name for path in server.path.parent.iterdir()) == ["rpc.sock", "rpc.sock.lock"]


async def test_by_default_only_the_owner_may_connect(serve: Serve) -> None:
    server = await serve(pid)
    assert stat.S_IMODE(server.path.stat().st_mode) == 0o600


async def test_a_stale_socket_is_replaced(serve: Serve, dial: Dial, short_dir: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(short_dir / "rpc.sock"))
    connection = await dial(await serve(pid))
    assert await connection.call("pid") == os.getpid()


async def test_the_rest_of_a_start_that_was_killed_is_cleared_away(serve: Serve, short_dir: Path) -> None:
    (short_dir / f".{crc32(b'rpc.sock'):08x}.new").touch()
    server = await serve(pid)
    assert sorted(path.name for path in server.path.parent.iterdir()) == ["rpc.sock", "rpc.sock.lock"]


async def test_a_second_server_on_a_path_is_refused_and_the_first_goes_on(serve: Serve, dial: Dial) -> None:
    first = await serve(pid)
    with pytest.raises(AlreadyRunning) as caught:
        await Server(first.path, pid).start()
    assert caught.value.data["pid"] == os.getpid()
    connection = await dial(first)
    assert await connection.call("pid") == os.getpid()


async def test_a_live_server_without_our_lock_is_not_displaced(short_dir: Path) -> None:
    path = short_dir / "rpc.sock"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        with pytest.raises(AlreadyRunning):
            await Server(path, pid).start()
        assert path.is_socket()


async def test_of_two_that_start_at_once_one_serves(short_dir: Path) -> None:
    servers = [Server(short_dir / "rpc.sock", pid) for _ in range(8)]
    ends = await asyncio.gather(*(server.start() for server in servers), return_exceptions=True)
    assert sum(end is None for end in ends) == 1
    assert sum(isinstance(end, AlreadyRunning) for end in ends) == 7
    await asyncio.gather(*(server.close() for server in servers))


async def test_a_file_that_is_no_socket_is_left_alone(short_dir: Path) -> None:
    path = short_dir / "rpc.sock"
    path.write_text("precious")
    with pytest.raises(HeroError) as caught:
        await Server(path, pid).start()
    assert caught.value.code == "conflict"
    assert path.read_text() == "precious"


async def test_a_folder_that_cannot_be_made_is_named(short_dir: Path) -> None:
    (short_dir / "file").touch()
    with pytest.raises(HeroError) as caught:
        await Server(short_dir / "file" / "rpc.sock", pid).start()
    assert str(short_dir / "file") in caught.value.message


async def test_a_path_of_120_bytes_is_refused_with_its_length_and_the_way_out(short_dir: Path) -> None:
    path = short_dir / ("x" * (120 - len(str(short_dir)) - 1))
    with pytest.raises(HeroError) as caught:
        await Server(path, pid).start()
    assert "120 bytes" in caught.value.message
    assert "107" in caught.value.message
    assert "link" in caught.value.hint
    assert list(short_dir.iterdir()) == []


async def test_a_path_of_exactly_107_bytes_is_served(short_dir: Path, serve: Serve, dial: Dial) -> None:
    server = await serve(pid, name="x" * (107 - len(str(short_dir)) - 1))
    assert len(str(server.path)) == 107
    connection = await dial(server)
    assert await connection.call("pid") == os.getpid()


async def test_a_client_reaches_a_short_socket_by_a_long_path(
    short_dir: Path, tmp_path: Path, serve: Serve
) -> None:
    server = await serve(pid)
    folder = tmp_path / ("long " * 20 + "ü")
    folder.symlink_to(short_dir)
    long = folder / server.path.name
    assert len(os.fsencode(long)) > 120
    connection = await connect(long)
    assert await connection.call("pid") == os.getpid()
    await connection.close()

    def blocking() -> Any:
        with SyncClient(long) as client:
            return client.call("pid")

    assert await asyncio.to_thread(blocking) == os.getpid()


def test_the_limit_is_the_models() -> None:
    assert PATH_LIMIT == SOCKET_PATH_LIMIT


async def test_a_stop_lets_a_running_call_end_and_takes_no_new_one(serve: Serve, dial: Dial) -> None:
    started, gate = asyncio.Event(), asyncio.Event()

    async def wait(connection: Connection, request: Request) -> Any:
        started.set()
        await gate.wait()
        return "done"

    server = await serve(wait)
    connection = await dial(server)
    running = asyncio.create_task(connection.call("wait"))
    async with asyncio.timeout(DEADLINE):
        await started.wait()
        closing = asyncio.create_task(server.close(grace=DEADLINE))
        await asyncio.sleep(0)
        with pytest.raises(HeroError) as caught:
            await connection.call("wait")
        assert caught.value.code == "unreachable"
        gate.set()
        assert await running == "done"
        await closing
    assert not server.path.exists()
    assert server.connections == frozenset()


async def test_a_call_that_outlasts_the_grace_is_cancelled_and_told_so(serve: Serve, dial: Dial) -> None:
    started = asyncio.Event()

    async def wait(connection: Connection, request: Request) -> Any:
        started.set()
        await connection.to_the_end(asyncio.Event().wait())

    server = await serve(wait)
    connection = await dial(server)
    running = asyncio.create_task(connection.call("wait"))
    async with asyncio.timeout(DEADLINE):
        await started.wait()
        await server.close(grace=0.01)
        with pytest.raises(HeroError) as caught:
            await running
    assert (caught.value.code, caught.value.message) == ("unreachable", "The daemon is stopping.")


async def test_a_stop_leaves_a_successors_socket_alone(serve: Serve) -> None:
    server = await serve(pid)
    server.path.unlink()
    with socket.socket(socket.AF_UNIX) as successor:
        successor.bind(str(server.path))
        await server.close()
        assert server.path.exists()


async def test_a_path_can_be_served_again_after_a_stop(serve: Serve, dial: Dial) -> None:
    first = await serve(pid)
    await first.close()
    connection = await dial(await serve(pid))
    assert await connection.call("pid") == os.getpid()


async def test_a_successor_waits_for_a_predecessor_that_is_stopping(serve: Serve, dial: Dial) -> None:
    started, gate = asyncio.Event(), asyncio.Event()

    async def wait(connection: Connection, request: Request) -> Any:
        started.set()
        await gate.wait()

    first = await serve(wait)
    connection = await dial(first)
    running = asyncio.create_task(connection.call("wait"))
    async with asyncio.timeout(DEADLINE):
        await started.wait()
        closing = asyncio.create_task(first.close(grace=DEADLINE))
        await asyncio.sleep(0)
        second = Server(first.path, pid)
        starting = asyncio.create_task(second.start())
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(closing, starting, running)
        fresh = await dial(second)
        assert await fresh.call("pid") == os.getpid()
        await second.close()


async def test_a_lock_file_that_somebody_removed_guards_nothing_but_breaks_nothing(serve: Serve) -> None:
    server = await serve(pid)
    lock_path(server.path).unlink()
    with pytest.raises(AlreadyRunning):
        await Server(server.path, pid).start()


async def test_one_user_cannot_take_all_connections(serve: Serve, dial: Dial) -> None:
    server = await serve(pid, per_user=2)
    kept = [await dial(server) for _ in range(2)]
    assert [await connection.call("pid") for connection in kept] == [os.getpid()] * 2
    refused = await dial(server)
    async with asyncio.timeout(DEADLINE):
        error = await refused.wait_lost()
    assert "2 connections" in error.message
    assert await kept[0].call("pid") == os.getpid()


def start_daemon(path: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, str(DAEMON), str(path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
    )


async def ping(path: Path, process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """The first answer of `process` at `path`."""
    async with asyncio.timeout(DEADLINE):
        while process.poll() is None:
            try:
                connection = await connect(path)
                found: dict[str, Any] = await connection.call("rpc.ping")
            except HeroError:
                await asyncio.sleep(0.01)
                continue
            await connection.close()
            return found
    raise AssertionError(process.communicate()[1])


async def test_a_daemon_killed_with_9_is_replaced_by_the_next(short_dir: Path) -> None:
    path = short_dir / "rpc.sock"
    first = start_daemon(path)
    assert await ping(path, first) == {"pid": first.pid, "version": "1.0", "name": "testd"}
    watching = await connect(path)
    first.kill()
    async with asyncio.timeout(DEADLINE):
        assert (await watching.wait_lost()).code == "unreachable"
    first.communicate()
    assert path.exists()
    second = start_daemon(path)
    assert (await ping(path, second))["pid"] == second.pid
    second.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(second.wait, DEADLINE) == 0
    second.communicate()
    assert not path.exists()


async def test_a_second_daemon_names_the_pid_of_the_first(short_dir: Path) -> None:
    path = short_dir / "rpc.sock"
    first = start_daemon(path)
    try:
        await ping(path, first)
        second = start_daemon(path)
        _, errors = await asyncio.to_thread(second.communicate, timeout=DEADLINE)
        assert second.returncode == 1
        assert f"pid {first.pid}" in errors.decode()
    finally:
        first.kill()
        first.communicate()
