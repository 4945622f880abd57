"""Saved lines are whole files of their owner's, and only the newest few stay."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from backends.client.log_save import KEPT, save_lines, saved_logs
from backends.model.errors import HeroError


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


async def test_lines_are_saved_for_their_owner_alone() -> None:
    path, count = await save_lines((f"line {n} 漢\udcff" for n in range(1000)), "../alice/x.log")
    assert path.parent == saved_logs()
    assert count == 1000
    assert path.read_text().splitlines()[999] == "line 999 漢?"
    assert path.stat().st_mode & 0o777 == 0o600


async def test_older_ones_go() -> None:
    for number in range(KEPT + 3):
        path, _ = await save_lines(["x"], f"{number:03d}.log")
        os.utime(path, (number, number))
    assert len(list(saved_logs().iterdir())) == KEPT
    assert not (saved_logs() / "000.log").exists()


async def test_what_breaks_off_leaves_nothing() -> None:
    def broken() -> Iterator[str]:
        yield "first"
        raise OSError(28, "No space left on device")

    with pytest.raises(HeroError, match="No space left"):
        await save_lines(broken(), "x.log")
    assert list(saved_logs().iterdir()) == []


async def test_what_was_saved_before_stays_where_the_name_is_the_same() -> None:
    paths = [(await save_lines([str(number)], "x-1.log"))[0] for number in range(3)]
    assert [path.read_text() for path in paths] == ["0\n", "1\n", "2\n"]
    assert [path.name for path in paths] == ["x-1.log", "x-1-2.log", "x-1-3.log"]


async def test_a_link_that_has_the_name_is_not_written_through(tmp_path: Path) -> None:
    saved_logs().mkdir(parents=True)
    (saved_logs() / "x.log").symlink_to(tmp_path / "elsewhere")
    path, _ = await save_lines(["x"], "x.log")
    assert path.name == "x-2.log"
    assert not (tmp_path / "elsewhere").exists()


async def test_names_that_are_too_long_for_a_file_are_cut() -> None:
    path, _ = await save_lines(["x"], "漢" * 200 + "-1.log")
    assert path.read_text() == "x\n"
    assert path.suffix == ".log"


async def test_where_there_can_be_no_folder_that_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with pytest.raises(HeroError, match="cannot be saved: Not a directory") as told:
        await save_lines(["x"], "x.log")
    assert "disk" not in told.value.hint


async def test_a_disk_that_is_full_is_told() -> None:
    def broken() -> Iterator[str]:
        yield "first"
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(HeroError) as told:
        await save_lines(broken(), "x.log")
    assert "The disk is full" in told.value.hint


async def test_one_that_goes_while_the_older_ones_are_looked_at_is_no_matter() -> None:
    saved_logs().mkdir(parents=True)
    (saved_logs() / "gone.log").symlink_to("nowhere")
    path, _ = await save_lines(["x"], "x.log")
    assert path.exists()
