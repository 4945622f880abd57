"""Python looks at all objects while nobody types, or when it must."""

from __future__ import annotations

import gc
import time

import pytest

from hero_tui.collecting import REST_SECONDS, WORTH, Collecting


class Collector:
    """Stands for Python's own, which would put everything here beyond its reach for good."""

    def __init__(self, finds: int = 0) -> None:
        self.finds = finds
        self.done: list[str] = []

    def collect(self) -> int:
        self.done.append("collect")
        return self.finds

    def freeze(self) -> None:
        self.done.append("freeze")

    def unfreeze(self) -> None:
        self.done.append("unfreeze")


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Collector:
    made = Collector()
    for name in ("collect", "freeze", "unfreeze"):
        monkeypatch.setattr(gc, name, getattr(made, name))
    return made


def waiting(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(gc, "get_count", lambda: (0, 0, count))


def test_nobody_who_types_waits_for_it(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    collecting = Collecting()
    waiting(monkeypatch, 15)
    collecting.tick(rested=0.0)
    assert not collector.done
    collecting.tick(rested=REST_SECONDS)
    assert collector.done == ["collect"]


def test_too_much_does_not_wait_for_a_rest(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting(monkeypatch, 1000)
    Collecting().tick(rested=0.0)
    assert collector.done == ["collect"]


def test_little_is_left_alone(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting(monkeypatch, 1)
    Collecting().tick(rested=1000.0)
    assert not collector.done


def test_a_look_in_vain_is_paid_for_before_the_next_and_one_that_found_much_is_not(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting(monkeypatch, 1000)
    clock = iter(range(1000))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))  # a look takes a second of it
    collecting = Collecting()
    for _ in range(50):
        collecting.tick(rested=0.0)
    assert collector.done == ["collect"]
    collector.finds = WORTH
    collecting = Collecting()
    for _ in range(3):
        collecting.tick(rested=0.0)
    assert collector.done == ["collect"] * 4


def test_a_fleet_that_is_told_again_is_kept_in_a_rest_without_the_screens_that_were_closed(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting(monkeypatch, 0)
    collecting = Collecting()
    collecting.keep()
    assert collector.done == ["freeze"]
    collecting.keep()
    collecting.tick(rested=0.0)
    assert collector.done == ["freeze"]
    collecting.tick(rested=REST_SECONDS)
    collecting.tick(rested=REST_SECONDS)
    assert collector.done == ["freeze", "unfreeze", "collect", "freeze"]


def test_young_objects_are_looked_at_as_ever_and_at_the_end_all_is_as_before(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual, on = gc.get_threshold(), gc.isenabled()
    collecting = Collecting()
    try:
        collecting.begin()
        assert gc.isenabled()
        assert gc.get_threshold()[:2] == usual[:2]
        assert gc.get_threshold()[2] > 1_000_000
    finally:
        collecting.end()
        if not on:
            gc.disable()
    assert gc.get_threshold() == usual
