"""Places where a test may kill or hold this process; without the test runner's variables they do nothing."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

_UNDER_TEST = bool(os.environ.get("PYTEST_CURRENT_TEST"))
_ARMED = os.environ.get("HERO_TEST_FAILPOINT", "") if _UNDER_TEST else ""
_HELD, _, _HOLD_FILE = (os.environ.get("HERO_TEST_HOLD", "") if _UNDER_TEST else "").partition("=")
_LOOK_EVERY = 0.005


def failpoint(name: str) -> None:
    """Die by SIGKILL here when the test runner armed the failpoint called `name`.

    With HERO_TEST_HOLD=`name`=`file` the process makes `file` instead, and stands still until it is gone.
    """
    if _ARMED and name == _ARMED:
        os.kill(os.getpid(), signal.SIGKILL)
    if _HELD and name == _HELD:
        _hold(Path(_HOLD_FILE))


def _hold(file: Path) -> None:
    file.touch()
    while file.exists():
        time.sleep(_LOOK_EVERY)
