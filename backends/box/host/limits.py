"""When the machine warns: a threshold exceeded for long enough, told once, over only well below it; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from backends.model.boxfile import Host
from backends.model.host import HostWarning, Machine, WarningLevel

_ORDER: Mapping[WarningLevel, int] = {"ok": 0, "warn": 1, "bad": 2}
_GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Reading:
    """A value against its levels. One is left `margin` below it, reached after `patience` looks in a row."""

    subject: str
    value: float
    levels: tuple[float, float]
    sentence: str
    margin: float = 3.0
    patience: int = 1


@dataclass(frozen=True, slots=True)
class Watch:
    """What is known of one subject: its level, since when, and how many looks in a row want another one."""

    level: WarningLevel = "ok"
    since: datetime | None = None
    wanted: WarningLevel = "ok"
    looks: int = 0


Watches = Mapping[str, Watch]


def readings(machine: Machine, limits: Host) -> Iterator[Reading]:
    """All values that have a threshold. A disk that has not answered is left out: nothing is known of it."""
    for disk in machine.disks:
        if disk.stale:
            continue
        value = 100 * disk.share
        free = f"{disk.free / _GIB:.1f} GiB free"
        yield Reading(
            f"disk {disk.mount}", value, limits.disk, f"{disk.mount} is {value:.0f} % full, {free}.", 2.0
        )
        if disk.inodes:
            value = 100 * disk.inode_share
            told = f"{disk.mount} has used {value:.0f} % of its inodes: soon no file can be made there."
            yield Reading(f"inodes {disk.mount}", value, limits.inodes, told, 2.0)
    if machine.memory_total:
        value = 100 * machine.memory_used / machine.memory_total
        told = f"{value:.0f} % of the memory is taken."
        yield Reading("memory", value, limits.memory, told, patience=2)
    if machine.swap_total:
        value = 100 * machine.swap_used / machine.swap_total
        yield Reading("swap", value, limits.swap, f"{value:.0f} % of the swap is taken.", 5.0, patience=3)
    value = machine.load[0] / machine.cpus
    told = f"The load is {machine.load[0]:.1f} on {machine.cpus} cores."
    yield Reading("load", value, limits.load, told, 0.2, patience=3)


def looked(
    watches: Watches, found: Iterator[Reading], now: datetime
) -> tuple[dict[str, Watch], tuple[HostWarning, ...], tuple[HostWarning, ...]]:
    """What is known after a look, which warnings hold now, and which changes are to be told."""
    after: dict[str, Watch] = {}
    holding, told = [], []
    for reading in found:
        before = watches.get(reading.subject, Watch())
        watch = after[reading.subject] = _moved(before, reading, now)
        warning = _warning(reading, watch, now)
        if watch.level != before.level:
            told.append(warning)
        if watch.level != "ok":
            holding.append(warning)
    for subject, watch in watches.items():
        if subject not in after and watch.level != "ok":
            gone = replace(watch, looks=watch.looks + 1, wanted="ok")
            if gone.looks < _GONE_LOOKS:
                after[subject] = gone
                holding.append(_unseen(subject, watch.level, watch.since or now))
            else:
                told.append(_unseen(subject, "ok", now))
    return after, tuple(holding), tuple(told)


_GONE_LOOKS = 5
"""Looks without an answer after which what was warned of is no more."""


def level_of(reading: Reading, present: WarningLevel) -> WarningLevel:
    """The level of a value, which keeps the present one until it is well below."""
    warn, bad = reading.levels
    if reading.value >= bad or (present == "bad" and reading.value > bad - reading.margin):
        return "bad"
    if reading.value >= warn or (present != "ok" and reading.value > warn - reading.margin):
        return "warn"
    return "ok"


def _moved(before: Watch, reading: Reading, now: datetime) -> Watch:
    wanted = level_of(reading, before.level)
    if wanted == before.level:
        return replace(before, wanted=wanted, looks=0)
    looks = before.looks + 1 if wanted == before.wanted else 1
    if _ORDER[wanted] > _ORDER[before.level] and looks < reading.patience:
        return replace(before, wanted=wanted, looks=looks)
    return Watch(wanted, now, wanted)


def _warning(reading: Reading, watch: Watch, now: datetime) -> HostWarning:
    limit = reading.levels[1] if watch.level == "bad" else reading.levels[0]
    sentence = reading.sentence if watch.level != "ok" else f"{reading.sentence} That is well again."
    return HostWarning(
        subject=reading.subject,
        level=watch.level,
        value=round(reading.value, 2),
        limit=limit,
        sentence=sentence,
        since=watch.since or now,
    )


def _unseen(subject: str, level: WarningLevel, since: datetime) -> HostWarning:
    sentence = f"Nothing is known of {subject} any more." if level == "ok" else f"{subject} does not answer."
    return HostWarning(subject=subject, level=level, value=0.0, limit=0.0, sentence=sentence, since=since)
