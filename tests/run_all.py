"""Every check of the project, each with its time; the tests come last. Exits 1 if any failed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent

CHECKS: tuple[tuple[str, list[str]], ...] = (
    ("ruff check", ["ruff", "check", "."]),
    ("ruff format", ["ruff", "format", "--check", "."]),
    ("import-linter", ["lint-imports"]),
    ("mypy --strict", ["mypy"]),
)


def main() -> int:
    """Run all checks, then pytest with this program's arguments."""
    failed = [name for name, command in CHECKS if not _run(name, command)]
    workers = str(min(4, os.cpu_count() or 2))
    if not _run("pytest", ["pytest", "-q", "-n", workers, *sys.argv[1:]]):
        failed.append("pytest")
    if failed:
        print(f"\nfailed: {', '.join(failed)}")
    return 1 if failed else 0


def _run(name: str, command: list[str]) -> bool:
    print(f"── {name}", flush=True)
    began = time.monotonic()
    done = subprocess.run([str(BIN / command[0]), *command[1:]], cwd=ROOT, check=False)
    print(f"   {name}: {'ok' if done.returncode == 0 else 'FAILED'} in {time.monotonic() - began:.0f} s", flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
