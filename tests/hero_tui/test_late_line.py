"""A line that is made late is the line: what was set before holds, and it is made at the first that is asked."""

from __future__ import annotations

import asyncio
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from backends.client.live import LiveBox
from backends.model.method import Empty
from backends.model.slot_calls import LogsParams
from hero_tui.late_line import IN_TURN, LateLine
from hero_tui.loading import load


class Made:
    """In a LiveBox's place."""

    def __init__(self) -> None:
        self.read_only = False
        self.asked: list[str] = []

    async def run(self) -> None:
        self.asked.append("run")

    async def close(self) -> None:
        self.asked.append("close")

    async def box(self, method: str, params: Any, result: type[Any]) -> Any:
        self.asked.append(method)
        return result()

    async def logs(self, user: str, params: LogsParams, *, own: bool) -> Any:
        self.asked.append(f"{user} {own}")
        yield ()


def late(made: Made) -> LateLine:
    def make() -> LiveBox:
        made.asked.append("made")
        return made  # type: ignore[return-value]

    return LateLine(make)


async def test_it_is_made_once_and_asked_then() -> None:
    made = Made()
    line = late(made)
    await line.close()
    assert made.asked == []
    line.read_only = True
    assert line.read_only
    await line.box("box.status", None, Empty)
    assert made.read_only
    line.read_only = False
    assert not made.read_only
    await line.run()
    async for _ in line.logs("alice", LogsParams(), own=True):
        pass
    await line.close()
    assert made.asked == ["made", "box.status", "run", "alice True", "close"]


async def test_others_get_their_turn_between_two_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("hero_first_to_load", "hero_second_to_load")
    for name in names:
        (tmp_path / f"{name}.py").write_text("", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    seen: list[list[str]] = []

    async def look() -> None:
        while True:
            seen.append([name for name in names if name in sys.modules])
            await asyncio.sleep(0)

    task = asyncio.create_task(look())
    await load(("json", *names))
    task.cancel()
    assert [names[0]] in seen
    assert all(name in sys.modules for name in names)
    for name in names:
        del sys.modules[name]


def test_all_that_is_loaded_in_turn_is_there() -> None:
    assert [name for name in IN_TURN if find_spec(name) is None] == []
