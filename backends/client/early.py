"""Asks the box for its fleet before anything else is loaded, and takes the answer once all that is there."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import time
from typing import TYPE_CHECKING, NoReturn

from backends.client.look import fleet_of

if TYPE_CHECKING:
    from backends.model.state import FleetSnapshot

MOST_SLOTS = 25
"""A larger fleet is not looked at: it is told in pages, and would come piece by piece."""
_ASKED = {"jsonrpc": "2.0", "id": 1, "method": "fleet.snapshot", "params": {"limit": MOST_SLOTS}}
_LONGEST = 4 * 1024 * 1024
_PATIENCE_SECONDS = 0.05
_CHUNK = 256 * 1024


class EarlyQuestion:
    """One connection for one question. Whatever goes wrong, there is no early answer, and nobody is told."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._socket: socket.socket | None = socket.socket(
            socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC
        )
        self._socket.setblocking(False)
        try:
            self._socket.connect(os.fspath(path))
            self._socket.send(json.dumps(_ASKED).encode() + b"\n")
        except OSError:
            self.close()

    def answer(self) -> FleetSnapshot | None:
        """What the box has answered by now; waits for the rest of an answer for 50 ms at most."""
        try:
            return _fleet_in(self._line())
        except (OSError, ValueError, RecursionError):
            return None
        finally:
            self.close()

    def _line(self) -> bytes:
        data, deadline = bytearray(), time.monotonic() + _PATIENCE_SECONDS
        while self._socket and len(data) < _LONGEST and not data.endswith(b"\n"):
            if not select.select([self._socket], [], [], max(0.0, deadline - time.monotonic()))[0]:
                break
            more = self._socket.recv(_CHUNK)
            if not more:
                break
            data += more
        return bytes(data)

    def close(self) -> None:
        """Give up the connection."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.close()
            self._socket = None


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _fleet_in(line: bytes) -> FleetSnapshot | None:
    """The fleet in the reply to the question. Raises ValueError, RecursionError for what is no JSON."""
    if not line.endswith(b"\n") or line.count(b"\n") > 1:
        return None
    found = json.loads(line, parse_constant=_refuse)
    if type(found) is not dict or found.keys() != {"jsonrpc", "id", "result"} or found["id"] != 1:
        return None
    return fleet_of(found["result"])
