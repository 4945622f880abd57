"""Release pages and news out of a real folder forge."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backends.box.releases import ReleaseNews, compare, list_releases, release_info
from backends.forge.folder import FolderForge
from backends.model.errors import HeroError
from backends.model.forge_calls import CompareParams, ReleaseListParams
from backends.model.state import CatalogueEntry
from tests.backends.box.gitwork import new_work, push

REPO = "lhumina_code/hero_router"
CATALOGUE = [CatalogueEntry(name="hero_router", repo=REPO)]


class Published:
    """A forge in which `publish` makes commits and releases of them."""

    def __init__(self, folder: Path):
        self.time = datetime(2026, 11, 20, tzinfo=UTC)
        self.forge = FolderForge(folder / "forge", clock=lambda: self.time)
        self.work = folder / "work"
        self.file = folder / "archive"

    async def begin(self) -> None:
        new_work(self.work, await self.forge.create_repository(REPO))
        self.file.write_bytes(b"12345")

    async def publish(self, branch: str, subject: str) -> str:
        made = push(self.work, {"file": subject}, branch)
        self.time += timedelta(minutes=1)
        tag = f"{branch}-{made[:8]}"
        draft = await self.forge.create_draft(REPO, tag=tag, commit=made, title=subject, body="", author="mik")
        for name in ("hero_router-linux-x86_64.tar.gz", "hero_router-any.tar.gz", "SHA256SUMS"):
            await self.forge.upload_asset(REPO, draft.id, self.file, name=name)
        await self.forge.publish(REPO, draft.id)
        return tag


@pytest.fixture
async def published(tmp_path: Path) -> Published:
    made = Published(tmp_path)
    await made.begin()
    return made


async def test_the_releases_of_exactly_one_branch_come_newest_first(published: Published) -> None:
    first = await published.publish("development", "one")
    await published.publish("development_mik", "his")
    last = await published.publish("development", "two")
    params = ReleaseListParams(service="hero_router", branch="development", limit=1)
    page = await list_releases(published.forge, CATALOGUE, params)
    assert [release.tag for release in page.releases] == [last]
    assert page.next_page == 2
    page = await list_releases(published.forge, CATALOGUE, params.model_copy(update={"page": 2}))
    (release,) = page.releases
    assert (release.tag, release.branch, release.subject, release.author) == (first, "development", "one", "mik")
    assert (release.platforms, release.size) == (("any", "linux-x86_64"), 10)


async def test_a_release_tells_its_archives_and_whether_it_is_complete(published: Published) -> None:
    tag = await published.publish("development", "one")
    release = await published.forge.release(REPO, tag)
    info = release_info(release)
    assert (info.complete, info.size) == (True, 10)
    assert {(one.name, one.platform, one.size) for one in info.archives} == {
        ("hero_router-any.tar.gz", "any", 5),
        ("hero_router-linux-x86_64.tar.gz", "linux-x86_64", 5),
    }
    assets = tuple(
        replace(asset, downloads=number, url=f"https://forge.example/{asset.name}\x1b[2J")
        for number, asset in enumerate(release.assets, 1)
        if asset.name != "SHA256SUMS"
    )
    told = release_info(replace(release, assets=assets, url="https://forge.example/x\u202e"))
    assert not told.complete
    assert told.downloads == sum(asset.downloads for asset in assets)
    assert all(url.isprintable() for url in (told.url, *(one.url for one in told.archives)))


async def test_the_commits_between_two_releases_come_newest_first_in_pages(published: Published) -> None:
    first = await published.publish("development", "one")
    middle = await published.publish("development", "two")
    last = await published.publish("development", "three")
    whole = {tag: (await published.forge.release(REPO, tag)).commit for tag in (first, last)}
    params = CompareParams(service="hero_router", base=whole[first], head=whole[last], limit=1)
    page = await compare(published.forge, CATALOGUE, params)
    assert [one.commit[:8] for one in page.commits] == [last[-8:]]
    assert page.next_page == 2
    page = await compare(published.forge, CATALOGUE, params.model_copy(update={"page": 2}))
    assert [one.commit[:8] for one in page.commits] == [middle[-8:]]
    assert page.next_page is None
    params = CompareParams(service="hero_router", base=whole[last], head=whole[first])
    assert (await compare(published.forge, CATALOGUE, params)).commits == ()
    with pytest.raises(HeroError, match="hero_ruoter"):
        await compare(published.forge, CATALOGUE, params.model_copy(update={"service": "hero_ruoter"}))


async def test_an_unknown_service_gets_the_nearest_one(published: Published) -> None:
    with pytest.raises(HeroError, match="hero_router"):
        await list_releases(published.forge, CATALOGUE, ReleaseListParams(service="hero_ruter"))


async def test_only_what_was_published_since_the_last_look_is_news(published: Published) -> None:
    await published.publish("development", "old")
    news = ReleaseNews(published.forge)
    await news.begin([REPO])
    assert await news.new_in(REPO) == []
    tags = [await published.publish("development", "a"), await published.publish("feature/x", "b")]
    await news.begin([REPO])
    assert [release.tag for release in await news.new_in(REPO)] == tags
    assert await news.new_in(REPO) == []


async def test_a_repository_without_releases_has_its_first_one_as_news(published: Published) -> None:
    news = ReleaseNews(published.forge)
    await news.begin([REPO])
    tag = await published.publish("development", "first")
    assert [release.tag for release in await news.new_in(REPO)] == [tag]


async def test_a_repository_that_is_gone_has_no_news(published: Published) -> None:
    assert await ReleaseNews(published.forge).new_in("lhumina_code/none") == []
