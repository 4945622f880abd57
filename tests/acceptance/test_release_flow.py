"""From a push to everybody's slot on a real box: built once, published, pulled; hooks, kills, wrong signatures."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from backends.client.blocking import call_box
from tests.acceptance.pushes import (
    TRUNK,
    WEB,
    builds_of,
    deliver,
    follow_the_trunk,
    push,
    revert,
    settle,
    start_boxd,
    until_built,
    until_runs,
    wait_for,
)
from tests.acceptance.small_box import SmallBox, small_box

pytestmark = pytest.mark.slow

HERO_DEV = Path(sys.executable).parent / "hero_dev"
KILLS = ("queue.submitted", "queue.begun", "queue.ended", "edge.accepted", "edge.handled")


@pytest.fixture(scope="module")
def made() -> Iterator[SmallBox]:
    with small_box() as box:
        follow_the_trunk(box)
        yield box


@pytest.fixture
def box(made: SmallBox) -> Iterator[SmallBox]:
    """The box with a daemon of ours, both slots there and settled."""
    start_boxd(made)
    made.until(lambda: set(call_box(made.where, "box.status")["online"]) == {"alice", "integration"}, "both slots")
    # Alice may be pulling her first release by herself already.
    made.until(lambda: made.run("slot.start")["state"] == "succeeded", "a started slot")
    yield made
    stop_boxd(made)


def stop_boxd(box: SmallBox) -> None:
    """End the box's daemon as a signal does; the slots go on."""
    for daemon in box.daemons:
        if daemon.poll() is None:
            daemon.terminate()
            daemon.wait(30)
    box.daemons.clear()


def test_a_push_is_built_once_published_and_pulled_by_who_follows_releases(box: SmallBox) -> None:
    commit = push(box, "first")
    built = until_built(box, "integration", commit)
    assert built["tag"] == f"{TRUNK}-{commit[:8]}"
    assert {"queue", "worktree", "compile", "pack", "publish"} <= {phase["name"] for phase in built["phases"]}
    until_runs(box, "integration", commit)
    until_runs(box, "alice", commit)
    assert box.ask(WEB)["page"] == "first"
    assert not builds_of(box, "alice", commit)


def test_a_hook_for_what_the_box_knows_already_builds_nothing_twice(box: SmallBox) -> None:
    commit = push(box, "second")
    assert deliver(box, after=commit) == 202
    assert deliver(box, after=commit) == 200
    until_built(box, "integration", commit)
    assert deliver(box, after=commit, again=True) == 202
    box.until(lambda: metric(box, "hero_webhooks_waiting") == 0, "an empty inbox")
    assert len(builds_of(box, "integration", commit)) == 1


def test_a_hook_with_a_wrong_signature_is_refused_and_counted(box: SmallBox) -> None:
    assert deliver(box, secret="not it") == 401
    assert metric(box, 'hero_webhooks_total{outcome="wrong_signature"}') == 1


def test_a_commit_that_does_not_build_is_told_and_not_tried_again_by_itself(box: SmallBox) -> None:
    before = box.ask(WEB)
    bad = push(box, "broken", more="\n\ndef shelves(:\n")
    failed = until_built(box, "integration", bad, "failed")
    assert failed["error"]
    assert deliver(box, after=bad) == 202
    box.until(lambda: metric(box, "hero_webhooks_waiting") == 0, "an empty inbox")
    assert len(builds_of(box, "integration", bad)) == 1
    assert box.ask(WEB) == before
    commit = revert(box)
    until_built(box, "integration", commit)


@pytest.mark.parametrize("step", KILLS)
def test_a_push_is_built_once_though_the_boxs_daemon_is_killed(made: SmallBox, step: str) -> None:
    daemon = start_boxd(made, HERO_TEST_FAILPOINT=step)
    made.until(
        lambda: made.where.box.http_socket.exists() and metric(made, "hero_slots_online") == 2, "both slots"
    )
    commit = push(made, f"killed at {step}")
    if step.startswith("edge"):
        deliver(made, after=commit)
    assert wait_for(daemon) == -9
    made.daemons.clear()
    start_boxd(made)
    until_built(made, "integration", commit)
    until_runs(made, "alice", commit)
    settle(0.3)
    assert len(builds_of(made, "integration", commit)) == 1
    stop_boxd(made)


def metric(box: SmallBox, name: str) -> float:
    """A number of the box as Prometheus reads it; -1 while nobody answers."""
    said = subprocess.run(
        ["curl", "-sS", "--max-time", "10", "--unix-socket", str(box.where.box.http_socket), "http://box/metrics"],
        check=False,
        capture_output=True,
        text=True,
    )
    lines = [line for line in said.stdout.splitlines() if line.startswith(f"{name} ")]
    return float(lines[0].rpartition(" ")[2]) if lines else -1.0
