"""Whose tools these are: one agent of one slot, fixed while the process lives, and how its daemons are asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from backends.client.blocking import connect_box, connect_slot
from backends.client.locate import Where


@dataclass(frozen=True)
class Desk:
    """The agent `agent` in the slot of `where`. No call names another slot to be changed.

    Daemons are asked, never started: they would get the environment of an agent.
    """

    where: Where
    agent: str

    @property
    def name(self) -> str:
        """The agent's name for the whole box."""
        return f"{self.where.user}/{self.agent}"

    def slot(self, method: str, params: dict[str, Any]) -> Any:
        """One call to the own slot. Raises HeroError."""
        with connect_slot(self.where, start=False) as client:
            return client.call(method, _given(params))

    def box(self, method: str, params: dict[str, Any]) -> Any:
        """One call to the box. Raises HeroError."""
        with connect_box(self.where, start=False) as client:
            return client.call(method, _given(params))


def _given(params: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value is not None}
