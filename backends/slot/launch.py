"""From a service's description to the process that the supervisor runs: command, environment, sockets, folders."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from backends.model.errors import HeroError
from backends.model.paths import SlotPaths
from backends.model.service import ServiceDescription, fill, secrets_named
from backends.supervisors.base import ProcessSpec


@dataclass(frozen=True)
class Launch:
    """How services of one slot are launched; `sockets` is the short real folder of `var/sockets`."""

    paths: SlotPaths
    sockets: Path

    def spec(self, service: str, description: ServiceDescription) -> ProcessSpec:
        """What the supervisor runs for the version in force; makes the folders that it needs. Raises HeroError."""
        home = self.paths.current(service)
        argv = [self._fill(service, description, word) for word in description.run.command]
        if not argv[0].startswith("/"):
            argv[0] = str(home / argv[0])
        self.paths.data(service).mkdir(parents=True, exist_ok=True)
        (self.sockets / service).mkdir(parents=True, exist_ok=True, mode=0o700)
        return ProcessSpec(
            name=service,
            argv=tuple(argv),
            cwd=home,
            env=self.environment(service, description),
            log=self.paths.service_log(service),
            restart=description.run.restart,
            stop_timeout=description.run.stop_timeout,
            memory_max=description.run.memory_max,
        )

    def environment(self, service: str, description: ServiceDescription) -> dict[str, str]:
        """The variables that the description adds. Raises HeroError for secrets, which this box has none of."""
        missing = secrets_named(description.run.env)
        if missing:
            raise HeroError(
                "not_found",
                f"{service} needs secrets that this slot has not: {', '.join(sorted(missing))}.",
                hint="The private secrets repository provides them; this box has none yet.",
            )
        return {key: self._fill(service, description, value) for key, value in description.run.env.items()}

    def filled_in(self, service: str, description: ServiceDescription) -> ServiceDescription:
        """`description` with the placeholders of its health command filled in."""
        command = description.health.command
        if command is None:
            return description
        filled = tuple(self._fill(service, description, word) for word in command)
        health = description.health.model_copy(update={"command": filled})
        return description.model_copy(update={"health": health})

    def web_socket(self, service: str, description: ServiceDescription) -> str:
        """Where people reach the service: its `web` socket, or its first; empty where it has none."""
        names = description.run.sockets
        name = "web" if "web" in names else (names[0] if names else "")
        return str(self.paths.sockets / service / f"{name}.sock") if name else ""

    def _fill(self, service: str, description: ServiceDescription, value: str) -> str:
        sockets = {name: str(self.sockets / service / f"{name}.sock") for name in description.run.sockets}
        return fill(value, sockets=sockets, home=str(self.paths.root), var=str(self.paths.data(service)))
