"""Warnings: told once, not for a moment's peak, over only well below, and gone with what they were about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from backends.box.host.limits import Watch, looked, readings
from backends.model.boxfile import Host
from backends.model.host import DiskSpace, HostWarning, Machine

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)


def machine(disk: float = 10, load: float = 0.1, memory: int = 10, **disk_fields: object) -> Machine:
    fields = {"mount": "/", "total": 1000, "used": int(disk * 10), "free": 1000 - int(disk * 10), **disk_fields}
    return Machine(
        cpus=4,
        load=(load * 4, 0, 0),
        memory_total=100,
        memory_used=memory,
        disks=(DiskSpace.model_validate(fields),),
    )


def told(*machines: Machine) -> list[list[tuple[str, str]]]:
    """What is told after each look, as (subject, level)."""
    return [[(one.subject, one.level) for one in some] for some in _all(machines)]


def _all(machines: Sequence[Machine]) -> list[tuple[HostWarning, ...]]:
    watches: dict[str, Watch] = {}
    found = []
    for number, one in enumerate(machines):
        watches, _, news = looked(watches, readings(one, Host()), NOW + timedelta(minutes=number))
        found.append(news)
    return found


def test_a_disk_warns_once_then_that_it_is_worse_then_that_it_is_over() -> None:
    levels = told(*(machine(disk) for disk in (80, 86, 87, 96, 96, 70)))
    assert levels == [[], [("disk /", "warn")], [], [("disk /", "bad")], [], [("disk /", "ok")]]


def test_a_value_that_swings_around_its_limit_is_told_once() -> None:
    levels = told(*(machine(disk) for disk in (86, 84.5, 85.5, 84, 86, 82.9)))
    assert levels == [[("disk /", "warn")], [], [], [], [], [("disk /", "ok")]]


def test_a_peak_of_load_is_no_news_and_three_minutes_are() -> None:
    levels = told(*(machine(load=load) for load in (3, 0.1, 3, 3, 3, 3)))
    assert levels == [[], [], [], [], [("load", "warn")], []]


def test_from_well_to_bad_is_one_warning() -> None:
    levels = told(machine(99), machine(99))
    assert levels == [[("disk /", "bad")], []]


def test_inodes_warn_though_there_is_room() -> None:
    assert told(machine(10, inodes=100, inodes_used=99)) == [[("inodes /", "bad")]]


def test_a_disk_that_does_not_answer_is_neither_well_nor_ill_and_in_the_end_forgotten() -> None:
    away = machine(90, stale=True)
    levels = told(machine(90), away, away, machine(90), *([away] * 5))
    assert levels[:4] == [[("disk /", "warn")], [], [], []]
    assert levels[-1] == [("disk /", "ok")]
    assert sum(map(len, levels)) == 2


def test_the_sentence_says_how_much_is_left_and_since_when() -> None:
    watches, holding, _ = looked({}, readings(machine(90), Host()), NOW)
    watches, holding, _ = looked(watches, readings(machine(91), Host()), NOW + timedelta(hours=1))
    assert holding[0].sentence.startswith("/ is 91 % full")
    assert holding[0].since == NOW
    assert holding[0].limit == 85


def test_a_machine_without_memory_swap_or_disks_warns_of_nothing() -> None:
    assert told(Machine(cpus=1), Machine(cpus=1)) == [[], []]
