"""Bindings on releases with `auto_rebuild` follow them: whenever a newer one is seen, it is pulled."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from backends.model.errors import HeroError
from backends.model.state import Operation
from backends.slot.board import Facts
from backends.slot.context import SlotContext
from backends.slot.operations import Progress
from backends.slot.switching import find_target, run_binding

log = logging.getLogger(__name__)

ACTOR = "auto_rebuild"
RETRY_SECONDS = 30.0
_PASSING = ("unreachable", "timeout", "busy", "no_space", "invalid_file")
"""Failures that say nothing against the release: it is tried again after RETRY_SECONDS, or at the next look."""

Audit = Callable[[str, Mapping[str, Any]], None]


class AutoPull:
    """Compares what runs with the newest release, at each look at the forge and at each end of an operation.

    A release that could not be put in force is not tried again; the next one is.
    """

    def __init__(self, slot: SlotContext, audit: Audit):
        self._slot = slot
        self._audit = audit
        self._refused: dict[str, str] = {}
        self._pulling: dict[str, tuple[str, str]] = {}
        self._busy: set[str] = set()
        self._open = False

    def open(self) -> None:
        """Begin to pull."""
        self._open = True
        self._slot.operations.watch(self._operation_changed)

    def close(self) -> None:
        self._open = False

    def look(self, service: str) -> None:
        """Pull the newest release of `service` if that is wanted, and not here yet; one that is busy, later."""
        slot, facts = self._slot, self._slot.board.facts(service)
        if (
            facts is None
            or not self._open
            or not _is_behind(facts)
            or self._refused.get(service) == facts.newest_tag
        ):
            return
        if slot.operations.running_on(service):
            self._busy.add(service)
            return
        tag = facts.newest_tag
        stopped = facts.process is not None and facts.process.state == "stopped"
        try:
            operation = slot.operations.start(
                "pull",
                partial(self._pull, service, not stopped),
                service=service,
                title=f"pull {service} {tag}",
                actor=ACTOR,
            )
        except HeroError as error:
            log.warning("%s is not pulled: %s", service, error.message)
            return
        self._pulling[operation] = (service, tag)
        self._audit(operation, {"service": service, "tag": tag})

    async def _pull(self, service: str, start: bool, progress: Progress) -> dict[str, Any]:
        """Install the newest release; a service that somebody has stopped stays so."""
        progress.tell("resolve")
        binding = self._slot.bound(service)
        if binding.source != "release":
            return {"pulled": [], "nothing_to_do": True}
        target = await find_target(self._slot, binding)
        result = await run_binding(self._slot, binding, target, progress, start=start)
        return {**result, "pulled": [] if result.get("nothing_to_do") else [service]}

    def _failed(self, service: str, tag: str, code: str) -> None:
        if code in _PASSING:
            asyncio.get_running_loop().call_later(RETRY_SECONDS, self.look, service)
        else:
            self._refused[service] = tag

    def _operation_changed(self, operation: Operation) -> None:
        if operation.state == "running":
            return
        service, tag = self._pulling.pop(operation.id, ("", ""))
        if service and operation.error:
            self._failed(service, tag, operation.error.code)
        # What was seen while the service was busy may be old by now.
        if free := [one for one in self._busy if not self._slot.operations.running_on(one)]:
            self._busy.difference_update(free)
            self._slot.refresher.soon(*free)


def _is_behind(facts: Facts) -> bool:
    binding, installed = facts.binding, facts.installed
    follows = binding.auto_rebuild and binding.source == "release"
    if installed is None:
        # A slot that came before the first release of its services runs them once there is one.
        return follows and binding.enabled and bool(facts.newest)
    return follows and facts.newest not in ("", installed.hash)
