"""The contract of a forge, on the Forgejo or Gitea that HERO_TEST_FORGE_URL names (else nothing is run)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from backends.forge.base import Forge
from tests.backends.forge.contract import REPO
from tests.backends.forge.http_contract import CreateRepository, HttpForgeContract
from tests.backends.forge.issue_contract import IssueContract, OpenIssue
from tests.backends.forge.live import ORGANISATIONS, Connect, admin, connect, needs_forge, pushed, token_file

__all__ = ["admin", "connect", "token_file"]

pytestmark = needs_forge


class TestLiveForge(HttpForgeContract):
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
