"""A release that is not what it should be is refused before anything of it can be reached."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import io
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backends.forge.folder import FolderForge
from backends.model.release import release_tag
from tests.acceptance.small_box import SmallBox, small_box

pytestmark = pytest.mark.slow

REPO = "lhumina_code/hero_web"
ARCHIVE = "hero_web-linux-any.tar.gz"
Damage = Callable[[bytes], bytes]


def with_member(name: str, kind: bytes, linkname: str = "") -> Damage:
    """The archive with one more member of `kind`."""

    def damage(good: bytes) -> bytes:
        member = tarfile.TarInfo(name)
        member.type = kind
        member.linkname = linkname
        member.devmajor, member.devminor = 1, 3
        return _appended(good, member, b"")

    return damage


def _appended(good: bytes, member: tarfile.TarInfo, content: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(good)) as source, tarfile.open(fileobj=out, mode="w:gz") as target:
        for one in source:
            target.addfile(one, source.extractfile(one) if one.isfile() else None)
        member.size = len(content)
        target.addfile(member, io.BytesIO(content))
    return out.getvalue()


def bomb(good: bytes) -> bytes:
    """A few megabytes that unpack to five gigabytes."""
    out = io.BytesIO()
    member = tarfile.TarInfo("bin/zeros")
    member.size = 5 << 30
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=1) as packed:
        packed.write(member.tobuf())
        block = bytes(16 << 20)
        for _ in range(member.size // len(block)):
            packed.write(block)
    return out.getvalue()


DAMAGES: dict[str, Damage] = {
    "truncated": lambda good: good[: len(good) // 2],
    "empty": lambda _: b"",
    "not_gzip": lambda _: b"#!/bin/sh\necho gotcha\n" * 50,
    "parent": with_member("../../../escaped", tarfile.REGTYPE),
    "absolute": with_member("/tmp/escaped", tarfile.REGTYPE),
    "symlink": with_member("share", tarfile.SYMTYPE, "/etc"),
    "hardlink": with_member("bin/link", tarfile.LNKTYPE, "/etc/passwd"),
    "device": with_member("bin/null", tarfile.CHRTYPE),
    "fifo": with_member("bin/fifo", tarfile.FIFOTYPE),
    "extra_file": with_member("bin/not_in_the_provenance", tarfile.REGTYPE),
    "zip_bomb": bomb,
}


@pytest.fixture(scope="module")
def box() -> Iterator[SmallBox]:
    with small_box() as made:
        made.start_slotd()
        made.done("slot.start", {"services": ["hero_web"]})
        yield made


def good_archive(box: SmallBox) -> bytes:
    async def read() -> bytes:
        forge = FolderForge(box.where.box.forge)
        release = await forge.latest_release(REPO, "development_mik")
        assert release is not None
        return b"".join([chunk async for chunk in forge.open_asset(REPO, release.tag, ARCHIVE)])

    return asyncio.run(read())


def publish(box: SmallBox, branch: str, archive: bytes, digest: str, folder: Path) -> None:
    """A release of `branch` as somebody with other means than ours would publish it."""
    commit = box.commit("hero_web", "development_mik")
    repository = box.where.box.forge / f"{REPO}.git"
    subprocess.run(["git", "-C", str(repository), "branch", branch, commit], check=True)
    files = {ARCHIVE: archive, "SHA256SUMS": f"{digest}  {ARCHIVE}\n".encode()}

    async def run() -> None:
        forge = FolderForge(box.where.box.forge)
        draft = await forge.create_draft(
            REPO, tag=release_tag(branch, commit), commit=commit, title="", body="", author="eve"
        )
        for name, content in files.items():
            (folder / name).write_bytes(content)
            await forge.upload_asset(REPO, draft.id, folder / name, name=name, progress=None)
        await forge.publish(REPO, draft.id)

    asyncio.run(run())


def refused(box: SmallBox, branch: str) -> str:
    """Switch to `branch`; how that was refused. What ran before still runs, and nothing of it is on disk."""
    before = sorted(path.name for path in (box.slot.opt / "hero_web").glob("[!.]*"))
    pid = box.cell("hero_web")["pid"]
    ended = box.run("slot.switch", {"service": "hero_web", "branch": branch, "from": "release"})
    assert ended["state"] == "failed", branch
    assert sorted(path.name for path in (box.slot.opt / "hero_web").glob("[!.]*")) == before
    assert not list((box.slot.opt / "hero_web").glob(".unpack-*"))
    cell = box.cell("hero_web")
    assert (cell["pid"], cell["health"], cell["branch"]) == (pid, "healthy", "development")
    assert box.ask("hero_web")["page"] == 2
    return str(ended["error"]["code"])


@pytest.mark.parametrize("name", DAMAGES)
def test_a_hostile_archive_is_never_installed(box: SmallBox, name: str, tmp_path: Path) -> None:
    archive = DAMAGES[name](good_archive(box))
    publish(box, f"hostile_{name}", archive, hashlib.sha256(archive).hexdigest(), tmp_path)
    assert refused(box, f"hostile_{name}") == "verification"
    assert not Path("/tmp/escaped").exists()
    assert not list(box.root.rglob("escaped"))


def test_an_archive_with_another_digest_than_published_is_never_installed(box: SmallBox, tmp_path: Path) -> None:
    publish(box, "wrong_digest", good_archive(box), "0" * 64, tmp_path)
    assert refused(box, "wrong_digest") == "verification"
    assert not list(box.where.box.cache.rglob("0" * 64))
