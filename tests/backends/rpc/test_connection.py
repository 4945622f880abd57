"""Calls both ways over real sockets: who calls, many at once, slow and hostile peers, ends at any time."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from backends.model.errors import HeroError
from backends.rpc.connection import Connection, connect
from backends.rpc.limits import Limits
from backends.rpc.server import Server
from backends.rpc.sockets import try_connect
from backends.rpc.wire import Request
from tests.backends.rpc.conftest import Dial, Serve

DEADLINE = 20.0


async def echo(connection: Connection, request: Request) -> Any:
    return request.params


async def raw(server: Server) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_unix_connection(str(server.path), limit=32 * 1024 * 1024)


async def ask_raw(server: Server, line: bytes) -> dict[str, Any]:
    """The first line that comes back for `line`."""
    reader, writer = await raw(server)
    try:
        writer.write(line + b"\n")
        async with asyncio.timeout(DEADLINE):
            found: dict[str, Any] = json.loads(await reader.readline())
    finally:
        writer.close()
    return found


def line(id: int, method: str = "echo", **params: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).encode() + b"\n"


async def test_a_call_is_answered(serve: Serve, dial: Dial) -> None:
    connection = await dial(await serve(echo))
    assert await connection.call("echo", {"word": "grüß"}) == {"word": "grüß"}


async def test_the_peer_is_who_the_kernel_says(serve: Serve, dial: Dial) -> None:
    async def whoami(connection: Connection, request: Request) -> Any:
        return list(connection.peer)

    connection = await dial(await serve(whoami))
    assert await connection.call("whoami", {"uid": 0}) == [os.getpid(), os.getuid(), os.getgid()]
    assert connection.peer == (os.getpid(), os.getuid(), os.getgid())


async def test_a_process_of_its_own_is_known_by_its_own_pid(serve: Serve) -> None:
    async def whoami(connection: Connection, request: Request) -> Any:
        return connection.peer.pid

    server = await serve(whoami)
    program = (
        "import socket, os, sys\n"
        "s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])\n"
        's.sendall(b\'{"jsonrpc": "2.0", "id": 1, "method": "whoami"}\\n\')\n'
        "print(os.getpid(), s.recv(4096).decode())"
    )
    process = await asyncio.create_subprocess_exec(
        "python3", "-c", program, str(server.path), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    pid, reply = out.decode().split(maxsplit=1)
    assert json.loads(reply)["result"] == int(pid)


async def test_fifty_calls_at_once_each_get_their_own_answer(serve: Serve, dial: Dial) -> None:
    all_here = asyncio.Barrier(50)

    async def meet(connection: Connection, request: Request) -> Any:
        await all_here.wait()
        return request.params["n"]

    connection = await dial(await serve(meet))
    async with asyncio.timeout(DEADLINE):
        answers = await asyncio.gather(*(connection.call("meet", {"n": n}) for n in range(50)))
    assert answers == list(range(50))


async def test_a_flood_of_calls_is_worked_off_with_bounded_concurrency(serve: Serve, dial: Dial) -> None:
    running = most = 0

    async def count(connection: Connection, request: Request) -> Any:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return request.params["n"]

    connection = await dial(await serve(count, limits=Limits(running=4, waiting=8)))
    async with asyncio.timeout(DEADLINE):
        answers = await asyncio.gather(*(connection.call("count", {"n": n}) for n in range(2000)))
    assert answers == list(range(2000))
    assert most == 4


async def test_nothing_more_is_read_from_a_peer_with_too_much_in_work(serve: Serve) -> None:
    gate = asyncio.Event()
    seen = 0

    async def wait(connection: Connection, request: Request) -> Any:
        nonlocal seen
        seen += 1
        await gate.wait()

    server = await serve(wait, limits=Limits(running=2, waiting=2))
    peer = try_connect(server.path)
    assert peer
    sent, loop, call = 0, asyncio.get_running_loop(), line(1, pad="x" * 1000)
    try:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):  # the kernel's buffer fills, for nobody empties it
                while sent < 50_000:
                    await loop.sock_sendall(peer, call)
                    sent += 1
        assert seen == 2
        assert sent < 5_000
    finally:
        gate.set()
        peer.close()


async def test_calls_both_ways_at_their_limit_do_not_lock_each_other(serve: Serve, dial: Dial) -> None:
    async def ask_back(connection: Connection, request: Request) -> Any:
        return await connection.call("echo", request.params)

    small = Limits(running=4, waiting=4)
    connection = await dial(await serve(ask_back, limits=small), echo, limits=small)
    calls = (connection.call("ask_back", {"n": n}) for n in range(500))
    async with asyncio.timeout(DEADLINE):
        answers = await asyncio.gather(*calls, return_exceptions=True)
    assert {"n": 0} in answers
    refused = [answer for answer in answers if isinstance(answer, BaseException)]
    assert all(isinstance(error, HeroError) and error.code == "busy" for error in refused)


async def test_the_server_calls_back_over_the_clients_connection(serve: Serve, dial: Dial) -> None:
    async def double(connection: Connection, request: Request) -> Any:
        return 2 * await connection.call("number")

    async def number(connection: Connection, request: Request) -> Any:
        return 21

    connection = await dial(await serve(double), number)
    assert await connection.call("double") == 42


async def test_a_client_that_serves_nothing_says_so_when_it_is_called(serve: Serve, dial: Dial) -> None:
    async def ask_back(connection: Connection, request: Request) -> Any:
        return await connection.call("anything")

    connection = await dial(await serve(ask_back))
    with pytest.raises(HeroError) as caught:
        await connection.call("ask_back")
    assert caught.value.code == "not_found"


async def test_an_error_crosses_with_its_code_hint_and_data(serve: Serve, dial: Dial) -> None:
    async def fail(connection: Connection, request: Request) -> Any:
        raise HeroError("conflict", "It changed.", hint="Read it again.", data={"at": 3})

    connection = await dial(await serve(fail))
    with pytest.raises(HeroError) as caught:
        await connection.call("fail")
    error = caught.value
    assert (error.code, error.message, error.hint, error.data) == (
        "conflict",
        "It changed.",
        "Read it again.",
        {"at": 3},
    )


async def test_a_handler_that_crashes_answers_and_harms_no_other(serve: Serve, dial: Dial) -> None:
    async def crash(connection: Connection, request: Request) -> Any:
        if request.params:
            raise ZeroDivisionError("secret detail")
        return "fine"

    connection = await dial(await serve(crash))
    with pytest.raises(HeroError) as caught:
        await connection.call("crash", {"now": True})
    assert caught.value.code == "internal"
    assert "secret" not in str(caught.value)
    assert await connection.call("crash") == "fine"


async def test_an_answer_that_json_cannot_say_is_an_error_and_not_a_silence(serve: Serve, dial: Dial) -> None:
    async def odd(connection: Connection, request: Request) -> Any:
        return object()

    connection = await dial(await serve(odd))
    with pytest.raises(HeroError) as caught:
        await connection.call("odd", timeout=DEADLINE)
    assert caught.value.code == "internal"


async def test_an_answer_of_17_mib_is_an_error_and_not_a_silence(serve: Serve, dial: Dial) -> None:
    async def huge(connection: Connection, request: Request) -> Any:
        return "x" * (17 * 1024 * 1024)

    connection = await dial(await serve(huge))
    with pytest.raises(HeroError) as caught:
        await connection.call("huge", timeout=DEADLINE)
    assert "16,777,216" in caught.value.message


async def test_a_call_that_is_not_answered_in_time_ends_and_its_late_answer_is_ignored(
    serve: Serve, dial: Dial
) -> None:
    gate = asyncio.Event()

    async def wait(connection: Connection, request: Request) -> Any:
        if request.method == "wait":
            await gate.wait()
        return request.method

    connection = await dial(await serve(wait))
    with pytest.raises(HeroError) as caught:
        await connection.call("wait", timeout=0.01)
    assert caught.value.code == "timeout"
    gate.set()
    assert await connection.call("go on") == "go on"


async def test_pending_calls_fail_when_the_connection_is_lost(serve: Serve, dial: Dial) -> None:
    async def hang_up(connection: Connection, request: Request) -> Any:
        connection.link.transport.abort()

    connection = await dial(await serve(hang_up))
    async with asyncio.timeout(DEADLINE):
        with pytest.raises(HeroError) as caught:
            await connection.call("hang_up")
    assert caught.value.code == "unreachable"
    with pytest.raises(HeroError) as caught:
        await connection.call("again")
    assert caught.value.code == "unreachable"


async def test_a_handler_is_cancelled_when_its_caller_leaves(serve: Serve, dial: Dial) -> None:
    started, cancelled = asyncio.Event(), asyncio.Event()

    async def wait(connection: Connection, request: Request) -> Any:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    server = await serve(wait)
    connection = await dial(server)
    call = asyncio.create_task(connection.call("wait"))
    async with asyncio.timeout(DEADLINE):
        await started.wait()
        await connection.close()
        await cancelled.wait()
        with pytest.raises(HeroError) as caught:
            await call
    assert caught.value.code == "unreachable"


async def test_work_that_must_not_stop_half_way_outlives_its_caller(serve: Serve, dial: Dial) -> None:
    started, gate, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def change() -> None:
        started.set()
        await gate.wait()
        done.set()

    async def handler(connection: Connection, request: Request) -> Any:
        await connection.to_the_end(change())

    connection = await dial(await serve(handler))
    call = asyncio.create_task(connection.call("change"))
    async with asyncio.timeout(DEADLINE):
        await started.wait()
        await connection.close()
        gate.set()
        await done.wait()
        with pytest.raises(HeroError):
            await call


async def test_a_slow_reader_is_dropped_with_a_reason_and_harms_no_other(serve: Serve, dial: Dial) -> None:
    async def flood(connection: Connection, request: Request) -> Any:
        if request.method == "flood":
            while connection.link.open:
                connection.notify("event", {"text": "x" * 1000})
        return "answered"

    server = await serve(flood, limits=Limits(unsent=256 * 1024))
    fast = await dial(server)
    slow = try_connect(server.path)
    assert slow
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(slow, line(1, "flood"))
    async with asyncio.timeout(DEADLINE):
        assert await fast.call("other") == "answered"
        received = b""
        while data := await loop.sock_recv(slow, 1 << 20):
            received += data
        assert await fast.call("other") == "answered"
    last = json.loads(received.splitlines()[-1])
    slow.close()
    assert last["method"] == "rpc.bye"
    assert "behind" in last["params"]["message"]
    assert len(received) < 4 * 1024 * 1024


async def test_a_slow_reader_that_never_reads_again_is_let_go(serve: Serve) -> None:
    finished = asyncio.Event()

    async def flood(connection: Connection, request: Request) -> Any:
        connection.when_lost(lambda error: finished.set())
        while connection.link.open:
            connection.notify("event", {"text": "x" * 1000})

    server = await serve(flood, limits=Limits(unsent=256 * 1024))
    slow = try_connect(server.path)
    assert slow
    with slow:
        await asyncio.get_running_loop().sock_sendall(slow, line(1, "flood"))
        async with asyncio.timeout(DEADLINE):
            await finished.wait()


async def test_a_large_answer_under_way_does_not_make_a_slow_reader(serve: Serve, dial: Dial) -> None:
    async def large(connection: Connection, request: Request) -> Any:
        if request.method == "large":
            return "x" * (8 * 1024 * 1024)
        for number in range(100):
            connection.notify("event", {"number": number})
        return None

    connection = await dial(await serve(large))
    events: list[Any] = []
    connection.listen("event", events.append)
    async with asyncio.timeout(DEADLINE):
        answer, _ = await asyncio.gather(connection.call("large"), connection.call("events"))
    assert len(answer) == 8 * 1024 * 1024
    assert len(events) == 100


async def test_garbage_is_answered_and_the_next_line_is_read(serve: Serve) -> None:
    server = await serve(echo)
    reader, writer = await raw(server)
    writer.write(b"garbage\n\xff\xff\n" + b"[" * 100_000 + b"\n\n  \n[]\n{}\n" + line(7, a=1))
    async with asyncio.timeout(DEADLINE):
        replies = [json.loads(await reader.readline()) for _ in range(6)]
    writer.close()
    codes = [reply.get("error", {}).get("code") for reply in replies]
    assert codes == [-32700, -32700, -32700, -32600, -32600, None]
    assert replies[-1]["result"] == {"a": 1}


async def test_a_line_of_17_mib_is_refused_unread_and_the_next_one_is_answered(serve: Serve) -> None:
    server = await serve(echo)
    reader, writer = await raw(server)
    writer.write(b"x" * (17 * 1024 * 1024) + b"\n" + line(2, b=2))
    async with asyncio.timeout(DEADLINE):
        refusal, reply = [json.loads(await reader.readline()) for _ in range(2)]
    writer.close()
    assert refusal["error"]["code"] == -32600
    assert "16,777,216" in refusal["error"]["message"]
    assert reply["result"] == {"b": 2}


async def test_a_line_may_come_byte_by_byte(serve: Serve) -> None:
    server = await serve(echo)
    reader, writer = await raw(server)
    for byte in line(1, a="é") + line(2):
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0)
    async with asyncio.timeout(DEADLINE):
        assert json.loads(await reader.readline())["result"] == {"a": "é"}
        assert json.loads(await reader.readline())["id"] == 2
    writer.close()


async def test_a_peer_that_floods_garbage_and_reads_nothing_is_dropped(serve: Serve) -> None:
    server = await serve(echo, limits=Limits(unsent=64 * 1024))
    peer = try_connect(server.path)
    assert peer
    with peer, pytest.raises((BrokenPipeError, ConnectionResetError)):
        async with asyncio.timeout(DEADLINE):
            while True:
                await asyncio.get_running_loop().sock_sendall(peer, b"garbage\n" * 1000)


async def test_a_reply_that_makes_no_sense_ends_the_connection(serve: Serve) -> None:
    server = await serve(echo)
    reader, writer = await raw(server)
    writer.write(b'{"jsonrpc": "2.0", "result": 1}\n')
    async with asyncio.timeout(DEADLINE):
        assert json.loads(await reader.readline())["method"] == "rpc.bye"
        assert await reader.read() == b""
    writer.close()


async def test_a_notification_to_a_server_gets_no_answer(serve: Serve) -> None:
    found = await ask_raw(await serve(echo), b'{"jsonrpc": "2.0", "method": "echo"}\n' + line(5).strip())
    assert found["id"] == 5


async def test_a_listener_that_fails_harms_no_other(serve: Serve, dial: Dial) -> None:
    async def tell(connection: Connection, request: Request) -> Any:
        connection.notify("event", {"n": 1})

    def fail(params: dict[str, Any]) -> None:
        raise ValueError("no")

    connection = await dial(await serve(tell))
    heard: list[Any] = []
    connection.listen("event", fail)
    stop = connection.listen("event", heard.append)
    await connection.call("tell")
    stop()
    await connection.call("tell")
    assert heard == [{"n": 1}]


async def test_the_reason_of_a_closed_connection_reaches_the_peer(serve: Serve, dial: Dial) -> None:
    server = await serve(echo)
    connection = await dial(server)
    await connection.call("echo")
    await server.close(reason="hero_boxd is updated.")
    async with asyncio.timeout(DEADLINE):
        error = await connection.wait_lost()
    assert (error.code, error.message) == ("unreachable", "hero_boxd is updated.")
    assert connection.error is error


async def test_a_server_without_room_is_waited_for(short_dir: Any) -> None:
    path = short_dir / "full.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(0)
        first = try_connect(path)
        assert first
        assert try_connect(path) is None
        first.close()


@pytest.mark.parametrize(
    "answer", [b"garbage\n", b'{"jsonrpc": "2.0", "id": 1, "res\n', b"x" * (17 << 20) + b"\n"]
)
async def test_a_call_that_is_answered_with_nonsense_ends(answer: bytes, short_dir: Path) -> None:
    """Nobody can tell whose answer it was: whoever waits would wait for ever."""

    async def lie(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(answer)
        await reader.read()
        writer.close()

    async with await asyncio.start_unix_server(lie, short_dir / "rpc.sock"):
        connection = await connect(short_dir / "rpc.sock", label="The box")
        async with asyncio.timeout(DEADLINE):
            with pytest.raises(HeroError, match="The box answered something else than JSON-RPC") as caught:
                await connection.call("fleet.snapshot")
        assert caught.value.code == "unreachable"
        await connection.close()
