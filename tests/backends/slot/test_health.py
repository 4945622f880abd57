"""Whether a service is well: asked over real sockets and with real commands, good ones and hostile ones."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from backends.model.service import Health
from backends.slot.health import Checked, HealthMonitor, check_once, wait_healthy

DEADLINE = 20.0
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HTTP = Health(http="/health", timeout=5.0)


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="h", dir="/tmp"))
    yield path
    shutil.rmtree(path)


@contextlib.asynccontextmanager
async def service(folder: Path, answer: Callable[[], bytes], name: str = "web.sock") -> AsyncIterator[list[bytes]]:
    """A service that answers each request with `answer()` and closes; gives the requests."""
    requests: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            requests.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(answer())
            await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(talk, folder / name)
    try:
        yield requests
    finally:
        server.close()
        (folder / name).unlink(missing_ok=True)


async def check(health: Health, folder: Path) -> Checked:
    return await check_once(health, socket_dir=folder, env={}, cwd=folder)


@pytest.mark.parametrize(
    ("answer", "ok", "detail"),
    [
        (OK, True, ""),
        (b"HTTP/1.1 204 No Content\r\n\r\n", True, ""),
        (b"HTTP/1.0 302 Found\r\nLocation: /\r\n\r\n", True, ""),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", False, "GET /health: 503 Service Unavailable"),
        (b"HTTP/1.1 404 \x1b]0;evil\x07no\r\n\r\n", False, "GET /health: 404 no"),
        (b"SSH-2.0-OpenSSH\r\n", False, "GET /health: not an HTTP answer"),
        (b"", False, "GET /health: no answer"),
        (b"x" * 1_000_000, False, "GET /health: not an HTTP answer"),
    ],
)
async def test_the_status_line_decides(folder: Path, answer: bytes, ok: bool, detail: str) -> None:
    async with service(folder, lambda: answer) as requests:
        assert await check(HTTP, folder) == Checked(ok, detail)
        assert requests[0].startswith(b"GET /health HTTP/1.1\r\nHost: ")


async def test_the_whole_body_is_taken_so_that_the_service_sees_no_broken_pipe(folder: Path) -> None:
    written = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for part in (b"HTTP/1.0 200 OK\r\n", b"Server: x\r\n\r\n", b"body"):
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)
        writer.close()
        await writer.wait_closed()
        written.set()

    server = await asyncio.start_unix_server(talk, folder / "web.sock")
    assert (await check(HTTP, folder)).ok
    async with asyncio.timeout(DEADLINE):
        await written.wait()
    server.close()


async def test_an_answer_without_an_end_is_judged_by_its_status(folder: Path) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        await reader.read()
        writer.close()

    server = await asyncio.start_unix_server(talk, folder / "web.sock")
    assert (await check(HTTP, folder)).ok
    server.close()


async def test_a_service_that_never_answers_is_given_up(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(folder / "web.sock"))
        silent.listen()
        checked = await check(Health(http="/", timeout=0.05), folder)
    assert checked == Checked(False, "no answer within 0.05 s")


async def test_a_full_backlog_is_waited_on_and_then_given_up(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as full, contextlib.ExitStack() as queue:
        full.bind(str(folder / "web.sock"))
        full.listen(0)
        with contextlib.suppress(BlockingIOError):
            while True:
                waiting = queue.enter_context(socket.socket(socket.AF_UNIX))
                waiting.setblocking(False)
                waiting.connect(str(folder / "web.sock"))
        assert not (await check(Health(http="/", timeout=0.05), folder)).ok
        assert not (await check(Health(socket=True, timeout=0.05), folder)).ok


async def test_no_socket_and_a_dead_one_are_told_apart(folder: Path) -> None:
    assert (await check(HTTP, folder)).detail == "there is no web.sock yet"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(folder / "web.sock"))
    assert (await check(HTTP, folder)).detail == "nothing listens on web.sock"
    assert (await check(Health(socket=True), folder)).detail == "nothing listens on web.sock"


async def test_a_socket_check_connects_to_every_socket(folder: Path) -> None:
    health = Health(socket=True)
    assert (await check(health, folder)).detail == "there is no socket yet"
    async with service(folder, lambda: OK, "rpc.sock"):
        assert (await check(health, folder)).ok
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(folder / "web.sock"))
        assert (await check(health, folder)).detail == "nothing listens on web.sock"


def script(folder: Path, text: str) -> Path:
    path = folder / "bin" / "check"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("text", "ok", "detail"),
    [
        ("exit 0", True, ""),
        ("echo no database; exit 3", False, "bin/check: exit 3: no database"),
        ("printf '\\033]0;evil\\007bad \\377' >&2; exit 1", False, "bin/check: exit 1: bad \ufffd"),
        ("kill -9 $$", False, "bin/check: signal 9"),
        ("yes | head -c 2000000; exit 1", False, "bin/check: exit 1: y"),
        ('test "$KEY" = value && test -n "$PATH" && test "$PWD" = "$WHERE"', True, ""),
        ("sleep 1000 & exit 0", True, ""),
    ],
)
async def test_the_exit_status_of_a_command_decides(folder: Path, text: str, ok: bool, detail: str) -> None:
    script(folder, text)
    health = Health(command=("bin/check",), timeout=10.0)
    env = {"KEY": "value", "WHERE": str(folder)}
    assert await check_once(health, socket_dir=folder, env=env, cwd=folder) == Checked(ok, detail)


async def test_a_command_that_hangs_is_ended_with_its_children(folder: Path) -> None:
    script(folder, "sleep 1000 & echo $! > child; sleep 1000")
    health = Health(command=("bin/check",), timeout=0.3)
    assert (await check(health, folder)).detail == "no answer within 0.3 s"
    child = int((folder / "child").read_text())
    async with asyncio.timeout(DEADLINE):
        while _lives(child):
            await asyncio.sleep(0.01)


def _lives(pid: int) -> bool:
    try:
        return b") Z" not in Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False


async def test_a_command_that_is_missing_is_told(folder: Path) -> None:
    assert "cannot be run" in (await check(Health(command=("bin/none",)), folder)).detail


async def test_a_start_is_noticed_when_the_socket_comes(folder: Path) -> None:
    died = asyncio.Event()
    waiting = asyncio.create_task(wait_healthy(HTTP, socket_dir=folder, env={}, cwd=folder, died=died))
    await asyncio.sleep(0)
    assert not waiting.done()
    async with service(folder, lambda: OK), asyncio.timeout(DEADLINE):
        assert await waiting == Checked(True)


async def test_a_service_that_is_slow_to_get_well_is_waited_for(folder: Path) -> None:
    answers = iter([b"HTTP/1.1 503 Wait\r\n\r\n"] * 3 + [OK] * 10)
    async with service(folder, lambda: next(answers)), asyncio.timeout(DEADLINE):
        checked = await wait_healthy(HTTP, socket_dir=folder, env={}, cwd=folder, died=asyncio.Event())
    assert checked == Checked(True)


async def test_waiting_ends_at_once_when_the_process_dies(folder: Path) -> None:
    died = asyncio.Event()
    waiting = asyncio.create_task(wait_healthy(HTTP, socket_dir=folder, env={}, cwd=folder, died=died))
    await asyncio.sleep(0)
    died.set()
    async with asyncio.timeout(DEADLINE):
        assert await waiting == Checked(False, "its process ended")


async def test_a_service_that_never_gets_well_is_given_up_with_the_last_reason(folder: Path) -> None:
    health = Health(http="/health", start_timeout=0.1)
    async with service(folder, lambda: b"HTTP/1.1 500 Oops\r\n\r\n"):
        checked = await wait_healthy(health, socket_dir=folder, env={}, cwd=folder, died=asyncio.Event())
    assert checked == Checked(False, "not healthy within 0.1 s: GET /health: 500 Oops")


async def test_a_service_without_a_check_is_well_once_it_has_lived_a_moment(folder: Path) -> None:
    died = asyncio.Event()
    health = Health(start_timeout=0.1)
    assert (await wait_healthy(health, socket_dir=folder, env={}, cwd=folder, died=died)).ok
    died.set()
    assert not (await wait_healthy(health, socket_dir=folder, env={}, cwd=folder, died=died)).ok


class Changes:
    """What a monitor told."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[tuple[str, bool, str]] = asyncio.Queue()

    def __call__(self, service: str, ok: bool, detail: str) -> None:
        self.told.put_nowait((service, ok, detail))

    async def next(self) -> tuple[str, bool, str]:
        async with asyncio.timeout(DEADLINE):
            return await self.told.get()


