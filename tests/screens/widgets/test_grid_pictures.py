"""Pictures of the fleet grid in every size, density and theme."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot

from screens.widgets.grid_layout import DENSITIES, Density
from tests.screens.widgets.samples import SERVICES, USERS
from tests.screens.widgets.test_grid import GridApp

SIZES = [(80, 24), (120, 40), (200, 50)]
TWELVE = (*SERVICES, "hero_forge", "hero_chat", "hero_calendar", "hero_voice", "hero_index", "hero_web")


@pytest.mark.parametrize("density", DENSITIES)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_layout(snap_text: Callable[[App[Any]], bool], size: tuple[int, int], density: Density) -> None:
    app = GridApp(services=TWELVE)
    async with app.run_test(size=size) as pilot:
        app.grid.set_density(density)
        await pilot.press("j", "j", "l", "l")
        await pilot.pause()
        assert snap_text(app)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_layout_that_the_width_chooses(snap_text: Callable[[App[Any]], bool], size: tuple[int, int]) -> None:
    app = GridApp()
    async with app.run_test(size=size) as pilot:
        await pilot.press("j", "j", "l")
        await pilot.pause()
        assert snap_text(app)


@pytest.mark.parametrize("theme", ["hero-dark", "hero-light"])
def test_colours(snap_compare: Callable[..., bool], theme: str) -> None:
    app = GridApp(USERS)

    async def dress(pilot: Pilot[None]) -> None:
        app.theme = theme
        await pilot.press("j", "j", "l")

    assert snap_compare(app, terminal_size=(120, 30), run_before=dress)


async def test_without_colours_states_and_cursor_are_still_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = GridApp()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("j", "l")
        await pilot.pause()
        strips = app.screen._compositor.render_strips()
        text = "\n".join(strip.text for strip in strips)
        assert "▌" in text
        for sign in "●▲✖○◐?↓✎∅◆":
            assert sign in text
        for strip in strips:
            for segment in strip:
                for colour in (segment.style.color, segment.style.bgcolor) if segment.style else ():
                    assert colour is None or colour.triplet is None or len(set(colour.triplet)) == 1
