"""What the contract does not ask, on a live Forgejo or Gitea: traps of its API, pull requests, files, hooks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from backends.forge.base import Branch
from backends.forge.forgejo import Forgejo
from backends.forge.git import git
from backends.model.errors import HeroError
from tests.backends.forge.contract import ARCHIVE, DEADLINE, REPO, a_file, draft, read, sha256
from tests.backends.forge.live import TOKEN, URL, Connect, admin, connect, needs_forge, pushed, token_file
from tests.backends.forge.repositories import commit, run_git

__all__ = ["admin", "connect", "token_file"]

pytestmark = needs_forge


@pytest.fixture
async def forge(connect: Connect) -> AsyncIterator[Forgejo]:
    forge = connect()
    yield forge
    await forge.aclose()


@pytest.fixture
async def work(forge: Forgejo, tmp_path: Path) -> Path:
    return await pushed(forge, tmp_path / "work")


@pytest.fixture
def head(work: Path) -> str:
    return run_git(work, "rev-parse", "HEAD")


async def test_it_says_what_and_who_it_is_and_that_the_token_may_everything(forge: Forgejo, work: Path) -> None:
    assert (await forge.version()).kind in ("forgejo", "gitea")
    assert (await forge.user()).login
    assert await forge.check(REPO) == []


async def test_an_unknown_token_is_denied_and_not_repeated(forge: Forgejo, work: Path) -> None:
    stranger = Forgejo(URL, "f0" * 20)
    with pytest.raises(HeroError) as caught:
        await stranger.branches(REPO)
    assert caught.value.code == "denied"
    assert "f0f0" not in str(caught.value)
    await stranger.aclose()


async def test_without_a_token_a_private_repository_is_not_there(forge: Forgejo, work: Path) -> None:
    nobody = Forgejo(URL)
    with pytest.raises(HeroError) as caught:
        await nobody.releases(REPO)
    assert caught.value.code == "not_found"
    await nobody.aclose()


async def test_a_renamed_repository_is_found_under_its_old_name(
    forge: Forgejo, work: Path, admin: httpx.AsyncClient
) -> None:
    await admin.patch(f"/repos/{REPO}", json={"name": "hero_moved"})
    assert [head.name for head in (await forge.branches(REPO)).items] == ["development"]
    with pytest.raises(HeroError) as caught:
        await forge.set_status(REPO, run_git(work, "rev-parse", "HEAD"), "success", context="hero/build")
    assert "renamed" in caught.value.message


async def test_a_tag_pushed_over_our_draft_publishes_it_and_we_complete_it(
    forge: Forgejo, work: Path, head: str, tmp_path: Path
) -> None:
    tag = f"development-{head[:8]}"
    made = await draft(forge, tag, head)
    run_git(work, "push", "--quiet", "origin", f"{head}:refs/tags/{tag}")
    await until_published(forge, tag)
    asset = await forge.upload_asset(REPO, made.id, a_file(tmp_path, b"late"))
    assert asset.sha256 == sha256(b"late")
    release = await forge.publish(REPO, made.id)
    assert (release.draft, release.commit, [a.name for a in release.assets]) == (False, head, [ARCHIVE])


async def test_a_tag_pushed_on_another_commit_is_a_conflict(
    forge: Forgejo, work: Path, head: str, tmp_path: Path
) -> None:
    tag = f"development-{head[:8]}"
    made = await draft(forge, tag, head)
    other = commit(work, "another")
    run_git(work, "push", "--quiet", "origin", "development", f"{other}:refs/tags/{tag}")
    with pytest.raises(HeroError) as caught:
        await forge.publish(REPO, made.id)
    assert caught.value.code == "conflict"
    await until_published(forge, tag)
    with pytest.raises(HeroError) as caught:
        await forge.upload_asset(REPO, made.id, a_file(tmp_path, b"late"))
    assert caught.value.code == "conflict"


async def until_published(forge: Forgejo, tag: str) -> None:
    async with asyncio.timeout(DEADLINE):
        while tag not in [release.tag for release in (await forge.releases(REPO)).items]:
            await asyncio.sleep(0.1)


async def test_a_bare_tag_on_another_commit_is_a_conflict(forge: Forgejo, work: Path, head: str) -> None:
    other = commit(work, "another")
    run_git(work, "push", "--quiet", "origin", "development", f"{other}:refs/tags/development-{head[:8]}")
    with pytest.raises(HeroError) as caught:
        await draft(forge, f"development-{head[:8]}", head)
    assert (caught.value.code, caught.value.data["commit"]) == ("conflict", other)


async def test_tags_that_differ_in_case_only_are_a_conflict(forge: Forgejo, work: Path, head: str) -> None:
    made = await draft(forge, f"Topic-{head[:8]}", head)
    await forge.publish(REPO, made.id)
    with pytest.raises(HeroError) as caught:
        await draft(forge, f"topic-{head[:8]}", head)
    assert caught.value.code == "conflict"
    with pytest.raises(HeroError) as caught:
        await forge.release(REPO, f"topic-{head[:8]}")
    assert caught.value.code == "not_found"
    assert await forge.latest_release(REPO, "topic") is None


async def test_a_deleted_release_can_be_published_again(
    forge: Forgejo, work: Path, head: str, admin: httpx.AsyncClient
) -> None:
    tag = f"development-{head[:8]}"
    made = await draft(forge, tag, head)
    await forge.publish(REPO, made.id)
    await admin.delete(f"/repos/{REPO}/releases/{made.id}")
    again = await draft(forge, tag, head)
    assert again.draft
    assert (await forge.publish(REPO, again.id)).commit == head


async def test_two_publishers_of_the_same_archive_end_with_one(
    forge: Forgejo, connect: Connect, head: str, tmp_path: Path
) -> None:
    forges = [forge, connect(), connect()]
    files = [a_file(tmp_path / str(n), b"same" * 100_000) for n in range(3)]

    async def publish(mine: Forgejo, file: Path) -> tuple[str, ...]:
        made = await draft(mine, f"development-{head[:8]}", head)
        await mine.upload_asset(REPO, made.id, file)
        return tuple(asset.name for asset in (await mine.publish(REPO, made.id)).assets)

    done = await asyncio.gather(
        *(publish(*both) for both in zip(forges, files, strict=True)), return_exceptions=True
    )
    assert (ARCHIVE,) in done
    release = await forge.release(REPO, f"development-{head[:8]}")
    assert [asset.name for asset in release.assets] == [ARCHIVE]
    assert await read(forge.open_asset(REPO, release.tag, ARCHIVE)) == b"same" * 100_000
    for other in forges[1:]:
        await other.aclose()


async def test_of_two_different_archives_uploaded_at_once_one_stays_and_its_publisher_knows(
    forge: Forgejo, connect: Connect, head: str, tmp_path: Path
) -> None:
    other = connect()
    made = await draft(forge, f"development-{head[:8]}", head)
    assert (await draft(other, f"development-{head[:8]}", head)).id == made.id
    contents = (b"mine!" * 300_000, b"yours" * 300_000)
    done = await asyncio.gather(
        forge.upload_asset(REPO, made.id, a_file(tmp_path, contents[0])),
        other.upload_asset(REPO, made.id, a_file(tmp_path, contents[1])),
        return_exceptions=True,
    )
    there = (await draft(forge, made.tag, head)).assets
    assert len(there) == 1
    winners = [mine for mine, ended in zip((forge, other), done, strict=True) if not isinstance(ended, HeroError)]
    published = await asyncio.gather(*(mine.publish(REPO, made.id) for mine in winners), return_exceptions=True)
    assert [end.code for end in (*done, *published) if isinstance(end, HeroError)] == ["conflict"]
    await other.aclose()


async def test_duplicates_that_a_killed_publisher_left_are_gone_after_the_next_upload(
    forge: Forgejo, head: str, tmp_path: Path, admin: httpx.AsyncClient
) -> None:
    made = await draft(forge, f"development-{head[:8]}", head)
    for content in (b"old", b"right", b"right"):
        await admin.post(
            f"/repos/{REPO}/releases/{made.id}/assets",
            params={"name": ARCHIVE},
            content=content,
            headers={"Content-Type": "application/octet-stream"},
        )
    await forge.upload_asset(REPO, made.id, a_file(tmp_path, b"right"))
    release = await forge.publish(REPO, made.id)
    assert [(asset.name, asset.sha256) for asset in release.assets] == [(ARCHIVE, sha256(b"right"))]


async def test_commits_are_compared_newest_first_in_pages(forge: Forgejo, work: Path, head: str) -> None:
    made = [commit(work, f"step {n}", date=1_700_000_100 + n) for n in range(5)]
    run_git(work, "push", "--quiet", "origin", "HEAD:refs/heads/topic/a#b%2Fc")
    found: list[str] = []
    page: int | None = 1
    while page:
        answer = await forge.compare(REPO, "development", "topic/a#b%2Fc", page=page, limit=2)
        found += [change.commit for change in answer.items]
        page = answer.next_page
    assert found == made[::-1]
    assert (await forge.compare(REPO, made[-1], head)).items == ()
    with pytest.raises(HeroError) as caught:
        await forge.compare(REPO, "a" * 40, head)
    assert caught.value.code == "not_found"


async def test_a_branch_is_made_once(forge: Forgejo, work: Path, head: str) -> None:
    made: Branch = await forge.create_branch(REPO, "topic/new#1", "development")
    assert made == await forge.create_branch(REPO, "topic/new#1", head)
    other = commit(work, "next")
    run_git(work, "push", "--quiet", "origin", "development")
    for source, code in ((other, "conflict"), ("nowhere", "not_found"), ("e" * 40, "not_found")):
        with pytest.raises(HeroError) as caught:
            await forge.create_branch(REPO, "topic/new#1" if code == "conflict" else "fresh", source)
        assert caught.value.code == code


async def test_the_newest_status_of_each_context_is_told(forge: Forgejo, head: str) -> None:
    assert await forge.statuses(REPO, head) == ()
    for state in ("pending", "success"):
        await forge.set_status(REPO, head, state, context="hero/build", description="built\x1b[2J")
    await forge.set_status(REPO, head, "warning", context="a")
    assert [(one.context, one.state) for one in await forge.statuses(REPO, head)] == [
        ("a", "warning"),
        ("hero/build", "success"),
    ]
    with pytest.raises(HeroError) as caught:
        await forge.set_status(REPO, "e" * 40, "success", context="a")
    assert caught.value.code == "not_found"


async def test_a_hook_is_made_active_for_our_events_and_removed(forge: Forgejo, work: Path) -> None:
    made = await forge.create_hook(REPO, "http://127.0.0.1:9/hooks/forge", "geheim")
    assert made.active
    assert made.events == ("create", "delete", "push", "release")
    assert await forge.hooks(REPO) == (made,)
    await forge.delete_hook(REPO, made.id)
    await forge.delete_hook(REPO, made.id)
    assert await forge.hooks(REPO) == ()


async def test_a_file_goes_by_a_pull_request_to_the_trunk(forge: Forgejo, work: Path) -> None:
    await forge.create_branch(REPO, "proposal/one", "development")
    blob = await forge.put_file(REPO, "users/a b#c.toml", b"one\n", "Add it", "proposal/one")
    with pytest.raises(HeroError) as caught:
        await forge.put_file(REPO, "users/a b#c.toml", b"two\n", "Add it", "proposal/one")
    assert caught.value.code == "conflict"
    with pytest.raises(HeroError) as caught:
        await forge.put_file(REPO, "users/a b#c.toml", b"two\n", "Add it", "proposal/one", "0" * 40)
    assert caught.value.code == "conflict"
    await forge.put_file(REPO, "users/a b#c.toml", b"two\n", "Change it", "proposal/one", blob)
    pull = await forge.pull_request(REPO, "proposal/one", "development", "A proposal", "why")
    assert await forge.pull_request(REPO, "proposal/one", "development", "Again", "") == pull
    with pytest.raises(HeroError) as caught:
        await forge.merge_pull_request(REPO, pull.number, "squash", "0" * 40)
    assert caught.value.code == "conflict"
    for _ in range(2):
        assert (await forge.merge_pull_request(REPO, pull.number, "squash", pull.commit)).merged
    assert await forge.raw_file(REPO, "development", "users/a b#c.toml") == b"two\n"
    await forge.set_default_branch(REPO, "proposal/one")


async def test_git_gets_the_token_from_its_file_alone(forge: Forgejo, work: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    await git(
        "clone", "--quiet", "--", await forge.clone_url(REPO), str(copy), cwd=tmp_path, env=forge.git_environment()
    )
    found = [path for path in copy.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]
    assert not found
    with pytest.raises(HeroError) as caught:
        await git("fetch", "--quiet", "origin", cwd=copy)
    assert caught.value.code == "unreachable"
    await git("fetch", "--quiet", "origin", cwd=copy, env=forge.git_environment())
