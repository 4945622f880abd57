"""Faults of networks and servers, put in the way of chosen requests."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True)
class Fault:
    """What happens instead of, or to, an answer.

    `status` answers with `body`; `before` seconds pass first; `close` ends the connection without an answer.
    `cut_upload` and `cut_download` end it after so many bytes of the body, `short` leaves so many off the answer's
    end (its Content-Length agrees), `corrupt` turns its first byte, `drip` sends it in pieces of so many bytes.
    """

    status: int = 0
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    before: float = 0.0
    close: bool = False
    cut_upload: int | None = None
    cut_download: int | None = None
    short: int = 0
    corrupt: bool = False
    drip: int = 0


@dataclass
class _Planned:
    method: str
    path: re.Pattern[str]
    times: int
    fault: Fault
    act: Callable[[], object] | None


@dataclass(frozen=True)
class Request:
    """A request as it came; `authorization` as it was sent."""

    method: str
    path: str
    query: str
    authorization: str
    headers: dict[str, str]


@dataclass
class Faults:
    """The plan of faults, and all requests that came."""

    planned: list[_Planned] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    def add(
        self,
        method: str,
        path: str,
        fault: Fault | None = None,
        *,
        times: int = 1,
        act: Callable[[], object] | None = None,
    ) -> None:
        """Have `fault` happen to the next `times` requests of `method` ("*": any) whose path matches the regular
        expression `path`; `act` is done before each, in a thread."""
        self.planned.append(_Planned(method, re.compile(path), times, fault or Fault(), act))

    def clear(self) -> None:
        self.planned.clear()

    def take(self, method: str, path: str) -> _Planned | None:
        for plan in self.planned:
            if plan.times and plan.method in ("*", method) and plan.path.search(path):
                plan.times -= 1
                return plan
        return None

    def count(self, method: str, path: str) -> int:
        """How many requests of `method` matched `path`."""
        return sum(one.method == method and bool(re.search(path, one.path)) for one in self.requests)


class FaultyApp:
    """`app` with faults before it. To be uvicorn's outermost app: it reaches for the transport."""

    def __init__(self, app: App, faults: Faults):
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
        path = scope["raw_path"].decode()
        query = scope["query_string"].decode()
        self._faults.requests.append(
            Request(scope["method"], path, query, headers.get("authorization", ""), headers)
        )
        plan = self._faults.take(scope["method"], path)
        if plan is None:
            await self._app(scope, receive, send)
            return
        if plan.act is not None:
            await asyncio.to_thread(plan.act)
        await self._with(plan.fault, scope, receive, send)

    async def _with(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        transport = send.__self__.transport  # type: ignore[attr-defined]  # uvicorn's cycle
        await asyncio.sleep(fault.before)
        if fault.close:
            transport.abort()
            return
        if fault.status:
            await _read_all(receive)
            listed = [(name.encode(), value.encode()) for name, value in fault.headers]
            listed.append((b"content-length", str(len(fault.body)).encode()))
            await send({"type": "http.response.start", "status": fault.status, "headers": listed})
            await send({"type": "http.response.body", "body": fault.body})
            return
        receiving = _cut_upload(receive, fault.cut_upload, transport) if fault.cut_upload is not None else receive
        await self._app(scope, receiving, _Sender(fault, send, transport).send)


async def _read_all(receive: Receive) -> None:
    while (message := await receive())["type"] == "http.request" and message.get("more_body"):
        pass


def _cut_upload(receive: Receive, after: int, transport: Any) -> Receive:
    seen = 0

    async def cut() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > after:
            transport.abort()
            return {"type": "http.disconnect"}
        return message

    return cut


class _Sender:
    """Changes an answer on its way."""

    def __init__(self, fault: Fault, send: Send, transport: Any):
        self._fault = fault
        self._send = send
        self._transport = transport
        self._start: Message = {}
        self._body = bytearray()
        self._sent = 0

    async def send(self, message: Message) -> None:
        fault = self._fault
        if fault.cut_download is not None:
            await self._cut(message, fault.cut_download)
            return
        if not (fault.short or fault.corrupt or fault.drip):
            await self._send(message)
            return
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body += message.get("body", b"")
        if not message.get("more_body"):
            await self._whole()

    async def _cut(self, message: Message, after: int) -> None:
        if self._transport.is_closing():
            return
        body = message.get("body", b"")
        if self._sent + len(body) > after:
            await self._send({**message, "body": body[: after - self._sent], "more_body": True})
            self._transport.close()
        else:
            await self._send(message)
        self._sent += len(body)

    async def _whole(self) -> None:
        fault, body = self._fault, bytes(self._body)
        if fault.short:
            body = body[: -fault.short]
        if fault.corrupt and body:
            body = bytes([body[0] ^ 0xFF]) + body[1:]
        kept = [(name, value) for name, value in self._start["headers"] if name.lower() != b"content-length"]
        await self._send({**self._start, "headers": [*kept, (b"content-length", str(len(body)).encode())]})
        step = fault.drip or max(len(body), 1)
        for at in range(0, max(len(body), 1), step):
            part = body[at : at + step]
            await self._send({"type": "http.response.body", "body": part, "more_body": at + step < len(body)})
            await asyncio.sleep(0.01 if fault.drip else 0)
