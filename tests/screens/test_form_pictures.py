"""Pictures of the command line, jump mode, results and settings, and of the fleet in the other themes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot

from hero_tui.settings import Settings
from screens.result_model import Run
from tests.hero_tui.fleets import Cockpit

SIZES = [(80, 24), (120, 40), (200, 50)]
Pose = Callable[[Cockpit, Pilot[int]], Awaitable[None]]

STATUS = """SERVICE      BRANCH             FROM     VERSION   DRIFT   HEALTH   AGE
hero_db      development        release  1f3d5b79  =       ● well   12m
hero_router  development_mik    build    3e7ab6f2  ↓ 2     ● well   24m
hero_voice   development        release  bb7024d6  =       ✖ crash  12s

✖ hero_voice: exit 101; given up after 3 restarts
  thread 'main' panicked at src/codec.rs:88: frame of 0 samples"""


async def jump(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """Labels on the fleet."""
    await cockpit.press(pilot, "semicolon")


async def jump_narrowed(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """After the first letter of two."""
    await cockpit.press(pilot, "semicolon", "a")


async def command_words(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """Commands and verbs that begin alike, and what they do."""
    await cockpit.press(pilot, "colon", *"re", "tab")


async def result(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """What a verb printed."""
    run = Run("status", lines=STATUS.splitlines())
    run.end("done", 0)
    cockpit.app.prompts.runner.runs.runs = [Run("gates"), run]
    await cockpit.press(pilot, "R")


async def result_failed(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """One that failed."""
    run = Run("team plan", lines=["error: The reconciler does not run on a rootless box."])
    run.end("failed", 5)
    cockpit.app.prompts.runner.runs.runs = [run]
    await cockpit.press(pilot, "R")


async def result_running(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """One that says nothing yet."""
    cockpit.app.prompts.runner.runs.runs = [Run("gates --fresh")]
    await cockpit.press(pilot, "R")


async def settings(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """The form."""
    await cockpit.press(pilot, "comma", "slash", *"settings", "enter", "j")


async def settings_searched(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """The form, searched for an action."""
    await cockpit.press(pilot, "comma", "slash", *"restart", "enter")


async def settings_key(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """Waiting for a key."""
    await cockpit.press(pilot, "comma", "slash", *"restart", "enter", "enter")


async def settings_clash(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """A key that another action has."""
    await cockpit.press(pilot, "comma", "slash", *"restart", "enter", "enter", "s")


async def settings_empty(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """Nothing is called so."""
    await cockpit.press(pilot, "comma", "slash", *"zzz", "enter")


async def read_only(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """A cockpit that only looks."""
    await cockpit.press(pilot, "colon", *"readonly", "enter")


POSES: tuple[Pose, ...] = (
    jump,
    jump_narrowed,
    command_words,
    result,
    result_failed,
    result_running,
    settings,
    settings_searched,
    settings_key,
    settings_clash,
    settings_empty,
    read_only,
)
WIDE: tuple[Pose, ...] = (jump, result, settings)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings of a person, under a name that is the same in every picture."""
    monkeypatch.setattr("hero_tui.settings_book.SettingsBook.file", "~/.config/hero/settings.toml")
    file = tmp_path / "settings.toml"
    file.write_text('density = "full"\n[keys]\n"app.help" = "f1,?"\n')
    return file


def posed(path: Path, **settings: Any) -> Cockpit:
    known = Settings(density="full", keys={"app.help": "f1,?"}, **settings)
    return Cockpit(settings=known, settings_file=path)


@pytest.mark.parametrize("size", SIZES[:2], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("pose", POSES, ids=lambda pose: pose.__name__)
async def test_layout(
    snap_text: Callable[[App[Any]], bool], path: Path, pose: Pose, size: tuple[int, int]
) -> None:
    await look(snap_text, path, pose, size)


@pytest.mark.parametrize("pose", WIDE, ids=lambda pose: pose.__name__)
async def test_layout_on_a_wide_screen(snap_text: Callable[[App[Any]], bool], path: Path, pose: Pose) -> None:
    await look(snap_text, path, pose, SIZES[2])


async def look(snap_text: Callable[[App[Any]], bool], path: Path, pose: Pose, size: tuple[int, int]) -> None:
    cockpit = posed(path)
    async with cockpit.running(size) as pilot:
        await pose(cockpit, pilot)
        await cockpit.settle(pilot)
        assert snap_text(cockpit.app)


@pytest.mark.parametrize("theme", ["hero-contrast", "hero-colour-blind", "hero-ansi"])
def test_colours_of_the_fleet(snap_compare: Callable[..., bool], path: Path, theme: str) -> None:
    cockpit = posed(path, theme=theme)

    async def dress(pilot: Pilot[int]) -> None:
        await cockpit.settle(pilot)
        assert "hero_db" in cockpit.text

    assert snap_compare(cockpit.app, terminal_size=(120, 40), run_before=dress)


@pytest.mark.parametrize("theme", ["hero-dark", "hero-light"])
@pytest.mark.parametrize("pose", [jump, result, settings_clash], ids=lambda pose: pose.__name__)
def test_colours(snap_compare: Callable[..., bool], path: Path, pose: Pose, theme: str) -> None:
    cockpit = posed(path, theme=theme)

    async def dress(pilot: Pilot[int]) -> None:
        await cockpit.settle(pilot)
        await pose(cockpit, pilot)
        await cockpit.settle(pilot)

    assert snap_compare(cockpit.app, terminal_size=(120, 40), run_before=dress)
