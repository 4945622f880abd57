"""Whatever becomes of a log's file is told, with the kernel's help or without."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

import pytest

from backends.client import log_changes
from backends.client.log_changes import changes
from backends.inotify import Inotify
from backends.model.errors import HeroError

DEADLINE = 20.0


async def told(stream: AsyncGenerator[None, None]) -> None:
    async with asyncio.timeout(DEADLINE):
        await anext(stream)


async def test_writing_renaming_and_coming_back_are_told(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    async with aclosing(changes(path)) as stream:
        await told(stream)
        path.write_text("a\n")
        await told(stream)
        with path.open("a") as file:
            file.write("b\n")
        await told(stream)
        path.rename(tmp_path / "x.log.1")
        await told(stream)
        path.write_text("c\n")
        await told(stream)


async def test_any_of_several_files_is_told_of(tmp_path: Path) -> None:
    paths = [tmp_path / "a" / "x.log", tmp_path / "b" / "x.log", tmp_path / "b" / "y.log"]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
    async with aclosing(changes(*paths)) as stream:
        await told(stream)
        for path in (*paths, *paths):
            with path.open("a") as file:
                file.write("a\n")
            await told(stream)


async def test_a_folder_that_is_gone_is_looked_at_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_changes, "POLL_SECONDS", 0.001)
    async with aclosing(changes(tmp_path / "nowhere" / "x.log")) as stream:
        for _ in range(3):
            await told(stream)


async def test_a_folder_that_is_made_again_is_watched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_changes, "POLL_SECONDS", 0.001)
    monkeypatch.setattr(log_changes, "ANYWAY_SECONDS", 3600.0)
    path = tmp_path / "logs" / "x.log"
    path.parent.mkdir()
    path.write_text("a\n")
    async with aclosing(changes(path)) as stream:
        await told(stream)
        shutil.rmtree(path.parent)
        await told(stream)
        path.parent.mkdir()
        for text in ("b\n", "c\n"):
            path.write_text(text)
            await told(stream)


async def test_a_link_is_followed_to_where_its_file_is_rotated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_changes, "ANYWAY_SECONDS", 3600.0)
    real = tmp_path / "real" / "x.log"
    real.parent.mkdir()
    real.write_text("a\n")
    link = tmp_path / "x.log"
    link.symlink_to(real)
    async with aclosing(changes(link)) as stream:
        await told(stream)
        real.rename(real.with_name("x.log.1"))
        await told(stream)
        real.write_text("b\n")
        await told(stream)
        with real.open("a") as file:
            file.write("c\n")
        await told(stream)


async def test_what_the_kernel_does_not_tell_is_looked_at_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a network's file system, where others write."""

    async def never(_: Inotify) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Inotify, "changed", never)
    monkeypatch.setattr(log_changes, "ANYWAY_SECONDS", 0.001)
    async with aclosing(changes(tmp_path / "x.log")) as stream:
        for _ in range(3):
            await told(stream)


async def test_without_watches_left_it_is_looked_at_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoneLeft:
        def __enter__(self) -> None:
            raise HeroError("failed", "No watches.")

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(log_changes, "POLL_SECONDS", 0.001)
    monkeypatch.setattr(log_changes, "Inotify", NoneLeft)
    async with aclosing(changes(tmp_path / "x.log")) as stream:
        for _ in range(3):
            await told(stream)
