"""Drift and health are two axes, derived from facts; a cell is told only when it changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from backends.model.manifest import Binding, InstalledState, Manifest
from backends.model.state import ServiceStatus, Source
from backends.slot.board import Board, Facts, WorktreeFacts, cell_of, derive_drift, derive_health
from backends.supervisors.base import ProcessState, RunState

OLD, NEW = "a" * 40, "b" * 40
WHEN = datetime(2026, 11, 20, tzinfo=UTC)


def binding(source: Source = "release", **fields: object) -> Binding:
    fields = {"service": "hero_db", "branch": "development", "source": source, **fields}
    return Binding.model_validate(fields)


def installed(source: Source = "release", commit: str = OLD) -> InstalledState:
    tag = f"development-{commit[:8]}" if source == "release" else None
    return InstalledState(hash=commit, source=source, sha256="c" * 64, installed_at=WHEN, tag=tag)


def process(state: RunState, *, code: int | None = None, signal: int | None = None) -> ProcessState:
    return ProcessState("hero_db", state, 7, code, signal, "", WHEN, 0)


def bound_to(one: Binding) -> Manifest:
    """A manifest with one binding, installed from a release."""
    return Manifest.model_validate({"schema": 1, "bind": [one], "state": {"hero_db": installed()}})


FACTS = Facts(binding=binding(), repo="o/hero_db", installed=installed())


@pytest.mark.parametrize(
    ("facts", "drift"),
    [
        (replace(FACTS, installed=None), "missing"),
        (replace(FACTS, newest=OLD), "current"),
        (replace(FACTS, newest=NEW, newest_tag="development-bbbbbbbb"), "behind"),
        (replace(FACTS, newest=NEW, forge_error="gone"), "current"),
        (replace(FACTS, installed=installed("build")), "behind"),
        (replace(FACTS, binding=binding("hash", hash="aaaaaaaa")), "pinned"),
        (replace(FACTS, binding=binding("hash", hash="bbbbbbbb")), "behind"),
        (replace(FACTS, binding=binding("build"), installed=installed("build")), "current"),
        (replace(FACTS, binding=binding("build")), "behind"),
        (
            replace(
                FACTS, binding=binding("build"), installed=installed("build"), worktree=WorktreeFacts(dirty=True)
            ),
            "modified",
        ),
        (
            replace(
                FACTS, binding=binding("build"), installed=installed("build"), worktree=WorktreeFacts(head=NEW)
            ),
            "modified",
        ),
        (
            replace(
                FACTS,
                binding=binding("build"),
                installed=installed("build"),
                worktree=WorktreeFacts(head=OLD, behind=2),
            ),
            "behind",
        ),
    ],
)
def test_drift_is_what_is_installed_against_what_the_binding_asks(facts: Facts, drift: str) -> None:
    found, why = derive_drift(facts)
    assert found == drift
    assert bool(why) == (drift != "current" or bool(facts.forge_error))


@pytest.mark.parametrize(
    ("facts", "health", "reason"),
    [
        (FACTS, "stopped", ""),
        (replace(FACTS, process=process("running")), "starting", ""),
        (replace(FACTS, process=process("running"), checked=True), "healthy", ""),
        (replace(FACTS, process=process("running"), checked=False, check_detail="503"), "unhealthy", "503"),
        (replace(FACTS, process=process("exited", code=0)), "stopped", "ended by itself, exit 0"),
        (replace(FACTS, process=process("exited", code=101)), "crashed", "exit 101"),
        (replace(FACTS, process=process("backoff", signal=9)), "crashed", "signal 9"),
        (replace(FACTS, process=process("unknown")), "unknown", ""),
        (replace(FACTS, process=process("stopped"), checked=True), "stopped", ""),
    ],
)
def test_health_is_what_the_process_does(facts: Facts, health: str, reason: str) -> None:
    assert derive_health(facts) == (health, reason)


def test_a_dead_process_is_never_green() -> None:
    for state in ("stopped", "exited", "backoff", "fatal", "stopping", "unknown", "starting"):
        facts = replace(FACTS, process=process(state, code=1), checked=True)
        assert cell_of(facts).health != "healthy"


def test_the_board_tells_each_changed_cell_once_and_says_when_one_is_gone() -> None:
    board = Board()
    told: list[tuple[str, ServiceStatus | None]] = []
    board.watch(lambda cell, service: told.append((service, cell)))
    manifest = bound_to(binding())
    board.reload(manifest, {"hero_db": "o/hero_db"})
    board.reload(manifest, {"hero_db": "o/hero_db"})
    board.update("hero_db", process=process("running"))
    board.update("hero_db", process=process("running"))
    board.update("hero_other", process=process("running"))
    board.reload(Manifest.model_validate({"schema": 1}), {})
    assert [service for service, _ in told] == ["hero_db"] * 3
    assert told[1][1] is not None
    assert told[1][1].health == "starting"
    assert told[2][1] is None
    assert list(board.cells()) == []


def test_a_change_of_the_binding_keeps_what_is_known_of_the_process() -> None:
    board = Board()
    board.reload(bound_to(binding()), {"hero_db": "o/hero_db"})
    board.update("hero_db", process=process("running"), checked=True)
    changed = bound_to(binding(branch="feature/x"))
    board.reload(changed, {"hero_db": "o/hero_db"})
    (cell,) = board.cells()
    assert (cell.branch, cell.health) == ("feature/x", "healthy")
