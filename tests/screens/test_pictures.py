"""Pictures of every screen and dialog, as text in three sizes; of the fleet with its colours in both themes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot

from backends.model.slot_calls import OperationRef
from backends.model.state import LogLine
from hero_tui.settings import Settings
from screens.widgets.logview import LogView
from tests.hero_tui.fleets import NOW, Cockpit, failure, operation, progress

SIZES = [(80, 24), (120, 40), (200, 50)]
Pose = Callable[[Cockpit, Pilot[int]], Awaitable[None]]


async def fleet(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """As it opens."""


async def fleet_at_work(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """A download on one cell, marks on others, the cursor on a crash."""
    cockpit.tell(progress("mik", operation(phase="download", done=430, total=1000)))
    await cockpit.press(pilot, "space", "n")


async def fleet_faults(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """Only what is broken."""
    await cockpit.press(pilot, "exclamation_mark")


async def fleet_groups(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """By state, those that are well folded, the cursor on a head."""
    await cockpit.press(pilot, "V", "V", "V", "G", "tab", "g", "j")


async def fleet_filter(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """A filter that is being typed."""
    await cockpit.press(pilot, "slash", *"mik")


async def failed(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """A build that failed, and what it said last."""
    ended = operation(
        "op-9",
        state="failed",
        finished_at=NOW + timedelta(seconds=7),
        error=failure(
            "build_failed", "The build of hero_db failed: exit 1.", "Its whole log: `hero_dev logs --build b-1`."
        ),
        result={"last_lines": ["   Compiling hero_db v0.3.1", "error[E0425]: cannot find value `shelves`"]},
    )
    cockpit.line.answers |= {"slot.rebuild": OperationRef(operation="op-9"), "operation.wait": ended}
    await cockpit.press(pilot, "b", "y")


async def slot(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """My slot."""
    await cockpit.press(pilot, "2", "j", "space", "j")


async def peek(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """Somebody else's."""
    await cockpit.press(pilot, "n", "enter")


async def logs(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """Two services merged."""
    await cockpit.press(pilot, "space", "space", "l")
    lines = [
        LogLine(source=("hero_db", "hero_router")[number % 2], time=float(number), text=f"INFO  beat {number}")
        for number in range(60)
    ]
    cockpit.line.log.put_nowait(tuple(lines))
    await cockpit.settle(pilot)
    cockpit.app.screen.query_one(LogView).flush()


async def switch(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """What a service could run."""
    await cockpit.press(pilot, "right", "s")


async def switch_search(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """Searched."""
    await cockpit.press(pilot, "right", "s", *"mik")


async def plan(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """What a switch would do."""
    await cockpit.press(pilot, "right", "s", *"mik", "enter")


async def help_(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """The keys of the fleet."""
    await cockpit.press(pilot, "question_mark")


async def command(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """A command that is being completed."""
    await cockpit.press(pilot, "colon", *"switch hero_", "tab", "tab")


async def palette(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """Everything that can be done."""
    await cockpit.press(pilot, "ctrl+p", *"sl")


async def confirm(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """Before several services are stopped."""
    await cockpit.press(pilot, "space", "space", "x")


POSES: tuple[Pose, ...] = (
    fleet,
    fleet_at_work,
    fleet_faults,
    fleet_groups,
    fleet_filter,
    failed,
    slot,
    peek,
    logs,
    switch,
    switch_search,
    plan,
    help_,
    command,
    palette,
    confirm,
)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("pose", POSES, ids=lambda pose: pose.__name__.rstrip("_"))
async def test_layout(snap_text: Callable[[App[Any]], bool], pose: Pose, size: tuple[int, int]) -> None:
    cockpit = Cockpit()
    async with cockpit.running(size) as pilot:
        await pose(cockpit, pilot)
        await cockpit.settle(pilot)
        assert snap_text(cockpit.app)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_manifest(snap_text: Callable[[App[Any]], bool], tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "home" / "alice" / "hero" / "cfg" / "dev_manifest.toml"
    path.parent.mkdir(parents=True)
    path.write_text(
        'schema = 1\n\n# what I work on\n[[bind]]\nservice = "hero_db"\nbranch = "development" # trunk\n'
    )
    cockpit = Cockpit(root=tmp_path)
    async with cockpit.running(size) as pilot:
        await cockpit.press(pilot, "y")
        await cockpit.until(pilot, lambda: "what I work on" in cockpit.text)
        pilot.app.screen.query_one("#manifest").border_title = "dev_manifest.toml"
        await cockpit.settle(pilot)
        assert snap_text(cockpit.app)


@pytest.mark.parametrize("theme", ["hero-dark", "hero-light"])
@pytest.mark.parametrize("pose", [fleet_at_work, slot, switch_search], ids=lambda pose: pose.__name__)
def test_colours(snap_compare: Callable[..., bool], pose: Pose, theme: str) -> None:
    cockpit = Cockpit(settings=Settings(theme=theme))

    async def dress(pilot: Pilot[int]) -> None:
        await cockpit.settle(pilot)
        await pose(cockpit, pilot)
        await cockpit.settle(pilot)

    assert snap_compare(cockpit.app, terminal_size=(120, 40), run_before=dress)
