"""The relay's connections to the Messages API: kept open, no cookies, no redirects, nothing logged."""

from __future__ import annotations

import asyncio
import ssl
from urllib.request import getproxies_environment, proxy_bypass

from backends.broker.headers import Headers
from backends.forge.lean_httpx import httpx

CONNECT_SECONDS = 10.0
SILENT_SECONDS = 900.0
"""Without a byte of an answer; sessions give up sooner by themselves."""
WRITE_SECONDS = 60.0

_LIMITS = httpx.Limits(max_connections=512, max_keepalive_connections=64, keepalive_expiry=30)
_TIMEOUTS = {"connect": CONNECT_SECONDS, "read": SILENT_SECONDS, "write": WRITE_SECONDS, "pool": CONNECT_SECONDS}


class Upstream:
    """The API at `url`, an address without a path."""

    def __init__(self, url: str):
        self.url = url
        self._base = httpx.URL(url)
        self._transport: httpx.AsyncHTTPTransport | None = None

    async def open(self) -> None:
        """Have the certificates read, which takes a moment."""
        self._transport = await asyncio.to_thread(self._made)

    async def close(self) -> None:
        if self._transport is not None:
            await self._transport.aclose()

    async def send(self, method: str, target: bytes, headers: Headers, body: bytes) -> httpx.Response:
        """The answer as soon as its head is there; to be closed. Raises httpx.TransportError."""
        assert self._transport is not None
        request = httpx.Request(
            method,
            self._base.copy_with(raw_path=target),
            headers=headers,
            content=body,
            extensions={"timeout": _TIMEOUTS},
        )
        # Not a client, which would keep cookies of one person's requests for the next one's.
        return await self._transport.handle_async_request(request)

    def _made(self) -> httpx.AsyncHTTPTransport:
        if self._base.scheme != "https":
            return httpx.AsyncHTTPTransport(limits=_LIMITS, trust_env=False)
        proxies = getproxies_environment()
        wanted = "" if proxy_bypass(self._base.host) else proxies.get("https", "")
        return httpx.AsyncHTTPTransport(
            # What the system trusts, a company's own authority included; not httpx's list.
            verify=ssl.create_default_context(),
            proxy=httpx.Proxy(wanted) if wanted else None,
            limits=_LIMITS,
        )
