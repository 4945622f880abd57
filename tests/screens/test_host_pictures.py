"""Pictures of the Host screen in three sizes: at work, warning, full, stale, empty, refused; and in colour."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot

from backends.model.containers import ContainerReport
from backends.model.errors import HeroError
from backends.model.host import DiskReport
from hero_tui.settings import Settings
from screens.widgets.confirm import Confirm
from tests.hero_tui.fleets import NOW, Cockpit
from tests.hero_tui.hosts import FakeHost, looked, machine, on_host, plan, report, sample, warning

SIZES = [(80, 24), (120, 40), (200, 50)]
Pose = Callable[[Cockpit, Pilot[int], FakeHost], Awaitable[None]]


async def processes(cockpit: Cockpit, pilot: Pilot[int], source: FakeHost) -> None:
    """At work, the disk of the homes filling up."""
    source.tell()
    await looked(cockpit, pilot, source)
    source.tell(sample(warnings=(warning(),)))
    await looked(cockpit, pilot, source)
    await cockpit.press(pilot, "j", "j")


async def disks(cockpit: Cockpit, pilot: Pilot[int], source: FakeHost) -> None:
    """What takes the room, a target that can go under the cursor."""
    source.tell()
    await looked(cockpit, pilot, source)
    await cockpit.press(pilot, "v", "g", "j")


async def containers(cockpit: Cockpit, pilot: Pilot[int], source: FakeHost) -> None:
    """Docker's images and stacks, and a Podman that may not be asked."""
    source.tell()
    await looked(cockpit, pilot, source)
    await cockpit.press(pilot, "v", "v", "g")


async def one_container(cockpit: Cockpit, pilot: Pilot[int], source: FakeHost) -> None:
    """The one that takes most, in full, by memory."""
    source.tell()
    await looked(cockpit, pilot, source)
    await cockpit.press(pilot, "v", "v", "O", "g", *"jjjjj", "slash", *"mail", "enter")


async def stacks(cockpit: Cockpit, pilot: Pilot[int], source: FakeHost) -> None:
    """Only the sums of the stacks, by what they take."""
    await containers(cockpit, pilot, source)
    await cockpit.press(pilot, "z", *"jjjj")


async def no_engine(cockpit: Cockpit, pilot: Pilot[int], source: FakeHost) -> None:
    """There is nothing that could be listed."""
    cockpit.line.answers |= {"host.containers": ContainerReport(time=NOW), "host.disk": DiskReport()}
    source.tell()
    await looked(cockpit, pilot, source)
    await cockpit.press(pilot, "v", "v", "ctrl+r")


async def bad(cockpit: Cockpit, pilot: Pilot[int], source: FakeHost) -> None:
    """Nothing is left of anything, two days of it."""
    full = machine(cpu=100.0, load=(61.0, 44.0, 20.0), memory_used=31_500_000_000, swap_used=7_900_000_000)
    levels = (warning("bad", sentence="/home is 98 % full, 2.1 GiB free."), warning(subject="memory"))
    source.tell(sample(machine=full, warnings=levels))
    await looked(cockpit, pilot, source)
    source.tell(sample(machine=full, warnings=levels))
    await looked(cockpit, pilot, source)
    await cockpit.press(pilot, "t", "z")


async def stale(cockpit: Cockpit, pilot: Pilot[int], source: FakeHost) -> None:
    """The daemon went away twelve seconds ago."""
    source.tell()
    await looked(cockpit, pilot, source)
    source.tell(lost="The box's daemon closed the connection.")
    cockpit.now += timedelta(seconds=12)
    await looked(cockpit, pilot, source)


async def loading(cockpit: Cockpit, pilot: Pilot[int], source: FakeHost) -> None:
    """Nobody has answered yet."""


async def empty(cockpit: Cockpit, pilot: Pilot[int], source: FakeHost) -> None:
    """Nothing was ever measured."""
    cockpit.line.answers["host.disk"] = DiskReport()
    source.tell()
    await looked(cockpit, pilot, source)
    await cockpit.press(pilot, "v", "ctrl+r")
    await cockpit.settle(pilot)


async def refused(cockpit: Cockpit, pilot: Pilot[int], source: FakeHost) -> None:
    """The box cannot tell."""
    cockpit.line.answers["host.disk"] = HeroError("failed", "The box's database is locked.", hint="Try again.")
    source.tell(lost="The box's daemon is of an older version and knows nothing of the machine: restart it.")
    await looked(cockpit, pilot, source)


async def measuring(cockpit: Cockpit, pilot: Pilot[int], source: FakeHost) -> None:
    """A measurement that runs."""
    cockpit.line.answers |= {
        "host.measure": report(measuring=("mik", "thabet")),
        "host.disk": report(measuring=("mik",)),
    }
    source.tell()
    await looked(cockpit, pilot, source)
    await cockpit.press(pilot, "m")


async def question(cockpit: Cockpit, pilot: Pilot[int], source: FakeHost) -> None:
    """What would go, and whose name is to be typed."""
    cockpit.line.answers["slot.clean_plan"] = plan()
    await disks(cockpit, pilot, source)
    await cockpit.press(pilot, "D")
    await cockpit.until(pilot, lambda: isinstance(cockpit.app.screen, Confirm))
    await cockpit.press(pilot, *"ali")


@pytest.mark.parametrize("pose", [processes, disks, containers, bad], ids=lambda one: str(one.__name__))
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_each_view_is_laid_out_as_pictured(
    pose: Pose, size: tuple[int, int], snap_text: Callable[[App[Any]], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with on_host(monkeypatch, size, told=False) as (cockpit, pilot, source):
        await pose(cockpit, pilot, source)
        assert snap_text(cockpit.app)


@pytest.mark.parametrize(
    "pose",
    [stale, loading, empty, refused, measuring, question, one_container, stacks, no_engine],
    ids=lambda one: str(one.__name__),
)
async def test_each_state_is_pictured(
    pose: Pose, snap_text: Callable[[App[Any]], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with on_host(monkeypatch, (80, 24), told=False) as (cockpit, pilot, source):
        await pose(cockpit, pilot, source)
        assert snap_text(cockpit.app)


@pytest.mark.parametrize(
    ("pose", "theme"),
    [(processes, "hero-dark"), (disks, "hero-light"), (bad, "hero-dark")],
    ids=lambda one: getattr(one, "__name__", one),
)
def test_the_look_is_as_pictured(
    pose: Pose, theme: str, snap_compare: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = FakeHost()
    monkeypatch.setattr("hero_tui.host_source.BoxHost", lambda _: source)
    cockpit = Cockpit(settings=Settings(theme=theme))

    async def before(pilot: Pilot[int]) -> None:
        await cockpit.settle(pilot)
        cockpit.line.answers["host.disk"] = report()
        await cockpit.press(pilot, "8")
        await cockpit.until(pilot, lambda: source.following == 1)
        await pose(cockpit, pilot, source)

    assert snap_compare(cockpit.app, run_before=before, terminal_size=(120, 40))
