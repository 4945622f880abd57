"""One connection on which both sides may call, notify and be called, without one peer holding up another."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from itertools import count
from typing import Any, TypeVar

from backends.model.errors import HeroError
from backends.model.text import safe_line
from backends.rpc.limits import Limits
from backends.rpc.link import Link
from backends.rpc.sockets import PathLike, Peer, peer_of, try_connect
from backends.rpc.wire import (
    FAREWELL,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    BadReplyError,
    Failure,
    Notification,
    Request,
    Result,
    RpcError,
    decode,
    encode,
    encode_failure,
    farewell,
    heard_farewell,
)
from backends.rpc.work import Work

log = logging.getLogger(__name__)

_FLUSH_SECONDS = 2.0
_CONNECT_RETRY_SECONDS = 0.01
_NO_DISPATCH_HINT = "This side of the connection answers no calls."

T = TypeVar("T")
Dispatch = Callable[["Connection", Request], Awaitable[Any]]
"""Answers a request with something JSON can say, or raises HeroError."""
Listener = Callable[[dict[str, Any]], None]
"""Takes the parameters of a notification; must return at once."""


class Connection:
    """JSON-RPC over one socket. Made by `connect` or a `Server`, not by hand.

    `dispatch` answers the peer's requests, each in a task that this connection owns. When the connection is lost,
    those tasks are cancelled, all but what runs through `to_the_end`, and pending calls fail as "unreachable".
    """

    def __init__(
        self,
        dispatch: Dispatch | None = None,
        *,
        label: str = "the peer",
        limits: Limits | None = None,
        on_open: Callable[[Connection], None] | None = None,
        on_finished: Callable[[Connection], None] | None = None,
    ) -> None:
        self.label = label
        self.limits = limits or Limits()
        self.peer = Peer(0, 0, 0)
        self.link = Link(self, self.limits.line)
        self._dispatch = dispatch
        self._on_open = on_open
        self._on_finished = on_finished
        self._ids = count(1)
        self._pending: dict[int, asyncio.Future[Any]] = {}
        self._work = Work(self._serve, self.limits, self._work_changed)
        self._listeners: dict[str, list[Listener]] = {}
        self._on_lost: list[Callable[[HeroError], None]] = []
        self._stopping: HeroError | None = None
        self._end: HeroError | None = None
        self._last_asked = 0
        self._lost = asyncio.Event()

    @property
    def error(self) -> HeroError | None:
        """Why the connection has ended; None while it is open."""
        return self._end if self._lost.is_set() else None

    async def call(self, method: str, params: dict[str, Any] | None = None, timeout: float | None = None) -> Any:
        """The peer's answer.

        `timeout` in seconds. Raises the peer's HeroError, "timeout", or "unreachable" when the connection ends
        first.
        """
        self._refuse_when_ended()
        number = next(self._ids)
        line = encode(Request(number, method, params or {}))
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._pending[number] = answer
        self._regulate()
        try:
            async with asyncio.timeout(timeout):
                await self.link.writable()
                self._write_asked(line)
                return await answer
        except TimeoutError:
            raise HeroError("timeout", f"{self.label} did not answer {method} within {timeout:g} s.") from None
        finally:
            del self._pending[number]
            if not answer.cancel() and not answer.cancelled():
                answer.exception()  # came together with the timeout; asyncio would complain that nobody looked
            self._regulate()

    def notify(self, method: str, params: dict[str, Any] | None = None) -> None:
        """Send a notification; never waits.

        A peer that reads so slowly that `limits.unsent` bytes pile up is dropped, and told why. On a connection
        that has ended or is ending nothing happens. Raises HeroError for what cannot be sent.
        """
        self._write_now(encode(Notification(method, params or {})))

    def listen(self, method: str, listener: Listener) -> Callable[[], None]:
        """Have `listener` called for each notification `method`; the answer ends that."""
        listeners = self._listeners.setdefault(method, [])
        listeners.append(listener)
        return lambda: listeners.remove(listener) if listener in listeners else None

    def when_lost(self, callback: Callable[[HeroError], None]) -> None:
        """Have `callback` called once with the reason when the connection ends; at once where it has ended."""
        if self._lost.is_set() and self._end:
            callback(self._end)
        else:
            self._on_lost.append(callback)

    async def wait_lost(self) -> HeroError:
        """Wait for the connection's end and answer why it came."""
        await self._lost.wait()
        assert self._end
        return self._end

    async def to_the_end(self, work: Coroutine[Any, Any, T]) -> T:
        """`work`'s result; `work` goes on even if the peer leaves (for changes that must not stop half-way)."""
        return await self._work.to_the_end(work)

    async def close(self, reason: HeroError | None = None, *, grace: float = 0.0) -> None:
        """Take no new requests, let running ones end for `grace` seconds, tell the peer `reason`, close.

        Returns when nothing of this connection runs any more.
        """
        why = reason or HeroError("unreachable", "The connection was closed.")
        self._stopping = why
        for request in self._work.take_back():
            self._refuse(request)
        await self._work.finish(grace)
        self.drop(why, tell=reason is not None)
        await self._lost.wait()

    def drop(self, reason: HeroError, *, tell: bool = True) -> None:
        """Close without waiting: after what is written, or after a moment where the peer does not take it.

        `tell` says `reason` to the peer.
        """
        if not self.link.open:
            return
        self._end = self._end or reason
        self._stopping = self._stopping or reason
        if tell:
            self.link.write(encode(farewell(reason)))
        self.link.transport.close()
        asyncio.get_running_loop().call_later(_FLUSH_SECONDS, self.link.transport.abort)

    def on_connected(self) -> None:
        self.peer = peer_of(self.link.transport.get_extra_info("socket"))
        if self._on_open:
            self._on_open(self)

    def on_line(self, line: bytes) -> None:
        try:
            message = decode(line)
        except RpcError as error:
            self._make_no_sense_of(error)
            return
        except BadReplyError as error:
            self.drop(error)
            return
        match message:
            case Request():
                self._on_request(message)
            case Notification():
                self._on_notification(message)
            case Result():
                self._answered(message.id, lambda answer: answer.set_result(message.result))
            case Failure(id=None):
                # One of our messages made no sense to the peer, and nobody can tell which: no call can be trusted.
                self.drop(HeroError("failed", f"{self.label} refused a message: {message.error.message}"))
            case Failure(id=number):
                self._answered(number, lambda answer: answer.set_exception(message.error))

    def on_overlong(self) -> None:
        what = f"The line is longer than {self.limits.line:,} bytes."
        self._make_no_sense_of(RpcError(INVALID_REQUEST, what, hint="Ask in smaller parts."))

    def _make_no_sense_of(self, error: RpcError) -> None:
        """Say so to a peer that calls. Of one that is only called it was an answer, and nobody can tell whose."""
        if self._dispatch is not None:
            self._write_now(encode_failure(error.id, error))
            return
        self.drop(HeroError("failed", f"{self.label} answered something else than JSON-RPC: {error.message}"))

    def on_lost(self, error: Exception | None) -> None:
        if self._end is None:
            detail = f": {error}" if error else ""
            self._end = HeroError("unreachable", f"{self.label} closed the connection{detail}.")
        self._lost.set()
        self._work.abandon()
        for answer in self._pending.values():
            if not answer.done():
                answer.set_exception(self._ended())
        for callback in self._on_lost:
            callback(self._end)
        self._on_lost.clear()
        self._tell_if_finished()

    def _on_request(self, request: Request) -> None:
        if self._stopping:
            self._refuse(request)
            return
        if self._pending and self._work.full:
            # Reading cannot stop here, for it would stop the answers that the running requests may be waiting for.
            busy = HeroError("busy", "Too many calls at once on this connection.", hint="Wait for answers first.")
            self._write_now(encode_failure(request.id, busy))
            return
        self._work.take(request)
        self._regulate()

    def _refuse(self, request: Request) -> None:
        why = self._stopping or self._ended()
        self._write_now(encode_failure(request.id, HeroError("unreachable", why.message, hint=why.hint)))

    def _on_notification(self, message: Notification) -> None:
        if message.method == FAREWELL and self._end is None:
            self._end = heard_farewell(message.params)
        for listener in tuple(self._listeners.get(message.method, ())):
            try:
                listener(message.params)
            except Exception:
                log.exception("a listener of %s failed", safe_line(message.method, 100))

    def _answered(self, id: int | str | None, settle: Callable[[asyncio.Future[Any]], None]) -> None:
        # Unknown ids are late answers to calls that were given up.
        answer = self._pending.get(id) if isinstance(id, int) else None
        if answer and not answer.done():
            settle(answer)

    async def _serve(self, request: Request) -> None:
        line = await self._reply(request)
        await self.link.writable()
        self._write_asked(line)

    async def _reply(self, request: Request) -> bytes:
        try:
            if self._dispatch is None:
                raise RpcError(METHOD_NOT_FOUND, f"{request.method!r} is not served.", hint=_NO_DISPATCH_HINT)
            return encode(Result(request.id, await self._dispatch(self, request)))
        except HeroError as error:
            return encode_failure(request.id, error)
        except asyncio.CancelledError:
            why = self._stopping or HeroError("cancelled", f"{safe_line(request.method, 100)} was cancelled.")
            self.link.write(encode_failure(request.id, why))
            raise
        except Exception as error:
            log.exception("%s failed because of a defect", safe_line(request.method, 100))
            return encode_failure(request.id, HeroError("internal", f"A defect: {type(error).__name__}."))

    def _work_changed(self) -> None:
        self._regulate()
        self._tell_if_finished()

    def _regulate(self) -> None:
        """Stop reading while the peer has too much in work, unless an answer of its own is awaited."""
        self.link.read(bool(self._pending) or not self._work.full)

    def _write_asked(self, line: bytes) -> None:
        """Write a call or an answer, one at a time, whose length is no sign of a slow reader."""
        self._last_asked = len(line)
        self.link.write(line)

    def _write_now(self, line: bytes) -> None:
        """Write what nobody waits for, unless too much of that is unread already."""
        if not self.link.open:
            return
        if self.link.unsent > self.limits.unsent + self._last_asked:
            self.drop(
                HeroError(
                    "unreachable",
                    f"The connection was dropped: its reader was {self.link.unsent:,} bytes behind.",
                    hint="Connect again and take a fresh snapshot.",
                )
            )
            return
        self.link.write(line)

    def _refuse_when_ended(self) -> None:
        if not self.link.open:
            raise self._ended()

    def _ended(self) -> HeroError:
        end = self._end or HeroError("unreachable", f"The connection to {self.label} is closed.")
        return HeroError("unreachable", end.message, hint=end.hint)

    def _tell_if_finished(self) -> None:
        if self._on_finished and self._lost.is_set() and self._work.idle:
            self._on_finished(self)


async def connect(
    path: PathLike,
    dispatch: Dispatch | None = None,
    *,
    label: str = "",
    limits: Limits | None = None,
    timeout: float = 10.0,
) -> Connection:
    """A connection to the server at `path`; `dispatch` answers what it calls back.

    `timeout` in seconds. Raises HeroError "unreachable", "denied", or "timeout" where the server has no room.
    """
    connection = Connection(dispatch, label=label or f"The daemon at {path}", limits=limits)
    try:
        async with asyncio.timeout(timeout):
            while (connected := try_connect(path)) is None:  # noqa: ASYNC110 — nothing tells of room in a backlog
                await asyncio.sleep(_CONNECT_RETRY_SECONDS)
    except TimeoutError:
        raise HeroError("timeout", f"The daemon at {path} took no connection within {timeout:g} s.") from None
    await asyncio.get_running_loop().create_unix_connection(lambda: connection.link, sock=connected)
    return connection
