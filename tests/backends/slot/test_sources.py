"""What a binding asks for is answered by whole releases alone; a release without its sums is never installed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from backends.forge.folder import FolderForge
from backends.model.errors import HeroError
from backends.model.release import sha256sums_text
from backends.slot.sources import Sources
from tests.backends.slot.origins import run

REPO, SERVICE, BRANCH = "lhumina/hero_x", "hero_x", "development"


class Forge:
    """A folder forge with releases of `development`, each of a commit of its own."""

    def __init__(self, root: Path):
        self.forge = FolderForge(root / "forge")
        self.work = root / "work"

    async def open(self) -> None:
        bare = await self.forge.create_repository(REPO, branch=BRANCH)
        self.work.mkdir()
        run(self.work, "init", "-q", "-b", BRANCH)
        run(self.work, "remote", "add", "origin", str(bare))

    async def release(self, *, sums: bool = True, platform: str = "linux-any") -> str:
        """Publish a new commit; the commit."""
        run(self.work, "commit", "-q", "--allow-empty", "-m", "More")
        run(self.work, "push", "-q", "origin", BRANCH)
        commit = run(self.work, "rev-parse", "HEAD")
        tag = f"{BRANCH}-{commit[:8]}"
        draft = await self.forge.create_draft(REPO, tag=tag, commit=commit, title="t", body="", author="mik")
        archive = self.work.parent / f"hero_x-{platform}.tar.gz"
        archive.write_text(commit)
        await self.forge.upload_asset(REPO, draft.id, archive)
        if sums:
            digest = hashlib.sha256(archive.read_bytes()).hexdigest()
            (self.work.parent / "SHA256SUMS").write_text(sha256sums_text({archive.name: digest}))
            await self.forge.upload_asset(REPO, draft.id, self.work.parent / "SHA256SUMS")
        await self.forge.publish(REPO, draft.id)
        return commit


@pytest.fixture
async def made(tmp_path: Path) -> Forge:
    forge = Forge(tmp_path)
    await forge.open()
    return forge


async def refused(work: object) -> HeroError:
    with pytest.raises(HeroError) as error:
        await work  # type: ignore[misc]
    return error.value


async def test_the_newest_whole_release_counts(made: Forge) -> None:
    sources = Sources(made.forge)
    whole = await made.release()
    for _ in range(25):
        await made.release(sums=False)
    assert (await sources.newest(SERVICE, REPO, BRANCH)).version == whole
    assert (await sources.newest_published(REPO, BRANCH))[:2] == (whole, f"{BRANCH}-{whole[:8]}")
    candidates, _ = await sources.releases(SERVICE, REPO, 1, 100)
    assert [one.commit for one in candidates] == [whole]


async def test_a_branch_with_nothing_whole_has_no_release(made: Forge) -> None:
    await made.release(sums=False)
    sources = Sources(made.forge)
    error = await refused(sources.newest(SERVICE, REPO, BRANCH))
    assert error.code == "not_found"
    assert "--from build" in error.hint
    assert await sources.newest_published(REPO, BRANCH) == ("", "", None)


async def test_a_release_that_is_not_whole_is_told_so_when_it_is_named(made: Forge) -> None:
    half = await made.release(sums=False)
    sources = Sources(made.forge)
    tag = f"{BRANCH}-{half[:8]}"
    for work in (sources.tagged(SERVICE, REPO, tag), sources.pinned(SERVICE, REPO, BRANCH, half[:10])):
        error = await refused(work)
        assert error.code == "verification"
        assert "SHA256SUMS" in error.message
        assert f"hero_dev releases {SERVICE}" in error.hint


async def test_a_pinned_hash_is_found_in_the_release_that_is_whole(made: Forge) -> None:
    whole = await made.release()
    assert (await Sources(made.forge).pinned(SERVICE, REPO, "other", whole[:9])).version == whole
    assert (await refused(Sources(made.forge).pinned(SERVICE, REPO, BRANCH, "0123456789"))).code == "not_found"


async def test_a_platform_that_the_release_does_not_have_is_told_with_what_helps(made: Forge) -> None:
    await made.release(platform="linux-musl-aarch64")
    error = await refused(Sources(made.forge, "linux-x86_64").newest(SERVICE, REPO, BRANCH))
    assert error.code == "not_found"
    assert "no archive for linux-x86_64; it has: linux-musl-aarch64" in error.message
    assert "--from build" in error.hint
    assert "hero_dev build submit hero_x" in error.hint


@pytest.mark.parametrize(("ours", "theirs"), [("linux-x86_64", "linux-musl-x86_64"), ("linux-aarch64", "any")])
async def test_any_archive_that_runs_here_will_do(made: Forge, ours: str, theirs: str) -> None:
    whole = await made.release(platform=theirs)
    assert (await Sources(made.forge, ours).newest(SERVICE, REPO, BRANCH)).version == whole