EVERY = Health(http="/health", interval=0.02)


async def test_the_monitor_tells_only_changes(folder: Path) -> None:
    changes = Changes()
    monitor = HealthMonitor(changes)
    answer = OK
    async with service(folder, lambda: answer) as requests:
        monitor.add("a", EVERY, socket_dir=folder, env={}, cwd=folder, ok=True)
        async with asyncio.timeout(DEADLINE):
            while len(requests) < 3:
                await asyncio.sleep(0.01)
        assert changes.told.empty()
        answer = b"HTTP/1.1 500 Oops\r\n\r\n"
        before = len(requests)
        assert await changes.next() == ("a", False, "GET /health: 500 Oops")
        assert len(requests) >= before + 3
        answer = OK
        assert await changes.next() == ("a", True, "")
        assert changes.told.empty()
    await monitor.close()


async def test_one_failure_is_enough_while_nothing_is_known_of_a_service(folder: Path) -> None:
    changes = Changes()
    monitor = HealthMonitor(changes)
    monitor.add("a", EVERY, socket_dir=folder, env={}, cwd=folder)
    assert await changes.next() == ("a", False, "there is no web.sock yet")
    async with service(folder, lambda: OK):
        assert await changes.next() == ("a", True, "")
    await monitor.close()


async def test_nothing_is_told_of_a_service_that_was_removed(folder: Path) -> None:
    changes = Changes()
    monitor = HealthMonitor(changes)
    for name in ("gone", "stays"):
        monitor.add(name, EVERY, socket_dir=folder, env={}, cwd=folder)
    monitor.remove("gone")
    monitor.remove("never there")
    assert (await changes.next())[0] == "stays"
    await monitor.close()
    assert changes.told.empty()


