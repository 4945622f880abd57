"""Killed at any step of publishing, or out of disk in it, nothing half is published; the next one completes it."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from backends.forge.base import Release
from backends.forge.folder import FolderForge
from backends.model.errors import HeroError
from backends.model.release import parse_sha256sums
from backends.slot.publishing import Upload, publish
from tests.acceptance.test_disk_full import mounted
from tests.backends.slot.origins import run

pytestmark = pytest.mark.slow

REPO, BRANCH, ARCHIVE = "lhumina/hero_x", "development", "hero_x-linux-any.tar.gz"

STEPS = {
    "publish.1.drafted": False,
    "forge.upload.moved": False,
    "publish.2.uploaded": False,
    "publish.3.summed": False,
    "forge.publish.before": False,
    "forge.publish.after": True,
    "publish.4.published": True,
}
"""Where the publisher is killed, and whether the release is out then."""

PUBLISHER = """
import asyncio, sys
from pathlib import Path
from tests.acceptance.test_killed_publish import published
asyncio.run(published(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])))
"""


async def published(root: Path, commit: str, archive: Path) -> Release:
    upload = Upload(archive, ARCHIVE, hashlib.sha256(archive.read_bytes()).hexdigest())
    forge = FolderForge(root)
    return await publish(forge, REPO, BRANCH, commit, [upload], title="One", author="alice", tell=lambda *_: None)


@pytest.fixture
def forge(tmp_path: Path) -> tuple[Path, str, Path]:
    """The forge's folder, a commit in it, and an archive of that."""
    bare = asyncio.run(FolderForge(tmp_path / "forge").create_repository(REPO))
    work = tmp_path / "work"
    work.mkdir()
    run(work, "init", "-q")
    run(work, "commit", "-q", "--allow-empty", "-m", "One")
    run(work, "push", "-q", str(bare), f"HEAD:refs/heads/{BRANCH}")
    archive = tmp_path / "out" / ARCHIVE
    archive.parent.mkdir()
    archive.write_bytes(os.urandom(300_000))
    return tmp_path / "forge", run(work, "rev-parse", "HEAD"), archive


def releases(root: Path, *, drafts: bool = False) -> list[Release]:
    return [
        one for one in asyncio.run(FolderForge(root).releases(REPO, drafts=drafts)).items if one.draft == drafts
    ]


async def sums(root: Path, release: Release) -> dict[str, str]:
    chunks = FolderForge(root).open_asset(REPO, release.tag, "SHA256SUMS")
    return dict(parse_sha256sums(b"".join([chunk async for chunk in chunks]).decode()))


def check_whole(root: Path, commit: str, archive: Path) -> None:
    (release,) = releases(root)
    assert release.commit == commit
    assert sorted(asset.name for asset in release.assets) == ["SHA256SUMS", ARCHIVE]
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    assert asyncio.run(sums(root, release)) == {ARCHIVE: digest}
    assert {asset.sha256 for asset in release.assets if asset.name == ARCHIVE} == {digest}
    assert releases(root, drafts=True) == []


@pytest.mark.parametrize(("step", "out"), STEPS.items())
@pytest.mark.parametrize("same_bytes", [True, False])
def test_a_publisher_that_was_killed_is_followed_by_one_that_completes_it(
    forge: tuple[Path, str, Path], step: str, out: bool, same_bytes: bool
) -> None:
    root, commit, archive = forge
    argv = [sys.executable, "-c", PUBLISHER, str(root), commit, str(archive)]
    killed = subprocess.run(argv, env={**os.environ, "HERO_TEST_FAILPOINT": step}, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(releases(root)) == int(out)
    if not out and not same_bytes:  # a compiler that gives other bytes the next time
        archive.write_bytes(os.urandom(300_000))
    asyncio.run(published(root, commit, archive))
    check_whole(root, commit, archive)


def test_publishers_that_race_and_are_killed_leave_one_release(forge: tuple[Path, str, Path]) -> None:
    root, commit, archive = forge
    steps = ["", *STEPS, ""]
    started = []
    for number, step in enumerate(steps):
        mine = archive.parent / str(number) / ARCHIVE
        mine.parent.mkdir()
        mine.write_bytes(archive.read_bytes())
        argv = [sys.executable, "-c", PUBLISHER, str(root), commit, str(mine)]
        started.append(subprocess.Popen(argv, env={**os.environ, "HERO_TEST_FAILPOINT": step}))
    ends = [process.wait(120) for process in started]
    assert set(ends) <= {0, -signal.SIGKILL}
    assert ends[0] == ends[-1] == 0
    check_whole(root, commit, archive)


def attempt(root: Path, commit: str, archive: Path) -> str:
    """Publish; the code of the error, or nothing."""
    try:
        asyncio.run(published(root, commit, archive))
    except HeroError as error:
        return error.code
    return ""


def test_a_full_disk_publishes_nothing_half(forge: tuple[Path, str, Path]) -> None:
    root, commit, archive = forge
    with mounted(root):
        free = os.statvfs(root)
        room = free.f_bavail * free.f_frsize
        for left in (0, 4096, 12288, 16384, 65536, 200_000, 290_000, 310_000, 330_000):
            ballast = root / "ballast"
            with ballast.open("wb") as out:
                os.posix_fallocate(out.fileno(), 0, max(1, room - left))
            code = attempt(root, commit, archive)
            ballast.unlink()
            if not code:
                break
            assert code == "no_space"
            assert releases(root) == []
        asyncio.run(published(root, commit, archive))
        check_whole(root, commit, archive)
