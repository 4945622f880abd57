"""The folder forge keeps the Forge contract; its pages, repositories and news."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from backends.forge import folder_releases
from backends.forge.base import Forge
from backends.forge.folder import FolderForge
from backends.forge.folder_records import ReleaseRecord, published_folder, read_record
from backends.model.errors import HeroError
from tests.backends.forge.contract import (
    DEADLINE,
    REPO,
    CreateRepository,
    ForgeContract,
    a_file,
    draft,
)
from tests.backends.forge.folders import NOON, Clock
from tests.backends.forge.repositories import run_git


class TestFolderForge(ForgeContract):
    @pytest.fixture
    async def forge(self, tmp_path: Path) -> AsyncIterator[Forge]:
        root = tmp_path / "a forge with späces"
        root.mkdir()
        forge = FolderForge(root)
        yield forge
        await forge.aclose()

    @pytest.fixture
    def create_repository(self, forge: Forge) -> CreateRepository:
        assert isinstance(forge, FolderForge)
        return forge.create_repository


# Listing


def lay_out(releases: Path, branch: str, count: int) -> None:
    """`count` published releases of `branch`, one a second."""
    for number in range(count):
        tag = f"{branch}-{number:08x}"
        folder = releases / published_folder(tag, NOON + timedelta(seconds=number))
        (folder / "assets").mkdir(parents=True)
        record = ReleaseRecord(tag=tag, commit="a" * 40, title="", body="", author="", created_at=NOON)
        (folder / "release.json").write_text(record.model_dump_json(by_alias=True))


async def test_a_page_opens_only_its_own_releases(
    forge: FolderForge, releases: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_out(releases, "development", 200)
    lay_out(releases, "development_mik", 200)
    opened: list[str] = []

    def counting(folder: Path, tag: str | None = None) -> ReleaseRecord:
        opened.append(folder.name)
        return read_record(folder, tag)

    monkeypatch.setattr(folder_releases, "read_record", counting)
    page = await forge.releases(REPO, branch="development_mik", page=3, limit=10)
    assert [r.tag for r in page.items] == [f"development_mik-{n:08x}" for n in range(179, 169, -1)]
    assert page.next_page == 4
    assert len(opened) == 10
    await forge.latest_release(REPO, "development")
    assert len(opened) == 11


async def test_drafts_come_before_releases_over_all_pages(
    forge: FolderForge, head: str, releases: Path, clock: Clock
) -> None:
    lay_out(releases, "development", 4)
    for number in range(3):
        clock.now += timedelta(seconds=1)
        await draft(forge, f"development-d000000{number}", head)
    tags = []
    for page in (1, 2, 3, 4):
        answer = await forge.releases(REPO, drafts=True, page=page, limit=2)
        assert answer.next_page == (page + 1 if page < 4 else None)
        tags += [release.tag for release in answer.items]
    assert tags == [f"development-d000000{n}" for n in (2, 1, 0)] + [f"development-{n:08x}" for n in (3, 2, 1, 0)]


# Repositories


async def test_a_repository_is_not_created_over_another(forge: FolderForge, head: str) -> None:
    with pytest.raises(HeroError) as caught:
        await forge.create_repository(REPO)
    assert caught.value.code == "conflict"
    assert (await forge.branch(REPO, "development")).commit == head


async def test_one_of_two_that_create_a_repository_at_once_wins(forge: FolderForge) -> None:
    ends = await asyncio.gather(*(forge.create_repository("a/b") for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(end, Path) for end in ends) == 1
    assert {end.code for end in ends if isinstance(end, HeroError)} == {"conflict"}
    assert sorted(p.name for p in (forge.root / "a").iterdir()) == ["b.git", "b.releases"]


async def test_a_repository_name_never_leaves_the_forge_folder(forge: FolderForge) -> None:
    for name in ("../x", "x/../../y", "a/b\0", "/tmp/x", "a/..", "./a", "a/b.git"):
        with pytest.raises(HeroError) as caught:
            await forge.create_repository(name)
        assert caught.value.code == "usage"


async def test_a_branch_called_like_an_option_is_only_a_branch(
    forge: FolderForge, head: str, tmp_path: Path
) -> None:
    run_git(forge.root / f"{REPO}.git", "update-ref", "refs/heads/--output=x", head)
    assert (await forge.branch(REPO, "--output=x")).commit == head
    assert await forge.raw_file(REPO, "--output=x", "nothing") is None


# Changes


async def test_locks_drafts_and_objects_are_no_news(
    forge: FolderForge, head: str, releases: Path, tmp_path: Path
) -> None:
    await forge.create_repository("other/one")
    news = forge.changes()
    first = asyncio.create_task(_next(news))
    await asyncio.sleep(0)
    made = await draft(forge, "development-00000001", head)
    await forge.upload_asset(REPO, made.id, a_file(tmp_path, b"x"))
    repository = forge.root / f"{REPO}.git"
    (repository / "refs" / "heads" / "x.lock").touch()
    (repository / "objects" / "new").touch()
    (repository / "config").touch()
    (forge.root / "stray").touch()
    (forge.root / "other" / "stray.txt").touch()
    run_git(tmp_path / "work", "push", "--quiet", await forge.clone_url("other/one"), "development")
    async with asyncio.timeout(DEADLINE):
        assert await first == "other/one"


async def test_a_new_repository_is_news(forge: FolderForge) -> None:
    news = forge.changes()
    first = asyncio.create_task(_next(news))
    await asyncio.sleep(0)
    await forge.create_repository("fresh/repo")
    async with asyncio.timeout(DEADLINE):
        assert await first == "fresh/repo"


async def test_a_listener_that_is_cancelled_leaves_the_others(forge: FolderForge) -> None:
    left = asyncio.create_task(_next(forge.changes()))
    stays = asyncio.create_task(_next(forge.changes()))
    await asyncio.sleep(0)
    left.cancel()
    await asyncio.wait([left])
    await forge.create_repository("fresh/repo")
    async with asyncio.timeout(DEADLINE):
        assert await stays == "fresh/repo"


async def _next(news: AsyncIterator[str]) -> str:
    return await anext(news)
