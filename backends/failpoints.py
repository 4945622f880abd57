"""Places where a test may kill this process; without the test runner's variable they do nothing."""

from __future__ import annotations

import os
import signal

_ARMED = os.environ.get("HERO_TEST_FAILPOINT", "") if os.environ.get("PYTEST_CURRENT_TEST") else ""


def failpoint(name: str) -> None:
    """Die by SIGKILL here when the test runner armed the failpoint called `name`."""
    if _ARMED and name == _ARMED:
        os.kill(os.getpid(), signal.SIGKILL)
