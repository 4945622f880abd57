"""A network made of a function, for the tests of the Forgejo client; and a socket that breaks off for real."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from backends.forge.forgejo import Forgejo

URL = "https://forge.example/git"
TOKEN = "0123456789abcdef0123456789abcdef01234567"

Answer = httpx.Response | Exception
Handler = Callable[[httpx.Request], Answer | Awaitable[Answer]]


def answer(value: Any, status: int = 200, **headers: str) -> httpx.Response:
    """JSON; `headers` with `_` for `-`."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return httpx.Response(status, json=value, headers=named)


def streamed(content: bytes, status: int = 200, **headers: str) -> httpx.Response:
    """`content` in chunks of 3 bytes, with its length."""

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 3):
            yield content[start : start + 3]

    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return httpx.Response(status, content=chunks(), headers={"content-length": str(len(content)), **named})


def listed(items: list[Any], request: httpx.Request, *, most: int = 50) -> httpx.Response:
    """One page of `items`, as a server gives it that never gives more than `most`."""
    limit = min(most, int(request.url.params.get("limit", 30)))
    start = (int(request.url.params.get("page", 1)) - 1) * limit
    return answer(items[start : start + limit], x_total_count=str(len(items)))


@dataclass
class Wire:
    """Answers requests by `handler`, and writes down what was asked and how long was waited."""

    handler: Handler
    requests: list[httpx.Request] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        found = self.handler(request)
        got = found if isinstance(found, (httpx.Response, Exception)) else await found
        if isinstance(got, Exception):
            raise got
        return got

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0)

    def paths(self) -> list[str]:
        """Method and path below the API of each request."""
        return [f"{r.method} {r.url.path.partition('/api/v1')[2] or r.url.path}" for r in self.requests]

    def forge(self, token: str = TOKEN, *, poll_seconds: float = 60) -> Forgejo:
        return Forgejo(
            URL,
            token,
            poll_seconds=poll_seconds,
            sleep=self.sleep,
            chance=lambda: 1.0,
            transport=httpx.MockTransport(self),
        )


def in_turn(*answers: Answer) -> Handler:
    """Each answer once, in this order; the last one for ever."""
    left = list(answers)
    return lambda request: left.pop(0) if len(left) > 1 else left[0]


@contextlib.asynccontextmanager
async def socket_that_says(reply: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server on loopback that reads one request, sends `reply` and hangs up: its address, and what it heard."""
    heard: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            heard.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(reply)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", heard
    finally:
        server.close()


def head(length: int, kind: str = "application/json") -> bytes:
    """The beginning of a success that promises `length` bytes."""
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n".encode()


def release(number: int, tag: str, **fields: Any) -> dict[str, Any]:
    """A published release as a forge tells it."""
    return {
        "id": number,
        "tag_name": tag,
        "target_commitish": tag[-8:] + "0" * 32,
        "name": tag,
        "body": None,
        "draft": False,
        "created_at": "2026-11-20T12:00:00Z",
        "published_at": "2026-11-20T12:00:00Z",
        "author": {"login": "mik"},
        "assets": None,
        **fields,
    }


def as_json(request: httpx.Request) -> Any:
    return json.loads(request.content)
