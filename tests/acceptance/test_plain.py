"""`hero_tui --plain` on a real box: a pipe of sentences."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.small_box import SmallBox, small_box

pytestmark = pytest.mark.slow

HERO_TUI = Path(sys.executable).parent / "hero_tui"


@pytest.fixture(scope="module")
def box() -> Iterator[SmallBox]:
    with small_box() as made:
        yield made


def test_it_says_the_fleet_then_each_change_and_ctrl_c_ends_it(box: SmallBox) -> None:
    argv = [str(HERO_TUI), "--box", str(box.root), "--slot", "alice", "--plain"]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        lines = iter(process.stdout.readline, "")
        assert next(line for line in lines if " Box " in line)
        assert next(line for line in lines if "alice hero_web of development is not installed" in line)
        box.done("slot.start", {"services": ["hero_db"]})
        assert next(line for line in lines if "alice hero_db is healthy" in line)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
    assert process.stderr is not None
    assert process.stderr.read() == ""
