"""The forge's API as values: JSON checked for its shape, refusals as HeroErrors, lists by number of page."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any, Literal
from urllib.parse import quote, urlencode

from backends.forge.forgejo_errors import Reply, Site, status_of
from backends.forge.forgejo_http import API, BODY_LIMIT, Call, ForgejoHttp
from backends.model.errors import HeroError
from backends.model.text import safe_text

SERVER_PAGE = 50
"""Most items that a server gives at once where nobody configured it, and that we ask for."""

_AT_ONCE = 4
"""Requests for pages of one list at the same time."""

Query = Mapping[str, str | int | bool]


def part(text: str) -> str:
    """`text` as one part of an address, whatever it holds."""
    return quote(text, safe="")


class ForgejoApi:
    """What the API at `http` answers; every method raises HeroError."""

    def __init__(self, http: ForgejoHttp) -> None:
        self.http = http
        self._most: int | None = None

    @property
    def site(self) -> Site:
        return self.http.site

    async def json(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Mapping[str, object] | None = None,
        repeat: Literal["always", "unsent"] | None = None,
    ) -> Any:
        """What a success answers; None where it answers nothing."""
        return self.parsed(
            await self.reply(method, path, query=query, body=body, repeat=repeat), f"{method} {path}"
        )

    async def reply(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Mapping[str, object] | None = None,
        repeat: Literal["always", "unsent"] | None = None,
        limit: int = BODY_LIMIT,
    ) -> Reply:
        """The whole answer to a request that succeeded."""
        call = Call(
            method,
            f"{self.site.base}{API}{path}" + (f"?{_encoded(query)}" if query else ""),
            f"{method} {path}",
            repeat or ("unsent" if method in ("POST", "PATCH") else "always"),
            headers={"Content-Type": "application/json"} if body is not None else {},
            content=json.dumps(_clean(body)).encode() if body is not None else None,
        )
        return await self.checked(call, limit=limit)

    async def checked(self, call: Call, *, limit: int = BODY_LIMIT) -> Reply:
        """The whole answer to `call`. Raises HeroError for a refusal too."""
        reply = await self.http.fetch(call, limit=limit)
        if not 200 <= reply.status < 300:
            raise self.site.refusal(reply, call.shown)
        return reply

    async def find(self, path: str, query: Query | None = None) -> Any:
        """What is at `path`; None where nothing is."""
        try:
            return await self.json("GET", path, query=query)
        except HeroError as error:
            if status_of(error) == 404:
                return None
            raise

    async def window(
        self, path: str, start: int, end: int, *, query: Query | None = None, inside: str = ""
    ) -> tuple[list[Any], bool]:
        """The items from `start` to `end` of a list, and whether there are more; asks the server's own pages."""
        size = min(await self._page_size(), end - start)
        if start % size:
            size = await self._page_size()
        first, last = start // size, (end - 1) // size
        gate = asyncio.Semaphore(_AT_ONCE)

        async def page(number: int) -> tuple[list[Any], int | None]:
            async with gate:
                return await self._page(path, number + 1, size, query, inside)

        pages = [await page(first)]
        total = pages[0][1]
        needed = last if total is None else min(last, max(first, (total - 1) // size))
        pages += await asyncio.gather(*(page(number) for number in range(first + 1, needed + 1)))
        found = [item for items, _ in pages for item in items]
        more = len(found) >= (last - first + 1) * size if total is None else end < total
        return found[start - first * size : end - first * size], more

    async def every(
        self, path: str, *, query: Query | None = None, inside: str = "", pages: int = 1000
    ) -> AsyncIterator[Any]:
        """The items of a list one after another; the next page is asked for when it is needed."""
        size = await self._page_size()
        for number in range(1, pages + 1):
            items, total = await self._page(path, number, size, query, inside)
            for item in items:
                yield item
            if len(items) < size or (total is not None and number * size >= total):
                return

    async def _page(
        self, path: str, number: int, size: int, query: Query | None, inside: str
    ) -> tuple[list[Any], int | None]:
        asked = {**(query or {}), "page": number, "limit": size}
        reply = await self.reply("GET", path, query=asked)
        answer = self.parsed(reply, f"GET {path}")
        if inside:
            answer = answer.get(inside) if isinstance(answer, dict) and inside in answer else inside
        items = [] if answer is None else answer
        if not isinstance(items, list):
            raise self.site.no_forge(f"GET {path}", "there is no list in it")
        total = reply.headers.get("x-total-count", "")
        return items, int(total[:9]) if total.isascii() and total.isdigit() else None

    async def _page_size(self) -> int:
        """How many items a page holds at most: servers shorten larger ones without a word."""
        if self._most is None:
            try:
                told = (await self.json("GET", "/settings/api")).get("max_response_items")
            except (HeroError, AttributeError) as error:
                if isinstance(error, HeroError) and error.code == "unreachable":
                    raise
                told = None
            self._most = max(1, min(SERVER_PAGE, told)) if isinstance(told, int) else SERVER_PAGE
        return self._most

    def parsed(self, reply: Reply, request: str) -> Any:
        """The JSON of an answer; None for an empty one."""
        if not reply.body:
            return None
        if reply.is_html:
            raise self.site.no_forge(request, "a web page instead of JSON")
        try:
            return json.loads(reply.body)
        except (ValueError, RecursionError):
            raise self.site.no_forge(request, "its JSON cannot be read") from None


def _encoded(query: Query) -> str:
    return urlencode({k: str(v).lower() if isinstance(v, bool) else v for k, v in query.items()})


def _clean(body: Mapping[str, object]) -> Mapping[str, object]:
    """`body` with texts that any server can store: no half characters, no escapes."""
    return {key: _storable(value) for key, value in body.items()}


def _storable(value: object) -> object:
    return safe_text(value.encode(errors="replace").decode()) if isinstance(value, str) else value
