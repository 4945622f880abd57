"""A full disk, at whichever write it shows: a clear error, the old version runs, nothing is half there."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from backends.model.errors import HeroError
from backends.model.manifest import Manifest
from backends.model.tomlfile import parse
from tests.acceptance.small_box import SmallBox, small_box

pytestmark = pytest.mark.slow

SIZE = 6 << 20
LEFT = [0, 4096, 8192, 12288, 16384, 20480, 28672, 40960, 65536]
"""Bytes that are left free: the disk fills at the operation's record, the unpacking, the journal, the manifest…"""


@contextlib.contextmanager
def mounted(folder: Path) -> Iterator[None]:
    """A small tmpfs at `folder`, with what was there before in it."""
    kept = folder.with_name("kept")
    folder.rename(kept)
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=755", "none", str(folder)],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        folder.rmdir()
        kept.rename(folder)
        pytest.skip(f"no tmpfs can be mounted here: {done.stderr.decode().strip()}")
    try:
        shutil.copytree(kept, folder, dirs_exist_ok=True)
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
        folder.rmdir()
        kept.rename(folder)


@pytest.fixture(scope="module")
def box() -> Iterator[SmallBox]:
    with small_box() as made, mounted(made.slot.root):
        made.start_slotd()
        made.done("slot.start", {"services": ["hero_web"]})
        made.done("slot.switch", {"service": "hero_web", "branch": "development", "from": "build"})
        yield made
        made.call("slot.down", {"services": True})
        made.daemons[0].wait(30)


@contextlib.contextmanager
def filled(box: SmallBox, left: int) -> Iterator[None]:
    """The slot's disk with only `left` bytes free."""
    ballast = box.slot.root / "ballast"
    with ballast.open("wb") as out:
        while not took_all_but(box.slot.root, left, out.fileno()):
            pass
    try:
        yield
    finally:
        ballast.unlink()


def took_all_but(disk: Path, left: int, ballast: int) -> bool:
    """Fill `disk`; False when the daemon, which goes on writing, took some of it since it was measured."""
    free = os.statvfs(disk)
    try:
        os.posix_fallocate(ballast, 0, max(1, free.f_bavail * free.f_frsize - left))
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return False
    return True


def forget(box: SmallBox, branch: str) -> None:
    for folder in (box.slot.opt / "hero_web").glob(f"{box.commit('hero_web', branch)[:8]}*"):
        shutil.rmtree(folder)


@pytest.mark.parametrize("left", LEFT)
@pytest.mark.parametrize("source", ["release", "build"])
def test_a_full_disk_leaves_the_old_version_running_and_the_manifest_whole(
    box: SmallBox, left: int, source: str
) -> None:
    box.done("slot.switch", {"service": "hero_web", "branch": "development", "from": "release"})
    forget(box, "development_mik")
    before = box.slot.manifest.read_text()
    pid = box.cell("hero_web")["pid"]
    asked = {"service": "hero_web", "branch": "development_mik", "from": source}
    with filled(box, left):
        try:
            ended = box.run("slot.switch", asked)
        except HeroError as refused:
            ended = {"state": "failed", "error": {"code": refused.code, "message": refused.message}}
        if ended["state"] == "failed":
            assert ended["error"]["code"] in ("no_space", "build_failed"), ended["error"]
            assert "No space left" in ended["error"]["message"] or "space" in ended["error"]["message"]
            assert box.slot.manifest.read_text() == before
            assert box.cell("hero_web")["health"] == "healthy"
            assert box.ask("hero_web")["page"] == 2
    parse(Manifest, box.slot.manifest.read_text(), "manifest")
    if ended["state"] == "failed" and not list(box.slot.journal.glob("*")):
        assert box.cell("hero_web")["pid"] == pid or box.cell("hero_web")["health"] == "healthy"
    box.until(lambda: not list(box.slot.root.rglob(".*.tmp")), "an end of what is half written")
    box.run("slot.switch", {"service": "hero_web", "branch": "development", "from": "release"})
    assert box.done("slot.switch", asked)["branch"] == "development_mik"
    assert box.ask("hero_web")["page"] == "mik"
