"""The supervisor port on systemd: processes are user units, told of over D-Bus, their logs are journald's.

It brings dbus-fast in: import this module only where it is used.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any

from backends.model.errors import HeroError, unknown_name
from backends.supervisors.base import JournalUnit, LogSource, ProcessSpec, ProcessState, SupervisorLost
from backends.supervisors.environment import NAME_MARK, minimal_environment
from backends.supervisors.systemd_bus import Refused, UserBus, bus_socket
from backends.supervisors.systemd_files import UnitFiles
from backends.supervisors.systemd_memory import why_no_memory_limit
from backends.supervisors.systemd_mirror import Mirror
from backends.supervisors.systemd_state import AWAITS_SECRETS
from backends.supervisors.systemd_unit import UnitNames, secrets_text, unit_text

log = logging.getLogger(__name__)

_AT_REST = ("stopped", "exited", "fatal")


class Systemd:
    """Processes as units `<prefix><name>.service` of the calling user's own systemd.

    One object per slot; `up` connects it, after SupervisorLost it connects it again. Units run on without us.
    """

    def __init__(self, *, prefix: str = "slot-", folder: Path | None = None):
        """`folder` is where the user manager looks for units, `~/.config/systemd/user`."""
        self._names = UnitNames(prefix)
        folder = folder or Path.home() / ".config" / "systemd" / "user"
        self._files = UnitFiles(folder, bus_socket().parent, self._names)
        self._bus: UserBus | None = None
        self._mirror = Mirror()
        self._specs: dict[str, ProcessSpec] = {}
        self._turns: dict[str, asyncio.Lock] = {}
        self._connecting = asyncio.Lock()
        self._reloading = asyncio.Lock()
        self._reloads_asked = self._reloads_done = 0
        self._versions: dict[str, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.memory_problem = "the user manager has not been asked yet"
        """Why `memory_max` is not kept; empty where it is."""

    @property
    def limits_memory(self) -> bool:
        return not self.memory_problem

    async def up(self) -> list[int]:
        """HeroError(unreachable) where no user manager runs."""
        async with self._connecting:
            if self._bus is None or self._bus.ended.is_set():
                await self._connect()
        await self._look_around()
        return []

    async def down(self) -> None:
        """Stop all processes and let go of the user manager, which is not ours to end."""
        try:
            await self.up()
        except HeroError:
            return
        bus = self._connected()
        try:
            with contextlib.suppress(SupervisorLost):
                await asyncio.gather(*(self.stop(name) for name in list(self._mirror.states)))
        finally:
            await bus.close()
            await asyncio.gather(*self._tasks)

    async def apply(self, spec: ProcessSpec) -> None:
        """HeroError: usage for what a unit cannot carry, conflict where a user's own unit has that name."""
        if spec.memory_max is not None and self.memory_problem:
            log.warning("the memory limit of %s is not kept: %s", spec.name, self.memory_problem)
        await self._write(spec)
        self._specs[spec.name] = spec

    async def remove(self, name: str) -> None:
        async with self._turn(name):
            await self._stop(name)
            self._specs.pop(name, None)
            await asyncio.to_thread(self._files.remove, name)
            await self._forget(name)
            await self._reload()

    async def start(self, name: str) -> None:
        async with self._turn(name):
            if (await self._known(name)).state not in ("running", "starting"):
                await self._launch(name)

    async def restart(self, name: str) -> None:
        async with self._turn(name):
            await self._known(name)
            await self._launch(name)

    async def stop(self, name: str) -> None:
        async with self._turn(name):
            await self._stop(name)

    async def states(self) -> dict[str, ProcessState]:
        await self._look_around()
        return dict(self._mirror.states)

    async def watch(self) -> AsyncIterator[ProcessState]:
        self._connected()
        async with contextlib.aclosing(self._mirror.read()) as states:  # type: ignore[type-var]
            async for state in states:
                yield state

    def log_source(self, name: str, file: Path) -> LogSource:
        return JournalUnit(self._names.unit(name))

    async def unprovided(self) -> set[str]:
        states = await self.states()
        waiting = {name for name, state in states.items() if state.reason == AWAITS_SECRETS}
        return {name for name in waiting if self._files.enabled(name)}

    async def strays(self) -> list[int]:
        """None, ever: a process cannot leave its unit's control group."""
        return []

    async def end_strays(self) -> list[int]:
        return []

    async def _connect(self) -> None:
        mirror = self._mirror = Mirror()
        bus = UserBus(self._changed, self._appeared, self._reloaded)
        await bus.connect()
        self._bus = bus
        self._own(self._tell_end(bus, mirror))
        self.memory_problem = why_no_memory_limit(await bus.manager_property("ControlGroup"))

    async def _tell_end(self, bus: UserBus, mirror: Mirror) -> None:
        await bus.until_ended()
        mirror.end("The user manager (systemd --user) has ended, or its message bus.")

    def _connected(self) -> UserBus:
        if self._bus is None or self._bus.ended.is_set():
            raise SupervisorLost(
                "There is no connection to the user manager (systemd --user).",
                hint="Start the slot's daemon again; `systemctl --user status` tells whether the manager runs.",
            )
        return self._bus

    async def _known(self, name: str) -> ProcessState:
        """The state of a process of ours. HeroError(usage, not_found)."""
        self._names.unit(name)
        self._connected()
        if name not in self._mirror.states:
            await self._look_around()
        if name not in self._mirror.states:
            raise unknown_name("process", name, self._mirror.states)
        return self._mirror.states[name]

    async def _look_around(self) -> None:
        """Know the units whose files are there, and no longer those whose file went while they were at rest."""
        self._connected()
        there = await asyncio.to_thread(self._files.listed)
        known = self._mirror.states
        await asyncio.gather(*(self._adopt(name) for name in sorted(there - known.keys())))
        for name in known.keys() - there:
            if known[name].state in _AT_REST:
                await self._forget(name)

    async def _adopt(self, name: str) -> None:
        """Know `name`. The reference keeps systemd from dropping what it knows of a unit that has ended."""
        with contextlib.suppress(Refused):
            await self._connected().manager("RefUnit", "s", self._names.unit(name))
        await self._refresh(name)

    async def _forget(self, name: str) -> None:
        for member in ("ResetFailedUnit", "UnrefUnit"):
            with contextlib.suppress(Refused):
                await self._connected().manager(member, "s", self._names.unit(name))
        self._mirror.forget(name)

    async def _refresh(self, name: str) -> None:
        """Ask for everything of `name`; an answer that a change has overtaken is asked for again."""
        mirror, version = self._mirror, -1
        while version != self._versions.get(name, 0):
            version = self._versions.get(name, 0)
            told = await self._connected().properties(self._names.unit(name))
        mirror.take(name, told)

    async def _write(self, spec: ProcessSpec) -> None:
        """Have systemd know `spec` as it is now: PATH may lead elsewhere since it was written last."""
        bus = self._connected()
        inherited = [pair.partition("=")[0] for pair in await bus.manager_property("Environment")]
        text = unit_text(spec, self._names, minimal_environment() | {NAME_MARK: spec.name}, inherited)
        await asyncio.to_thread(self._files.write_secrets, spec.name, secrets_text(spec))
        changed = await asyncio.to_thread(self._files.write, spec.name, text)
        if changed:
            await self._reload()
        if spec.name not in self._mirror.states:
            await self._adopt(spec.name)
        elif changed:
            await self._refresh(spec.name)

    async def _reload(self) -> None:
        """Have systemd read the units again; one reload serves all who asked before it began."""
        self._reloads_asked += 1
        mine = self._reloads_asked
        async with self._reloading:
            if self._reloads_done >= mine:
                return
            served = self._reloads_asked
            await self._connected().manager("Reload")
            self._reloads_done = served

    async def _launch(self, name: str) -> None:
        """Start or restart `name` by its newest definition; its past no longer counts."""
        if name in self._specs:
            await self._write(self._specs[name])
        await asyncio.to_thread(self._files.enable, name)
        bus, unit = self._connected(), self._names.unit(name)
        with contextlib.suppress(Refused):
            await bus.manager("ResetFailedUnit", "s", unit)
        try:
            # Not StartUnit: that would sit out the delay of an automatic restart.
            result = await bus.job("RestartUnit", unit)
        except Refused as refused:
            raise HeroError("failed", f"`{name}` cannot be started: {refused.text}.") from refused
        await self._refresh(name)
        state = self._mirror.states[name]
        if state.state == "fatal":
            raise HeroError("failed", f"`{name}` cannot be started: {state.reason}.")
        if result == "canceled":
            raise HeroError("cancelled", f"`{name}` was stopped before it started.")
        if result not in ("done", "failed"):  # `failed` is also a program that ended at once
            raise HeroError("failed", f"`{name}` cannot be started: systemd's job ended as `{result}`.")

    async def _stop(self, name: str) -> None:
        await self._known(name)
        await asyncio.to_thread(self._files.disable, name)
        try:
            result = await self._connected().job("StopUnit", self._names.unit(name))
        except Refused as refused:
            if refused.name != "NoSuchUnit":  # of one that cannot be loaded nothing runs
                raise HeroError("failed", f"`{name}` cannot be stopped: {refused.text}.") from refused
            result = "done"
        await self._refresh(name)
        if result == "canceled":
            raise HeroError("cancelled", f"`{name}` was started again before it had stopped.")

    def _turn(self, name: str) -> asyncio.Lock:
        """What is asked of one process is done in the order in which it was asked."""
        return self._turns.setdefault(name, asyncio.Lock())

    def _changed(self, unit: str, properties: dict[str, Any], complete: bool) -> None:
        name = self._names.name(unit)
        if name is None:
            return
        self._versions[name] = self._versions.get(name, 0) + 1
        if name in self._mirror.states:
            self._mirror.take(name, properties, complete=complete)

    def _appeared(self, unit: str) -> None:
        name = self._names.name(unit)
        if name is not None and name in self._mirror.states:
            self._own(self._refresh(name))

    def _reloaded(self) -> None:
        """Somebody had systemd read the units again: ours may have been edited, added or removed by hand."""
        if not self._reloading.locked():
            self._own(self._read_again())

    async def _read_again(self) -> None:
        await self._look_around()
        await asyncio.gather(*(self._refresh(name) for name in list(self._mirror.states)))

    def _own(self, work: Coroutine[Any, Any, None]) -> None:
        async def run() -> None:
            try:
                await work
            except SupervisorLost:
                pass  # who watches is told
            except Exception:
                log.exception("looking at the user manager's units")

        task = asyncio.create_task(run(), name="systemd")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
