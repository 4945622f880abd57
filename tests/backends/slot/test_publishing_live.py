"""Publishing on a live Forgejo or Gitea: no digests, names that repeat, and tags that publish when pushed."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from backends.forge.base import Release
from backends.forge.forgejo import Forgejo
from backends.model.errors import HeroError
from backends.model.release import parse_sha256sums
from backends.slot.publishing import Upload, publish
from backends.slot.sources import Sources
from tests.backends.forge.contract import REPO
from tests.backends.forge.live import Connect, admin, connect, needs_forge, pushed, token_file
from tests.backends.forge.repositories import run_git

__all__ = ["admin", "connect", "token_file"]

pytestmark = needs_forge

BRANCH = "development"
GNU, MUSL = "hero_x-linux-gnu-x86_64.tar.gz", "hero_x-linux-musl-x86_64.tar.gz"


@pytest.fixture
async def forge(connect: Connect) -> AsyncIterator[Forgejo]:
    forge = connect()
    yield forge
    await forge.aclose()


@pytest.fixture
async def work(forge: Forgejo, tmp_path: Path) -> Path:
    return await pushed(forge, tmp_path / "work")


def archive(folder: Path, name: str = GNU, text: str = "payload") -> Upload:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"{text} of {name}" * 1000)
    return Upload(path, name, hashlib.sha256(path.read_bytes()).hexdigest())


async def published(forge: Forgejo, work: Path, *archives: Upload) -> Release:
    commit = run_git(work, "rev-parse", "HEAD")
    return await publish(forge, REPO, BRANCH, commit, archives, title="One", author="alice", tell=lambda *_: None)


async def check(forge: Forgejo, release: Release, *archives: Upload) -> None:
    assert sorted(asset.name for asset in release.assets) == sorted(
        ["SHA256SUMS", *(one.name for one in archives)]
    )
    text = b"".join([chunk async for chunk in forge.open_asset(REPO, release.tag, "SHA256SUMS")])
    assert parse_sha256sums(text.decode()) == {one.name: one.sha256 for one in archives}
    for one in archives:
        read = b"".join([chunk async for chunk in forge.open_asset(REPO, release.tag, one.name)])
        assert hashlib.sha256(read).hexdigest() == one.sha256


async def test_a_release_with_all_its_archives(forge: Forgejo, work: Path, tmp_path: Path) -> None:
    both = [archive(tmp_path / "a"), archive(tmp_path / "a", MUSL)]
    release = await published(forge, work, *both)
    await check(forge, release, *both)
    again = await published(forge, work, *both)
    assert again.id == release.id
    assert (await Sources(forge).newest("hero_x", REPO, BRANCH)).sha256 in {one.sha256 for one in both}


@pytest.mark.parametrize("left", [[], [GNU], [GNU, GNU], [GNU, "SHA256SUMS"]])
async def test_a_draft_that_another_program_left_is_completed(
    forge: Forgejo, connect: Connect, work: Path, tmp_path: Path, left: list[str]
) -> None:
    """Another program: so that nothing of what it uploaded is known here."""
    before = connect()
    commit = run_git(work, "rev-parse", "HEAD")
    tag = f"{BRANCH}-{commit[:8]}"
    draft = await before.create_draft(REPO, tag=tag, commit=commit, title="t", body="", author="")
    for number, name in enumerate(left):
        await before.upload_asset(REPO, draft.id, archive(tmp_path / str(number), name, f"old {number}").path)
    await before.aclose()
    ours = archive(tmp_path / "ours")
    await check(forge, await published(forge, work, ours), ours)


async def test_publishers_of_one_commit_end_with_one_release(connect: Connect, work: Path, tmp_path: Path) -> None:
    forges = [connect() for _ in range(3)]
    one = archive(tmp_path / "a")
    copies = [archive(tmp_path / str(number)) for number in range(3)]
    releases = await asyncio.gather(
        *(published(forge, work, copy) for forge, copy in zip(forges, copies, strict=True))
    )
    assert len({release.id for release in releases}) == 1
    await check(forges[0], await forges[0].release(REPO, releases[0].tag), one)
    for forge in forges:
        await forge.aclose()


async def test_publishers_of_two_platforms_leave_no_archive_without_its_line(
    connect: Connect, work: Path, tmp_path: Path
) -> None:
    one, other = connect(), connect()
    ends = await asyncio.gather(
        published(one, work, archive(tmp_path / "a")),
        published(other, work, archive(tmp_path / "b", MUSL)),
        return_exceptions=True,
    )
    there = [end for end in ends if isinstance(end, Release)]
    assert all(isinstance(end, Release) or (isinstance(end, HeroError) and end.code == "conflict") for end in ends)
    if there:
        release = await one.release(REPO, there[0].tag)
        found = [archive(tmp_path / "c", asset.name) for asset in release.assets if asset.name != "SHA256SUMS"]
        await check(one, release, *found)
    await one.aclose()
    await other.aclose()


async def test_a_tag_pushed_by_hand_over_the_draft_does_no_harm(
    forge: Forgejo, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At our commit the release is completed; nobody installs what is half there meanwhile."""
    tag = f"{BRANCH}-{run_git(work, 'rev-parse', 'HEAD')[:8]}"
    upload = Forgejo.upload_asset

    async def pushed_meanwhile(self: Forgejo, repo: str, release_id: str, path: Path, **more: Any) -> Any:
        if path.name == GNU:
            run_git(work, "push", "--quiet", "origin", f"HEAD:refs/tags/{tag}")
            with pytest.raises(HeroError):
                await Sources(self).newest("hero_x", REPO, BRANCH)
        return await upload(self, repo, release_id, path, **more)

    monkeypatch.setattr(Forgejo, "upload_asset", pushed_meanwhile)
    ours = archive(tmp_path / "a")
    await check(forge, await published(forge, work, ours), ours)


async def test_a_tag_pushed_by_hand_on_another_commit_is_a_conflict(
    forge: Forgejo, work: Path, tmp_path: Path
) -> None:
    head = run_git(work, "rev-parse", "HEAD")
    run_git(work, "commit", "--quiet", "--allow-empty", "-m", "Two")
    run_git(work, "push", "--quiet", "origin", BRANCH)
    run_git(
        work, "push", "--quiet", "origin", f"{head}:refs/tags/{BRANCH}-{run_git(work, 'rev-parse', 'HEAD')[:8]}"
    )
    with pytest.raises(HeroError) as error:
        await published(forge, work, archive(tmp_path / "a"))
    assert error.value.code == "conflict"
