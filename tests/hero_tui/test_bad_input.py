"""Whatever comes from keyboard, clipboard and window: no screen breaks, nothing changes that was not agreed to."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from backends.model.calls import BY_NAME
from backends.rpc.dispatcher import PING
from hero_tui import terminal
from hero_tui.deep_link import LINKS
from hero_tui.keys import TABLE
from tests.hero_tui.fleets import Cockpit

SEED = 20261121
PRESSES = int(os.environ.get("HERO_TEST_PRESSES", "60"))
"""On each screen; with 10,000 the run takes twenty minutes on two cores with `-n 8`: it mostly waits."""
PLACES = tuple(LINKS)
SIZES = ((1, 1), (500, 200), (3, 2), (80, 1), (1, 50), (120, 40))
KEYS = tuple(
    sorted(
        {key for entry in TABLE for key in entry.keys.split(",")}
        | {*"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 /!~&%-_=+.,:;'\"<>"}
        | {"enter", "escape", "tab", "shift+tab", "backspace", "delete", "up", "down", "left", "right", "f1"}
    )
)
AGREED = frozenset({"enter", "space", "y", " "})
"""Without these nothing can be agreed to."""
QUIT = frozenset({"ctrl+c"})
AT_ONCE = frozenset({"slot.restart"})
"""One key on a service of one's own does it, as the key says; doing it again does no harm."""


async def open_place(cockpit: Cockpit, pilot: Pilot[int], place: str) -> None:
    cockpit.app.action_place(place)
    await cockpit.settle(pilot)


def looks(method: str) -> bool:
    known = BY_NAME.get(method)
    return method == PING or (known is not None and not known.mutates)


def changing(cockpit: Cockpit) -> list[str]:
    return [name for _, name, _ in cockpit.line.calls if name not in AT_ONCE and not looks(name)]


@pytest.mark.parametrize("place", PLACES)
async def test_a_window_may_become_tiny_and_huge_and_come_back(place: str) -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await open_place(cockpit, pilot, place)
        for width, height in SIZES:
            await pilot.resize_terminal(width, height)
            await cockpit.settle(pilot)
        assert cockpit.app.here.PLACE == place  # noqa: SIM300
        assert cockpit.text.strip()


@pytest.mark.parametrize("keys", [("slash",), ("colon",), ("s",), ("u",), ("ctrl+p",), ("a",)], ids="/".join)
async def test_a_megabyte_in_the_clipboard_goes_into_a_field_once_and_as_text(keys: tuple[str, ...]) -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, *keys)
        field = cockpit.app.focused
        assert isinstance(field, Input | TextArea)
        await cockpit.app.on_event(events.Paste("x\x1b[31m;rm -rf /\n" * 60_000))
        await cockpit.settle(pilot)
        assert "\x1b" not in cockpit.text
        pasted = field.value if isinstance(field, Input) else field.text
        assert pasted in {"x;rm -rf /", "x;rm -rf /\n" * 60_000}
        await cockpit.press(pilot, "escape", "escape", "escape")
        assert cockpit.app.is_running


@pytest.mark.parametrize("place", PLACES)
async def test_any_keys_in_any_order_break_nothing_and_change_nothing_that_is_not_agreed_to(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nobody(argv: Sequence[str], folder: Path) -> int:
        return 0

    monkeypatch.delenv("TMUX", raising=False)
    monkeypatch.setattr(terminal, "in_front", nobody)  # editors and shells want a terminal of their own
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    chance = random.Random(f"{SEED} {place}")
    keys = [key for key in KEYS if key not in AGREED | QUIT]
    home = next(entry.keys for entry in TABLE if entry.action == f"app.place('{place}')")
    cockpit = Cockpit(tmp_path)
    async with cockpit.running() as pilot:
        for number in range(PRESSES):
            if number % 50 == 0:
                await cockpit.press(pilot, *["escape"] * 6, home)
            cockpit.app.simulate_key(chance.choice(keys))
            if number % 10 == 9:
                await cockpit.settle(pilot)
        await cockpit.settle(pilot)
        assert cockpit.app.is_running
        assert changing(cockpit) == []
