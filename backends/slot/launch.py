"""From a service's description to the process that the supervisor runs: command, environment, sockets, folders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from backends.model.paths import SlotPaths
from backends.model.service import ServiceDescription, fill, secrets_named
from backends.slot.secrets_file import secrets_for
from backends.slot.web_names import WebNames, public_socket
from backends.supervisors.base import ProcessSpec


@dataclass(frozen=True)
class Launch:
    """How services of one slot are launched; `web` knows where their sockets lie."""

    paths: SlotPaths
    web: WebNames

    async def spec(self, service: str, description: ServiceDescription) -> ProcessSpec:
        """What the supervisor runs for the version in force, with the secrets as they are now; makes the folders
        that it needs. Raises HeroError."""
        secret_env = await self._secret_environment(service, description)
        home = self.paths.current(service)
        argv = [self._fill(service, description, word) for word in description.run.command]
        if not argv[0].startswith("/"):
            argv[0] = str(home / argv[0])
        self.paths.data(service).mkdir(parents=True, exist_ok=True)
        return ProcessSpec(
            name=service,
            argv=tuple(argv),
            cwd=home,
            env=self.environment(service, description),
            log=self.paths.service_log(service),
            restart=description.run.restart,
            stop_timeout=description.run.stop_timeout,
            memory_max=description.run.memory_max,
            secret_env=secret_env,
        )

    def environment(self, service: str, description: ServiceDescription) -> dict[str, str]:
        """The variables that the description adds, but for those that hold a secret."""
        plain = {key: value for key, value in description.run.env.items() if not secrets_named({key: value})}
        return {key: self._fill(service, description, value) for key, value in plain.items()}

    async def _secret_environment(self, service: str, description: ServiceDescription) -> dict[str, str]:
        """The variables whose values name secrets. Raises HeroError where a secret is not there."""
        asking = {key: value for key, value in description.run.env.items() if secrets_named({key: value})}
        secrets = await secrets_for(self.paths, service, secrets_named(asking))
        return {key: self._fill(service, description, value, secrets) for key, value in asking.items()}

    def filled_in(self, service: str, description: ServiceDescription) -> ServiceDescription:
        """`description` with the placeholders of its health command filled in."""
        command = description.health.command
        if command is None:
            return description
        filled = tuple(self._fill(service, description, word) for word in command)
        health = description.health.model_copy(update={"command": filled})
        return description.model_copy(update={"health": health})

    def web_socket(self, service: str, description: ServiceDescription) -> str:
        """Where people reach the service: its `web` or `ui` socket, or its first; empty where it has none."""
        name = public_socket(description) or next(iter(description.run.sockets), "")
        return str(self.paths.sockets / service / f"{name}.sock") if name else ""

    def _fill(
        self, service: str, description: ServiceDescription, value: str, secrets: Mapping[str, str] | None = None
    ) -> str:
        sockets = {name: str(self.web.socket(service, name, description)) for name in description.run.sockets}
        home, var = str(self.paths.root), str(self.paths.data(service))
        return fill(value, sockets=sockets, home=home, var=var, secrets=secrets)
