"""What the Host screen knows of the containers: asked for while they are looked at, and not else."""

from __future__ import annotations

from collections.abc import Callable

from backends.model.containers import ContainerReport
from backends.model.errors import HeroError
from backends.model.method import Empty
from screens.desk import Desk

EVERY_SECONDS = 5
"""Between two questions: the engine lists its containers in milliseconds."""


class HostContainers:
    """`report` is None until the box has answered; `problem` says why it has not. `changed` is called then."""

    def __init__(self, desk: Desk, changed: Callable[[], None]):
        self._desk = desk
        self._changed = changed
        self._asking = False
        self.report: ContainerReport | None = None
        self.problem = ""

    async def ask(self) -> None:
        """Ask the box, unless it is being asked."""
        if self._asking:
            return
        self._asking = True
        try:
            self.report = await self._desk.ask_box("host.containers", Empty(), ContainerReport)
            self.problem = ""
        except HeroError as error:
            self.problem = f"{error.message} {error.hint}".strip()
        finally:
            self._asking = False
        self._changed()
