"""One connection to a user's systemd over D-Bus: calls, jobs that are waited for, and what it tells by itself."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dbus_fast import DBusError, Message, MessageType
from dbus_fast.aio import MessageBus

from backends.model.errors import HeroError
from backends.model.text import safe_line
from backends.supervisors.base import SupervisorLost
from backends.supervisors.systemd_state import USED

ANSWER_TIMEOUT = 15.0
"""Seconds for calls that wait for no process."""

SYSTEMD = "org.freedesktop.systemd1"
MANAGER = "org.freedesktop.systemd1.Manager"
UNIT = "org.freedesktop.systemd1.Unit"
MANAGER_PATH = "/org/freedesktop/systemd1"
UNITS_PATH = "/org/freedesktop/systemd1/unit"
_PROPERTIES = "org.freedesktop.DBus.Properties"
_DBUS = "org.freedesktop.DBus"
_MATCHES = (
    f"type='signal',sender='{SYSTEMD}',path_namespace='{UNITS_PATH}',interface='{_PROPERTIES}'",
    *(
        f"type='signal',sender='{SYSTEMD}',path='{MANAGER_PATH}',interface='{MANAGER}',member='{member}'"
        for member in ("UnitNew", "JobRemoved", "Reloading")
    ),
    f"type='signal',sender='{_DBUS}',interface='{_DBUS}',member='NameOwnerChanged',arg0='{SYSTEMD}'",
)


class Refused(Exception):
    """systemd's answer to a call was an error: its `name` without the common beginning, and its text."""

    def __init__(self, name: str, text: str):
        super().__init__(f"{name}: {text}")
        self.name = name
        self.text = safe_line(text, 500)


Changed = Callable[[str, dict[str, Any], bool], None]
"""Takes a unit, properties of it, and whether these complete a change (systemd tells it in two parts)."""


class UserBus:
    """The connection.

    `changed` hears of units, `appeared` of units that were loaded, `reloaded` of each finished reload.
    """

    def __init__(self, changed: Changed, appeared: Callable[[str], None], reloaded: Callable[[], None]):
        self._changed = changed
        self._appeared = appeared
        self._reloaded = reloaded
        self._bus: MessageBus | None = None
        self._jobs: dict[str, set[_Jobs]] = {}
        self.ended = asyncio.Event()
        """Set once the connection or the user manager has gone."""

    async def connect(self) -> None:
        """Reach the user manager. HeroError(unreachable) where there is none."""
        address = f"unix:path={bus_socket()}"
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT):
                self._bus = await MessageBus(address).connect()
            self._bus.add_message_handler(self._take)
            for rule in _MATCHES:
                await self._call(_DBUS, "/org/freedesktop/DBus", _DBUS, "AddMatch", "s", [rule])
            await self.manager("Subscribe")
        except (OSError, EOFError, TimeoutError, Refused, SupervisorLost) as error:
            await self.close()
            raise _no_manager(error) from error
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """End the connection; what waits for it gets SupervisorLost."""
        if self._bus is not None and self._bus.connected:
            self._bus.disconnect()
        await self.until_ended()

    async def until_ended(self) -> None:
        """Return once the connection has ended, for whatever reason."""
        if self._bus is not None and self._bus.unique_name is not None:
            with contextlib.suppress(Exception):
                await self._bus.wait_for_disconnect()  # type: ignore[no-untyped-call]
        self._gone()

    async def manager(self, member: str, signature: str = "", *body: Any) -> list[Any]:
        """Call the manager. Refused where it says no, SupervisorLost where nobody answers."""
        return await self._call(SYSTEMD, MANAGER_PATH, MANAGER, member, signature, list(body))

    async def manager_property(self, name: str) -> Any:
        """One property of the manager."""
        (found,) = await self._call(SYSTEMD, MANAGER_PATH, _PROPERTIES, "Get", "ss", [MANAGER, name])
        return found.value

    async def properties(self, unit: str) -> dict[str, Any]:
        """Everything of a unit that matters to us; it is loaded for that where it is not."""
        # No interface means all of them, of one moment.
        (found,) = await self._call(SYSTEMD, unit_path(unit), _PROPERTIES, "GetAll", "s", [""])
        return _used(found)

    async def job(self, method: str, unit: str) -> str:
        """Have a unit started, stopped, …; returns how the job ended ("done", "canceled", "failed", …)."""
        jobs = _Jobs()
        self._jobs.setdefault(unit, set()).add(jobs)
        try:
            (path,) = await self.manager(method, "ss", unit, "replace")
            return await jobs.result(path)
        finally:
            self._jobs[unit].discard(jobs)
            if not self._jobs[unit]:
                del self._jobs[unit]

    async def _call(
        self, destination: str, path: str, interface: str, member: str, signature: str, body: list[Any]
    ) -> list[Any]:
        if self._bus is None or self.ended.is_set():
            raise _lost()
        message = Message(
            destination=destination, path=path, interface=interface, member=member, signature=signature, body=body
        )
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT):
                reply = await self._bus.call(message)
        except TimeoutError:
            raise SupervisorLost(f"The user manager did not answer within {ANSWER_TIMEOUT:g} s.") from None
        except (OSError, EOFError, DBusError) as error:
            raise _lost() from error
        if reply is None:
            raise _lost()
        if reply.message_type is MessageType.ERROR:
            text = str(reply.body[0]) if reply.body else ""
            raise Refused((reply.error_name or "").removeprefix(f"{SYSTEMD}."), text)
        return list(reply.body)

    def _take(self, message: Message) -> None:
        """One message from the bus; only signals are for us."""
        if message.message_type is not MessageType.SIGNAL:
            return
        body = message.body
        if message.member == "PropertiesChanged" and message.path:
            self._changed(unit_of(message.path), _used(body[1]), body[0] == UNIT)
        elif message.member == "UnitNew":
            self._appeared(body[0])
        elif message.member == "JobRemoved":
            _id, path, unit, result = body
            for jobs in self._jobs.get(unit, ()):
                jobs.removed(path, result)
        elif message.member == "Reloading" and not body[0]:
            self._reloaded()
        elif message.member == "NameOwnerChanged" and body[0] == SYSTEMD and not body[2]:
            self._gone()
            if self._bus is not None:
                self._bus.disconnect()

    def _gone(self) -> None:
        self.ended.set()
        for waiting in self._jobs.values():
            for jobs in waiting:
                jobs.lost()


