"""The calls about the machine and its disks: the box answers for the machine, each slot for its own folder."""

from __future__ import annotations

from pydantic import Field

from backends.model.containers import ContainerReport
from backends.model.frozen import Frozen
from backends.model.host import CleanKind, CleanPlan, DiskReport, HostStatus, SlotDisk
from backends.model.method import Empty, Method


class OperationBegun(Frozen):
    operation: str


class HostStatusParams(Frozen):
    shares: bool = Field(default=True, description="Who takes what, too: the machine's processes are looked at.")


class HostWatched(Frozen):
    """`host` notifications follow on this connection: `{stream, sample}`, until `host.unwatch`."""

    stream: str
    status: HostStatus


class HostUnwatchParams(Frozen):
    stream: str = Field(max_length=40)


class HostMeasureParams(Frozen):
    slots: tuple[str, ...] = Field(default=(), max_length=1000, description='None named: all, and the box (`""`).')


class SlotDiskParams(Frozen):
    measure: bool = Field(default=False, description="Measure now; else what was measured last, and free space.")
    parts: bool = Field(default=True, description="Else only how much room there is.")


class CleanPlanParams(Frozen):
    kinds: tuple[CleanKind, ...] = Field(default=(), description="None named: all.")


class CleanParams(Frozen):
    """Remove `items` (ids of a plan) as far as they still may be removed. `confirm` is the slot's name, typed."""

    items: tuple[str, ...] = Field(min_length=1, max_length=1000)
    confirm: str = Field(max_length=100)


HOST_METHODS: tuple[Method, ...] = (
    Method("host.status", "box", HostStatusParams, HostStatus, "The machine now, its trend, and who takes what."),
    Method("host.watch", "box", Empty, HostWatched, "The machine as it goes on, by `host` notifications."),
    Method("host.unwatch", "box", HostUnwatchParams, Empty, "Look no more."),
    Method("host.disk", "box", Empty, DiskReport, "What takes the room on the disks, as measured last."),
    Method(
        "host.containers", "box", Empty, ContainerReport, "What Docker and Podman run, container by container."
    ),
    Method("host.measure", "box", HostMeasureParams, DiskReport, "Begin to measure the disks anew."),
    Method("host.measure_stop", "box", Empty, Empty, "Measure no more; what was measured stays."),
    Method("slot.disk", "slot", SlotDiskParams, SlotDisk, "What the slot holds on its disk."),
    Method("slot.disk_stop", "slot", Empty, Empty, "Measure no more."),
    Method("slot.clean_plan", "slot", CleanPlanParams, CleanPlan, "What can be removed; does nothing."),
    Method("slot.clean", "slot", CleanParams, OperationBegun, "Remove what a plan named.", True),
)
