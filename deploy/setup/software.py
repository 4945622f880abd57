"""The step that installs this software: one folder a version below /opt, a link to the one in force."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
from pathlib import Path

from deploy.setup.machine import point, points_to, run, succeeds
from deploy.setup.places import CHECKOUT, CURRENT, OPT, PROGRAMS
from deploy.setup.step import Step

PARTS = (
    "hero",
    "pyproject.toml",
    "requirements",
    "hero_tui",
    "screens",
    "styles",
    "backends",
    "deploy",
    "README.md",
    "LICENSE",
)
"""What of a checkout is installed; its tests and history are not."""
KEPT = 2
"""Versions besides the one in force that stay: a daemon that was not restarted yet runs from one of them."""
_VERSION = re.compile(r"[0-9a-f]{12}")
_PASSED_OVER = ("__pycache__", ".mypy_cache", ".ruff_cache")


def software() -> Step:
    """This checkout's version, set up and in force."""
    return Step("software", _missing, _install)


def _missing() -> list[str]:
    version = _version()
    found = []
    if not _is_whole(OPT / version):
        found.append(f"install version {version} in {OPT}")
    if not points_to(CURRENT, version):
        found.append(f"put version {version} in force")
    for program in PROGRAMS:
        if not points_to(Path("/usr/local/bin") / program, str(CURRENT / ".venv" / "bin" / program)):
            found.append(f"link {program} into /usr/local/bin")
    return found + [f"remove version {old.name} from {OPT}" for old in _old(version)]


def _install() -> None:
    version = _version()
    folder = OPT / version
    if not _is_whole(folder):
        OPT.mkdir(parents=True, exist_ok=True)
        OPT.chmod(0o755)
        folder.mkdir(exist_ok=True)
        excluded = [f"--exclude={name}" for name in _PASSED_OVER]
        sources = [f"{CHECKOUT}/./{part}" for part in PARTS]
        run(
            "rsync",
            "--archive",
            "--relative",
            "--delete",
            "--chmod=go-w",
            "--chown=root:root",
            *excluded,
            *sources,
            str(folder),
        )
        run(str(folder / "hero"), "--help", env={"HERO_PYTHON": "python3", "PYTHONDONTWRITEBYTECODE": ""})
        run(
            str(folder / ".venv" / "bin" / "python"),
            "-m",
            "compileall",
            "-q",
            str(folder / "backends"),
            str(folder / "hero_tui"),
        )
        (folder / ".whole").touch()
    point(CURRENT, version)
    for program in PROGRAMS:
        point(Path("/usr/local/bin") / program, str(CURRENT / ".venv" / "bin" / program))
    for old in _old(version):
        shutil.rmtree(old)


def _old(version: str) -> list[Path]:
    """The versions that nothing runs from any more, as far as their age tells."""
    others = [folder for folder in OPT.glob("*") if _VERSION.fullmatch(folder.name) and folder.name != version]
    return sorted(others, key=lambda folder: folder.stat().st_mtime, reverse=True)[KEPT:]


def _is_whole(folder: Path) -> bool:
    return (folder / ".whole").is_file() and succeeds(str(folder / ".venv" / "bin" / "hero_dev"), "--help")


def _version() -> str:
    """A name for just these files: the digest of their names, modes and bytes."""
    digest = hashlib.sha256()
    for part in PARTS:
        for path in sorted(_files(CHECKOUT / part)):
            executable = bool(path.stat().st_mode & stat.S_IXUSR)
            digest.update(f"{path.relative_to(CHECKOUT)}\0{executable}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]


def _files(part: Path) -> list[Path]:
    if part.is_file():
        return [part]
    found = []
    for folder, names, files in os.walk(part):
        names[:] = [name for name in names if name not in _PASSED_OVER]
        found += [Path(folder) / name for name in files]
    return found
