"""Takes in the body of a request, which is held whole because it may have to be sent again with another key."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from backends.broker.refusal import Refusal

BODY_LIMIT = 64 << 20
"""Bytes of one request; the API takes half of that."""
HELD_LIMIT = 512 << 20
"""Bytes of all requests at the same time."""
SECONDS = 60.0
"""For a body to be here whole; it comes from this machine."""

Receive = Callable[[], Awaitable[dict[str, Any]]]


class CallerGone(Exception):
    """The caller left in the middle of its request."""


class Intake:
    """The bodies of all requests that are being answered."""

    def __init__(self, body_limit: int = BODY_LIMIT, held_limit: int = HELD_LIMIT):
        self._body_limit = body_limit
        self._held_limit = held_limit
        self._held = 0

    @asynccontextmanager
    async def taken(self, scope: dict[str, Any], receive: Receive) -> AsyncIterator[bytes]:
        """The whole body. Raises Refusal for one that is too long or too slow, or where too much is held."""
        if _announced(scope) > self._body_limit:
            raise self._too_long()
        parts: list[bytes] = []
        try:
            await self._collect(parts, receive)
            body = b"".join(parts)
            parts = [body]
            yield body
        finally:
            self._held -= sum(map(len, parts))

    async def drain(self, scope: dict[str, Any], receive: Receive) -> None:
        """Read a request that is refused, as far as that is bearable."""
        if _announced(scope) > self._body_limit:
            return
        length = 0
        try:
            async with asyncio.timeout(SECONDS):
                async for part in _parts(receive):
                    length += len(part)
                    if length > self._body_limit:
                        return
        except (TimeoutError, CallerGone):
            return

    async def _collect(self, parts: list[bytes], receive: Receive) -> None:
        length = 0
        try:
            async with asyncio.timeout(SECONDS):
                async for part in _parts(receive):
                    length += len(part)
                    if length > self._body_limit:
                        raise self._too_long()
                    if self._held + len(part) > self._held_limit:
                        raise Refusal(529, "The box's relay holds too many large requests now.", close=True)
                    self._held += len(part)
                    parts.append(part)
        except TimeoutError:
            raise Refusal(408, f"The request was not here within {SECONDS:g} s.", close=True) from None
        except CallerGone:
            raise Refusal(400, "The request was cut off.", close=True) from None

    def _too_long(self) -> Refusal:
        return Refusal(413, f"The request is longer than {self._body_limit >> 20} MB.", close=True)


async def _parts(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise CallerGone
        yield message.get("body", b"")
        if not message.get("more_body", False):
            return


def _announced(scope: dict[str, Any]) -> int:
    """The length that the request's head tells; 0 for none."""
    found = [value for name, value in scope["headers"] if name == b"content-length"]
    return int(found[0]) if found and found[0].isdigit() else 0
