"""Locks die with their owner, threads are never left behind, and errors say what and where."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from pathlib import Path

import pytest

from backends.archives.disk import disk_errors, in_thread, try_lock, wait_lock
from backends.model.errors import HeroError


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (errno.ENOSPC, "no_space"),
        (errno.EDQUOT, "no_space"),
        (errno.ENOENT, "not_found"),
        (errno.EACCES, "failed"),
    ],
)
def test_an_error_names_the_path_and_what_was_done(code: int, expected: str) -> None:
    with pytest.raises(HeroError) as error, disk_errors("writing", Path("/box/cache")):
        raise OSError(code, os.strerror(code))
    assert error.value.code == expected
    assert "writing /box/cache" in error.value.message
    assert error.value.hint


def test_one_exclusive_or_many_shared(tmp_path: Path) -> None:
    exclusive = try_lock(tmp_path / "lock", create=True)
    assert exclusive is not None
    assert try_lock(tmp_path / "lock", shared=True) is None
    os.close(exclusive)
    shared = [try_lock(tmp_path / "lock", shared=True) for _ in range(3)]
    assert try_lock(tmp_path / "lock") is None
    for fd in shared:
        assert fd is not None
        os.close(fd)


def test_a_link_is_not_locked(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"):
        try_lock(tmp_path / "link", create=True)
    assert not (tmp_path / "elsewhere").exists()


async def test_whoever_waits_gets_the_lock_on_the_file_that_has_the_name_then(tmp_path: Path) -> None:
    path, waiting = tmp_path / "lock", asyncio.Event()
    first = try_lock(path, create=True)
    assert first is not None
    task = asyncio.create_task(wait_lock(path, create=True, waiting=waiting.set))
    await asyncio.wait_for(waiting.wait(), 10)
    path.unlink()
    second = await asyncio.wait_for(task, 10)
    assert os.fstat(second).st_ino == path.stat().st_ino
    os.close(first)
    os.close(second)


async def test_a_cancelled_thread_is_waited_for() -> None:
    started, may_end, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        started.set()
        may_end.wait(10)
        ended.set()

    task = asyncio.create_task(in_thread(work))
    while not started.is_set():
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()
