"""The cockpit's key latency while 40 agents tell 50 changes a second, against the same keys with nothing going on.

Run it with `python -m benchmarks.agents_screen [--keys N] [--agents N] [--rate N]`. A key is a move of the cursor,
from its arrival in the app to the frame that shows it. Both are measured in turns, so that what else the machine
does meets them alike; the ratio is what counts. With the load the log under the cursor grows as well.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import random
import statistics
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from itertools import count
from typing import Any, NamedTuple

from textual import events
from textual.pilot import Pilot

from backends.model.agent_calls import PeekAgentLogParams
from backends.model.agents import AgentLine
from backends.model.state import Event
from tests.hero_tui.agents import agent_changed, entry, many_agents, with_agents
from tests.hero_tui.fleets import Cockpit

SIZE = (200, 50)
ROUNDS = 6
PAUSES = (0.16, 0.36)
"""Seconds between two keys: longer than the cursor rests before a log is opened, and in step with nothing."""
_HISTORY = 1000
STATES = ("working", "working", "idle", "working", "starting")


class Cost(NamedTuple):
    """Milliseconds on the wall, and of CPU: those that a busy machine does not stretch."""

    wall: float
    cpu: float


def give_histories(cockpit: Cockpit) -> None:
    """Every log that is opened begins with what was said before, as a slot's does."""
    follow = cockpit.line.agent_log

    async def opened(params: PeekAgentLogParams) -> AsyncGenerator[tuple[AgentLine, ...], None]:
        yield tuple(_said(number) for number in range(1, params.limit + 1))
        async with contextlib.aclosing(follow(params)) as stream:
            async for lines in stream:
                yield lines

    cockpit.line.agent_log = opened  # type: ignore[method-assign]


def _said(number: int) -> AgentLine:
    text = f"Step {number}: I look at the weights of the canary and run its tests again."
    return entry(number, ("tool", "result", "answer")[number % 3], text, "Bash")


class Watch:
    """Says when the first frame after a key was painted."""

    def __init__(self, cockpit: Cockpit, cursor: Callable[[], Any]):
        self._app = cockpit.app
        self._cursor = cursor
        self._before: Any = None
        self._painted = asyncio.Event()
        display = self._app._display

        def watched(screen: Any, renderable: Any) -> None:
            display(screen, renderable)
            if renderable is not None and self._cursor() != self._before:
                self._painted.set()

        self._app._display = watched  # type: ignore[method-assign]

    async def press(self, key: str) -> Cost:
        """From the key to its frame."""
        self._before = self._cursor()
        self._painted.clear()
        begun, worked = time.perf_counter(), time.process_time()
        self._app.post_message(events.Key(key, key))
        async with asyncio.timeout(10):
            await self._painted.wait()
        return Cost((time.perf_counter() - begun) * 1000, (time.process_time() - worked) * 1000)


class Load:
    """Agents that change, so many times a second; the time that is lost is made up for, as by a box."""

    def __init__(self, cockpit: Cockpit, agents: int, rate: int):
        self._line = cockpit.line
        self._agents = many_agents(agents)
        self._rate = rate
        self._numbers = count(1)
        self.told = 0

    @contextlib.asynccontextmanager
    async def going(self) -> AsyncIterator[None]:
        """While the block runs."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        begun, sent = time.perf_counter(), 0
        while True:
            while sent < (time.perf_counter() - begun) * self._rate:
                sent += 1
                self.told += 1
                number = next(self._numbers)
                self._line.on_event(self._event(number))
                self._line.said.put_nowait((_said(_HISTORY + number),))
            await asyncio.sleep(1 / self._rate)

    def _event(self, number: int) -> Event:
        agent = self._agents[number % len(self._agents)]
        update = {"turns": number, "cost": number / 100, "last_line": f"Step {number} of many, and the tests run."}
        if agent.state != "waiting":
            update["state"] = STATES[number % len(STATES)]
        return agent_changed(100 + number, agent.model_copy(update=update))


async def measure(keys: int, agents: int, rate: int, place: str) -> None:
    """One screen: quiet and loaded rounds in turn."""
    cockpit = Cockpit(first=with_agents(many_agents(agents)))
    async with cockpit.running(SIZE) as pilot:
        give_histories(cockpit)
        await cockpit.press(pilot, place)
        watch, load = Watch(cockpit, _cursor_of(cockpit)), Load(cockpit, agents, rate)
        quiet: list[Cost] = []
        loaded: list[Cost] = []
        await _round(watch, keys, pilot)  # warm
        gc.collect()
        for _ in range(ROUNDS):
            quiet += await _round(watch, keys, pilot)
            async with load.going():
                loaded += await _round(watch, keys, pilot)
        _print({"1": "fleet", "6": "agents"}[place], quiet, loaded, load.told)


async def _round(watch: Watch, keys: int, pilot: Pilot[int]) -> list[Cost]:
    taken = []
    rng = random.Random(keys)
    for number in range(keys):
        taken.append(await watch.press("j" if number % 4 < 2 else "k"))
        await asyncio.sleep(rng.uniform(*PAUSES))
    await pilot.pause()
    return taken


def _cursor_of(cockpit: Cockpit) -> Callable[[], Any]:
    def cursor() -> Any:
        screen = cockpit.app.screen
        return screen.list.row.agent.name if hasattr(screen, "list") else cockpit.grid.cursor

    return cursor


def _print(place: str, quiet: list[Cost], loaded: list[Cost], told: int) -> None:
    for name, sample in (("quiet", quiet), ("loaded", loaded)):
        wall, cpu = _figures([one.wall for one in sample]), _figures([one.cpu for one in sample])
        print(
            f"{place:8} {name:8} wall p50 {wall[0]:6.2f} p95 {wall[1]:6.2f} ms   "
            f"CPU p50 {cpu[0]:6.2f} p95 {cpu[1]:6.2f} ms   n {len(sample)}"
        )
    ratios = [
        after / before
        for kind in ("wall", "cpu")
        for before, after in zip(
            _figures([getattr(one, kind) for one in quiet]),
            _figures([getattr(one, kind) for one in loaded]),
            strict=True,
        )
    ]
    told_so = "wall p50 {:.2f}, p95 {:.2f}; CPU p50 {:.2f}, p95 {:.2f}".format(*ratios)
    print(f"{place:8} loaded / quiet: {told_so}; {told} changes told\n")


def _figures(sample: list[float]) -> tuple[float, float]:
    """Median and 95th percentile."""
    return statistics.median(sample), statistics.quantiles(sample, n=20)[18]


def main() -> None:
    """Print both screens."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=28, help="keys in a round, a multiple of 4")
    parser.add_argument("--agents", type=int, default=40)
    parser.add_argument("--rate", type=int, default=50, help="changes a second")
    asked = parser.parse_args()
    print(f"{asked.agents} agents, {asked.rate} changes/s, {SIZE[0]}x{SIZE[1]}")
    for place in ("6", "1"):
        asyncio.run(measure(asked.keys, asked.agents, asked.rate, place))


if __name__ == "__main__":
    main()
