"""The box's daemon, the supervisor or the command line killed at a step of a switch: the slot still ends whole."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from backends.archives.installed import check_installed
from backends.client.blocking import call_box, connect_box
from backends.model.manifest import Manifest
from backends.model.tomlfile import parse
from tests.acceptance.small_box import DEADLINE, SmallBox, small_box

pytestmark = pytest.mark.slow

STEPS = (
    "switch.1.accepted",
    "switch.2.resolved",
    "switch.3.fetched",
    "switch.4.unpacked",
    "switch.5.intended",
    "switch.6.swapped",
    "switch.7.restarted",
    "switch.8.healthy",
    "switch.9.committed",
    "switch.10.cleared",
)
OLD, NEW = "development", "development_mik"
HERO_DEV = Path(sys.executable).parent / "hero_dev"


@pytest.fixture(scope="module")
def box() -> Iterator[SmallBox]:
    with small_box() as made:
        made.start_slotd()
        made.done("slot.start")
        made.stop_slotd()
        yield made


def is_well(box: SmallBox, service: str) -> bool:
    """Whether it answers, and its cell says so."""
    try:
        return bool(box.ask(service)) and box.cell(service)["health"] == "healthy"
    except subprocess.CalledProcessError:
        return False


def kill_boxd(box: SmallBox, _: subprocess.Popen[bytes]) -> None:
    with connect_box(box.where) as client:
        pid = client.call("box.status")["pid"]
    psutil.Process(pid).kill()


def kill_supervisor(box: SmallBox, _: subprocess.Popen[bytes]) -> None:
    """The only process that has the slot's supervisor folder among its arguments."""
    home = str(box.slot.supervisor)
    for one in psutil.process_iter():
        try:
            words = one.cmdline()
        except psutil.Error:
            continue
        if home in words and any("supervisord_main" in word for word in words):
            one.kill()
            return
    raise AssertionError("there is no supervisor")


def kill_command(_: SmallBox, command: subprocess.Popen[bytes]) -> None:
    command.kill()


VICTIMS = {"boxd": kill_boxd, "supervisord": kill_supervisor, "hero_dev": kill_command}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("victim", VICTIMS)
def test_a_kill_beside_a_switch_leaves_the_old_or_the_new_version(box: SmallBox, victim: str, step: str) -> None:
    box.start_slotd()
    box.until(lambda: box.cell("hero_web")["health"] == "healthy", "a healthy hero_web")
    box.done("slot.switch", {"service": "hero_web", "branch": OLD, "from": "release"})
    box.stop_slotd()
    hold = box.root / "hold"
    box.start_slotd(HERO_TEST_HOLD=f"{step}={hold}")
    argv = [str(HERO_DEV), "--box", str(box.root), "--slot", "alice", "switch", "hero_web", NEW]
    command = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    box.until(hold.exists, "the step")
    VICTIMS[victim](box, command)
    hold.unlink()
    command.wait(DEADLINE)

    def ended() -> bool:
        return not [one for one in box.call("operation.list")["operations"] if one["state"] == "running"]

    box.until(ended, "the end of the switch")
    names = ("hero_web", "hero_db", "hero_api")
    box.until(lambda: all(is_well(box, name) for name in names), "healthy services")
    cell = box.cell("hero_web")
    assert cell["branch"] in (OLD, NEW)
    assert cell["hash"] == box.commit("hero_web", cell["branch"])
    assert box.ask("hero_web")["commit"] == cell["hash"][:8]
    manifest = parse(Manifest, box.slot.manifest.read_text(), "manifest")
    assert manifest.state["hero_web"].hash == cell["hash"]
    current = box.slot.current("hero_web").resolve()
    assert [one for one in check_installed(current) if one.kind != "extra"] == []
    assert not list(box.slot.journal.glob("*"))
    if victim != "supervisord":
        assert cell["branch"] == NEW
    box.stop_slotd()


def test_an_acknowledged_switch_is_in_the_boxs_log_whoever_was_killed(box: SmallBox) -> None:
    box.start_slotd()
    connect_box(box.where).close()

    def audited() -> int:
        events = call_box(box.where, "audit.list", {"limit": 500, "slot": "alice"})["events"]
        return len([one for one in events if one["kind"] == "audit.switch"])

    box.until(lambda: audited() >= len(STEPS) * len(VICTIMS), "the audit of every switch")
    box.stop_slotd()


def test_nothing_of_the_failpoints_works_outside_of_the_test_runner() -> None:
    code = "from backends.failpoints import failpoint; failpoint('x'); print('alive')"
    environment = {"HERO_TEST_FAILPOINT": "x", "PYTHONPATH": str(Path(__file__).parents[2])}
    argv = [sys.executable, "-c", code]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "alive\n")
    armed = {**environment, "PYTEST_CURRENT_TEST": "yes"}
    killed = subprocess.run(argv, env=armed, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL
