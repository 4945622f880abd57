"""The command line's client: blocking, and so small that a verb starts at once."""

from __future__ import annotations

import os
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

from backends.model.errors import HeroError
from backends.rpc.looking import check_looks, only_looks
from backends.rpc.sockets import PathLike, try_connect
from backends.rpc.wire import (
    FAREWELL,
    MAX_LINE,
    METHOD_NOT_FOUND,
    BadReplyError,
    Failure,
    Message,
    Notification,
    Request,
    Result,
    RpcError,
    decode,
    encode,
    encode_failure,
    heard_farewell,
)

FOREVER = float("inf")
"""A timeout for a call that may take any time, where None would mean the client's own."""

_CHUNK = 256 * 1024
_RETRY_SECONDS = 0.01


class SyncClient:
    """A connection to the daemon at `path`, for one thread.

    `timeout` in seconds for connecting and for each call; None waits for ever. Raises HeroError "unreachable",
    "denied" or "timeout".
    """

    def __init__(self, path: PathLike, timeout: float | None = 30.0) -> None:
        self._label = f"The daemon at {os.fspath(path)}"
        self._timeout = timeout
        self._buffer = bytearray()
        self._searched = 0
        self._last_id = 0
        self._notifications: deque[Notification] = deque()
        self._farewell: HeroError | None = None
        self._socket = self._connect(path, _deadline(timeout))

    def __enter__(self) -> SyncClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the daemon gives up what this client waits for."""
        self._socket.close()

    def call(
        self,
        method: str,
        params: dict[str, Any] | None = None,
        timeout: float | None = None,
        *,
        on_notification: Callable[[Notification], None] | None = None,
    ) -> Any:
        """The answer to `method`.

        `timeout` in seconds instead of the client's own. Raises the daemon's HeroError, "timeout", or
        "unreachable" when the connection ends first. Notifications that come meanwhile go to `on_notification`;
        without one they are kept for `notifications`.
        """
        if only_looks():
            check_looks(method)
        deadline = _deadline(self._timeout if timeout is None else timeout)
        self._last_id += 1
        self._send(encode(Request(self._last_id, method, params or {})), deadline)
        while True:
            message = self._receive(deadline, method)
            if isinstance(message, Notification):
                (on_notification or self._notifications.append)(message)
            elif isinstance(message, Result) and message.id == self._last_id:
                return message.result
            elif isinstance(message, Failure) and message.id in (self._last_id, None):
                raise message.error

    def notifications(self, timeout: float | None = None) -> Iterator[Notification]:
        """What the daemon streams, as it comes.

        `timeout` in seconds for each one; None waits for ever. Raises HeroError "timeout", or "unreachable" when
        the connection ends.
        """
        while True:
            if self._notifications:
                yield self._notifications.popleft()
                continue
            message = self._receive(_deadline(timeout), "the next event")
            if isinstance(message, Notification):
                self._notifications.append(message)

    def _connect(self, path: PathLike, deadline: float | None) -> socket.socket:
        while (connected := try_connect(path)) is None:
            if deadline is not None and time.monotonic() >= deadline:
                raise HeroError("timeout", f"{self._label} took no connection in time.")
            time.sleep(_RETRY_SECONDS)
        return connected

    def _send(self, line: bytes, deadline: float | None) -> None:
        try:
            self._limit(deadline)
            self._socket.sendall(line)
        except TimeoutError:
            self.close()  # in the middle of a line, after which no other can begin
            raise HeroError("timeout", f"{self._label} took no message in time.") from None
        except OSError as error:
            # What the daemon said last, such as why it hung up, may still be here to be read.
            self._read_last_words()
            raise self._lost(error) from None

    def _receive(self, deadline: float | None, what: str) -> Message:
        """The next message that is ours to handle."""
        while True:
            message = self._decode(self._read_line(deadline, what))
            if isinstance(message, Request):
                refusal = RpcError(METHOD_NOT_FOUND, "This client answers no calls.")
                self._send(encode_failure(message.id, refusal), deadline)
            elif isinstance(message, Notification) and message.method == FAREWELL:
                self._farewell = heard_farewell(message.params)
            else:
                return message

    def _decode(self, line: bytes) -> Message:
        try:
            return decode(line)
        except (RpcError, BadReplyError) as error:
            self.close()
            raise HeroError(
                "failed", f"{self._label} answered something else than JSON-RPC: {error.message}"
            ) from None

    def _read_line(self, deadline: float | None, what: str) -> bytes:
        while (end := self._buffer.find(b"\n", self._searched)) < 0:
            self._searched = len(self._buffer)
            if self._searched > MAX_LINE:
                self.close()
                raise HeroError("failed", f"{self._label} sent a line of more than {MAX_LINE:,} bytes.")
            self._buffer += self._read(deadline, what)
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        self._searched = 0
        return line

    def _read(self, deadline: float | None, what: str) -> bytes:
        try:
            self._limit(deadline)
            data = self._socket.recv(_CHUNK)
        except TimeoutError:
            raise HeroError("timeout", f"{self._label} did not answer {what} in time.") from None
        except OSError as error:
            raise self._lost(error) from None
        if not data:
            raise self._lost(None)
        return data

    def _limit(self, deadline: float | None) -> None:
        # A timeout of zero would mean "do not block", which reports its end as another error.
        self._socket.settimeout(None if deadline is None else max(deadline - time.monotonic(), 0.001))

    def _read_last_words(self) -> None:
        try:
            while self._farewell is None:
                self._receive(_deadline(0.1), "")
        except HeroError:
            return

    def _lost(self, error: OSError | None) -> HeroError:
        if self._farewell:
            return self._farewell
        detail = f": {error.strerror or error}" if error else ""
        return HeroError("unreachable", f"{self._label} closed the connection before it answered{detail}.")


def _deadline(timeout: float | None) -> float | None:
    """The moment, on the monotonic clock, `timeout` seconds from now; None (or an infinite timeout): never."""
    return None if timeout is None or timeout == FOREVER else time.monotonic() + timeout
