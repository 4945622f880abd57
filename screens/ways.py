"""The ways from a screen to the others, as the cockpit lends them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Ways(Protocol):
    """Each goes to a place, on what it is asked for."""

    def show_slot(self, user: str, service: str = "") -> None:
        """A slot's services as a list."""

    def show_logs(self, user: str, services: Sequence[str], build: str = "") -> None:
        """The logs of these services, of all of the slot, or of one build."""

    def show_builds(self, service: str = "") -> None:
        """The queue and what went through it, of one service or of all."""

    def show_releases(self, service: str) -> None:
        """What is published of a service."""

    def show_agents(self, agent: str = "") -> None:
        """Everybody's agents, the cursor on the one with this name (`alice/3`)."""

    def show_agent(self, user: str, agent: str) -> None:
        """One agent's log, with a line to reply."""

    def show_inbox(self, item: str = "") -> None:
        """Questions and messages, the cursor on the one with this id."""

    def show_agent_form(self, service: str = "") -> None:
        """Where a new agent is described and started."""

    def close_dialogs(self) -> None:
        """Down to the screen under the dialogs."""
