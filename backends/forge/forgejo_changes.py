"""News of a Forgejo, by a look at its list of repositories now and then: fifty a request, none one by one."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from backends.forge.forgejo_api import ForgejoApi
from backends.forge.forgejo_records import RawRepository, read_all
from backends.forge.forgejo_repos import is_repo
from backends.model.errors import HeroError

PAGES = 40
"""Pages of the most recently changed repositories that are looked at."""

_GRAIN = timedelta(seconds=1)
"""The forge tells times in whole seconds: what changed in the second of a look may change once more in it."""


class Changes:
    """Looks every `seconds`, a little more or less, so that slots do not all look at once."""

    def __init__(self, api: ForgejoApi, seconds: float) -> None:
        self._api = api
        self._seconds = seconds
        self._closing = asyncio.Event()

    def close(self) -> None:
        """End all watches."""
        self._closing.set()

    async def watch(self) -> AsyncIterator[str]:
        """Names of repositories that changed. Raises HeroError if the very first look fails."""
        began = time.monotonic()
        known, moment = await self._look()
        # What happened while we looked for the first time is news too, as far as the forge's clock can tell.
        since = moment - timedelta(seconds=time.monotonic() - began) - _GRAIN
        news = sorted(name for name, raw in known.items() if raw.updated_at >= since)
        while not self._closing.is_set():
            for name in news:
                yield name
            if await self._closed_within(self._seconds * (0.8 + 0.4 * self._api.http.chance())):
                return
            before, then = known, moment
            with contextlib.suppress(HeroError):
                known, moment = await self._look()
            news = _news(before, known, then) if known is not before else []

    async def _closed_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._closing.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def _look(self) -> tuple[dict[str, RawRepository], datetime]:
        """The repositories by name, and what time it was at the forge."""
        moment = await self._time()
        query = {"sort": "updated", "order": "desc"}
        found = [raw async for raw in self._api.every("/repos/search", query=query, inside="data", pages=PAGES)]
        return {raw.full_name: raw for raw in read_all(RawRepository, found) if is_repo(raw.full_name)}, moment

    async def _time(self) -> datetime:
        reply = await self._api.reply("GET", "/version")
        try:
            told = parsedate_to_datetime(reply.headers.get("date", ""))
        except (ValueError, TypeError):
            return datetime.now(UTC)
        return told if told.tzinfo else told.replace(tzinfo=UTC)


def _news(before: dict[str, RawRepository], now: dict[str, RawRepository], young: datetime) -> list[str]:
    """What differs, and what changed so shortly before the last look that it may have changed again unseen."""
    return sorted(
        name
        for name, raw in now.items()
        if raw != before.get(name) or (before[name].updated_at >= young and raw.updated_at >= young)
    )
