"""The machine's warnings as every screen of the cockpit tells them: asked at each connection, then by events."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

from backends.model.errors import HeroError
from screens.widgets.celltext import clean

if TYPE_CHECKING:
    from pydantic import BaseModel

    from backends.model.frozen import Frozen
    from backends.model.host import HostWarning
    from backends.model.state import Event

R = TypeVar("R", bound="BaseModel")


class Asker(Protocol):
    """How the box is asked."""

    async def __call__(self, method: str, params: Frozen, result: type[R]) -> R: ...


class HostBook:
    """What exceeds its limit on the machine; `changed` is called when that differs."""

    def __init__(self, ask: Asker, changed: Callable[[], None]):
        self._ask = ask
        self._changed = changed
        self._warnings: dict[str, HostWarning] = {}

    @property
    def says(self) -> str:
        """The worst of it in a few words (`disk / 91 %`), and how many more there are; "" while all is well."""
        if not self._warnings:
            return ""
        worst = next(iter(sorted(self._warnings.values(), key=lambda one: (one.level != "bad", one.since))))
        unit = f"{worst.value:.1f} a core" if worst.subject == "load" else f"{worst.value:.0f} %"
        more = f" +{len(self._warnings) - 1}" if len(self._warnings) > 1 else ""
        return f"{clean(worst.subject, 40)} {unit}{more}"

    @property
    def is_bad(self) -> bool:
        """Whether one of them is more than a warning."""
        return any(one.level == "bad" for one in self._warnings.values())

    def heard(self, event: Event) -> None:
        """Take a warning, or its end."""
        if event.kind != "host.warning":
            return
        from pydantic import ValidationError

        from backends.model.host import HostWarning

        try:
            warning = HostWarning.model_validate(event.data)
        except ValidationError:
            return
        self._warnings.pop(warning.subject, None)
        if warning.level != "ok":
            self._warnings[warning.subject] = warning

    async def fill(self) -> None:
        """Ask what holds now; a box that does not know has no warnings."""
        from backends.model.host import HostStatus
        from backends.model.host_calls import HostStatusParams

        try:
            status = await self._ask("host.status", HostStatusParams(shares=False), HostStatus)
        except HeroError:
            return
        self._warnings = {one.subject: one for one in status.sample.warnings}
        self._changed()
