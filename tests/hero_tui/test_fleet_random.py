"""Whatever the box tells and whoever types what: the fleet painted bit by bit is the fleet painted as a whole."""

from __future__ import annotations

import os
import random
from datetime import timedelta

import pytest
from textual.pilot import Pilot

from backends.model.state import Build, Event, FleetSnapshot, ServiceStatus
from screens.driver import painted
from screens.fleet import FleetScreen
from screens.fleet_view import Changes
from tests.hero_tui.agents import agent, agent_changed
from tests.hero_tui.fleets import NOW, SERVICES, Cockpit, cell, changed, operation, progress, snapshot

STEPS = int(os.environ.get("HERO_TEST_STEPS", "25"))
"""With each seed; some thousands take minutes."""
USERS = ("alice", "mik", "thabet", "zoe", "日本語", "integration")
NAMES = (*SERVICES, "hero_new", "hero_ブランチ")
KEYS = ["j", "k", "H", "L", "g", "G", "home", "end", "ctrl+d", "z", "O", "V", "tab", "shift+tab", "!", "at", "."]
KEYS += ["space", "n", "N", "d", "escape"]
TYPED = ("mik", "slides", "!a", "-f hb", "nobody", "alice db")
SIZES = ((120, 40), (80, 24), (250, 70), (170, 40), (40, 12), (6, 4), (1, 1), (500, 60))


class Telling:
    """Events of a box where anything may happen."""

    def __init__(self, rng: random.Random, cockpit: Cockpit) -> None:
        self.rng, self.cockpit, self.seq = rng, cockpit, 100

    def status(self, service: str) -> ServiceStatus:
        rng, now = self.rng, self.cockpit.now
        build = Build(id="b-1", service=service, branch="b", commit="a" * 40, state="failed", finished_at=now)
        return cell(
            service,
            branch=rng.choice(("development", "development_mik", "漢字")),
            health=rng.choice(("healthy", "healthy", "healthy", "crashed", "unhealthy", "stopped", "starting")),
            drift=rng.choice(("current", "current", "behind", "missing")),
            since=now - timedelta(seconds=rng.randrange(4000)),
            build=rng.choice((None, None, None, build)),
        )

    def event(self, user: str, kind: str, data: object, subject: str = "") -> Event:
        self.seq += 1
        known = {"seq": self.seq, "time": NOW, "box": "demo", "slot": user, "kind": kind, "subject": subject}
        return Event.model_validate({**known, "data": data})

    def cells(self, count: int) -> None:
        for _ in range(count):
            self.seq += 1
            user, service = self.rng.choice(USERS), self.rng.choice(NAMES)
            self.cockpit.line.on_event(changed(self.seq, user, self.status(service)))

    def head(self) -> None:
        rng, user = self.rng, self.rng.choice(USERS)
        head = {
            "box": rng.choice(("demo", "demo", "south")),
            "slot": user,
            "role": rng.choice(("developer", "lead")),
            "credential": rng.choice(("none", "personal", "org-key-1")),
            "stale": rng.random() < 0.3,
            "seen_at": NOW.isoformat(),
        }
        self.cockpit.line.on_event(self.event(user, "slot.changed", head))

    def agent(self) -> None:
        rng, user = self.rng, self.rng.choice(USERS)
        state = rng.choice(("working", "waiting", "error", "gone"))
        self.seq += 1
        self.cockpit.line.on_event(agent_changed(self.seq, agent(str(rng.randrange(3)), user, state=state)))

    def gone(self) -> None:
        self.cockpit.line.on_event(self.event(self.rng.choice(USERS[1:]), "slot.removed", {}))

    def snapshot(self) -> None:
        self.seq += 1
        users = self.rng.sample(USERS, 4)
        told = {user: [self.status(name) for name in self.rng.sample(NAMES, 5)] for user in users}
        whole: FleetSnapshot = snapshot(seq=self.seq, **told)
        self.cockpit.line.on_snapshot(whole)

    def work(self) -> None:
        phase = self.rng.choice(("download", "restart"))
        at_work = operation(phase=phase, done=self.rng.randrange(1000), total=1000)
        self.cockpit.line.on_event(progress(self.rng.choice(USERS), at_work))


async def step(rng: random.Random, telling: Telling, cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """Something happens."""
    deed = rng.randrange(12)
    if deed < 3:
        telling.cells(rng.choice((1, 3, 30)))
    elif deed == 3:
        rng.choice((telling.head, telling.agent, telling.gone, telling.work))()
    elif deed == 4:
        telling.snapshot()
    elif deed == 5:
        cockpit.now += timedelta(seconds=rng.choice((1, 20, 3000)))
        for _ in range(rng.choice((1, 15))):
            cockpit.app.here.tick()
    elif deed == 6:
        await pilot.resize_terminal(*rng.choice(SIZES))
    elif deed == 7:
        await cockpit.press(pilot, "slash", *rng.choice(TYPED), rng.choice(("enter", "escape")))
    else:
        for key in rng.choices(KEYS, k=3):
            await pilot.press(key)


@pytest.mark.parametrize("seed", range(2))
async def test_what_was_painted_bit_by_bit_is_what_is_painted_as_a_whole(seed: int) -> None:
    rng = random.Random(f"fleet {seed}")
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        telling = Telling(rng, cockpit)
        fleet = cockpit.app.screen
        assert isinstance(fleet, FleetScreen)
        for number in range(STEPS):
            await step(rng, telling, cockpit, pilot)
            if number % 4 < 3:
                continue
            cockpit.app.clear_notifications()  # they go by themselves
            await cockpit.settle(pilot)
            fleet.tick()
            fleet.grid.grow_older()
            await cockpit.settle(pilot)
            before = [list(strip) for strip in painted(fleet)]
            fleet.show(Changes())
            fleet.refresh_frame()
            fleet.notify_style_update()
            for widget in fleet.query("*"):
                widget.notify_style_update()
                widget.refresh()
            await cockpit.settle(pilot)
            after = [list(strip) for strip in painted(fleet)]
            for y, (line, wanted) in enumerate(zip(before, after, strict=True)):
                assert line == wanted, (seed, number, y)
            assert (fleet.grid.cursor is None) is (not fleet.grid.view.rows or not fleet.grid.view.columns)
