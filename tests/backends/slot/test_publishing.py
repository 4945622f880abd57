"""A release is whole or not there: cut off, raced, refused or filled by others, it comes out as one."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backends.forge.base import Asset, Release
from backends.forge.folder import FolderForge
from backends.model.errors import HeroError
from backends.model.release import parse_sha256sums
from backends.slot.publishing import Upload, publish
from tests.backends.slot.origins import run

REPO = "lhumina/hero_x"
BRANCH = "feature/x"
GNU, MUSL = "hero_x-linux-gnu-x86_64.tar.gz", "hero_x-linux-musl-x86_64.tar.gz"


@pytest.fixture
async def repo(tmp_path: Path) -> tuple[Path, str]:
    """The forge's folder, and a commit in it."""
    bare = await FolderForge(tmp_path / "forge").create_repository(REPO)
    work = tmp_path / "work"
    work.mkdir()
    run(work, "init", "-q")
    run(work, "commit", "-q", "--allow-empty", "-m", "One")
    run(work, "push", "-q", str(bare), f"HEAD:refs/heads/{BRANCH}")
    return tmp_path / "forge", run(work, "rev-parse", "HEAD")


class Undigested(FolderForge):
    """Like a Forgejo: it tells no digests of files that it did not take itself, and gives out drafts' files."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.read: list[str] = []
        self._taken: set[str] = set()

    async def upload_asset(self, repo: str, release_id: str, path: Path, **more: Any) -> Asset:
        self._taken.add(str(more.get("name")))
        return await super().upload_asset(repo, release_id, path, **more)

    async def create_draft(self, repo: str, **more: Any) -> Release:
        return self._hide(await super().create_draft(repo, **more))

    async def release(self, repo: str, tag: str) -> Release:
        return self._hide(await super().release(repo, tag))

    def _hide(self, release: Release) -> Release:
        assets = (
            asset if asset.name in self._taken else replace(asset, sha256=None, url=asset.url or asset.name)
            for asset in release.assets
        )
        return replace(release, assets=tuple(assets))

    async def read_asset(self, repo: str, asset: Asset) -> AsyncIterator[bytes]:
        self.read.append(asset.name)
        (found,) = (self.root / f"{repo}.releases").rglob(f"assets/{asset.name}")
        yield found.read_bytes()


def archive(folder: Path, name: str, text: str = "payload") -> Upload:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"{text} of {name}")
    return Upload(path, name, hashlib.sha256(path.read_bytes()).hexdigest())


async def published(forge: FolderForge, commit: str, *archives: Upload, told: list[Any] | None = None) -> Release:
    tell = (lambda *args: told.append(args)) if told is not None else lambda *_: None
    return await publish(forge, REPO, BRANCH, commit, archives, title="One", author="alice", tell=tell)


async def sums_of(forge: FolderForge, release: Release) -> dict[str, str]:
    text = b"".join([chunk async for chunk in forge.open_asset(REPO, release.tag, "SHA256SUMS")])
    return dict(parse_sha256sums(text.decode()))


async def drafts(forge: FolderForge) -> list[Release]:
    listed = await forge.releases(REPO, drafts=True)
    return [release for release in listed.items if release.draft]


async def refused(work: Any) -> HeroError:
    with pytest.raises(HeroError) as error:
        await work
    return error.value


@pytest.mark.parametrize("kind", [FolderForge, Undigested])
async def test_all_archives_and_their_sums_are_published_at_once(
    repo: tuple[Path, str], tmp_path: Path, kind: type[FolderForge]
) -> None:
    forge = kind(repo[0])
    both = [archive(tmp_path / "out", GNU), archive(tmp_path / "out", MUSL)]
    told: list[Any] = []
    release = await published(forge, repo[1], *both, told=told)
    assert (release.tag, release.commit, release.draft) == (f"{BRANCH}-{repo[1][:8]}", repo[1], False)
    assert sorted(asset.name for asset in release.assets) == ["SHA256SUMS", GNU, MUSL]
    assert await sums_of(forge, release) == {one.name: one.sha256 for one in both}
    total = sum(one.path.stat().st_size for one in both)
    assert told[0][0] == "publish"
    assert told[-1] == ("upload", total, total)
    assert await drafts(forge) == []


@pytest.mark.parametrize("kind", [FolderForge, Undigested])
async def test_publishing_again_gives_the_release_that_is_there(
    repo: tuple[Path, str], tmp_path: Path, kind: type[FolderForge]
) -> None:
    forge = kind(repo[0])
    first = await published(forge, repo[1], archive(tmp_path / "a", GNU))
    second = await published(kind(repo[0]), repo[1], archive(tmp_path / "b", GNU, "other bytes"))
    assert (second.id, second.tag) == (first.id, first.tag)
    assert await sums_of(forge, second) == {GNU: archive(tmp_path / "a", GNU).sha256}


async def test_a_release_without_our_platform_is_not_changed(repo: tuple[Path, str], tmp_path: Path) -> None:
    forge = FolderForge(repo[0])
    await published(forge, repo[1], archive(tmp_path / "a", GNU))
    error = await refused(published(forge, repo[1], archive(tmp_path / "b", MUSL)))
    assert error.code == "conflict"
    assert f"without {MUSL}" in error.message
    assert len((await forge.releases(REPO)).items[0].assets) == 2


@pytest.mark.parametrize("kind", [FolderForge, Undigested])
@pytest.mark.parametrize("files", [[], [GNU], [GNU, "SHA256SUMS"]])
async def test_a_draft_that_was_left_is_completed(
    repo: tuple[Path, str], tmp_path: Path, kind: type[FolderForge], files: list[str]
) -> None:
    forge = kind(repo[0])
    tag = f"{BRANCH}-{repo[1][:8]}"
    draft = await FolderForge(repo[0]).create_draft(REPO, tag=tag, commit=repo[1], title="", body="", author="")
    for name in files:
        one = archive(tmp_path / "a", name, "payload" if name == GNU else "half")
        await FolderForge(repo[0]).upload_asset(REPO, draft.id, one.path, name=name)
    release = await published(forge, repo[1], archive(tmp_path / "b", GNU))
    assert sorted(asset.name for asset in release.assets) == ["SHA256SUMS", GNU]
    assert await sums_of(forge, release) == {GNU: archive(tmp_path / "b", GNU).sha256}


@pytest.mark.parametrize("kind", [FolderForge, Undigested])
async def test_archives_that_others_put_into_the_draft_keep_their_lines(
    repo: tuple[Path, str], tmp_path: Path, kind: type[FolderForge]
) -> None:
    tag = f"{BRANCH}-{repo[1][:8]}"
    other = FolderForge(repo[0])
    draft = await other.create_draft(REPO, tag=tag, commit=repo[1], title="", body="", author="")
    theirs, ours = archive(tmp_path / "a", MUSL), archive(tmp_path / "b", GNU)
    await other.upload_asset(REPO, draft.id, theirs.path)
    (tmp_path / "notes.txt").write_text("no archive")
    await other.upload_asset(REPO, draft.id, tmp_path / "notes.txt")
    forge = kind(repo[0])
    release = await published(forge, repo[1], ours)
    assert await sums_of(forge, release) == {GNU: ours.sha256, MUSL: theirs.sha256}
    if isinstance(forge, Undigested):
        assert set(forge.read) == {MUSL}


async def test_a_draft_whose_digests_nobody_tells_is_not_published(repo: tuple[Path, str], tmp_path: Path) -> None:
    class Mute(Undigested):
        read_asset = None  # type: ignore[assignment]

    other = FolderForge(repo[0])
    tag = f"{BRANCH}-{repo[1][:8]}"
    draft = await other.create_draft(REPO, tag=tag, commit=repo[1], title="", body="", author="")
    await other.upload_asset(REPO, draft.id, archive(tmp_path / "a", MUSL).path)
    error = await refused(published(Mute(repo[0]), repo[1], archive(tmp_path / "b", GNU)))
    assert error.code == "conflict"
    assert (await other.releases(REPO)).items == ()


async def test_a_tag_pushed_by_hand_over_the_draft_is_no_release_of_ours(
    repo: tuple[Path, str], tmp_path: Path
) -> None:
    """The forge publishes what is half there. One that lets nobody add to it is told as it is."""
    forge = FolderForge(repo[0])
    tag = f"{BRANCH}-{repo[1][:8]}"
    draft = await forge.create_draft(REPO, tag=tag, commit=repo[1], title="", body="", author="")
    await forge.publish(REPO, draft.id)
    error = await refused(published(forge, repo[1], archive(tmp_path / "a", GNU)))
    assert error.code == "conflict"
    assert (await forge.release(REPO, tag)).assets == ()


async def test_a_tag_pushed_by_hand_over_the_draft_at_our_commit_is_completed(
    repo: tuple[Path, str], tmp_path: Path
) -> None:
    class Lenient(FolderForge):
        """Takes files into a published release, as a Forgejo does; by draft, to the end."""

        pushed = False

        async def create_draft(self, repo: str, **more: Any) -> Release:
            draft = await super().create_draft(repo, **more)
            return replace(draft, draft=not self.pushed)

        async def upload_asset(self, repo: str, release_id: str, path: Path, **more: Any) -> Asset:
            self.pushed = True
            return await super().upload_asset(repo, release_id, path, **more)

    forge = Lenient(repo[0])
    release = await published(forge, repo[1], archive(tmp_path / "a", GNU))
    assert sorted(asset.name for asset in release.assets) == ["SHA256SUMS", GNU]


async def test_a_tag_that_stands_on_another_commit_is_a_conflict(repo: tuple[Path, str], tmp_path: Path) -> None:
    forge = FolderForge(repo[0])
    work = repo[0].parent / "work"
    run(work, "commit", "-q", "--allow-empty", "-m", "Two")
    run(work, "push", "-q", str(repo[0] / f"{REPO}.git"), f"HEAD:refs/heads/{BRANCH}")
    other = run(work, "rev-parse", "HEAD")
    tag = f"{BRANCH}-{repo[1][:8]}"
    draft = await forge.create_draft(REPO, tag=tag, commit=other, title="", body="", author="")
    await forge.publish(REPO, draft.id)
    assert (await refused(published(forge, repo[1], archive(tmp_path / "a", GNU)))).code == "conflict"


async def test_two_publishers_of_one_commit_end_with_one_release(repo: tuple[Path, str], tmp_path: Path) -> None:
    many = [published(FolderForge(repo[0]), repo[1], archive(tmp_path / str(number), GNU)) for number in range(5)]
    releases = await asyncio.gather(*many)
    assert len({release.id for release in releases}) == 1
    (only,) = (await FolderForge(repo[0]).releases(REPO)).items
    assert sorted(asset.name for asset in only.assets) == ["SHA256SUMS", GNU]


async def test_two_publishers_of_two_platforms_leave_no_archive_without_its_line(
    repo: tuple[Path, str], tmp_path: Path
) -> None:
    for attempt in range(5):
        work = repo[0].parent / "work"
        run(work, "commit", "-q", "--allow-empty", "-m", f"Number {attempt}")
        run(work, "push", "-q", str(repo[0] / f"{REPO}.git"), f"HEAD:refs/heads/{BRANCH}")
        commit = run(work, "rev-parse", "HEAD")
        both = await asyncio.gather(
            published(FolderForge(repo[0]), commit, archive(tmp_path / "a", GNU)),
            published(Undigested(repo[0]), commit, archive(tmp_path / "b", MUSL)),
            return_exceptions=True,
        )
        assert any(isinstance(one, Release) for one in both)
        release = (await FolderForge(repo[0]).releases(REPO)).items[0]
        assert release.commit == commit
        names = {asset.name for asset in release.assets} - {"SHA256SUMS"}
        assert set(await sums_of(FolderForge(repo[0]), release)) == names


async def test_an_archive_that_arrives_otherwise_is_not_published(repo: tuple[Path, str], tmp_path: Path) -> None:
    forge = FolderForge(repo[0])
    wrong = archive(tmp_path / "a", GNU)._replace(sha256="0" * 64)
    assert (await refused(published(forge, repo[1], wrong))).code == "verification"
    assert (await forge.releases(REPO)).items == ()


async def test_a_name_that_is_there_twice_is_not_published(repo: tuple[Path, str], tmp_path: Path) -> None:
    class Doubled(FolderForge):
        async def create_draft(self, repo: str, **more: Any) -> Release:
            draft = await super().create_draft(repo, **more)
            return replace(draft, assets=(*draft.assets, *draft.assets))

    error = await refused(published(Doubled(repo[0]), repo[1], archive(tmp_path / "a", GNU)))
    assert error.code == "verification"
    assert "2 times" in error.message
    assert (await FolderForge(repo[0]).releases(REPO)).items == ()


@pytest.mark.parametrize("step", ["create_draft", "upload_asset", "publish", "release"])
@pytest.mark.parametrize("code", ["unreachable", "no_space"])
async def test_a_forge_that_is_cut_off_or_full_publishes_nothing_half(
    repo: tuple[Path, str], tmp_path: Path, step: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    forge = FolderForge(repo[0])
    for number in range(1, 5):
        calls = 0
        method = getattr(FolderForge, step)

        async def fail(self: FolderForge, *args: Any, at: int = number, then: Any = method, **more: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == at:
                raise HeroError(code, "cut")
            return await then(self, *args, **more)

        with monkeypatch.context() as patched:
            patched.setattr(FolderForge, step, fail)
            (ended,) = await asyncio.gather(
                published(forge, repo[1], archive(tmp_path / "a", GNU)), return_exceptions=True
            )
            assert isinstance(ended, Release) or (isinstance(ended, HeroError) and ended.code == code)
        for release in (await forge.releases(REPO)).items:
            assert sorted(asset.name for asset in release.assets) == ["SHA256SUMS", GNU]
    release = await published(forge, repo[1], archive(tmp_path / "a", GNU))
    assert sorted(asset.name for asset in release.assets) == ["SHA256SUMS", GNU]
    assert await drafts(forge) == []


async def test_a_commit_that_was_not_pushed_is_told(repo: tuple[Path, str], tmp_path: Path) -> None:
    error = await refused(published(FolderForge(repo[0]), "a" * 40, archive(tmp_path / "a", GNU)))
    assert error.code == "not_found"
    assert "Push" in error.hint
