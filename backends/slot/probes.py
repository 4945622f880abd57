"""Ask a running service how it is, once: over its web socket, by connecting, or by its own command."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import socket
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from backends import children
from backends.model.text import safe_line

ANSWER_LIMIT = 64 * 1024
"""Bytes of an answer that are read; a service may send any number."""
BODY_WAIT = 0.5
"""Seconds that a good answer's body may take; it is read only so that the service can finish writing it."""
BACKLOG_PAUSE = 0.01
"""Seconds until a service whose queue of connections is full is tried again."""
OUTPUT_KEPT = 2048
"""Bytes of a health command's output that are kept for the reason."""

_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})(?: ([^\r\n]*))?\r?\n")
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]{1,9})\r\n", re.IGNORECASE)


@dataclass(frozen=True)
class Checked:
    """Whether a service is well, and if not why, in a few harmless words."""

    ok: bool
    detail: str = ""


async def ask_http(path: str, target: str) -> Checked:
    """GET `target` over the UNIX socket `path`: a status of 2xx or 3xx is well. Waits without a limit."""
    if not os.path.exists(path):  # noqa: PTH110 - asked hundreds of times a second while a service starts
        return Checked(False, f"there is no {os.path.basename(path)} yet")  # noqa: PTH119
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as peer:
        try:
            await _connect(peer, path)
            peer.send(f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            answer = await _receive(peer, b"", whole=False)
            if (checked := _judge(answer, target)).ok:
                await _let_finish(peer, answer)
            return checked
        except OSError as error:
            return Checked(False, _reason(error, path))


async def ask_sockets(paths: Sequence[str]) -> Checked:
    """Whether every one of `paths`, and there must be one, takes a connection."""
    if not paths:
        return Checked(False, "there is no socket yet")
    for path in paths:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as peer:
            try:
                await _connect(peer, path)
            except OSError as error:
                return Checked(False, _reason(error, path))
    return Checked(True)


async def ask_command(argv: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> Checked:
    """Run `argv` (a relative program is of `cwd`): exit 0 is well. Its process group ends with the question."""
    output: deque[int] = deque(maxlen=OUTPUT_KEPT)
    loop = asyncio.get_running_loop()
    source, sink = os.pipe()
    os.set_blocking(source, False)
    loop.add_reader(source, _take, source, output)
    process: asyncio.subprocess.Process | None = None
    try:
        process = await children.start([str(cwd / argv[0]), *argv[1:]], cwd=cwd, env=env, stdout=sink, stderr=sink)
        status = await process.wait()
        _take(source, output)
    except (OSError, ValueError) as error:
        return Checked(False, f"{safe_line(argv[0], 100)} cannot be run: {safe_line(str(error), 200)}")
    finally:
        loop.remove_reader(source)
        os.close(source)
        os.close(sink)
        if process:
            children.end_group(process.pid, signal.SIGKILL)
            await process.wait()
    return Checked(True) if status == 0 else Checked(False, _failure(argv[0], status, bytes(output)))


def _take(source: int, output: deque[int]) -> None:
    with contextlib.suppress(BlockingIOError):
        output.extend(os.read(source, 64 * 1024))


def _failure(program: str, status: int, output: bytes) -> str:
    lines = [line.strip() for line in output.decode(errors="replace").splitlines() if line.strip()]
    how = f"exit {status}" if status >= 0 else f"signal {-status}"
    said = f": {safe_line(lines[-1], 200)}" if lines else ""
    return f"{safe_line(program, 100)}: {how}{said}"


async def _connect(peer: socket.socket, path: str) -> None:
    """A UNIX socket connects at once or not at all; with a full backlog there is nothing to wait on."""
    while True:
        try:
            peer.connect(path)
            return
        except BlockingIOError:
            await asyncio.sleep(BACKLOG_PAUSE)


async def _receive(peer: socket.socket, answer: bytes, *, whole: bool) -> bytes:
    """`answer` and what follows it: until its first line, or with `whole` its end, is there."""
    loop = asyncio.get_running_loop()
    while len(answer) < ANSWER_LIMIT and not (_is_complete(answer) if whole else b"\n" in answer):
        data = await loop.sock_recv(peer, 4096)
        if not data:
            break
        answer += data
    return answer


def _is_complete(answer: bytes) -> bool:
    end = answer.find(b"\r\n\r\n")
    length = _LENGTH.search(answer, 0, end + 2) if end >= 0 else None
    return length is not None and len(answer) >= end + 4 + int(length[1])


async def _let_finish(peer: socket.socket, answer: bytes) -> None:
    """Read the rest: a service whose reader is gone would log a broken pipe at every check."""
    if _is_complete(answer):
        return
    with contextlib.suppress(OSError):
        async with asyncio.timeout(BODY_WAIT):
            await _receive(peer, answer, whole=True)


def _judge(answer: bytes, target: str) -> Checked:
    match = _STATUS.match(answer)
    if not match:
        return Checked(False, f"GET {target}: not an HTTP answer" if answer else f"GET {target}: no answer")
    if 200 <= int(match[1]) < 400:
        return Checked(True)
    said = safe_line((match[2] or b"").decode(errors="replace"), 100)
    return Checked(False, f"GET {target}: {int(match[1])} {said}".rstrip())


def _reason(error: OSError, path: str) -> str:
    name = Path(path).name
    if isinstance(error, FileNotFoundError):
        return f"there is no {name} yet"
    if isinstance(error, ConnectionRefusedError):
        return f"nothing listens on {name}"
    return f"{name}: {error.strerror or error}"


def sockets_in(folder: Path) -> list[str]:
    """The sockets that a service has made so far."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        return sorted(entry.path for entry in entries if entry.name.endswith(".sock"))
    return []