async def test_a_service_that_hangs_does_not_hold_up_the_others(folder: Path) -> None:
    changes = Changes()
    monitor = HealthMonitor(changes)
    other = folder / "b"
    other.mkdir()
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(folder / "web.sock"))
        silent.listen()
        monitor.add("hangs", Health(http="/", interval=0.02, timeout=60), socket_dir=folder, env={}, cwd=folder)
        async with service(other, lambda: OK) as requests:
            monitor.add("b", EVERY, socket_dir=other, env={}, cwd=folder)
            assert await changes.next() == ("b", True, "")
            async with asyncio.timeout(DEADLINE):
                while len(requests) < 3:
                    await asyncio.sleep(0.01)
        await monitor.close()


async def test_services_that_share_an_interval_are_asked_at_one_moment(folder: Path) -> None:
    monitor = HealthMonitor(lambda *_: None)
    for name in ("a", "b", "c"):
        monitor.add(name, Health(http="/", interval=3600.0), socket_dir=folder, env={}, cwd=folder, ok=True)
        await asyncio.sleep(0.01)
    assert len({watched.due for watched in monitor._watched.values()}) == 1
    await monitor.close()


async def test_a_closed_monitor_leaves_no_descriptor(folder: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    changes = Changes()
    monitor = HealthMonitor(changes)
    async with service(folder, lambda: OK):
        monitor.add("a", EVERY, socket_dir=folder, env={}, cwd=folder)
        await changes.next()
        await monitor.close()
        await check(Health(command=(sys.executable, "-c", "pass")), folder)
    await asyncio.sleep(0)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before
