"""Killed at any step of a switch, the slot comes back to the old or the new version, whole, and says which."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from backends.archives.installed import check_installed
from backends.model.errors import HeroError
from backends.model.manifest import Manifest
from backends.model.tomlfile import parse
from tests.acceptance.small_box import DEADLINE, SmallBox, small_box

pytestmark = pytest.mark.slow

STEPS = {
    "switch.1.accepted": "old",
    "switch.2.resolved": "old",
    "switch.3.fetched": "old",
    "archives.unpack.member": "old",
    "archives.unpack.before_rename": "old",
    "archives.unpack.after_rename": "old",
    "switch.4.unpacked": "old",
    "switch.5.intended": "old",
    "switch.6.swapped": "old",
    "switch.7.restarted": "old",
    "switch.8.healthy": "old",
    "switch.9.committed": "new",
    "switch.10.cleared": "new",
}
OLD, NEW = "development", "development_mik"


@pytest.fixture(scope="module")
def box() -> Iterator[SmallBox]:
    with small_box() as made:
        made.start_slotd()
        made.done("slot.start")
        made.stop_slotd()
        yield made


def worktree_with_work(box: SmallBox) -> tuple[Any, str]:
    """A worktree with uncommitted work in it, and what it says."""
    path = box.slot.worktree("hero_web", OLD) / "app.py"
    if not path.exists():
        box.done("slot.switch", {"service": "hero_web", "branch": OLD, "from": "build"})
        box.done("slot.switch", {"service": "hero_web", "branch": OLD, "from": "release"})
        path.write_text(path.read_text() + "\n# not committed\n")
    return path, path.read_text()


def forget_version(box: SmallBox, commit: str) -> None:
    """Let the next switch unpack again."""
    for found in (box.slot.opt / "hero_web").glob(f"{commit[:8]}*"):
        found.rename(box.root / f"aside-{len(list(box.root.glob('aside-*')))}")


@pytest.mark.parametrize(("step", "side"), STEPS.items())
def test_a_kill_of_the_daemon_at_this_step_ends_at_the_old_or_the_new_version(
    box: SmallBox, step: str, side: str
) -> None:
    box.start_slotd()
    work, text = worktree_with_work(box)
    box.done("slot.switch", {"service": "hero_web", "branch": OLD, "from": "release"})
    others = {name: box.cell(name)["pid"] for name in ("hero_db", "hero_api")}
    box.stop_slotd()
    forget_version(box, box.commit("hero_web", NEW))

    killed = box.start_slotd(HERO_TEST_FAILPOINT=step)
    with contextlib.suppress(HeroError):  # killed before it could answer
        box.begin("slot.switch", {"service": "hero_web", "branch": NEW, "from": "release"})
    assert killed.wait(DEADLINE) == -signal.SIGKILL
    box.start_slotd()

    branch = {"old": OLD, "new": NEW}[side]
    commit = box.commit("hero_web", branch)
    box.until(lambda: box.cell("hero_web")["health"] == "healthy", "a healthy hero_web")
    cell = box.cell("hero_web")
    assert (cell["branch"], cell["hash"]) == (branch, commit)
    assert box.ask("hero_web")["commit"] == commit[:8]
    manifest = parse(Manifest, box.slot.manifest.read_text(), "manifest")
    assert manifest.state["hero_web"].hash == commit
    assert box.slot.manifest.read_text().startswith("# mine, all mine\n")
    current = box.slot.current("hero_web").resolve()
    assert current.name.startswith(commit[:8])
    assert [one for one in check_installed(current) if one.kind != "extra"] == []
    assert not list((box.slot.opt / "hero_web").glob(".unpack-*"))
    assert not list(box.slot.journal.glob("*"))
    assert work.read_text() == text
    assert {name: box.cell(name)["pid"] for name in others} == others
    told = [one for one in box.call("operation.list")["operations"] if one["kind"] == "switch"]
    assert told[0]["state"] == "failed" if step != "switch.10.cleared" else told
    assert "killed" in told[0]["error"]["message"]

    assert box.done("slot.switch", {"service": "hero_web", "branch": NEW, "from": "release"})["branch"] == NEW
    assert box.ask("hero_web")["page"] == "mik"
    box.stop_slotd()


def test_services_live_through_a_kill_of_the_daemon_and_through_its_clean_stop(box: SmallBox) -> None:
    daemon = box.start_slotd()
    pids = {name: box.cell(name)["pid"] for name in ("hero_db", "hero_api", "hero_web")}
    daemon.kill()
    daemon.wait(DEADLINE)
    box.start_slotd()
    box.until(lambda: all(box.cell(name)["health"] == "healthy" for name in pids), "healthy services")
    assert {name: box.cell(name)["pid"] for name in pids} == pids
    box.stop_slotd()
    assert box.ask("hero_web")["service"] == "hero_web"
    box.start_slotd()
    assert {name: box.cell(name)["pid"] for name in pids} == pids
    box.stop_slotd()


def test_a_killed_supervisor_gets_a_successor_and_its_services_run_again(box: SmallBox) -> None:
    box.start_slotd()
    before = {name: box.cell(name)["pid"] for name in ("hero_db", "hero_api", "hero_web")}
    supervisor = psutil.Process(before["hero_db"]).parent()
    assert supervisor is not None
    assert any("supervisord_main" in word for word in supervisor.cmdline())
    supervisor.kill()
    box.until(
        lambda: all(
            box.cell(name)["health"] == "healthy" and box.cell(name)["pid"] != pid for name, pid in before.items()
        ),
        "services under a new supervisor",
    )
    assert not any(is_running(pid) for pid in before.values())
    box.stop_slotd()


def is_running(pid: int) -> bool:
    """Whether `pid` lives; one that has ended and waits for its parent's look does not."""
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
