"""One supervised process inside supervisord: its states, driven by what happens and never by a tick.

Differs from supervisord's own: running from a successful exec on; an exit that nobody asked for is followed
by a restart at once; a process that ends within three seconds of its start waits longer each time and is given up
after the fifth; what is left of a process group never outlives its leader.
"""

from __future__ import annotations

import math
import os
import signal
import time
from typing import Any

from supervisor.options import ProcessGroupConfig
from supervisor.process import ProcessGroup, Subprocess
from supervisor.states import ProcessStates, SupervisorStates, getProcessStateDescription

from backends.supervisors.supervisord_definition import Definition, LaunchError

QUICK_EXIT = 3.0
"""Seconds; a process that ends sooner counts as one that does not come up."""
BACKOFF_DELAYS = (0.0, 0.5, 1.0, 2.0)
"""Seconds before the restarts after the first, second, … quick exit in a row; after one more it is given up."""
LINGER_CHECK = 0.02
"""Seconds between looks at a process group whose leader has gone, as only our own children are reported."""
DEATH_AFTER_KILL = 2.0
"""Seconds after SIGKILL in which an unwaited-for process may keep its group from vanishing."""


class Service(Subprocess):  # type: ignore[misc]
    """A process with its definition, its exit and what is to happen next, and when."""

    config: Definition
    pid: int
    spawnerr: str | None
    exitstatus: int | None

    def __init__(self, config: Definition):
        super().__init__(config)
        self.due = math.inf  # monotonic time at which `transition` has something to do
        self.deadline = math.inf  # monotonic time at which a stopping group is killed
        self.killed = False
        self.leader_gone = False
        self.started = 0.0
        self.spawns = 0
        self.ends = 0
        self.restarts = 0
        self.quick_exits = 0
        self.exit_code: int | None = None
        self.exit_signal: int | None = None
        self.reason = ""
        self.since = time.time()
        self.next_step = ""  # what follows a stop: "start", "forget" or nothing

    def snapshot(self) -> dict[str, Any]:
        """The process's state for the wire."""
        return {
            "name": self.config.name,
            "state": getProcessStateDescription(self.state).lower(),
            "pid": self.pid or None,
            "exit_code": self.exit_code,
            "signal": self.exit_signal,
            "reason": self.reason,
            "since": self.since,
            "restarts": self.restarts,
        }

    def change_state(self, new_state: int, expected: bool = True) -> bool:
        if new_state != self.state:
            self.since = time.time()
        return bool(super().change_state(new_state, expected))

    def begin(self) -> None:
        """Start it because somebody asked: its past does not count."""
        if self.pid:
            return
        self.next_step = ""
        self.quick_exits = self.restarts = 0
        self.exit_code = self.exit_signal = None
        self.spawn()

    def spawn(self) -> int | None:
        """Start it; the pid, or nothing if it cannot be started (its state then says why)."""
        if self.pid:
            return None
        self.due = math.inf
        self.killing = self.killed = self.leader_gone = False
        self.spawnerr = self.exitstatus = None
        self.laststart = time.time()
        self.reason = ""
        self.change_state(ProcessStates.STARTING)
        self.spawns += 1
        try:
            self.dispatchers, self.pipes, self.pid = self.config.launch(self)
        except LaunchError as error:
            self._not_launched(error)
            return None
        self.started = time.monotonic()
        self.config.options.pidhistory[self.pid] = self
        self.change_state(ProcessStates.RUNNING)
        return int(self.pid)

    def _not_launched(self, error: LaunchError) -> None:
        self.reason = self.spawnerr = str(error)
        self.quick_exits += 1
        if error.lasting or self.quick_exits > len(BACKOFF_DELAYS):
            self.change_state(ProcessStates.FATAL)
        else:
            self._back_off()

    def stop(self) -> str | None:
        """Begin to stop it, or no longer restart it."""
        if self.next_step == "start":
            self.next_step = ""
        if self.pid and self.state != ProcessStates.STOPPING:
            problem: str | None = super().stop()
            self.deadline = self.due = time.monotonic() + self.config.spec.stop_timeout
            return problem
        if not self.pid and self.due < math.inf:
            self.due = math.inf
            self.ends += 1
            self.change_state(ProcessStates.STOPPED)
        return None

    def finish(self, pid: int, sts: int) -> None:
        """The leader has been reaped with wait status `sts`."""
        self.drain()
        code = os.waitstatus_to_exitcode(sts)
        self.exit_code, self.exit_signal = (code, None) if code >= 0 else (None, -code)
        self.leader_gone = True
        if self.killing and group_exists(pid):
            self.due = 0
        else:
            self._ended()

    def _ended(self) -> None:
        options = self.config.options
        asked = self.killing
        options.close_parent_pipes(self.pipes)
        self.pipes, self.dispatchers = {}, {}
        self.pid, self.killing, self.laststop = 0, False, time.time()
        self.exitstatus = -1 if self.exit_code is None else self.exit_code
        self.deadline = self.due = math.inf
        self.ends += 1
        self.reason = "" if asked else self._how_it_ended()
        options.logger.info(f"ended: {self.config.name} ({self._how_it_ended()})")
        if not asked:
            self._after_exit()
            return
        self.due = 0 if self.next_step else math.inf
        self.change_state(ProcessStates.STOPPED)

    def _after_exit(self) -> None:
        self.change_state(ProcessStates.EXITED, expected=self.exit_code == 0)
        policy = self.config.spec.restart
        if policy == "never" or (policy == "on-failure" and self.exit_code == 0):
            return
        quick = time.monotonic() - self.started < QUICK_EXIT
        self.quick_exits = self.quick_exits + 1 if quick else 0
        if self.quick_exits > len(BACKOFF_DELAYS):
            self.reason = f"{self.reason}, {self.quick_exits} times within {QUICK_EXIT:g} s of its start"
            self.change_state(ProcessStates.FATAL)
        elif quick:
            self._back_off()
        else:
            self.due = 0

    def _back_off(self) -> None:
        self.change_state(ProcessStates.BACKOFF)
        self.due = time.monotonic() + BACKOFF_DELAYS[self.quick_exits - 1]

    def _how_it_ended(self) -> str:
        if self.exit_signal is None:
            return f"exited with code {self.exit_code}"
        try:
            return f"killed by {signal.Signals(self.exit_signal).name}"
        except ValueError:
            return f"killed by signal {self.exit_signal}"

    def transition(self) -> None:
        """Do what is due, if anything is."""
        if time.monotonic() < self.due:
            return
        self.due = math.inf
        if self.state == ProcessStates.STOPPING:
            self._keep_stopping()
        elif self.config.options.mood < SupervisorStates.RUNNING:
            return
        elif self.state in (ProcessStates.EXITED, ProcessStates.BACKOFF):
            self.restarts += 1
            self.spawn()
        elif self.next_step == "start":
            self.begin()
        elif self.next_step == "forget" and self.group is not None:
            self.group.forget(self)

    def _keep_stopping(self) -> None:
        now = time.monotonic()
        overdue = now >= self.deadline
        if self.leader_gone and (not group_exists(self.pid) or (self.killed and overdue)):
            self._ended()
            return
        if overdue:
            self.kill(signal.SIGKILL)
            self.killed = True
            self.deadline = now + DEATH_AFTER_KILL
        self.due = min(self.deadline, now + LINGER_CHECK) if self.leader_gone else self.deadline


def group_exists(leader: int) -> bool:
    """Whether any process is left in the group that `leader` led."""
    try:
        os.killpg(leader, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class ServiceGroup(ProcessGroup):  # type: ignore[misc]
    """All services of a slot: one group, so that supervisord stops them together and not one after the other."""

    processes: dict[str, Service]

    def transition(self) -> None:
        for service in list(self.processes.values()):
            service.transition()

    def forget(self, service: Service) -> None:
        """Drop a stopped service and tell who watches."""
        del self.processes[service.config.name]
        service.reason = "removed"
        service.change_state(ProcessStates.UNKNOWN)

    def next_due(self) -> float:
        """Monotonic time at which `transition` has something to do."""
        return min((service.due for service in self.processes.values()), default=math.inf)


class ServiceGroupConfig(ProcessGroupConfig):  # type: ignore[misc]
    """What supervisord makes the group from."""

    def make_group(self) -> ServiceGroup:
        return ServiceGroup(self)
