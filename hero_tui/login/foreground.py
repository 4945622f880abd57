"""Runs a program in front of the person and waits for it; ctrl-c is that program's alone meanwhile."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


def run_in_front(
    argv: Sequence[str], folder: Path | None = None, environment: Mapping[str, str] | None = None
) -> int:
    """Its exit code; `environment` instead of ours. Raises OSError where it cannot be started."""
    # A handler and not SIG_IGN, which the program would inherit.
    before = signal.signal(signal.SIGINT, lambda _number, _frame: None)
    try:
        return subprocess.Popen(argv, cwd=folder, env=environment).wait()
    finally:
        signal.signal(signal.SIGINT, before)
