"""How supervisord launches a process from its definition: exec, log and environment, and why it cannot."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from supervisor.datatypes import RestartUnconditionally, RestartWhenExitUnexpected
from supervisor.dispatchers import POutputDispatcher
from supervisor.events import ProcessCommunicationStdoutEvent
from supervisor.options import ProcessConfig

from backends.supervisors.base import ProcessSpec
from backends.supervisors.environment import NAME_MARK, minimal_environment
from backends.supervisors.launch_errors import why_not
from backends.supervisors.supervisord_wire import HOME_MARK

if TYPE_CHECKING:
    from backends.supervisors.supervisord_service import Service

_PASSING = {errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ETXTBSY, errno.ENOSPC}
_AUTORESTART = {"always": RestartUnconditionally, "on-failure": RestartWhenExitUnexpected, "never": False}

Launched = tuple[dict[int, POutputDispatcher], dict[str, int], int]
"""Dispatchers by file descriptor, pipes by name, pid."""


class LaunchError(Exception):
    """Why a process cannot be launched, in plain words; `lasting` if trying again would not help."""

    def __init__(self, reason: str, error: OSError):
        super().__init__(reason)
        self.lasting = error.errno not in _PASSING


class Output(POutputDispatcher):  # type: ignore[misc]
    """A process's output on its way to the log."""

    def record_output(self) -> None:
        # supervisord catches an error of its loop's reading, but not of the last reading after the process's end.
        try:
            super().record_output()
        except (OSError, ValueError):
            self.handle_error()

    def handle_error(self) -> None:
        # Output that cannot be written is lost; a pipe that nobody reads would block the process.
        self.process.config.options.logger.error(f"a part of the log of {self.process.config.name} is lost")
        self.output_buffer = b""
        with suppress(OSError, ValueError):
            self.reopenlogs()


class Definition(ProcessConfig):  # type: ignore[misc]
    """A ProcessSpec in supervisord's terms."""

    name: str

    def __init__(self, options: Any, spec: ProcessSpec, home: str):
        settings: dict[str, Any] = dict.fromkeys(self.req_param_names)
        settings |= {
            "name": spec.name,
            "command": spec.argv[0],
            "directory": str(spec.cwd),
            "priority": 999,
            "autostart": False,
            "autorestart": _AUTORESTART[spec.restart],
            "startsecs": 0,
            "startretries": 0,
            "stdout_logfile": str(spec.log),
            "stdout_logfile_maxbytes": spec.log_max_bytes,
            "stdout_logfile_backups": spec.log_backups,
            "stopsignal": signal.SIGTERM,
            "stopwaitsecs": spec.stop_timeout,
            "stopasgroup": True,
            "killasgroup": True,
            "exitcodes": [0],
            "redirect_stderr": True,
        }
        super().__init__(options, **settings)
        self.spec = spec
        self.home = home

    def launch(self, service: Service) -> Launched:
        """Spawn the process; LaunchError if the system refuses."""
        dispatchers, pipes = self._open_log(service)
        environment = minimal_environment() | dict(self.spec.env) | dict(self.spec.secret_env)
        environment |= {HOME_MARK: self.home, NAME_MARK: self.name}
        try:
            child = subprocess.Popen(
                self.spec.argv,
                cwd=self.spec.cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=pipes["child_stdout"],
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        except OSError as error:
            self.options.close_parent_pipes(pipes)
            raise LaunchError(why_not(self.spec.argv[0], self.spec.cwd, error), error) from error
        finally:
            self.options.close_child_pipes(pipes)
        child.returncode = 0  # supervisord waits for its children itself; Popen must not
        return dispatchers, pipes, child.pid

    def _open_log(self, service: Service) -> tuple[dict[int, POutputDispatcher], dict[str, int]]:
        pipes: dict[str, int] = {}
        try:
            self.spec.log.parent.mkdir(parents=True, exist_ok=True)
            pipes["stdout"], pipes["child_stdout"] = os.pipe()
            os.set_blocking(pipes["stdout"], False)
            output = Output(service, ProcessCommunicationStdoutEvent, pipes["stdout"])
        except OSError as error:
            self.options.close_parent_pipes(pipes)
            self.options.close_child_pipes(pipes)
            reason = f"its log {self.spec.log} cannot be written: {error.strerror}"
            raise LaunchError(reason, error) from error
        return {pipes["stdout"]: output}, pipes
