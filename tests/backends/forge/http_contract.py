"""What a forge behind HTTP must do besides: it polls for news, and holds one draft a tag."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from backends.forge.base import Forge
from backends.model.errors import HeroError
from tests.backends.forge.contract import DEADLINE, REPO, ForgeContract, draft
from tests.backends.forge.repositories import commit, run_git

CreateRepository = Callable[[str], Awaitable[object]]


class HttpForgeContract(ForgeContract):
    async def test_of_two_commits_with_one_tag_the_second_is_a_conflict(self, forge: Forge, work: Path) -> None:
        """A forge holds one draft a tag, so the second publisher learns of the conflict earlier."""
        first, second = run_git(work, "rev-parse", "HEAD"), commit(work, "second")
        run_git(work, "push", "--quiet", "origin", "development")
        made = await draft(forge, "development-abcdef12", first)
        with pytest.raises(HeroError) as caught:
            await draft(forge, "development-abcdef12", second)
        assert (caught.value.code, caught.value.data["commit"]) == ("conflict", first)
        won = await forge.publish(REPO, made.id)
        with pytest.raises(HeroError) as caught:
            await draft(forge, "development-abcdef12", second)
        assert (caught.value.code, caught.value.data["commit"]) == ("conflict", first)
        assert await forge.release(REPO, "development-abcdef12") == won

    async def test_a_push_and_a_release_are_told(
        self, forge: Forge, work: Path, create_repository: CreateRepository
    ) -> None:
        """A forge's times have whole seconds: what changed in the second in which the watch began is told too."""
        await create_repository("lhumina_code/quiet")
        news = forge.changes()

        async def told() -> None:
            while await anext(news) != REPO:
                pass

        async with asyncio.timeout(DEADLINE):
            waiting = asyncio.create_task(told())
            await asyncio.sleep(0)
            at = commit(work, "news")
            run_git(work, "push", "--quiet", "origin", "HEAD:refs/heads/topic/deep/news")
            await waiting
            made = await draft(forge, f"topic/deep/news-{at[:8]}", at)
            await forge.publish(REPO, made.id)
            await told()
            await forge.aclose()
            assert {name async for name in news} <= {REPO, "lhumina_code/quiet"}
