"""How Hero speaks HTTP with a forge: one pool of connections, safe retries, and the token for that forge alone."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Literal
from urllib.parse import urljoin, urlsplit

from backends.forge.forgejo_errors import PAUSE_LIMIT, Reply, Site
from backends.forge.lean_httpx import httpx
from backends.forge.trust import machine_trust
from backends.version import VERSION

TRIES = 4
WAIT_LIMIT = 60.0
"""Seconds that all pauses of one request may take together."""
BODY_LIMIT = 32 << 20
"""Largest answer in bytes that is held in memory."""
ERROR_LIMIT = 64 << 10
REDIRECTS = 5
API = "/api/v1"

_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 8.0
_WHOLE = 120.0
"""Seconds for an answer that is held in memory, all of it."""
_LATER = (429, 502, 503, 504)
_MOVED = (301, 302, 303, 307, 308)
_OURS = (httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.DecodingError)
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
# A connection that idles for longer may be closed at the far end just when a POST, never repeated, is on its way.
_LIMITS = httpx.Limits(max_connections=16, max_keepalive_connections=8, keepalive_expiry=5)

Sleep = Callable[[float], Awaitable[object]]
Content = Callable[[], AsyncIterator[bytes]]


@dataclass(frozen=True, slots=True)
class Call:
    """One request, `shown` so in errors.

    `repeat`: always, or only where the forge certainly did not take it. `content` is begun anew for every try.
    `away`: a redirect may lead to another host, without the token. `patience`: seconds for the answer to begin.
    """

    method: str
    url: str
    shown: str
    repeat: Literal["always", "unsent"] = "always"
    headers: Mapping[str, str] = field(default_factory=dict)
    content: Content | bytes | None = None
    away: bool = False
    patience: float = 30.0


class ForgejoHttp:
    """Requests to the forge at `site`; methods raise HeroError and nothing of httpx.

    `sleep` and `chance` (0 to 1) make the pauses, `transport` replaces the network in tests.
    """

    def __init__(
        self,
        site: Site,
        token: str,
        *,
        sleep: Sleep = asyncio.sleep,
        chance: Callable[[], float] = random.random,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.site = site
        self.sleep = sleep
        self.chance = chance
        self._token = token
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._closed = False

    async def fetch(self, call: Call, *, limit: int = BODY_LIMIT) -> Reply:
        """The whole answer, whatever its status. HeroError unreachable; usage if it is longer than `limit`."""

        async def attempt() -> Reply:
            async with asyncio.timeout(_WHOLE):
                answer = await self._follow(call)
                return answer if isinstance(answer, Reply) else await self._load(call, answer, limit)

        answer = await self._repeat(call, attempt)
        if not isinstance(answer, Reply):
            raise TypeError("a stream where a whole answer was read")
        return answer

    @contextlib.asynccontextmanager
    async def stream(self, call: Call) -> AsyncIterator[httpx.Response]:
        """A successful answer, to be read with `chunks`; closed at the end. Raises HeroError for a refusal too."""
        answer = await self._repeat(call, lambda: self._follow(call))
        if isinstance(answer, Reply):
            raise self.site.refusal(answer, call.shown)
        try:
            yield answer
        finally:
            await answer.aclose()

    async def chunks(self, call: Call, response: httpx.Response) -> AsyncGenerator[bytes, None]:
        """The body as it comes. Raises HeroError unreachable where it breaks off."""
        try:
            async for chunk in response.aiter_raw():
                yield chunk
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise self.site.unreachable(f"the transfer broke off ({_why(error)})", call.shown) from None

    async def aclose(self) -> None:
        """Let go of all connections."""
        self._closed = True
        if self._client is not None:
            await self._client.aclose()

    async def _repeat(
        self, call: Call, attempt: Callable[[], Awaitable[Reply | httpx.Response]]
    ) -> Reply | httpx.Response:
        waited = 0.0
        for number in range(1, TRIES + 1):
            answer: Reply | None = None
            try:
                taken = await attempt()
                pause = self._pause(call, taken, number) if isinstance(taken, Reply) else None
                if pause is None or isinstance(taken, httpx.Response):
                    return taken
                answer = taken
            except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
                if number == TRIES or not _may_repeat(call, error):
                    raise self.site.unreachable(_why(error), call.shown) from None
                pause = self._backoff(number)
            waited += pause
            if answer is not None and (number == TRIES or waited > WAIT_LIMIT):
                return answer
            await self.sleep(pause)
        raise self.site.unreachable("it did not answer", call.shown)

    def _pause(self, call: Call, reply: Reply, number: int) -> float | None:
        """Seconds until the same request may do better; None if this answer counts."""
        asked = reply.pause()
        if reply.status not in _LATER:
            return None
        if call.repeat != "always" and (asked is None or reply.status not in (429, 503)):
            return None
        if asked is not None and asked > PAUSE_LIMIT:
            return None
        return self._backoff(number) if asked is None else asked

    def _backoff(self, number: int) -> float:
        return self.chance() * min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0**number)

    async def _follow(self, call: Call) -> Reply | httpx.Response:
        """One try, with its redirects: a success unread, anything else as a Reply."""
        url = call.url
        for _ in range(REDIRECTS + 1):
            client = await self._pool()
            request = client.build_request(
                call.method,
                url,
                headers=self._headers(call, url),
                content=call.content() if callable(call.content) else call.content,
                timeout=httpx.Timeout(call.patience, connect=5.0, pool=60.0),
            )
            response = await client.send(request, stream=True)
            target = response.headers.get("location", "") if response.status_code in _MOVED else ""
            if not target:
                return response if response.is_success else await self._error_body(response)
            await response.aclose()
            url = self._next(call, url, target)
        raise self.site.no_forge(call.shown, f"it redirects more than {REDIRECTS} times")

    def _headers(self, call: Call, url: str) -> dict[str, str]:
        headers = {"User-Agent": f"hero/{VERSION}", "Accept": "*/*" if call.away else "application/json"}
        headers["Accept-Encoding"] = "identity" if call.away else "gzip"
        headers |= call.headers
        if _origin(url) != _origin(self.site.base):
            # Somebody else's host, or ours without TLS: it learns neither who we are nor what we have.
            headers.pop("If-Range", None)
        elif self._token:
            headers["Authorization"] = f"token {self._token}"
        return headers

    def _next(self, call: Call, url: str, target: str) -> str:
        """Where a redirect leads.

        The API never leads away: behind a proxy the forge only knows itself by another name.
        """
        if call.method not in ("GET", "HEAD"):
            raise self.site.error(
                "not_found",
                f"{self.site.name} moved what {call.shown} is for: the repository or its owner was renamed.",
                "Use the new name; the forge shows it at the old address.",
                renamed=True,
            )
        leads = urlsplit(urljoin(url, target))
        if not call.away:
            _, found, rest = leads.path.partition(API + "/")
            if not found:
                raise self.site.no_forge(call.shown, "it redirects the API to a page")
            return f"{self.site.base}{API}/{rest}" + (f"?{leads.query}" if leads.query else "")
        if leads.scheme not in ("http", "https") or not leads.hostname:
            raise self.site.no_forge(call.shown, "it redirects to what is no web address")
        if leads.scheme == "http" and urlsplit(url).scheme == "https":
            raise self.site.no_forge(call.shown, "it redirects a download from https to http")
        return leads.geturl()

    async def _error_body(self, response: httpx.Response) -> Reply:
        body = bytearray()
        try:
            # What a refusal says is a courtesy: the status counts, even if the rest is cut.
            with contextlib.suppress(httpx.HTTPError):
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > ERROR_LIMIT:
                        break
        finally:
            await response.aclose()
        return Reply(response.status_code, _plain(response), bytes(body[:ERROR_LIMIT]))

    async def _load(self, call: Call, response: httpx.Response, limit: int) -> Reply:
        body = bytearray()
        try:
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > limit:
                    raise self.site.error(
                        "usage",
                        f"{self.site.name} answers {call.shown} with more than {limit} bytes.",
                        "Clone it.",
                    )
        finally:
            await response.aclose()
        return Reply(response.status_code, _plain(response), bytes(body))

    async def _pool(self) -> httpx.AsyncClient:
        if self._closed:
            raise self.site.error("cancelled", f"The connection to {self.site.name} was closed.", "Start again.")
        if self._client is None:
            trust = await machine_trust() if self._transport is None else False
            self._client = self._client or httpx.AsyncClient(
                verify=trust,
                limits=_LIMITS,
                trust_env=False,
                transport=self._transport,
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            )
        return self._client


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, (parts.hostname or "").lower(), port


def _plain(response: httpx.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def _may_repeat(call: Call, error: Exception) -> bool:
    if isinstance(
        error, (httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.DecodingError)
    ):
        return False
    return call.repeat == "always" or isinstance(error, _NEVER_SENT)


def _why(error: Exception) -> str:
    """What httpx says happened, in a person's words where its own are none."""
    if isinstance(error, (httpx.ConnectTimeout, httpx.PoolTimeout)):
        return "no connection within 5 seconds"
    if isinstance(error, (httpx.TimeoutException, TimeoutError)):
        return "it takes too long to answer"
    if isinstance(error, httpx.ConnectError) and "CERTIFICATE" in str(error):
        return "its certificate is not trusted here"
    return str(error) or type(error).__name__
