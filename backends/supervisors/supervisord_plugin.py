"""supervisord's `hero` RPC interface: definitions as data, answers and events that wait for no tick."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from supervisor import events
from supervisor.http import NOT_DONE_YET, deferring_http_channel
from supervisor.medusa import asyncore_25 as asyncore
from supervisor.states import SupervisorStates
from supervisor.xmlrpc import Faults, RPCError

from backends.model.errors import HeroError
from backends.supervisors.base import ProcessSpec
from backends.supervisors.supervisord_definition import Definition
from backends.supervisors.supervisord_service import Service, ServiceGroup, ServiceGroupConfig
from backends.supervisors.supervisord_wire import EVENTS_SOCKET, spec_from_json

GROUP = "hero"
BUFFER_LIMIT = 1024 * 1024
"""Bytes kept for a reader of events; one that lags further behind is dropped and may connect again."""
UNTIL_WOKEN = 3600.0
"""Seconds after which supervisord would look at a waiting answer; ours are woken by the next event."""


class WakeUp(asyncore.dispatcher):  # type: ignore[misc]
    """Ends supervisord's poll as soon as a signal arrives, so that a child's death is noticed at once."""

    def __init__(self) -> None:
        reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        super().__init__(reader)
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)

    def writable(self) -> bool:
        return False

    def handle_read(self) -> None:
        self.recv(4096)


class EventReader(asyncore.dispatcher):  # type: ignore[misc]
    """One client of the event socket; what it has not read yet is kept up to a limit."""

    def __init__(self, connection: socket.socket):
        self._buffer = b""
        super().__init__(connection)

    def push(self, message: dict[str, Any]) -> None:
        """Send `message` as a JSON line, as far as the client takes it."""
        self._buffer += json.dumps(message).encode() + b"\n"
        self.handle_write()
        if len(self._buffer) > BUFFER_LIMIT:
            self.close()

    def writable(self) -> bool:
        return bool(self._buffer)

    def handle_write(self) -> None:
        try:
            self._buffer = self._buffer[self.send(self._buffer) :]
        except OSError:
            self.close()

    def handle_read(self) -> None:
        self.recv(4096)

    def handle_close(self) -> None:
        self.close()


class EventServer(asyncore.dispatcher):  # type: ignore[misc]
    """The event socket: greets with the state of all services, then tells each change."""

    def __init__(self, path: Path, greeting: Callable[[], list[dict[str, Any]]]):
        super().__init__()
        self._greeting = greeting
        self.create_socket(socket.AF_UNIX, socket.SOCK_STREAM)
        path.unlink(missing_ok=True)
        self.bind(os.fspath(path))
        path.chmod(0o600)
        self.listen(64)

    def writable(self) -> bool:
        return False

    def handle_accept(self) -> None:
        accepted = self.accept()
        if accepted is None:
            return
        reader = EventReader(accepted[0])
        for message in self._greeting():
            reader.push(message)

    def handle_error(self) -> None:
        pass  # one client's failed connection must not end the server, as asyncore would

    def publish(self, message: dict[str, Any]) -> None:
        """Send `message` to all readers."""
        for reader in list(asyncore.socket_map.values()):
            if isinstance(reader, EventReader):
                reader.push(message)


class HeroInterface:
    """The methods of the `hero` namespace. Each public method is one."""

    def __init__(self, supervisord: Any):
        self._supervisord = supervisord
        self._options = supervisord.options
        self._hello = {"supervisor": os.getpid(), "since": time.time()}
        supervisord.add_process_group(ServiceGroupConfig(self._options, GROUP, 999, []))
        self._group: ServiceGroup = supervisord.process_groups[GROUP]
        self._options.services = self._group
        self._wake_up = WakeUp()
        self._events = EventServer(self._options.runtime_dir / EVENTS_SOCKET, self._greeting)
        events.subscribe(events.ProcessStateEvent, self._changed)
        events.subscribe(events.SupervisorRunningEvent, lambda _event: self._options.ready())

    def hello(self) -> str:
        """Who supervises."""
        return json.dumps(self._hello)

    def apply(self, text: str) -> bool:
        """Register or replace the definition in `text` (JSON)."""
        self._refuse_while_ending()
        definition = Definition(self._options, _parsed(text), str(self._options.home))
        service = self._group.processes.get(definition.name)
        if service is None:
            service = Service(definition)
            service.group = self._group
            self._group.processes[definition.name] = service
            self._events.publish(service.snapshot())
        else:
            service.config = definition
            if service.next_step == "forget":
                service.next_step = ""
        return True

    def states(self) -> str:
        """All services (JSON)."""
        return json.dumps([service.snapshot() for service in self._group.processes.values()])

    def start(self, name: str) -> Any:
        """Start a service, after its stop if it is stopping."""
        self._refuse_while_ending()
        service = self._service(name)
        if service.pid and not service.killing:
            return json.dumps(service.snapshot())
        return self._start(service)

    def restart(self, name: str) -> Any:
        """Stop a service and start it by its newest definition."""
        self._refuse_while_ending()
        service = self._service(name)
        service.stop()
        return self._start(service)

    def stop(self, name: str) -> Any:
        """Stop a service."""
        service = self._service(name)
        service.stop()
        return _when(_ended(service), service)

    def remove(self, name: str) -> Any:
        """Stop a service and forget it."""
        service = self._service(name)
        service.stop()
        if not service.pid:
            self._group.forget(service)
            return json.dumps(service.snapshot())
        service.next_step = "forget"
        return _when(lambda: self._group.processes.get(name) is not service or not service.next_step, service)

    def _start(self, service: Service) -> Any:
        if not service.pid:
            service.begin()
            return json.dumps(service.snapshot())
        service.next_step = "start"
        spawns = service.spawns
        return _when(lambda: service.spawns > spawns or not service.next_step, service)

    def _service(self, name: str) -> Service:
        service = self._group.processes.get(name)
        if service is None:
            raise RPCError(Faults.BAD_NAME, name)
        return service

    def _refuse_while_ending(self) -> None:
        if self._options.mood < SupervisorStates.RUNNING:
            raise RPCError(Faults.SHUTDOWN_STATE)

    def _greeting(self) -> list[dict[str, Any]]:
        return [self._hello, *(service.snapshot() for service in self._group.processes.values())]

    def _changed(self, event: Any) -> None:
        if isinstance(event.process, Service):
            self._events.publish(event.process.snapshot())
        for channel in asyncore.socket_map.values():
            if isinstance(channel, deferring_http_channel):
                channel.delay = 0


def _parsed(text: str) -> ProcessSpec:
    # Whatever escapes from here makes supervisord log the request, and with it the service's secrets.
    try:
        return spec_from_json(text)
    except HeroError as error:
        raise RPCError(Faults.BAD_ARGUMENTS, error.message) from None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise RPCError(Faults.BAD_ARGUMENTS, "this is no definition of a process") from None


def _ended(service: Service) -> Callable[[], bool]:
    ends = service.ends
    return lambda: not service.pid or service.ends > ends


def _when(reached: Callable[[], bool], service: Service) -> Callable[[], Any] | str:
    """The service's state, given as soon as `reached`; looked at after each change of state."""
    if reached():
        return json.dumps(service.snapshot())

    def answer() -> Any:
        return json.dumps(service.snapshot()) if reached() else NOT_DONE_YET

    answer.delay = UNTIL_WOKEN  # type: ignore[attr-defined]
    return answer


def make_rpcinterface(supervisord: Any, **_settings: str) -> HeroInterface:
    """What supervisord's configuration names as the factory of `[rpcinterface:hero]`."""
    return HeroInterface(supervisord)
