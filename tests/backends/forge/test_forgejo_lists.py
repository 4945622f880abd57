"""Lists of a forge: our pages on its pages, no more of them than needed, and what is damaged left out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.forge.forgejo_changes import PAGES
from backends.model.errors import HeroError
from tests.backends.forge.forgejo_wire import URL, Answer, Wire, answer, as_json, listed, release

REPO = "lhumina_code/hero_router"


def releases_of(items: list[dict[str, Any]], *, most: int = 50, tells: bool = True) -> Wire:
    """A forge with these releases, newest first, that gives `most` at once and tells so where it is asked."""

    def handle(request: httpx.Request) -> Answer:
        path = request.url.path.partition("/api/v1")[2]
        if path == "/settings/api":
            return answer({"max_response_items": most}) if tells else answer({"message": "sign in"}, 403)
        if path.startswith(f"/repos/{REPO}/git/refs/tags/"):
            prefix = path.rpartition("/tags/")[2]
            refs = [
                {"ref": f"refs/tags/{one['tag_name']}", "object": {"sha": "0" * 40}}
                for one in items
                if one["tag_name"].startswith(prefix)
            ]
            # Forgejo's way: one is no list.
            return answer(refs[0] if len(refs) == 1 else refs) if refs else answer({}, 404)
        if path.startswith(f"/repos/{REPO}/releases/tags/"):
            found = [one for one in items if path.endswith(f"/{one['tag_name']}")]
            return answer(found[0]) if found else answer({}, 404)
        if path == f"/repos/{REPO}/releases":
            wanted = request.url.params.get("draft")
            return listed([one for one in items if str(one["draft"]).lower() == wanted], request, most=most)
        return answer({"full_name": REPO})

    return Wire(handle)


def many(count: int, branch: str = "development") -> list[dict[str, Any]]:
    return [release(n, f"{branch}-{n:08x}") for n in range(count, 0, -1)]


@settings(max_examples=60, deadline=None)
@given(count=st.integers(0, 130), limit=st.integers(1, 1000), most=st.integers(1, 50), page=st.integers(1, 6))
def test_any_page_is_made_of_the_servers_pages(count: int, limit: int, most: int, page: int) -> None:
    wire = releases_of(many(count), most=most)
    answer = asyncio.run(wire.forge().releases(REPO, page=page, limit=limit))
    assert [int(one.id) for one in answer.items] == list(range(count, 0, -1))[(page - 1) * limit : page * limit]
    assert answer.next_page == (page + 1 if page * limit < count else None)


async def test_a_server_that_does_not_tell_its_limit_is_asked_for_fifty() -> None:
    wire = releases_of(many(70), tells=False)
    assert len((await wire.forge().releases(REPO, limit=70)).items) == 70
    assert {request.url.params.get("limit") for request in wire.requests[1:]} == {"50"}


async def test_of_five_thousand_releases_the_first_page_asks_for_one_page() -> None:
    wire = releases_of(many(5000))
    assert len((await wire.forge().releases(REPO, branch="development", limit=30)).items) == 30
    assert len((await wire.forge().releases(REPO, limit=30)).items) == 30
    assert sum("/releases" in path for path in wire.paths()) == 2


async def test_the_latest_of_a_busy_branch_is_one_request() -> None:
    wire = releases_of(many(5000))
    forge = wire.forge()
    for _ in range(3):
        latest = await forge.latest_release(REPO, "development")
        assert latest
        assert latest.id == "5000"
    assert len(wire.requests) == 1 + 3


async def test_the_releases_of_a_quiet_branch_are_found_without_looking_through_all() -> None:
    old = [
        release(number, f"quiet-{number:08x}", published_at=f"2026-01-0{number}T00:00:00Z") for number in (3, 2, 1)
    ]
    wire = releases_of(many(5000) + old + many(1, "quiet-but-not"))
    forge = wire.forge()
    found = await forge.releases(REPO, branch="quiet", limit=2)
    assert [one.tag for one in found.items] == ["quiet-00000003", "quiet-00000002"]
    assert [one.tag for one in (await forge.releases(REPO, branch="quiet", limit=2, page=2)).items] == [
        "quiet-00000001"
    ]
    assert await forge.latest_release(REPO, "nobody") is None
    one = await forge.latest_release(REPO, "quiet-but-not")
    assert one
    assert sum(path == f"GET /repos/{REPO}/releases" for path in wire.paths()) == 4


async def test_a_page_of_a_branch_with_many_stops_when_it_is_full() -> None:
    mixed = many(200, "trunk") + many(200, "topic") + many(4000, "trunk")
    wire = releases_of(mixed)
    found = await wire.forge().releases(REPO, branch="topic", limit=20)
    assert len(found.items) == 20
    assert found.next_page == 2
    assert sum(path == f"GET /repos/{REPO}/releases" for path in wire.paths()) <= 1 + 5


async def test_drafts_come_first_and_then_the_pages_go_on() -> None:
    drafts = [release(n, f"draft-{n:08x}", draft=True, target_commitish="c" * 40) for n in (103, 102, 101)]
    wire = releases_of(drafts + many(5))
    seen: list[int] = []
    page: int | None = 1
    while page:
        found = await wire.forge().releases(REPO, page=page, limit=2, drafts=True)
        seen += [int(one.id) for one in found.items]
        page = found.next_page
    assert seen == [103, 102, 101, 5, 4, 3, 2, 1]


async def test_a_damaged_release_is_left_out() -> None:
    wire = releases_of([release(2, "b-00000002", tag_name="b-00000002"), {"draft": False, "tag_name": ""}])
    assert [one.id for one in (await wire.forge().releases(REPO)).items] == ["2"]


async def test_a_file_that_would_leave_its_folder_or_write_on_the_terminal_is_left_out() -> None:
    names = ["good.tar.gz", "../evil", "a/b", ".hidden", "x\x1b[2J", ""]
    assets = [{"id": number, "name": name, "size": 1} for number, name in enumerate(names)]
    found = (await releases_of([release(1, "b-00000001", assets=assets)]).forge().releases(REPO)).items
    assert [asset.name for asset in found[0].assets] == ["good.tar.gz"]


async def test_the_commit_of_a_release_made_by_hand_is_its_tags() -> None:
    """What is written in a release may be a branch, or be ignored for a tag that was there; looked up once."""
    by_hand = [
        release(1, "v1.0", target_commitish="development"),
        release(2, "b-00000002", target_commitish="9" * 40),
    ]
    wire = releases_of(by_hand)
    inner = wire.handler

    def handle(request: httpx.Request) -> Any:
        tag = request.url.path.partition(f"/repos/{REPO}/tags/")[2]
        return answer({"name": tag, "commit": {"sha": "7" * 40}}) if tag else inner(request)

    wire.handler = handle
    forge = wire.forge()
    for _ in range(2):
        assert {one.commit for one in (await forge.releases(REPO)).items} == {"7" * 40}
    assert sum("/repos/lhumina_code/hero_router/tags/" in path for path in wire.paths()) == 2


async def test_addresses_are_ours_whatever_the_forge_calls_itself() -> None:
    asset = {
        "id": 1,
        "name": "a b.tar.gz",
        "size": 1,
        "uuid": "f689e8e5-4441-4caa-b8e7-324a0000e761",
        "browser_download_url": "http://inner.test:3000/x",
    }
    plain = release(1, "x#/ы-00000001", html_url="http://inner.test:3000/h", assets=[asset])
    doubled = release(2, "b-00000002", assets=[asset, {**asset, "id": 2}])
    found = (await releases_of([plain, doubled]).forge().releases(REPO)).items
    assert found[0].url == f"{URL}/{REPO}/releases/tag/x%23%2F%D1%8B-00000001"
    assert found[0].assets[0].url == f"{URL}/{REPO}/releases/download/x%23%2F%D1%8B-00000001/a%20b.tar.gz"
    assert found[1].assets[0].url == f"{URL}/attachments/f689e8e5-4441-4caa-b8e7-324a0000e761"


async def _next(news: AsyncIterator[str]) -> str:
    return await anext(news)


def repository(name: str, **fields: Any) -> dict[str, Any]:
    return {"full_name": name, "updated_at": "2026-11-20T12:00:00Z", "release_counter": 0, **fields}


async def test_a_push_a_release_and_a_new_repository_are_news_in_one_request_for_fifty() -> None:
    there = {f"o/r{n}": repository(f"o/r{n}") for n in range(120)}
    date = "Fri, 20 Nov 2026 13:00:00 GMT"
    down = False

    def handle(request: httpx.Request) -> Answer:
        if down:
            return httpx.ConnectError("down")
        path = request.url.path.partition("/api/v1")[2]
        if path == "/version":
            return answer({"version": "15.0.1+gitea-1.22.0"}, date=date)
        if path == "/settings/api":
            return answer({"max_response_items": 50})
        both = listed(list(there.values()), request)
        return answer({"ok": True, "data": both.json()}, x_total_count=both.headers["x-total-count"])

    wire = Wire(handle)
    forge = wire.forge(poll_seconds=0.01)
    news = forge.changes()
    told = asyncio.create_task(_next(news))
    async with asyncio.timeout(20):
        while len(wire.requests) < 5:
            await asyncio.sleep(0.005)
        there["o/r7"] = repository("o/r7", updated_at="2026-11-20T12:30:00Z")
        assert await told == "o/r7"
        down = True
        told = asyncio.create_task(_next(news))
        while len(wire.requests) < 60:
            await asyncio.sleep(0.005)
        there["o/r9"] = repository("o/r9", release_counter=1)
        there["o/new"] = repository("o/new")
        down = False
        assert await told == "o/new"
        assert await anext(news) == "o/r9"
        await forge.aclose()
        assert [name async for name in news] == []


async def test_a_change_in_the_second_of_the_look_is_not_missed() -> None:
    """Times have whole seconds: a second push within one is not seen by it, so the name is told once more."""
    there = repository("o/r", updated_at="2026-11-20T13:00:00Z")

    def handle(request: httpx.Request) -> Answer:
        if request.url.path.endswith("/version"):
            return answer({"version": "1"}, date="Fri, 20 Nov 2026 13:00:00 GMT")
        return answer({"data": [there]}, x_total_count="1")

    forge = Wire(handle).forge(poll_seconds=0.01)
    news = forge.changes()
    async with asyncio.timeout(20):
        assert [await anext(news), await anext(news)] == ["o/r", "o/r"]
    await forge.aclose()


async def test_a_watch_of_a_forge_that_is_down_fails_at_its_first_step() -> None:
    wire = Wire(lambda request: httpx.ConnectError("down"))
    with pytest.raises(HeroError) as caught:
        await anext(wire.forge().changes())
    assert caught.value.code == "unreachable"


async def test_the_look_at_a_huge_forge_has_an_end() -> None:
    items = [repository(f"o/r{n}") for n in range(3000)]

    def handle(request: httpx.Request) -> Answer:
        if request.url.path.endswith("/version"):
            return answer({"version": "1"})
        both = listed(items, request)
        return answer({"data": both.json()}, x_total_count="3000")

    wire = Wire(handle)
    forge = wire.forge()
    told = asyncio.create_task(_next(forge.changes()))
    async with asyncio.timeout(20):
        while sum("/repos/search" in path for path in wire.paths()) < PAGES:
            await asyncio.sleep(0.005)
        forge._changes.close()
        with pytest.raises(StopAsyncIteration):
            await told
    assert sum("/repos/search" in path for path in wire.paths()) == PAGES


async def test_a_status_is_said_and_only_the_newest_of_each_context_is_heard() -> None:
    said: list[Any] = []

    def handle(request: httpx.Request) -> Answer:
        if request.method == "POST":
            said.append(as_json(request))
            return answer({}, 201)
        both = [
            {"id": 1, "context": "hero/build", "status": "pending"},
            {"id": 3, "context": "hero/build", "status": "success", "description": "x\x1b[2J"},
            {"id": 2, "context": "a", "status": "skipped"},
        ]
        return answer({"statuses": both}, x_total_count="3")

    forge = Wire(handle).forge()
    await forge.set_status(REPO, "a" * 40, "success", context="hero/build", description="d" * 999, url="u")
    assert said == [{"state": "success", "context": "hero/build", "description": "d" * 255, "target_url": "u"}]
    found = await forge.statuses(REPO, "a" * 40)
    assert [(one.context, one.state, one.description) for one in found] == [
        ("a", "pending", ""),
        ("hero/build", "success", "x"),
    ]