class _Jobs:
    """The jobs of one unit that end while a call of ours is on its way, so that none ends unseen."""

    def __init__(self) -> None:
        self._results: dict[str, str] = {}
        self._news = asyncio.Event()
        self._lost = False

    def removed(self, path: str, result: str) -> None:
        self._results[path] = result
        self._news.set()

    def lost(self) -> None:
        self._lost = True
        self._news.set()

    async def result(self, path: str) -> str:
        while path not in self._results:
            if self._lost:
                raise _lost()
            self._news.clear()
            await self._news.wait()
        return self._results[path]


def bus_socket() -> Path:
    """The socket of this user's bus."""
    return Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}") / "bus"


def unit_path(unit: str) -> str:
    """The D-Bus object of `unit`."""
    escaped = "".join(
        char if char.isascii() and (char.isalpha() or (char.isdigit() and at)) else f"_{ord(char):02x}"
        for at, char in enumerate(unit)
    )
    return f"{UNITS_PATH}/{escaped}"


def unit_of(path: str) -> str:
    """The unit whose D-Bus object `path` is; some text that is no unit of ours where it is none."""
    first, *others = path.rpartition("/")[2].split("_")
    try:
        return first + "".join(chr(int(other[:2], 16)) + other[2:] for other in others)
    except ValueError:
        return ""


def _used(properties: dict[str, Any]) -> dict[str, Any]:
    return {name: variant.value for name, variant in properties.items() if name in USED}


def _lost() -> SupervisorLost:
    return SupervisorLost("The connection to the user manager (systemd --user) has ended.")


def _no_manager(error: Exception) -> HeroError:
    user = os.environ.get("USER") or str(os.getuid())
    socket = bus_socket()
    if not socket.exists() and (socket.parent / "systemd" / "private").exists():
        hint = "The user manager runs, but has no message bus: install the package `dbus-user-session`."
    else:
        hint = f"As root: `loginctl enable-linger {user}`; it then runs from boot on."
    why = safe_line(str(error), 200)
    return HeroError("unreachable", f"No user manager (systemd --user) answers at {socket}: {why}.", hint=hint)
