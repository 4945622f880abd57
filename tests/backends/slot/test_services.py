"""Starting a service: what is told of the process before says nothing of the new one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from backends.slot.board import now
from backends.slot.services import Services
from backends.slot.slot import Slot
from backends.supervisors.base import ProcessSpec, ProcessState
from tests.backends.slot.slots import SERVICE, Bench, bench, until

OLD = ProcessState(SERVICE, "running", 4711, None, None, "", now(), 0)
NEW = replace(OLD, pid=4712)


class PlayedSupervisor:
    """Tells the slot of its one process what the test says, between the steps of a start."""

    limits_memory = False

    def __init__(self, tell: Callable[[ProcessState], None]):
        self._tell = tell
        self.state = OLD

    async def apply(self, spec: ProcessSpec) -> None:
        """The old process is told of once more, as when a watch has just begun."""
        assert spec.name == SERVICE
        self._tell(self.state)

    async def stop(self, _: str) -> None:
        self.state = replace(OLD, state="stopped", pid=None)
        self._tell(self.state)

    async def start(self, _: str) -> None:
        self.state = NEW
        self._tell(self.state)

    def log_source(self, _: str, file: Path) -> Path:
        return file

    async def states(self) -> Mapping[str, ProcessState]:
        return {SERVICE: self.state}


@pytest.fixture
async def slot(identity: None) -> AsyncIterator[Bench]:
    async with bench() as made:
        install(made.slot)
        yield made


@pytest.fixture
def services(slot: Bench, monkeypatch: pytest.MonkeyPatch) -> Services:
    """Those of the slot, whose one is described as it is installed."""
    made = slot.slot.context.services
    description = slot.slot.context.installs.describe(SERVICE, "1")
    monkeypatch.setattr(made, "describe", lambda _: description)
    return made


@pytest.fixture
def supervisor(services: Services, monkeypatch: pytest.MonkeyPatch) -> PlayedSupervisor:
    """In the place of the one that would start processes."""
    played = PlayedSupervisor(services._process_changed)
    monkeypatch.setattr(services, "_supervisor", played)
    return played


def install(slot: Slot) -> None:
    """A version of the service that is well when its socket answers, which nobody serves here."""
    paths = slot.context.paths
    folder = paths.opt / SERVICE / "1"
    folder.mkdir(parents=True)
    text = (
        f'schema = 1\nname = "{SERVICE}"\n[run]\ncommand = ["bin/x"]\nsockets = ["web"]\n[health]\nsocket = true\n'
    )
    (folder / "hero_service.toml").write_text(text)


async def test_the_old_process_told_of_during_a_start_does_not_begin_one(
    slot: Bench, services: Services, supervisor: PlayedSupervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    began: list[str] = []
    monkeypatch.setattr(services, "_begin_again", began.append)
    await services.start(SERVICE)
    assert began == []
    facts = slot.slot.context.board.facts(SERVICE)
    assert facts
    assert (facts.process, facts.checked, facts.starting) == (NEW, None, True)
    start = services._starts.of(SERVICE)
    assert start
    assert start.task
    services._process_changed(replace(NEW, state="exited", pid=None, exit_code=3))
    supervisor.state = replace(NEW, state="exited", pid=None, exit_code=3)
    await until(start.died.is_set)
    assert (await start.task).detail == "its process ended"


async def test_a_process_that_ends_before_its_start_has_returned_is_seen(
    services: Services, supervisor: PlayedSupervisor, monkeypatch: pytest.MonkeyPatch
) -> None:

    async def start(_: str) -> None:
        supervisor.state = replace(NEW, state="backoff", pid=None, exit_code=3)
        services._process_changed(NEW)
        services._process_changed(supervisor.state)

    monkeypatch.setattr(supervisor, "start", start)
    await services.start(SERVICE)
    assert (await services.healthy(SERVICE)).detail == "its process ended"


async def test_a_start_that_fails_leaves_the_old_process_watched(
    services: Services, supervisor: PlayedSupervisor, monkeypatch: pytest.MonkeyPatch
) -> None:

    async def refuse(_: str) -> None:
        raise OSError("no more processes")

    monkeypatch.setattr(supervisor, "stop", refuse)
    with pytest.raises(OSError, match="no more"):
        await services.start(SERVICE)
    start = services._starts.of(SERVICE)
    assert start
    assert start.task


async def test_after_a_boot_there_is_room_for_sockets_before_the_supervisor_starts_anything(
    slot: Bench, services: Services
) -> None:
    folder = slot.root / "s" / SERVICE
    assert not folder.exists()
    await services.up()
    try:
        assert folder.is_dir()
    finally:
        await services.close()
        await services.down()
