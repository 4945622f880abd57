"""Services of slots, played: what they are asked they tell, on real sockets, with answers that a test chooses."""

from __future__ import annotations

import asyncio
import contextlib
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from hashlib import sha1
from pathlib import Path

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Service:
    """Answers with what it was asked, as JSON. `extra` are headers of every answer, `go` lets a stream go on."""

    def __init__(self, name: str, *extra: str):
        self.name = name
        self.extra = extra
        self.go = asyncio.Event()
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection that was just made."""
        task = asyncio.create_task(self._serve(reader, writer))
        self._connections[task] = writer

    async def end(self) -> None:
        """Cut all connections, as the end of a process does."""
        for task, writer in self._connections.items():
            task.cancel()
            writer.transport.abort()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            method, target, _ = head[0].split(" ")
            pairs = [line.partition(": ") for line in head[1:] if line]
            headers = {name.lower(): value for name, _, value in pairs}
            if headers.get("upgrade", "").lower() == "websocket":
                await self._websocket(headers["sec-websocket-key"], reader, writer)
                return
            if target == "/stream":
                await self._stream(writer)
                return
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            told = {"name": self.name, "method": method, "target": target, "headers": headers, "body": len(body)}
            self._answer(writer, json.dumps(told).encode())

    def _answer(self, writer: asyncio.StreamWriter, body: bytes) -> None:
        lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *self.extra, "", ""]
        writer.write("\r\n".join(lines).encode() + body)

    async def _stream(self, writer: asyncio.StreamWriter) -> None:
        """One part; the second only once `go` is set."""
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nfirst\n")
        await self.go.wait()
        writer.write(b"second\n")
        await writer.drain()

    async def _websocket(self, key: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accept = b64encode(sha1((key + _GUID).encode()).digest()).decode()
        lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
        writer.write("\r\n".join([*lines, f"Sec-WebSocket-Accept: {accept}", "", ""]).encode())
        while True:
            text = await receive(reader)
            writer.write(bytes([0x81, len(text) + 5]) + b"echo " + text)


async def receive(reader: asyncio.StreamReader) -> bytes:
    """The text of one short frame, masked or not."""
    _, second = await reader.readexactly(2)
    mask = await reader.readexactly(4) if second & 0x80 else bytes(4)
    content = await reader.readexactly(second & 0x7F)
    return bytes(byte ^ mask[number % 4] for number, byte in enumerate(content))


def frame(text: bytes) -> bytes:
    """A short frame as a client sends it, masked with zeros."""
    return bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text


@contextlib.asynccontextmanager
async def serving(path: Path, service: Service) -> AsyncIterator[Service]:
    """`service` at the socket `path`, which is gone afterwards."""
    server = await asyncio.start_unix_server(service, path)
    try:
        yield service
    finally:
        server.close()
        await service.end()
        path.unlink(missing_ok=True)
