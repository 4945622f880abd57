"""The cache serves what matches its name, to any number of readers, writers and collectors at once."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from io import FileIO
from pathlib import Path

import pytest

from backends.archives import cache as cache_module
from backends.archives.cache import ArchiveCache
from backends.archives.collect import KEPT_SECONDS
from backends.archives.installed import hash_file
from backends.archives.unpack import unpack
from backends.model.errors import HeroError
from tests.backends.archives.conftest import ROOT
from tests.backends.archives.made import Source, made_archive, sha256_of


@pytest.fixture
def cache(tmp_path: Path) -> ArchiveCache:
    return ArchiveCache(tmp_path / "cache")


def parts(cache: ArchiveCache) -> list[str]:
    return sorted(path.name for path in (cache.root / "partial").iterdir())


async def add(cache: ArchiveCache, content: bytes, *, used: float | None = None) -> str:
    source = Source(content)
    await cache.add_stream(source.open_at, source.sha256)
    if used is not None:
        os.utime(cache.root / "used" / source.sha256, (used, used))
    return source.sha256


async def test_what_was_added_is_there_read_only_under_its_sha256(cache: ArchiveCache) -> None:
    source, seen = Source(os.urandom(3 << 20)), []
    path = await cache.add_stream(
        source.open_at, source.sha256, len(source.content), lambda done, total: seen.append((done, total))
    )
    assert path == cache.root / "sha256" / source.sha256[:2] / source.sha256
    assert path.read_bytes() == source.content
    assert path.stat().st_mode & 0o777 == 0o444
    assert seen[-1] == (3 << 20, 3 << 20)
    assert await cache.get(source.sha256) == path
    assert not parts(cache)


async def test_what_is_there_is_not_downloaded_again(cache: ArchiveCache) -> None:
    source = Source(b"x" * 5000)
    await cache.add_stream(source.open_at, source.sha256)
    await cache.add_stream(source.open_at, source.sha256)
    assert source.offsets == [0]


async def test_a_name_that_is_no_sha256_reaches_no_path(cache: ArchiveCache) -> None:
    for name in ("../../etc/passwd", "", "A" * 64, "0" * 63):
        with pytest.raises(HeroError):
            await cache.get(name)
    assert await cache.get("0" * 64) is None
    assert not cache.root.exists()


@pytest.mark.parametrize("size", [None, 5000])
async def test_a_wrong_digest_is_refused_and_nothing_is_kept(cache: ArchiveCache, size: int | None) -> None:
    source = Source(b"x" * 5000)
    with pytest.raises(HeroError) as wrong:
        await cache.add_stream(source.open_at, "0" * 64, size)
    assert wrong.value.code == "verification"
    assert wrong.value.data == {"expected": "0" * 64, "found": source.sha256}
    assert not parts(cache)
    assert await cache.get("0" * 64) is None


async def test_more_bytes_than_said_are_refused_before_all_are_taken(cache: ArchiveCache) -> None:
    taken = 0

    async def endless(offset: int) -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield bytes(1 << 20)

    with pytest.raises(HeroError, match="longer than"):
        await cache.add_stream(endless, "0" * 64, 100)
    assert taken <= 2
    assert not parts(cache)


async def test_a_cut_download_goes_on_where_it_stopped(cache: ArchiveCache) -> None:
    content = os.urandom(50_000)
    cut, rest = Source(content, fails_at=20_000), Source(content)
    with pytest.raises(ConnectionResetError):
        await cache.add_stream(cut.open_at, cut.sha256, len(content))
    assert parts(cache) == [f"{cut.sha256}.part"]
    assert await cache.get(cut.sha256) is None
    path = await cache.add_stream(rest.open_at, rest.sha256, len(content))
    assert rest.offsets == [20_000]
    assert path.read_bytes() == content


async def test_a_stream_that_ends_early_is_said_and_goes_on_later(cache: ArchiveCache) -> None:
    content = os.urandom(50_000)
    source = Source(content)
    with pytest.raises(HeroError) as early:
        await cache.add_stream(Source(content[:30_000]).open_at, source.sha256, len(content))
    assert early.value.code == "unreachable"
    assert early.value.data["done"] == 30_000
    await cache.add_stream(source.open_at, source.sha256, len(content))
    assert source.offsets == [30_000]


@pytest.mark.parametrize("left", [b"wrong" * 100, b"far too long" * 10_000])
async def test_a_damaged_beginning_is_downloaded_anew(cache: ArchiveCache, left: bytes) -> None:
    source = Source(os.urandom(50_000))
    (cache.root / "partial").mkdir(parents=True)
    (cache.root / "partial" / f"{source.sha256}.part").write_bytes(left)
    path = await cache.add_stream(source.open_at, source.sha256, len(source.content))
    assert source.offsets[-1] == 0
    assert path.read_bytes() == source.content


async def test_a_whole_download_that_was_not_named_yet_is_not_downloaded_again(cache: ArchiveCache) -> None:
    source = Source(os.urandom(50_000))
    (cache.root / "partial").mkdir(parents=True)
    (cache.root / "partial" / f"{source.sha256}.part").write_bytes(source.content)
    await cache.add_stream(source.open_at, source.sha256, len(source.content))
    assert source.offsets == []


async def test_a_cancelled_download_is_kept_and_frees_its_lock(cache: ArchiveCache) -> None:
    content, started = os.urandom(5000), asyncio.Event()

    async def stuck(offset: int) -> AsyncIterator[bytes]:
        yield content[:2000]
        started.set()
        await asyncio.Event().wait()

    source = Source(content)
    task = asyncio.create_task(cache.add_stream(stuck, source.sha256))
    await asyncio.wait_for(started.wait(), 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(cache.add_stream(source.open_at, source.sha256), 10)
    assert source.offsets == [2000]


async def test_of_many_that_want_one_archive_one_downloads_it(cache: ArchiveCache) -> None:
    source = Source(os.urandom(50_000))
    caches = [ArchiveCache(cache.root) for _ in range(8)]
    paths = await asyncio.gather(*(one.add_stream(source.open_at, source.sha256) for one in caches))
    assert len(set(paths)) == 1
    assert source.offsets == [0]


async def test_a_waiter_goes_on_with_the_download_of_one_that_failed(cache: ArchiveCache) -> None:
    content, may_fail = os.urandom(50_000), asyncio.Event()
    source = Source(content)

    async def fails(offset: int) -> AsyncIterator[bytes]:
        yield content[:10_000]
        await may_fail.wait()
        raise ConnectionResetError

    waiting = asyncio.Event()
    first = asyncio.create_task(cache.add_stream(fails, source.sha256))
    while not (cache.root / "partial").is_dir() or not parts(cache):
        await asyncio.sleep(0)
    second = asyncio.create_task(
        cache.add_stream(source.open_at, source.sha256, len(content), lambda done, total: waiting.set())
    )
    await asyncio.wait_for(waiting.wait(), 10)
    may_fail.set()
    with pytest.raises(ConnectionResetError):
        await first
    await asyncio.wait_for(second, 10)
    assert source.offsets == [10_000]


async def test_a_file_is_added_under_its_own_sha256(cache: ArchiveCache, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    sha256, path = await cache.add_file(tmp_path / "file")
    assert sha256 == sha256_of(b"content")
    assert path.read_bytes() == b"content"
    assert (await cache.add_file(tmp_path / "file"))[1] == path
    with pytest.raises(HeroError, match="No such file"):
        await cache.add_file(tmp_path / "none")


async def test_a_corrupt_archive_is_set_aside_reported_and_not_served(tmp_path: Path) -> None:
    reported: list[tuple[str, Path]] = []
    cache = ArchiveCache(tmp_path / "cache", on_corrupt=lambda sha256, path: reported.append((sha256, path)))
    sha256 = await add(cache, b"good" * 1000)
    path = cache.path(sha256)
    path.chmod(0o644)
    path.write_bytes(b"evil" * 1000)
    assert await cache.get(sha256) is None
    assert not path.exists()
    assert [name for name, _ in reported] == [sha256]
    assert reported[0][1].read_bytes() == b"evil" * 1000
    assert (await cache.usage()).corrupt == 1
    await add(cache, b"good" * 1000)
    assert await cache.get(sha256) == path


async def test_what_was_verified_is_hashed_again_only_once_it_changed(
    cache: ArchiveCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []

    def counting(file: FileIO) -> object:
        hashed.append("once more")
        return hash_file(file)

    monkeypatch.setattr(cache_module, "hash_file", counting)
    monkeypatch.setattr(cache_module, "SETTLED", -1.0)
    sha256 = await add(cache, b"good" * 1000)
    await cache.get(sha256)
    before = len(hashed)
    await cache.get(sha256)
    assert len(hashed) == before
    cache.path(sha256).chmod(0o644)
    cache.path(sha256).write_bytes(b"evil" * 1000)
    assert await cache.get(sha256) is None


async def test_what_changed_just_now_is_not_remembered_as_verified(cache: ArchiveCache) -> None:
    sha256 = await add(cache, b"good" * 1000)
    await cache.get(sha256)
    assert not cache._verified


async def test_get_without_verifying_only_looks(cache: ArchiveCache) -> None:
    sha256 = await add(cache, b"good")
    assert await cache.get(sha256, verify=False) == cache.path(sha256)
    assert await cache.get("0" * 64, verify=False) is None


async def test_a_leased_archive_is_unpacked_verified_once(cache: ArchiveCache, tmp_path: Path) -> None:
    packed = made_archive(tmp_path)
    sha256, _ = await cache.add_file(packed.path)
    async with cache.lease(sha256) as path:
        done = await asyncio.to_thread(unpack, path, tmp_path / "opt" / "x", sha256=sha256)
    assert done.fresh


async def test_a_lease_on_nothing_says_so(cache: ArchiveCache) -> None:
    with pytest.raises(HeroError) as missing:
        async with cache.lease("0" * 64):
            pytest.fail("there is nothing to lease")
    assert missing.value.code == "not_found"


async def test_the_archives_used_longest_ago_go_first(tmp_path: Path) -> None:
    cache = ArchiveCache(tmp_path / "cache", limit_bytes=2500)
    oldest, middle, newest = [await add(cache, bytes([n]) * 1000, used=1000.0 + n) for n in (1, 2, 3)]
    done = await cache.collect(set())
    assert done.removed == (oldest,)
    assert done.freed_bytes == 1000
    assert await cache.get(middle)  # used now, so the other one is the oldest
    cache.limit_bytes = 1000
    assert (await cache.collect(set())).removed == (newest,)
    assert (await cache.usage()).archive_bytes == 1000
    assert sorted(path.name for path in (cache.root / "used").iterdir()) == [middle]


async def test_what_is_installed_or_leased_stays_over_any_limit(tmp_path: Path) -> None:
    cache = ArchiveCache(tmp_path / "cache", limit_bytes=0)
    installed, leased, other = [await add(cache, bytes([n]) * 1000) for n in (1, 2, 3)]
    async with cache.lease(leased):
        assert (await ArchiveCache(cache.root, limit_bytes=0).collect({installed})).removed == (other,)
    assert (await cache.collect({installed})).removed == (leased,)
    assert (await cache.collect({installed})).removed == ()


async def test_a_download_of_today_stays_and_an_old_or_corrupt_one_goes(tmp_path: Path) -> None:
    cache = ArchiveCache(tmp_path / "cache", limit_bytes=0)
    (cache.root / "partial").mkdir(parents=True)
    (cache.root / "corrupt").mkdir()
    old, new = cache.root / "partial" / f"{'0' * 64}.part", cache.root / "partial" / f"{'1' * 64}.part"
    bad = cache.root / "corrupt" / f"{'2' * 64}.1"
    for path in (old, new, bad):
        path.write_bytes(b"x" * 10)
    past = time.time() - KEPT_SECONDS - 60
    os.utime(old, (past, past))
    os.utime(bad, (past, past))
    assert (await cache.collect(set())).freed_bytes == 20
    assert new.exists()
    assert not old.exists()
    assert not bad.exists()


async def test_collecting_where_there_is_no_cache_does_nothing(cache: ArchiveCache) -> None:
    assert (await cache.collect(set())).removed == ()
    assert (await cache.usage()).total_bytes == 0
    assert not cache.root.exists()


async def test_a_shared_cache_stays_open_to_whom_its_root_is_open(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache").chmod(0o2775)
    umask = os.umask(0o077)
    try:
        await add(ArchiveCache(tmp_path / "cache"), b"x")
    finally:
        os.umask(umask)
    folders = [path for path in (tmp_path / "cache").rglob("*") if path.is_dir()]
    assert {path.stat().st_mode & 0o7777 for path in folders} == {0o2775}


async def test_a_download_that_another_user_left_is_begun_anew(cache: ArchiveCache) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file to somebody else")
    source = Source(os.urandom(5000))
    (cache.root / "partial").mkdir(parents=True)
    part = cache.root / "partial" / f"{source.sha256}.part"
    part.write_bytes(source.content[:100])
    os.chown(part, 12345, 12345)
    path = await cache.add_stream(source.open_at, source.sha256)
    assert source.offsets == [0]
    assert path.stat().st_uid == 0


async def test_a_download_that_another_user_left_before_others_could_look_at_it_is_begun_anew(
    short_dir: Path,
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can be somebody else")
    short_dir.chmod(0o755)
    cache, source = ArchiveCache(short_dir / "cache"), Source(os.urandom(5000))
    part = cache.root / "partial" / f"{source.sha256}.part"
    part.parent.mkdir(parents=True)
    for folder in (cache.root, part.parent):
        folder.chmod(0o2777)
    part.touch(mode=0o600)
    os.seteuid(12345)
    try:
        path = await cache.add_stream(source.open_at, source.sha256)
    finally:
        os.seteuid(0)
    assert path.stat().st_uid == 12345
    assert path.read_bytes() == source.content
    assert not [one.name for one in cache.root.rglob(".*")], "a folder has its name once it is open to others"


async def test_a_full_disk_stops_the_download_and_leaves_nothing(small_disk: Path) -> None:
    cache, source = ArchiveCache(small_disk / "cache"), Source(os.urandom(1 << 20))
    with pytest.raises(HeroError) as full:
        await cache.add_stream(source.open_at, source.sha256)
    assert full.value.code == "no_space"
    assert str(cache.root) in full.value.message
    assert not parts(cache)
    small = Source(os.urandom(1000))
    await cache.add_stream(small.open_at, small.sha256)


@pytest.mark.parametrize("failpoint", ["written", "before_rename", "after_rename"])
async def test_a_killed_download_is_gone_on_with(
    cache: ArchiveCache, tmp_path: Path, killed_at: Callable[..., None], failpoint: str
) -> None:
    (tmp_path / "file").write_bytes(os.urandom(3 << 20))
    source = Source((tmp_path / "file").read_bytes(), chunk=1 << 20)
    killed_at(f"archives.cache.{failpoint}", "add", cache.root, tmp_path / "file", source.sha256)
    assert (await cache.get(source.sha256) is not None) == (failpoint == "after_rename")
    path = await cache.add_stream(source.open_at, source.sha256, len(source.content))
    assert path.read_bytes() == source.content
    assert source.offsets == ([1 << 20] if failpoint == "written" else [])
    assert not parts(cache)


def test_eight_processes_add_read_and_collect_at_once(tmp_path: Path) -> None:
    worker = Path(__file__).with_name("cache_worker.py")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    workers = [
        subprocess.Popen(
            [sys.executable, worker, tmp_path / "cache", str(seed)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for seed in range(8)
    ]
    for process in workers:
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, output
    assert not list((tmp_path / "cache" / "partial").iterdir())
    assert not (tmp_path / "cache" / "corrupt").exists()
    for path in (tmp_path / "cache" / "sha256").glob("??/*"):
        assert sha256_of(path.read_bytes()) == path.name
