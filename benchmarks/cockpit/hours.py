"""Eight hours of a cockpit in some minutes: events, and 5,000 screens opened and closed; its memory stays flat.

Run: python -m benchmarks.cockpit.hours [--screens N]. The baseline is the memory after a tenth of it.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import time
from datetime import timedelta

import psutil

from backends.model.state import Event, FleetSnapshot
from benchmarks.cockpit.fake_box import AGENTS, FakeBox, agent, service, status, user
from benchmarks.cockpit.scene import SMALL
from screens import textual_gate
from tests.hero_tui.fleets import NOW, Cockpit

HOURS = 8
EVENTS_A_SCREEN = 40
KEYS = ("2", "3", "4", "5", "6", "7", "question_mark", "colon", "ctrl+p", "s")


def main() -> None:
    """Print the course of the memory and what it came to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--screens", type=int, default=5000)
    asyncio.run(_live(parser.parse_args().screens))


async def _live(screens: int) -> None:
    textual_gate.mend()  # as every cockpit does
    slots, services = SMALL
    opened = Cockpit(first=FleetSnapshot.model_validate(FakeBox(slots, services).snapshot()), user=user(0))
    rng, process, sizes = random.Random(8), psutil.Process(), []
    began = time.perf_counter()
    async with opened.running((120, 40)) as pilot:
        for number in range(1, screens + 1):
            opened.now = NOW + timedelta(hours=HOURS * number / screens)
            for place in range(EVENTS_A_SCREEN):
                opened.line.on_event(_event(rng, number * EVENTS_A_SCREEN + place))
            await pilot.press(rng.choice(KEYS))
            await pilot.press("escape", "1")
            opened.app.desk.flush()
            opened.line.calls.clear()  # the stand-in's record of what it was asked, not the cockpit's
            if number % max(1, screens // 20) == 0:
                gc.collect()
                sizes.append(process.memory_info().rss / 1e6)
                print(f"{number:6} screens  {sizes[-1]:7.1f} MB  {time.perf_counter() - began:6.0f} s", flush=True)
    first, last = sizes[1], sizes[-1]
    print(f"from a tenth to the end: {last / first - 1:+.1%} (bar ± 5 %), {screens * EVENTS_A_SCREEN} events")


def _event(rng: random.Random, seq: int) -> Event:
    slot, place = rng.randrange(SMALL[0]), rng.randrange(SMALL[1])
    if rng.random() < 0.2:
        number = rng.randrange(AGENTS)
        told = agent(number, SMALL[0], seq)
        return _told(seq, "agent.changed", number % SMALL[0], told["id"], told)
    health = rng.choice(("healthy", "starting", "unhealthy", "crashed", "stopped"))
    return _told(seq, "service.changed", slot, service(place), status(slot, place, health))


def _told(seq: int, kind: str, slot: int, subject: str, data: dict[str, object]) -> Event:
    return Event(seq=100 + seq, time=NOW, box="bench", slot=user(slot), kind=kind, subject=subject, data=data)


if __name__ == "__main__":
    main()
