"""A disk so small that it is full at once, and a process that dies at a given place."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB, mounted for one test; skipped where this user may not mount."""
    folder = tmp_path / "small_disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "none", folder], capture_output=True, text=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.fixture
def killed_at() -> Callable[..., None]:
    """Run `child.py ARGUMENTS` until it kills itself with SIGKILL at a failpoint."""

    def run(failpoint: str, *arguments: str | Path) -> None:
        child = Path(__file__).with_name("child.py")
        ended = subprocess.run(
            [sys.executable, child, *arguments],
            env=os.environ | {"HERO_TEST_FAILPOINT": failpoint, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == -signal.SIGKILL, ended.stderr

    return run
