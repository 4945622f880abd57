"""The supervisor port on supervisord: one supervising process per slot, reached over UNIX sockets."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import backends
from backends.model.errors import HeroError, unknown_name
from backends.model.text import safe_text
from backends.supervisors.base import LogSource, ProcessSpec, ProcessState, SupervisorLost, checked_name
from backends.supervisors.environment import minimal_environment
from backends.supervisors.strays import end_processes, find_strays
from backends.supervisors.supervisord_wire import (
    EVENTS_SOCKET,
    READY,
    RPC_SOCKET,
    spec_to_json,
    state_from_fields,
)
from backends.supervisors.xmlrpc_client import FaultError, call

START_TIMEOUT = 30.0
"""Seconds that a supervising process may take to start, or an ending one to end, before `up` gives up."""
ANSWER_TIMEOUT = 10.0
"""Seconds for calls that wait for no process."""
_RETRY = 0.005
_LONGEST_SOCKET = 107
_SUFFIX_WHILE_BINDING = len(".4194304")  # supervisord binds `<socket>.<pid>` first
_ENDING, _UNKNOWN_NAME, _BAD_ARGUMENTS = 6, 10, 3  # supervisor.xmlrpc.FaultErrors
_EVENT_LIMIT = 1024 * 1024


class Supervisord:
    """Processes under one supervisord. `home` holds its lock and logs, `runtime_dir` its sockets."""

    limits_memory = False

    def __init__(self, home: Path, *, runtime_dir: Path):
        """HeroError(usage) if `runtime_dir` is too long for a UNIX socket."""
        self._home = home.absolute()
        self._runtime_dir = runtime_dir.absolute()
        self._rpc_socket = self._runtime_dir / RPC_SOCKET
        self._events_socket = self._runtime_dir / EVENTS_SOCKET
        longest = len(os.fsencode(self._rpc_socket)) + _SUFFIX_WHILE_BINDING
        if longest > _LONGEST_SOCKET:
            raise HeroError(
                "usage",
                f"The supervisor's socket {self._rpc_socket} has a path of {longest} bytes while it is made;"
                f" this system allows {_LONGEST_SOCKET}.",
                hint=f"Give a runtime folder that is {longest - _LONGEST_SOCKET} bytes shorter.",
            )

    async def up(self) -> list[int]:
        """HeroError: busy if another one neither answers nor ends, failed if ours does not start."""
        self._make_folders()
        clock = asyncio.get_running_loop().time
        deadline = clock() + START_TIMEOUT
        while clock() < deadline:
            if await self._pid() is not None:
                return []
            lock = self._try_lock()
            if lock is not None:
                try:
                    replaced = await self.end_strays()
                    await self._launch(lock)
                    return replaced
                finally:
                    os.close(lock)
            await asyncio.sleep(_RETRY)
        raise HeroError(
            "busy",
            f"A supervisor holds {self._home} but does not answer at {self._rpc_socket}.",
            hint=f"End the process whose number stands in {self._home / 'supervisord.pid'}, then try again.",
        )

    async def down(self) -> None:
        try:
            reader, writer = await asyncio.open_unix_connection(self._events_socket, limit=_EVENT_LIMIT)
        except OSError:
            return
        try:
            await self._call("supervisor.shutdown")
            while await reader.read(_EVENT_LIMIT):
                pass
        except (SupervisorLost, OSError):
            pass  # it was ending already
        finally:
            writer.close()
        # The lock is the last thing that goes with the process, and a file lock has no event to wait for.
        while (lock := self._try_lock()) is None:  # noqa: ASYNC110
            await asyncio.sleep(_RETRY)
        os.close(lock)

    async def apply(self, spec: ProcessSpec) -> None:
        await self._call("hero.apply", spec_to_json(spec))

    async def remove(self, name: str) -> None:
        await self._act("hero.remove", name)

    async def start(self, name: str) -> None:
        self._must_run(await self._act("hero.start", name))

    async def restart(self, name: str) -> None:
        self._must_run(await self._act("hero.restart", name))

    async def stop(self, name: str) -> None:
        await self._act("hero.stop", name)

    async def states(self) -> dict[str, ProcessState]:
        return {fields["name"]: state_from_fields(fields) for fields in await self._fields()}

    def log_source(self, name: str, file: Path) -> LogSource:
        return file

    async def watch(self) -> AsyncIterator[ProcessState]:
        supervisor: dict[str, Any] | None = None
        while True:
            async for fields in self._events():
                if "supervisor" not in fields:
                    yield state_from_fields(fields)
                elif supervisor in (None, fields):
                    supervisor = fields
                else:
                    raise SupervisorLost("The supervisor has ended; another one has taken its place.")

    async def unprovided(self) -> set[str]:
        return set()

    async def strays(self) -> list[int]:
        return await asyncio.to_thread(find_strays, self._home, await self._pid())

    async def end_strays(self) -> list[int]:
        return await asyncio.to_thread(end_processes, self._home, await self.strays())

    async def _events(self) -> AsyncIterator[dict[str, Any]]:
        """The lines of one connection, until the supervisor ends it."""
        try:
            reader, writer = await asyncio.open_unix_connection(self._events_socket, limit=_EVENT_LIMIT)
        except OSError:
            raise SupervisorLost(
                f"No supervisor answers at {self._events_socket}.", hint="Start the slot's daemon again."
            ) from None
        try:
            while (line := await reader.readline()).endswith(b"\n"):
                yield json.loads(line)
        except ConnectionError:
            return
        finally:
            writer.close()

    async def _fields(self) -> list[dict[str, Any]]:
        fields: list[dict[str, Any]] = json.loads(await self._call("hero.states"))
        return fields

    async def _pid(self) -> int | None:
        """The supervising process, if it runs and is not about to end."""
        try:
            return int(json.loads(await self._call("hero.hello"))["supervisor"])
        except SupervisorLost:
            return None

    async def _act(self, method: str, name: str) -> ProcessState:
        """A call that may have to wait for the process, as long as that takes."""
        checked_name(name)
        try:
            return state_from_fields(json.loads(await self._call(method, name, timeout=None)))
        except FaultError as fault:
            if fault.code != _UNKNOWN_NAME:
                raise HeroError("failed", f"The supervisor refused `{name}`: {fault.text}.") from fault
        raise unknown_name("process", name, await self.states())

    async def _call(self, method: str, *params: str, timeout: float | None = ANSWER_TIMEOUT) -> Any:
        try:
            async with asyncio.timeout(timeout):
                return await call(self._rpc_socket, method, *params)
        except TimeoutError:
            raise SupervisorLost(f"The supervisor did not answer within {timeout:g} s.") from None
        except FaultError as fault:
            if fault.code == _ENDING:
                raise SupervisorLost("The supervisor is ending.") from None
            if fault.code == _BAD_ARGUMENTS:
                raise HeroError("usage", fault.text) from None
            raise

    def _must_run(self, state: ProcessState) -> None:
        if state.state == "fatal":
            raise HeroError("failed", f"`{state.name}` cannot be started: {state.reason}.")
        if state.state in ("stopped", "unknown"):
            raise HeroError("cancelled", f"`{state.name}` was stopped before it started.")

    def _make_folders(self) -> None:
        self._home.mkdir(parents=True, exist_ok=True)
        self._runtime_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = self._runtime_dir.stat()
        if status.st_uid != os.getuid() or status.st_mode & 0o002:
            raise HeroError(
                "denied",
                f"The runtime folder {self._runtime_dir} is not ours alone: others could take our sockets' place.",
                hint=f"`chmod 700 {self._runtime_dir}`, or give another folder.",
            )

    def _try_lock(self) -> int | None:
        """A descriptor that holds the lock of `home`, or nothing. It is held as long as any copy is open, so
        that the supervising process, which inherits one, keeps it for its whole life."""
        lock = os.open(self._home / "supervisord.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return None
        return lock

    async def _launch(self, lock: int) -> None:
        """Start the supervising process, detached, and wait until it answers."""
        ready, tell = os.pipe()
        output = self._home / "supervisord.out"
        try:
            with output.open("wb") as out:
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-X", "utf8", "-P", "-m", "backends.supervisors.supervisord_main"),
                    *(str(self._home), str(self._runtime_dir), str(lock), str(tell)),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=out,
                    stderr=out,
                    cwd=self._home,
                    env=minimal_environment() | {"PYTHONPATH": str(Path(backends.__path__[0]).parent)},
                    pass_fds=(lock, tell),
                    start_new_session=True,
                )
        except BaseException:
            os.close(ready)
            raise
        finally:
            os.close(tell)
        said = await _read_to_end(ready)
        await process.wait()
        if said != READY:
            why = safe_text(output.read_text(errors="replace")[-2000:]).strip()
            raise HeroError("failed", "The supervisor did not start.", hint=why or f"See {self._home}.")


async def _read_to_end(descriptor: int) -> bytes:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", buffering=0)
    )
    try:
        return await reader.read()
    finally:
        transport.close()
