"""Damage in the forge folder is left out and reported; full and read-only disks lose nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from backends.forge.folder import FolderForge
from backends.model.errors import HeroError
from tests.backends.forge.contract import (
    ARCHIVE,
    REPO,
    a_file,
    draft,
    read,
)
from tests.backends.forge.folders import folder_of, published

DAMAGE = {
    "empty": b"",
    "truncated": b'{"schema": 1, "tag": "development-0000',
    "not json": b"\xff\xfe\0",
    "another shape": b"[]",
    "a newer schema": b'{"schema": 2}',
    "deeply nested": b"[" * 100_000,
}


@pytest.mark.parametrize("content", DAMAGE.values(), ids=DAMAGE.keys())
async def test_a_damaged_release_is_left_out_and_reported(
    forge: FolderForge, head: str, releases: Path, content: bytes
) -> None:
    good = await published(forge, head, "development-00000001")
    await published(forge, head, "development-00000002")
    bad = folder_of(releases, "development-00000002")
    (bad / "release.json").write_bytes(content)
    assert (await forge.releases(REPO)).items == (good,)
    assert await forge.latest_release(REPO, "development") == good
    with pytest.raises(HeroError) as caught:
        await forge.release(REPO, "development-00000002")
    assert caught.value.code == "invalid_file"
    [problem] = await forge.problems(REPO)
    assert problem.path == bad
    assert "release.json" in problem.message


async def test_a_release_json_of_another_tag_or_with_a_path_as_asset_is_damaged(
    forge: FolderForge, head: str, releases: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("secret")
    await published(forge, head, "development-00000001")
    file = folder_of(releases, "development-00000001") / "release.json"
    whole = file.read_text()
    for hostile in (
        whole.replace("development-00000001", "development-00000002"),
        whole.replace(ARCHIVE, "../../../../../secret"),
        whole.replace(head, "--upload-pack=x"),
    ):
        assert hostile != whole
        file.write_text(hostile)
        with pytest.raises(HeroError) as caught:
            await read(forge.open_asset(REPO, "development-00000001", "../../../../../secret"))
        assert caught.value.code == "invalid_file"
        assert len(await forge.problems(REPO)) == 1


async def test_missing_assets_and_foreign_folders_are_reported(
    forge: FolderForge, head: str, releases: Path
) -> None:
    await published(forge, head, "development-00000001")
    folder = folder_of(releases, "development-00000001")
    (folder / "assets" / ARCHIVE).unlink()
    for name in ("development-1", "20260230T100000.000000Z_x", "20261120T100000.000000Z_a%2fb", "\x1b[2J"):
        (releases / name).mkdir()
    (releases / ".drafts" / "what").mkdir()
    messages = [problem.message for problem in await forge.problems(REPO)]
    assert sum("is no release" in message for message in messages) == 4
    assert sum("is no draft" in message for message in messages) == 1
    assert sum(ARCHIVE in message for message in messages) == 1
    with pytest.raises(HeroError) as caught:
        await read(forge.open_asset(REPO, "development-00000001", ARCHIVE))
    assert ARCHIVE in caught.value.message


async def test_an_asset_that_is_a_pipe_does_not_hang_a_reader(
    forge: FolderForge, head: str, releases: Path
) -> None:
    await published(forge, head, "development-00000001")
    asset = folder_of(releases, "development-00000001") / "assets" / ARCHIVE
    asset.unlink()
    os.mkfifo(asset)
    with pytest.raises(HeroError):
        await read(forge.open_asset(REPO, "development-00000001", ARCHIVE))


async def test_a_damaged_draft_is_begun_again(forge: FolderForge, head: str, releases: Path) -> None:
    made = await draft(forge, "development-00000001", head)
    (releases / ".drafts" / made.id / "release.json").write_bytes(b"{")
    assert (await draft(forge, "development-00000001", head)).id == made.id
    assert (await forge.publish(REPO, made.id)).tag == "development-00000001"


async def test_a_repository_that_goes_while_it_is_used_is_a_clear_error(forge: FolderForge, head: str) -> None:
    made = await draft(forge, "development-00000001", head)
    shutil.rmtree(forge.root / f"{REPO}.git")
    for asked in (
        forge.branches(REPO),
        forge.branch(REPO, "development"),
        forge.releases(REPO),
        forge.publish(REPO, made.id),
        forge.raw_file(REPO, "development", "x"),
        forge.problems(REPO),
    ):
        with pytest.raises(HeroError) as caught:
            await asked
        assert caught.value.code == "not_found"


async def test_a_corrupt_repository_is_named_as_such(forge: FolderForge, head: str) -> None:
    repository = forge.root / f"{REPO}.git"
    shutil.rmtree(repository / "objects" / head[:2])
    with pytest.raises(HeroError) as caught:
        await forge.branches(REPO)
    assert caught.value.data["reason"] == "repository_corrupt"
    (repository / "HEAD").unlink()
    with pytest.raises(HeroError) as caught:
        await forge.branches(REPO)
    assert caught.value.data["reason"] == "repository_corrupt"
    assert await forge.repositories() == (REPO,)


async def test_a_forge_folder_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    forge = FolderForge(tmp_path / "nowhere")
    for asked in (forge.repositories(), forge.branches(REPO), anext(forge.changes())):
        with pytest.raises(HeroError) as caught:
            await asked
        assert caught.value.code == "unreachable"


async def test_a_full_disk_fails_an_upload_and_loses_nothing(
    small_disk: Path, head: str, forge: FolderForge, tmp_path: Path
) -> None:
    shutil.copytree(forge.root, small_disk / "forge")
    small = FolderForge(small_disk / "forge")
    first = await published(small, head, "development-00000001", b"small")
    made = await draft(small, "development-00000002", head)
    with pytest.raises(HeroError) as caught:
        await small.upload_asset(REPO, made.id, a_file(tmp_path, b"b" * 5_000_000))
    assert caught.value.code == "no_space"
    assert caught.value.hint
    assert list((small.root / f"{REPO}.releases" / ".uploads").iterdir()) == []
    (small_disk / "filler").write_bytes(b"")
    with pytest.raises(OSError), (small_disk / "filler").open("ab", buffering=0) as filler:
        while filler.write(b"f" * 4096):
            pass
    with pytest.raises(HeroError) as caught:
        await draft(small, "development-00000003", head)
    assert caught.value.code == "no_space"
    assert (await small.releases(REPO)).items == (first,)
    assert await small.problems(REPO) == []


async def test_a_read_only_forge_can_be_read_and_says_that_it_is_read_only(
    small_disk: Path, head: str, forge: FolderForge, tmp_path: Path
) -> None:
    shutil.copytree(forge.root, small_disk / "forge")
    small = FolderForge(small_disk / "forge")
    release = await published(small, head, "development-00000001")
    made = await draft(small, "development-00000002", head)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert await small.latest_release(REPO, "development") == release
    assert await read(small.open_asset(REPO, release.tag, ARCHIVE)) == b"archive"
    for asked in (
        small.upload_asset(REPO, made.id, a_file(tmp_path, b"x")),
        small.publish(REPO, made.id),
        small.create_repository("other/one"),
    ):
        with pytest.raises(HeroError) as caught:
            await asked
        assert caught.value.code == "denied"
