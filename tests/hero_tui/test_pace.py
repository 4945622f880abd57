"""What happens elsewhere is painted between the keys: never before one that waits, always before long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from hero_tui.hands import Hands
from hero_tui.pace import Pace


class Deeds:
    """A pace, what it had done, and a person whose key may wait."""

    def __init__(self, first: float = 0.0, again: float = 1000.0) -> None:
        self.done = 0
        self.key_waits = False
        self.hands = Hands(lambda: self.key_waits)
        self.pace = Pace(self._do, first, again, self.hands)

    def _do(self) -> None:
        self.done += 1


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0)


async def test_what_is_wanted_often_is_done_once() -> None:
    deeds = Deeds()
    for _ in range(100):
        deeds.pace.soon()
    await until(lambda: deeds.done == 1)
    assert not deeds.pace.wanted


async def test_a_key_that_waits_comes_first() -> None:
    deeds = Deeds()
    deeds.key_waits = True
    deeds.pace.soon()
    for _ in range(20):
        await asyncio.sleep(0)
    assert deeds.done == 0
    deeds.key_waits = False
    await until(lambda: deeds.done == 1)


async def test_who_never_stops_typing_sees_it_nevertheless() -> None:
    deeds = Deeds()
    deeds.key_waits = True
    deeds.pace.soon()
    await until(lambda: deeds.done == 1)


async def test_right_after_a_key_is_a_good_time_if_it_is_due_before_long() -> None:
    deeds = Deeds(first=1000.0, again=0.0)
    deeds.pace.soon()
    deeds.hands.answered()
    await until(lambda: deeds.done == 1)


async def test_a_key_does_not_have_it_done_more_often() -> None:
    deeds = Deeds(again=1000.0)
    deeds.pace.now()
    deeds.pace.soon()
    deeds.hands.answered()
    for _ in range(20):
        await asyncio.sleep(0)
    assert deeds.done == 1
    assert deeds.pace.wanted


async def test_what_is_done_at_once_is_not_done_again() -> None:
    deeds = Deeds()
    deeds.pace.soon()
    deeds.pace.now()
    for _ in range(20):
        await asyncio.sleep(0)
    assert deeds.done == 1
