"""Saved lines are whole files of their owner's, and only the newest few stay."""

from __future__ import annotations

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
