"""A box that lies, is slow, or breaks off: the cockpit goes on, shows nothing that a terminal obeys."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from textual.pilot import Pilot

from backends.client.live import LiveBox
from backends.client.locate import Where
from backends.model.errors import HeroError
from hero_tui import terminal
from hero_tui.app import HeroApp
from hero_tui.settings import Loaded, Settings
from tests.hero_tui.fleets import NOW
from tests.hero_tui.lying_box import LyingBox, lay_out
from tests.hero_tui.test_bad_input import AGREED, AT_ONCE, KEYS, QUIT, looks

STEPS = int(os.environ.get("HERO_TEST_LIES", "30"))
"""In each run; with 2,000 a run takes minutes."""
SEEDS = os.environ.get("HERO_TEST_LIES_SEEDS", "1 2 3").split()
SIZES = ((80, 24), (120, 40), (250, 70))
PLACES = tuple("1234567890")
JUMPS = (timedelta(days=1), timedelta(days=-1), timedelta(days=18_262), timedelta(days=-18_262), timedelta())
HAPPENS = {"keys": 50, "news": 25, "late": 8, "loss": 1, "clock": 4, "size": 2, "place": 12}
ONE_KEY = AT_ONCE | {"message.read", "question.cancel", "build.cancel", "operation.cancel"}
DENY = 2
NO_SENTENCE = re.compile(r"\b[A-Z]\w*(Error|Exception|Interrupt)\b|Traceback|\bNone\b|object at 0x|pydantic")


class Lied:
    """A cockpit on a box that lies."""

    def __init__(self, folder: Path, seed: str):
        self.chance = Random(f"keys {seed}")
        self.box = lay_out(folder, system=self.chance.random() < 0.3)
        self.liar = LyingBox(seed, honest=self.chance.choice((0.3, 0.6, 0.9)))
        self.clock = NOW
        self.size = self.chance.choice(SIZES)
        where = Where(self.box, "alice")

        def make_line(**watchers: Any) -> LiveBox:
            return LiveBox(where, **watchers)

        self.app = HeroApp(where, make_line, Loaded(Settings(), ()), now=self.now)

    def now(self) -> datetime:
        return self.clock

    async def settle(self, pilot: Pilot[int]) -> None:
        for _ in range(3):
            await asyncio.sleep(0)
            await pilot.pause()
            self.app.desk.flush()

    async def step(self, pilot: Pilot[int], keys: Sequence[str]) -> None:
        """Something that happens: keys, news, answers that come late, a loss, another clock, another size."""
        match self.chance.choices(tuple(HAPPENS), tuple(HAPPENS.values()))[0]:
            case "keys":
                for _ in range(self.chance.randrange(1, 5)):
                    self.app.simulate_key(self.chance.choice(keys))
            case "news":
                self.liar.tell(self.chance.choice((1, 3, 20)))
            case "late":
                self.liar.let()
            case "loss":
                self.liar.drop()
            case "clock":
                self.clock = NOW + self.chance.choice(JUMPS)
            case "size":
                await pilot.resize_terminal(*self.chance.choice(SIZES))
            case "place":
                for key in ("escape", "escape", "escape", self.chance.choice(PLACES)):
                    self.app.simulate_key(key)
        self.app.desk.tick()
        await self.settle(pilot)

    def check(self) -> None:
        """It runs, and shows nothing that a terminal would obey or could not be sent, and toasts in sentences."""
        assert self.app.is_running
        for strip in self.app.screen._compositor.render_strips():
            for segment in strip:
                bad = [one for one in segment.text if unicodedata.category(one) in ("Cc", "Cs")]
                assert not bad, f"{bad!r} in {segment.text!r}"
        for told in self.app._notifications:
            assert not NO_SENTENCE.search(told.message), told.message


def agreed_to(name: str, asked: dict[str, Any]) -> bool:
    """Whether one key does it, as the key says, without a question."""
    if name == "question.answer":
        return int(asked["choice"]) == DENY
    return name in ONE_KEY or (name == "agent.command" and asked["command"] == "interrupt")


async def nobody(argv: Sequence[str], folder: Path) -> int:
    return 0


def gone(*args: object) -> None:
    raise HeroError("unreachable", "The daemon cannot be started.")


@pytest.fixture
def apart(short_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which all that is started and written stays."""
    monkeypatch.delenv("TMUX", raising=False)
    monkeypatch.setattr(terminal, "in_front", nobody)
    monkeypatch.setattr("backends.client.live.start_box", gone)
    monkeypatch.setattr("backends.client.live.start_slot", gone)
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(short_dir))
    return short_dir


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_cockpit_goes_on_whatever_the_box_says(
    seed: str, apart: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lied = Lied(apart, seed)
    keys = [key for key in KEYS if key not in AGREED | QUIT]
    async with lied.liar.serving(lied.box), lied.app.run_test(size=lied.size, notifications=True) as pilot:
        await lied.settle(pilot)
        for _ in range(STEPS):
            await lied.step(pilot, keys)
            lied.check()
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
    changed = [name for name, asked in lied.liar.calls if not looks(name) and not agreed_to(name, asked)]
    assert changed == []
