"""The calls about a slot's disk: what takes the room, what could go, and removing that."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from pydantic import BaseModel

from backends.model.errors import HeroError
from backends.model.host import CleanPlan, SlotDisk
from backends.model.host_calls import CleanParams, CleanPlanParams, OperationBegun, SlotDiskParams
from backends.model.method import Empty
from backends.model.slot_calls import OperationRef
from backends.rpc.dispatcher import Call
from backends.slot.operations import Progress
from backends.slot.room.cleaning import clean
from backends.slot.room.measuring import SlotRoom
from backends.slot.slot import Slot


class Begin(Protocol):
    """Starts an operation of the caller, which is audited at its end."""

    def __call__(
        self,
        call: Call,
        kind: str,
        params: BaseModel,
        work: Callable[[Progress], Awaitable[dict[str, Any]]],
        *,
        title: str = "",
    ) -> OperationRef: ...


class RoomCalls:
    """The handlers of one slot."""

    def __init__(self, slot: Slot, begin: Begin):
        self._context = slot.context
        self._begin = begin
        self._room = SlotRoom(slot.context, lambda: _worktrees(slot))

    def table(self) -> dict[str, Callable[[Call, Any], Awaitable[BaseModel]]]:
        """Each call's handler."""
        return {
            "slot.disk": self.disk,
            "slot.disk_stop": self.stop,
            "slot.clean_plan": self.plan,
            "slot.clean": self.clean,
        }

    async def disk(self, _: Call, params: SlotDiskParams) -> SlotDisk:
        disk = await self._room.disk(measured=params.measure)
        return disk if params.parts else disk.model_copy(update={"parts": ()})

    async def stop(self, _: Call, __: Empty) -> Empty:
        self._room.stop()
        return Empty()

    async def plan(self, _: Call, params: CleanPlanParams) -> CleanPlan:
        return await self._room.plan(params.kinds)

    async def clean(self, call: Call, params: CleanParams) -> OperationBegun:
        user = self._context.user
        if params.confirm != user:
            raise HeroError(
                "usage",
                "Nothing was removed: the slot's name was not typed.",
                hint=f"Confirm with `{user}`; `hero_dev clean --plan` tells what would go.",
            )
        begun = self._begin(
            call,
            "clean",
            params,
            lambda progress: clean(self._context, params.items, self._room.lived_in, progress),
            title=f"clean {len(params.items)} things",
        )
        return OperationBegun(operation=begun.operation)


def _worktrees(slot: Slot) -> set[str]:
    """Where agents of the slot work that have not ended."""
    return {one.worktree for one in slot.agents.shown() if one.worktree and one.state != "gone"}
