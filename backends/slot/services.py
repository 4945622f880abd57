"""The slot's processes: started from the version in force, watched, checked, told to the board."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from backends.model.errors import HeroError
from backends.model.paths import SlotPaths
from backends.model.service import ServiceDescription
from backends.model.text import safe_line
from backends.slot.board import Board
from backends.slot.health import Checked
from backends.slot.installs import Installs
from backends.slot.launch import Launch
from backends.slot.logs import tail
from backends.slot.starts import Start, Starts
from backends.slot.web_names import WebNames
from backends.supervisors.base import LogSource, ProcessSpec, ProcessState, Supervisor, SupervisorLost

log = logging.getLogger(__name__)

_DEAD = ("exited", "backoff", "fatal", "stopped")
_UP_AGAIN = (0.05, 0.2, 0.5, 1.0, 2.0, 5.0)

Reporter = Callable[[str, str, str], None]
"""Takes an event's kind, subject and sentence."""


class Services:
    """Start, stop and watch what the slot runs. `sockets` is the short real folder of `var/sockets`, `address` the
    slot's on the box's router, "" where there is none."""

    def __init__(
        self,
        paths: SlotPaths,
        sockets: Path,
        supervisor: Supervisor,
        installs: Installs,
        board: Board,
        report: Reporter,
        address: str = "",
    ):
        self._paths = paths
        self._web = WebNames(sockets, address)
        self._launch = Launch(paths, self._web)
        self._sockets = sockets
        self._supervisor = supervisor
        self._installs = installs
        self._board = board
        self._report = report
        self._starts = Starts(paths, sockets, self._launch, board, self._web.admit)
        self._pids: dict[str, int] = {}
        self._wanted: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._watching: asyncio.Task[None] | None = None

    async def up(self) -> bool:
        """Bring the supervisor up, or adopt the running one, and watch it; tells whether anything ran there."""
        self._make_room()
        await self._supervisor.up()
        states = await self._supervisor.states()
        for state in states.values():
            self._process_changed(state)
        self._watching = asyncio.create_task(self._watch(), name="watch-supervisor")
        return any(state.state not in _DEAD for state in states.values())

    def _make_room(self) -> None:
        """A boot takes the folders for sockets, and systemd then starts by itself what is meant to run."""
        for service in self._board.services():
            if not (self._sockets / service).is_dir():
                with contextlib.suppress(HeroError):
                    self._web.lay(service, self.describe(service))

    async def unprovided(self) -> set[str]:
        """What is meant to run and waits for its secrets, which only we know."""
        return await self._supervisor.unprovided()

    async def close(self) -> None:
        """Stop watching; services run on."""
        tasks: list[asyncio.Task[Any]] = [task for task in (self._watching, *self._tasks) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._starts.close()

    async def down(self) -> None:
        """Stop every service and the supervisor."""
        await self._supervisor.down()

    def describe(self, service: str) -> ServiceDescription:
        """The description of the version in force, its health command filled in.

        Raises HeroError when nothing is installed.
        """
        installed = self._installs.current(service)
        if installed is None:
            raise HeroError(
                "not_found",
                f"Nothing is installed for {service}.",
                hint=f"`hero_dev pull {service}` installs the newest release of its branch.",
            )
        return self._launch.filled_in(service, self._installs.describe(service, installed.folder))

    async def start(self, service: str) -> None:
        """(Re)start `service` on the version in force; returns when its process is spawned. Raises HeroError."""
        description = self.describe(service)
        spec = await self._launch.spec(service, description)
        self._forget(service)
        self._wanted.add(service)
        placeholder = self._starts.expect(service)
        try:
            await self._replace(service, spec, description)
        except BaseException:
            self._forget(service)
            self._watch_what_runs(service)
            raise
        start = self._starts.begin(service, description)
        if placeholder.died.is_set():  # the old process did, or the new one already
            self._own(self._confirm_death(service, start))

    async def _replace(self, service: str, spec: ProcessSpec, description: ServiceDescription) -> None:
        await self._apply(spec)
        await self._supervisor.stop(service)
        self._web.lay(service, description)
        self._board.update(
            service,
            starting=True,
            checked=None,
            check_detail="",
            depends_on=tuple(description.run.depends_on),
            socket=self._launch.web_socket(service, description),
            url=self._web.url(service),
        )
        await self._supervisor.start(service)

    def take_shorts(self, shorts: Mapping[str, str]) -> None:
        """Take the services' names in addresses, and lead the router to those that are bound."""
        self._web.keep(shorts, self._board.services(), self.describe)
        for service in self._board.services():
            self._board.update(service, url=self._web.url(service))

    def _watch_what_runs(self, service: str) -> None:
        facts = self._board.facts(service)
        if facts and facts.process:
            self._process_changed(facts.process)

    async def _apply(self, spec: ProcessSpec) -> None:
        """Register `spec`; a supervisor that was just killed is brought back first."""
        try:
            await self._supervisor.apply(spec)
        except HeroError as error:
            if error.code != "unreachable":
                raise
            await self._supervisor.up()
            await self._supervisor.apply(spec)

    async def healthy(self, service: str) -> Checked:
        """How the last start of `service` settled: healthy within its time, or why not."""
        return await self._starts.settled(service)

    async def stop(self, service: str) -> None:
        """Stop `service`; returns when its whole process group is gone."""
        self._forget(service)
        self._wanted.discard(service)
        with _unknown_is_fine():
            await self._supervisor.stop(service)

    async def remove(self, service: str) -> None:
        """Stop `service` and let the supervisor forget it."""
        self._forget(service)
        self._wanted.discard(service)
        with _unknown_is_fine():
            await self._supervisor.remove(service)

    def log_source(self, service: str) -> LogSource:
        """Where the output of `service` is read, whether it runs or not."""
        return self._supervisor.log_source(service, self._paths.service_log(service))

    async def running(self, service: str) -> bool:
        state = (await self._supervisor.states()).get(service)
        return state is not None and state.state not in _DEAD

    async def _watch(self) -> None:
        attempt = 0
        while True:
            try:
                async for state in self._supervisor.watch():
                    attempt = 0
                    self._process_changed(state)
            except SupervisorLost as lost:
                log.warning("supervisor lost: %s", lost)
                self._nobody_watches()
            except HeroError as error:
                log.warning("supervisor: %s", error)
            await asyncio.sleep(_UP_AGAIN[min(attempt, len(_UP_AGAIN) - 1)] if attempt else 0)
            attempt += 1
            with contextlib.suppress(HeroError):
                await self._bring_back()

    def _nobody_watches(self) -> None:
        """Nothing is green while nobody can say what its process does."""
        for service in self._board.services():
            facts = self._board.facts(service)
            if facts and facts.process and facts.process.state not in _DEAD:
                lost = replace(facts.process, state="unknown", pid=None, reason="the supervisor was killed")
                self._board.update(service, process=lost, checked=None)
        self._starts.lose()

    async def _bring_back(self) -> None:
        """A supervisor that died gets a successor; what ran is started again under it, and reported."""
        ran = [name for name in self._board.services() if name in self._wanted]
        await self._supervisor.up()
        states = await self._supervisor.states()
        lost = [name for name in ran if name not in states or states[name].state in _DEAD]
        if not lost:
            return
        self._report("slot.supervisor", "", f"The supervisor was killed; started again: {', '.join(lost)}.")
        for service in lost:
            try:
                await self.start(service)
            except HeroError as error:
                self._report("service.failed", service, error.message)

    def _process_changed(self, state: ProcessState) -> None:
        service = state.name
        if self._board.facts(service) is None:
            return
        if state.state in _DEAD:
            self._pids.pop(service, None)
            self._process_ended(state)
            return
        self._board.update(service, process=state)
        if state.state == "running" and state.pid and self._pids.get(service) != state.pid:
            self._pids[service] = state.pid
            self._wanted.add(service)
            if self._starts.of(service) is None:
                self._begin_again(service)

    def _process_ended(self, state: ProcessState) -> None:
        service = state.name
        start = self._starts.of(service)
        is_replaced = start is not None and start.task is None
        if start and is_replaced:
            start.died.set()
        elif start:
            self._own(self._confirm_death(service, start))
        self._starts.unwatch(service)
        self._board.update(service, process=state, checked=None, starting=is_replaced)
        if state.state == "fatal" or (state.state == "exited" and state.exit_code == 0):
            self._wanted.discard(service)
        if state.state != "stopped":
            self._own(self._tell_last_line(service))

    async def _confirm_death(self, service: str, start: Start) -> None:
        """The end that is told may be that of the process before; ask before `start` is given up."""
        state = (await self._supervisor.states()).get(service)
        if state is None or state.state in _DEAD:
            start.died.set()

    async def _tell_last_line(self, service: str) -> None:
        with contextlib.suppress(HeroError):  # a journal that cannot be read is no reason to tell nothing
            lines = await tail([(service, self.log_source(service))], lines=1)
            self._board.update(service, last_log=safe_line(lines[0].text, 300) if lines else "")

    def _begin_again(self, service: str) -> None:
        """Health of a process that the supervisor (re)started by itself, or that was there before us."""
        try:
            description = self.describe(service)
        except HeroError as error:
            self._board.update(service, checked=False, check_detail=error.message)
            return
        self._board.update(
            service,
            starting=True,
            depends_on=tuple(description.run.depends_on),
            socket=self._launch.web_socket(service, description),
        )
        self._starts.begin(service, description)

    def _forget(self, service: str) -> None:
        """What was there before, and its start, are of no concern any longer."""
        self._starts.forget(service)
        self._pids.pop(service, None)

    def _own(self, work: object) -> None:
        task = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


@contextlib.contextmanager
def _unknown_is_fine() -> Iterator[None]:
    """A service that the supervisor never heard of is as stopped as can be."""
    try:
        yield
    except HeroError as error:
        if error.code != "not_found":
            raise
