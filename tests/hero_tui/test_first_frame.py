"""What is shown before the box has been heard in full is what is shown then, and goes again if it was not true."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from rich.style import Style

from backends.client.look import fleet_of
from backends.model.agents import Agent
from backends.model.state import FleetSnapshot
from hero_tui.app import HeroApp
from screens import textual_gate
from tests.hero_tui.fleets import NOW, Cockpit, operation, snapshot

ROOT = Path(__file__).resolve().parents[2]
_OTHER = "The box speaks another version; restart it with `hero_dev box down`."


def told(fleet: FleetSnapshot) -> FleetSnapshot:
    """The same as a box's answer, read without models."""
    look = fleet_of(json.loads(fleet.model_dump_json(by_alias=True)))
    assert look is not None
    return look


def busy() -> FleetSnapshot:
    """A fleet with all that a slot can have."""
    fleet = snapshot()
    agent = Agent(
        id="1", slot="alice", session="s", state="waiting", since=NOW, started_at=NOW, last_line="which?"
    )
    slots = [
        slot.model_copy(update={"agents": (agent,), "operations": (operation(),)})
        if slot.slot == "alice"
        else slot
        for slot in fleet.slots
    ]
    return fleet.model_copy(update={"slots": tuple(slots), "problems": ("The disk is full.",)})


Frame = list[list[tuple[str, Style | None]]]


def shown(app: HeroApp) -> Frame:
    """Each character with its style, but for the status line, which tells how far the connection is."""
    lines = textual_gate.painted(app.screen)[1:]
    return [[(letter, one.style) for one in line for letter in one.text] for line in lines]


def record(app: HeroApp) -> list[Frame]:
    """Every frame from now on."""
    frames: list[Frame] = []
    usual = app.post_display_hook

    def keep() -> None:
        if app.is_running and app.screen_stack and app.here.ready and (frame := shown(app)):
            frames.append(frame)
        usual()

    app.post_display_hook = keep  # type: ignore[method-assign]
    return frames


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
async def test_the_first_frame_is_the_one_that_stays(size: tuple[int, int]) -> None:
    fleet = busy()
    cockpit = Cockpit(first=fleet, look=told(fleet))
    frames = record(cockpit.app)
    async with cockpit.running(size) as pilot:
        assert "alice" in cockpit.text
        assert not cockpit.app.desk.looked
        last = shown(cockpit.app)
        assert frames[0] == last
        cockpit.app.refresh_css(animate=False)  # all styles anew
        await cockpit.settle(pilot)
        assert shown(cockpit.app) == last


async def test_what_was_shown_at_first_goes_if_the_box_then_speaks_another_version() -> None:
    cockpit = Cockpit(first=None, look=told(snapshot()))
    async with cockpit.running() as pilot:
        assert "thabet" in cockpit.text
        assert "connecting…" in cockpit.text
        cockpit.line.on_state("reconnecting", _OTHER)
        await cockpit.settle(pilot)
        assert "thabet" not in cockpit.text
        assert "another version" in cockpit.text
        cockpit.line.on_snapshot(snapshot())
        cockpit.line.on_state("online", "")
        await cockpit.settle(pilot)
        assert "thabet" in cockpit.text
        cockpit.line.on_state("reconnecting", "The box is away.")
        await cockpit.settle(pilot)
        assert "thabet" in cockpit.text


async def test_what_the_box_then_says_counts() -> None:
    false, true = snapshot(), snapshot()
    gone = false.slots[-1].slot
    true = true.model_copy(update={"slots": true.slots[:-1]})
    cockpit = Cockpit(first=true, look=told(false))
    async with cockpit.running():
        assert gone not in cockpit.text
        assert gone not in cockpit.app.desk.fleet.slots


async def test_keys_work_on_what_is_shown_at_first_and_stay_where_they_led() -> None:
    cockpit = Cockpit(first=None, look=told(busy()))
    async with cockpit.running((160, 45)) as pilot:
        await cockpit.press(pilot, "down", "right", "!", "!", "z", "enter", "escape", "4", "escape", "6", "escape")
        here = cockpit.app.target
        assert here is not None
        cockpit.line.on_snapshot(busy())
        cockpit.line.on_state("online", "")
        await cockpit.settle(pilot)
        assert cockpit.app.target == here


def test_the_first_frame_needs_no_models() -> None:
    script = """
import json, os, sys
from pathlib import Path
from backends.client.locate import Where
from backends.client.look import fleet_of
from backends.model.paths import BoxPaths
from hero_tui import opening

class Early:
    def answer(self):
        when = "2026-11-20T10:00:00Z"
        service = {"service": "hero_web", "repo": "r", "branch": "b", "from": "release"}
        slot = {"box": "b", "slot": "alice", "seen_at": when, "services": [service]}
        return fleet_of({"box": "b", "seq": 1, "trunk": "t", "time": when, "slots": [slot]})

where = Where(BoxPaths(Path("/nowhere")), "alice")
app = opening.make_app(where, settings=Path("/nowhere/settings.toml"), early=Early())
usual = app.post_display_hook
def hook():
    from screens import textual_gate
    lines = textual_gate.painted(app.screen) if app.is_running and app.here.ready else ()
    if any("hero_web" in line.text for line in lines):
        heavy = ("pydantic", "backends.model.state", "backends.rpc", "httpx", "psutil")
        print(json.dumps([name for name in heavy if name in sys.modules]), file=sys.__stdout__, flush=True)
        os._exit(0)
    usual()
app.post_display_hook = hook
app.run(headless=True, size=(120, 40))
"""
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stdout.strip()) == (0, "[]"), ran.stderr
