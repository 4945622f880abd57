"""Call XML-RPC methods over a UNIX socket without blocking the event loop."""

from __future__ import annotations

import asyncio
import xmlrpc.client
from pathlib import Path
from typing import Any

from backends.supervisors.base import SupervisorLost


class FaultError(Exception):
    """The other side refused the call: its `code` and `text`."""

    def __init__(self, code: int, text: str):
        super().__init__(text)
        self.code = code
        self.text = text


async def call(socket: Path, method: str, *params: Any) -> Any:
    """The result of `method(*params)`.

    Raises FaultError if the method does, SupervisorLost if nobody answers or the answer breaks off.
    """
    answer = await _exchange(socket, xmlrpc.client.dumps(params, method).encode())
    head, _, body = answer.partition(b"\r\n\r\n")
    if not body:
        raise SupervisorLost("The supervisor ended before it answered.")
    if b" 200 " not in head.split(b"\r\n", 1)[0]:
        raise FaultError(0, head.split(b"\r\n", 1)[0].decode("latin-1"))
    try:
        (result,), _ = xmlrpc.client.loads(body)
    except xmlrpc.client.Fault as fault:
        raise FaultError(fault.faultCode, fault.faultString) from None
    return result


async def _exchange(socket: Path, body: bytes) -> bytes:
    try:
        reader, writer = await asyncio.open_unix_connection(socket)
        try:
            # HTTP/1.0: the answer ends with the connection
            head = f"POST /RPC2 HTTP/1.0\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            return await reader.read()
        finally:
            writer.close()
    except OSError as error:
        raise SupervisorLost(f"The supervisor does not answer: {error.strerror or error}.") from error
