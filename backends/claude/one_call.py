"""One call to the slot's daemon for scripts that must start at once: little of the standard library, no more."""

from __future__ import annotations

import json
import socket
import time
from typing import Any

_LONGEST_ANSWER = 16 * 1024 * 1024
_CHUNK = 64 * 1024
_AGAIN = 0.05


class Refused(Exception):
    """The daemon answered with an error: its sentence, and what to do next."""

    def __init__(self, message: str, hint: str):
        super().__init__(message)
        self.hint = hint


class Stopping(ConnectionError):
    """The daemon took the call and is ending; its successor may answer."""


def ask(path: str, method: str, params: dict[str, Any], *, seconds: float, patience: float = 0.0) -> Any:
    """The answer to one JSON-RPC call at the socket `path`, within `seconds`.

    `patience`: seconds to wait for a daemon that does not listen (yet). Raises Refused, Stopping, OSError.
    """
    with _connected(path, time.monotonic() + patience) as connection:
        end = time.monotonic() + seconds
        connection.settimeout(seconds)
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        connection.sendall(json.dumps(request).encode() + b"\n")
        return _answer(connection, end)


def _connected(path: str, until: float) -> socket.socket:
    while True:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(max(until - time.monotonic(), 1.0))
            connection.connect(path)
            return connection
        except OSError:
            connection.close()
            if time.monotonic() >= until:
                raise
        time.sleep(_AGAIN)


def _answer(connection: socket.socket, end: float) -> Any:
    received = bytearray()
    while len(received) <= _LONGEST_ANSWER:
        while (line_end := received.find(b"\n")) >= 0:
            message = _parse(bytes(received[:line_end]))
            del received[: line_end + 1]
            if message.get("id") == 1:
                return _result(message)
        connection.settimeout(max(end - time.monotonic(), 0.001))
        data = connection.recv(_CHUNK)
        if not data:
            raise ConnectionResetError("the slot's daemon closed the connection before it answered")
        received += data
    raise ConnectionAbortedError("the slot's daemon answered too much")


def _parse(line: bytes) -> dict[str, Any]:
    try:
        message = json.loads(line)
    except ValueError:
        message = None
    if not isinstance(message, dict):
        raise ConnectionAbortedError("the slot's daemon answered something else than JSON-RPC")
    return message


def _result(message: dict[str, Any]) -> Any:
    error = message.get("error")
    if error is None:
        return message.get("result")
    if not isinstance(error, dict):
        raise Refused("the slot's daemon refused, and did not say why", "")
    found = error.get("data")
    data = found if isinstance(found, dict) else {}
    if data.get("code") == "unreachable":
        raise Stopping(str(error.get("message", "")))
    raise Refused(str(error.get("message", "")), str(data.get("hint", "")))
