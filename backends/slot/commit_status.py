"""What the forge shows of a publishing build, `hero/build`: told in the background, never waited for."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator

from backends.forge.base import Forge, StatusState
from backends.model.errors import HeroError
from backends.model.text import safe_line

log = logging.getLogger(__name__)

CONTEXT = "hero/build"
LONGEST = 140
"""Characters of a description."""
SECONDS = 30.0
"""How long one status may take."""
CLOSE_SECONDS = 2.0


class CommitStatuses:
    """Statuses of commits on `forge`. A forge that does not take one is only logged."""

    def __init__(self, forge: Forge):
        self._forge = forge
        self._last: dict[tuple[str, str], asyncio.Task[None]] = {}

    @contextlib.contextmanager
    def of_build(self, repo: str, commit: str, user: str) -> Iterator[None]:
        """The build that publishes `commit` runs inside: pending, then how it ended."""
        self._say(repo, commit, "pending", f"{user}'s slot builds it")
        try:
            yield
        except HeroError as error:
            state: StatusState = "error" if error.code == "cancelled" else "failure"
            self._say(repo, commit, state, error.message)
            raise
        except BaseException:
            self._say(repo, commit, "error", "The build was cut off")
            raise
        self._say(repo, commit, "success", f"Built and published by {user}'s slot")

    async def close(self) -> None:
        """Give what is being told a moment."""
        tasks = list(self._last.values())
        if tasks:
            await asyncio.wait(tasks, timeout=CLOSE_SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _say(self, repo: str, commit: str, state: StatusState, description: str) -> None:
        key = repo, commit
        before = self._last.get(key)
        lines = description.splitlines() or [""]
        told = self._tell(before, repo, commit, state, safe_line(lines[0], LONGEST))
        task = asyncio.create_task(told, name=f"status-{commit[:8]}")
        self._last[key] = task
        task.add_done_callback(lambda done: self._last.pop(key) if self._last.get(key) is done else None)

    async def _tell(
        self, before: asyncio.Task[None] | None, repo: str, commit: str, state: StatusState, description: str
    ) -> None:
        if before:
            await asyncio.wait([before])  # the newest counts, so the order does
        try:
            async with asyncio.timeout(SECONDS):
                await self._forge.set_status(repo, commit, state, context=CONTEXT, description=description)
        except (HeroError, TimeoutError) as error:
            log.info("the status of %s %s: %s", repo, commit[:8], error)
