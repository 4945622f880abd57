"""Pictures of `hero_tui --log`: one file and two merged, in two sizes; with their colours in two themes."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot

from backends.client.log_merged import open_logs
from hero_tui.log_app import LogApp
from hero_tui.manners import Facts
from hero_tui.settings import Loaded, Settings
from tests.conftest import screen_text
from tests.hero_tui.fleets import NOW
from tests.hero_tui.test_log_app import looked, until

SIZES = [(80, 24), (120, 40)]
AT_LAST_MATCH = re.compile(r"/shelf 12 (\d+) of \1 matches ·")
Pose = Callable[[LogApp, Pilot[int]], Awaitable[None]]


def router(number: int) -> str:
    if number % 140 == 133:
        return "\x1b[1;31mERROR\x1b[0m upstream hero_db refused: shelf 12 is not there"
    path = f"/api/books/{number * 7 % 90}"
    return f'\x1b[32mINFO\x1b[0m  {{"method": "GET", "path": "{path}", "status": 200, "ms": {number * 13 % 40}}}'


def database(number: int) -> str:
    if number % 140 == 132:
        return (
            "\x1b[1;31mERROR\x1b[0m thread 'main' panicked at src/shelf.rs:88: shelf 12 is not there\n"
            "   0: hero_db::shelf::open\n"
            "   1: hero_db::main"
        )
    return f"\x1b[32mINFO\x1b[0m  checkpoint {number} of shelf {number % 12} written in {number * 13 % 40} ms"


def opened(folder: Path, *names: str) -> LogApp:
    """The app on the logs of these, of about an hour."""
    paths = {name: folder / f"{name}.log" for name in names}
    for place, (name, path) in enumerate(paths.items()):
        said = router if name == "hero_router" else database
        with path.open("w") as out:
            for number in range(700):
                when = NOW - timedelta(seconds=5 * (700 - number) - 2 * place - number % 3)
                out.write(f"{when.strftime('%Y-%m-%dT%H:%M:%SZ')} {said(number)}\n")
    return LogApp(open_logs(paths), Loaded(Settings(), ()), Facts(), now=lambda: NOW)


async def end(app: LogApp, pilot: Pilot[int]) -> None:
    """As it opens."""


async def searched(app: LogApp, pilot: Pilot[int]) -> None:
    """At a match, with times and a mark."""
    await pilot.press("backslash", *"shelf 12", "enter")
    await until(pilot, lambda: AT_LAST_MATCH.search(screen_text(app)) is not None)
    await looked(app, pilot)
    await pilot.press("N", "N", "m", "t")


async def filtering(app: LogApp, pilot: Pilot[int]) -> None:
    """While a filter is typed."""
    await pilot.press("slash", *"!INFO")
    await until(pilot, lambda: "/!INFO" in screen_text(app))


async def gone(app: LogApp, pilot: Pilot[int]) -> None:
    """A file is gone."""
    path = app.files.paths[0]
    path.unlink()
    await until(pilot, lambda: "gone" in screen_text(app))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("pose", [end, searched, filtering, gone], ids=lambda pose: pose.__name__)
@pytest.mark.parametrize("names", [("hero_router",), ("hero_router", "hero_db")], ids=["one", "two"])
async def test_layout(
    snap_text: Callable[[App[Any]], bool],
    tmp_path: Path,
    names: tuple[str, ...],
    pose: Pose,
    size: tuple[int, int],
) -> None:
    app = opened(tmp_path, *names)
    async with app.run_test(size=size) as pilot:
        await looked(app, pilot)
        await pose(app, pilot)
        await looked(app, pilot)
        assert snap_text(app)


@pytest.mark.parametrize("theme", ["hero-dark", "hero-light"])
def test_colours(snap_compare: Callable[..., bool], tmp_path: Path, theme: str) -> None:
    app = opened(tmp_path, "hero_router", "hero_db")

    async def dress(pilot: Pilot[int]) -> None:
        app.theme = theme
        await looked(app, pilot)
        await searched(app, pilot)
        await looked(app, pilot)

    assert snap_compare(app, terminal_size=(120, 40), run_before=dress)
