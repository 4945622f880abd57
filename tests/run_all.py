"""Every check of the project: the quick ones, each with its time, then pytest, whose closing line comes last."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
INTERRUPTED = 130
PACKAGES = ("backends", "benchmarks", "deploy", "hero_tui", "screens", "styles", "tests")
TEST_SECONDS = 300
"""A test that takes longer hangs: it is ended and has failed, and the others go on."""

CHECKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("ruff check", ("ruff", "check", ".")),
    ("ruff format", ("ruff", "format", "--check", ".")),
    ("import-linter", ("lint-imports",)),
    ("mypy --strict", ("mypy",)),
    ("compileall", ("python", "-m", "compileall", "-q", "-j", "0", *PACKAGES, sysconfig.get_path("purelib"))),
)


def main(arguments: list[str]) -> int:
    """Run all checks, then pytest with `arguments`; 1 if a check failed, else what pytest says."""
    # Hundreds of tests start daemons: where an environment keeps Python from it, each start would compile it all.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    lab = _begin_lab() if os.environ.get("HERO_TEST_LAB") == "build" else None
    failed = [name for name, command in CHECKS if not _passes(name, command)]
    if os.environ.get("HERO_TEST_GITEA") == "build":
        _build_gitea()
    if lab:
        _await_lab(lab)
    print("── pytest", flush=True)
    if failed:
        print(f"   whatever it finds, this run has failed: {', '.join(failed)}", flush=True)
    # Two more than cores: a test of real processes waits most of its time.
    workers = str(min(6, (os.cpu_count() or 2) + 2))
    # By file: tests of one file share the box that its fixture makes. In the order of tests/conftest.py.
    spread = ("-n", workers, "--dist", "loadfile", "--no-loadscope-reorder")
    code = _run(("pytest", "-q", *spread, f"--timeout={TEST_SECONDS}", "--durations=30", *arguments))
    return 1 if failed else code


def _build_gitea() -> None:
    """Before pytest: no test that waits for it could keep to its time. Without it, its tests are left out."""
    print("── Gitea, which the forge's contract is proved on", flush=True)
    began = time.monotonic()
    made = _run(("python", "-m", "tests.forgejo_server.gitea")) == 0
    if not made:
        del os.environ["HERO_TEST_GITEA"]
    told = "ok" if made else "left out: it could not be built,"
    print(f"   {told} in {time.monotonic() - began:.0f} s", flush=True)


def _begin_lab() -> subprocess.Popen[str]:
    """Beside the quick checks: it mostly waits for packages."""
    argv = [str(BIN / "python"), "-m", "tests.lab", "build"]
    return subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _await_lab(building: subprocess.Popen[str]) -> None:
    """Without it, its tests are left out, and say why."""
    print("── lab of fresh machines, which the real box is proved in", flush=True)
    began = time.monotonic()
    told, _ = building.communicate()
    print("".join(f"   {line}\n" for line in told.splitlines()), end="")
    if building.returncode:
        os.environ["HERO_TEST_LAB"] = (told.splitlines() or ["it could not be built"])[0]
    print(f"   {'left out' if building.returncode else 'ok'}, waited {time.monotonic() - began:.0f} s", flush=True)


def _passes(name: str, command: tuple[str, ...]) -> bool:
    print(f"── {name}", flush=True)
    began = time.monotonic()
    passed = _run(command) == 0
    print(f"   {'ok' if passed else 'FAILED'} in {time.monotonic() - began:.0f} s", flush=True)
    return passed


def _run(command: tuple[str, ...]) -> int:
    return subprocess.run([str(BIN / command[0]), *command[1:]], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
