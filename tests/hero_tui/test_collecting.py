"""Python looks at all objects while nobody types, or when it must."""

from __future__ import annotations

import gc

import pytest

from hero_tui.collecting import REST_SECONDS, Collecting


@pytest.fixture
def collected(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often everything was looked at; nothing is put beyond the collector for good."""
    done: list[int] = []
    monkeypatch.setattr(gc, "collect", lambda: done.append(1))
    monkeypatch.setattr(gc, "freeze", lambda: None)
    return done


def waiting(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(gc, "get_count", lambda: (0, 0, count))


def test_nobody_who_types_waits_for_it(collected: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    collecting = Collecting()
    waiting(monkeypatch, 20)
    collecting.tick(rested=0.0)
    assert not collected
    collecting.tick(rested=REST_SECONDS)
    assert collected == [1]


def test_too_much_does_not_wait_for_a_rest(collected: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    waiting(monkeypatch, 1000)
    Collecting().tick(rested=0.0)
    assert collected == [1]


def test_little_is_left_alone(collected: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    waiting(monkeypatch, 1)
    Collecting().tick(rested=1000.0)
    assert not collected


def test_young_objects_are_looked_at_as_ever_and_at_the_end_all_is_as_before(
    collected: list[int], monkeypatch: pytest.MonkeyPatch
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
