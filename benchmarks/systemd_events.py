"""From a change in a user's systemd to the news of it at a subscriber of the port, against a bare D-Bus listener.

Both hear of the same kill -9 in the same run, on connections of their own. systemd's own stamp of the change and
ours are both of the monotonic clock. Off systemd it says why and measures nothing.
Run: `python -m benchmarks.systemd_events [--rounds N] [--services N]`
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import signal
import statistics
import tempfile
import time
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path

from dbus_fast import Message
from dbus_fast.aio import MessageBus

from backends.model.errors import HeroError
from backends.supervisors.base import ProcessSpec
from backends.supervisors.systemd import Systemd
from backends.supervisors.systemd_bus import UNIT, bus_socket, unit_path
from backends.supervisors.systemd_unit import UnitNames

WANTED = 0.050
"""Seconds from the change to the news, in the median."""


@dataclass
class Seen:
    """What was seen of one kill: monotonic seconds."""

    killed: float = 0.0
    changed: float = 0.0
    bare: float = 0.0
    ours: float = 0.0
    complete: asyncio.Event = field(default_factory=asyncio.Event)

    def look(self) -> None:
        """Note whether both have heard of it."""
        if self.bare and self.ours:
            self.complete.set()


class Listener:
    """The bare minimum: one match, one handler."""

    def __init__(self, unit: str):
        self._path = unit_path(unit)
        self.seen = Seen()

    async def connect(self) -> MessageBus:
        """Listen to this one unit."""
        bus = await MessageBus(f"unix:path={bus_socket()}").connect()
        bus.add_message_handler(self._take)
        rule = f"type='signal',interface='org.freedesktop.DBus.Properties',path='{self._path}'"
        await bus.call(
            Message(
                destination="org.freedesktop.DBus",
                path="/org/freedesktop/DBus",
                interface="org.freedesktop.DBus",
                member="AddMatch",
                signature="s",
                body=[rule],
            )
        )
        return bus

    def _take(self, message: Message) -> None:
        if message.member != "PropertiesChanged" or message.path != self._path or message.body[0] != UNIT:
            return
        if self.seen.killed and not self.seen.bare:
            self.seen.bare = time.monotonic()
            self.seen.changed = message.body[1]["StateChangeTimestampMonotonic"].value / 1e6
            self.seen.look()


async def measure(folder: Path, rounds: int, services: int) -> None:
    """Run everything and print it."""
    prefix = f"herobench-{secrets.token_hex(4)}-"
    supervisor = Systemd(prefix=prefix)
    try:
        await supervisor.up()
    except HeroError as error:
        print(f"skipped: {error.message}")
        return
    try:
        names = [f"p{number}" for number in range(services)]
        for name in names:
            await supervisor.apply(ProcessSpec(name, ("sleep", "1000"), folder, {}, folder / "l", "never"))
            await supervisor.start(name)
        listener = Listener(UnitNames(prefix).unit(names[0]))
        bus = await listener.connect()
        report(await kills(supervisor, names[0], listener, rounds), services)
        bus.disconnect()
    finally:
        for name in await supervisor.states():
            await supervisor.remove(name)
        await supervisor.down()


async def kills(supervisor: Systemd, name: str, listener: Listener, rounds: int) -> list[Seen]:
    """Kill the process again and again."""
    found: list[Seen] = []
    watching = asyncio.create_task(watch(supervisor, name, listener))
    for _ in range(rounds):
        await supervisor.start(name)
        pid = (await supervisor.states())[name].pid
        assert pid is not None
        seen = listener.seen = Seen(killed=time.monotonic())
        os.kill(pid, signal.SIGKILL)
        await seen.complete.wait()
        found.append(seen)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    return found


async def watch(supervisor: Systemd, name: str, listener: Listener) -> None:
    """Note when the port tells of the end."""
    async with aclosing(supervisor.watch()) as states:  # type: ignore[type-var]
        async for state in states:
            if state.name == name and state.state == "exited" and not listener.seen.ours:
                listener.seen.ours = time.monotonic()
                listener.seen.look()


def report(seen: list[Seen], services: int) -> None:
    """Medians, the 95th percentiles, and the ratio."""
    print(f"{len(seen)} kills, {services} services")
    ours = [one.ours - one.changed for one in seen]
    bare = [one.bare - one.changed for one in seen]
    line("change -> port's subscriber", ours)
    line("change -> bare listener", bare)
    line("kill -9 -> port's subscriber", [one.ours - one.killed for one in seen])
    print(f"{'ratio':34} {statistics.median(ours) / statistics.median(bare):.2f}")
    verdict = "kept" if statistics.median(ours) <= WANTED else "NOT kept"
    print(f"{'median of at most 50 ms':34} {verdict}")


def line(what: str, seconds: list[float]) -> None:
    """One line in milliseconds."""
    high = statistics.quantiles(seconds, n=20)[-1]
    print(f"{what:34} median {statistics.median(seconds) * 1000:7.2f} ms   p95 {high * 1000:7.2f} ms")


def main() -> None:
    """Read the arguments, measure in a folder that is gone afterwards."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--services", type=int, default=12)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hero-bench-") as folder:
        asyncio.run(measure(Path(folder), options.rounds, options.services))


if __name__ == "__main__":
    main()
