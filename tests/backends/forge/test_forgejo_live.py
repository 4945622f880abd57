"""The contract of a forge, on the Forgejo or Gitea that HERO_TEST_FORGE_URL names (else nothing is run)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from backends.forge.base import Forge
from backends.model.errors import HeroError
from tests.backends.forge.contract import DEADLINE, REPO, ForgeContract, draft
from tests.backends.forge.issue_contract import IssueContract, OpenIssue
from tests.backends.forge.live import ORGANISATIONS, Connect, admin, connect, needs_forge, pushed, token_file
from tests.backends.forge.repositories import commit, run_git

__all__ = ["admin", "connect", "token_file"]

pytestmark = needs_forge

CreateRepository = Callable[[str], Awaitable[object]]


class TestLiveForge(ForgeContract):
    @pytest.fixture
    async def forge(self, connect: Connect) -> AsyncIterator[Forge]:
        forge = connect()
        yield forge
        await forge.aclose()

    @pytest.fixture
    def create_repository(self, forge: Forge) -> CreateRepository:
        return forge.create_repository

    @pytest.fixture
    async def work(self, forge: Forge, tmp_path: Path) -> Path:
        """As the contract's, but waits until the forge has taken note of the first push."""
        return await pushed(forge, tmp_path / "work")

    async def test_repositories_are_listed_sorted(self, forge: Forge, create_repository: CreateRepository) -> None:
        """A live forge may hold other repositories too."""
        for name in ("zeta/one", "alpha/two", "alpha/one"):
            await create_repository(name)
        names = await forge.repositories()
        assert names == tuple(sorted(names))
        ours = [name for name in names if name.split("/")[0] in ORGANISATIONS]
        assert ours == ["alpha/one", "alpha/two", "zeta/one"]

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


class TestLiveIssues(IssueContract):
    @pytest.fixture
    async def forge(self, connect: Connect) -> AsyncIterator[Forge]:
        forge = connect()
        await forge.create_repository(REPO)
        yield forge
        await forge.aclose()

    @pytest.fixture
    def open_issue(self, forge: Forge, admin: httpx.AsyncClient) -> OpenIssue:
        async def create(title: str, body: str) -> int:
            made = await admin.post(f"/repos/{REPO}/issues", json={"title": title, "body": body})
            assert made.status_code == 201, made.text
            return int(made.json()["number"])

        return create
