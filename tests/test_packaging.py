"""What `uv tool install .` and `pipx install .` get: all files, all commands, and a demo that runs from there."""

from __future__ import annotations

import ast
import configparser
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
SCRIPTS: dict[str, str] = PROJECT["project"]["scripts"]
PACKAGES: list[str] = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
COMMANDS = ["a", "hero_aibroker", "hero_boxd", "hero_builder", "hero_dev", "hero_slotd", "hero_tui"]

SECONDS = 300


def run(command: list[str], cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )


def works(command: list[str], cwd: Path, **env: str) -> str:
    done = run(command, cwd, **env)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def files_of_packages() -> set[str]:
    """Every file of the packages that git has or would add."""
    listed = works(["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *PACKAGES], ROOT)
    return {name for name in listed.splitlines() if (ROOT / name).is_file()}


def pins(lock: str) -> dict[str, str]:
    """Name to `version ; marker` of each package of a lock file."""
    text = (ROOT / "requirements" / f"{lock}.lock").read_text()
    return dict(re.findall(r"^([a-z0-9._-]+)==([^\\\n]+?) *\\$", text, re.M))


def test_all_commands_are_there_and_lead_to_functions() -> None:
    assert sorted(SCRIPTS) == COMMANDS
    for target in SCRIPTS.values():
        module, _, function = target.partition(":")
        tree = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text())
        assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, target


def test_the_lock_files_agree_and_every_package_has_a_hash() -> None:
    small, large = pins("run"), pins("dev")
    assert small.items() <= large.items()
    for lock in ("run", "dev"):
        text = (ROOT / "requirements" / f"{lock}.lock").read_text()
        entries = re.split(r"^(?=[a-z0-9])", text, flags=re.M)[1:]
        assert len(entries) == len(pins(lock))
        assert all("--hash=sha256:" in entry for entry in entries)
        assert "://" not in text


def test_the_lock_files_hold_what_the_project_asks_for() -> None:
    asked = PROJECT["project"]["dependencies"] + PROJECT["build-system"]["requires"]
    dev = [one for one in PROJECT["dependency-groups"]["dev"] if isinstance(one, str)]
    for lock, requirements in (("run", asked), ("dev", asked + dev)):
        names = {re.split(r"[^A-Za-z0-9._-]", one)[0].lower() for one in requirements}
        assert names <= set(pins(lock))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist and the wheel, made as an installer makes them but without the network."""
    out = tmp_path_factory.mktemp("built")
    works([sys.executable, "-m", "hatchling", "build", "-d", str(out)], ROOT)
    return out


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (found,) = built.glob("*.whl")
    return found


@pytest.mark.slow
def test_the_wheel_holds_every_file_of_the_packages_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        (entry_points,) = [name for name in archive.namelist() if name.endswith("/entry_points.txt")]
        parsed = configparser.ConfigParser()
        parsed.read_string(archive.read(entry_points).decode())
    assert names == files_of_packages()
    assert dict(parsed["console_scripts"]) == SCRIPTS
    assert {"styles/base.tcss", "hero_tui/demo_box/sources/common/server.py"} <= names


@pytest.mark.slow
def test_the_sdist_makes_the_same_wheel(built: Path, wheel: Path, tmp_path: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    works(["tar", "-xf", str(sdist)], tmp_path)
    (unpacked,) = tmp_path.iterdir()
    assert all((unpacked / name).exists() for name in ("hero", "LICENSE", "README.md", "requirements", "tests"))
    works([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "again")], unpacked)
    (again,) = (tmp_path / "again").glob("*.whl")
    with zipfile.ZipFile(wheel) as one, zipfile.ZipFile(again) as other:
        assert sorted(one.namelist()) == sorted(other.namelist())


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of a fresh environment with the wheel; what it depends on comes from this test's own."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False, symlinks=True)
    python = str(folder / "bin" / "python")
    if shutil.which("uv"):
        install = ["uv", "pip", "install", "--python", python]
    else:
        install = [sys.executable, "-m", "pip", "--python", python, "install"]
    works([*install, "-q", "--no-deps", "--no-index", str(wheel)], folder)
    # Through a link and a .pth: daemons start without PYTHONPATH, and a .pth is read in the locale's encoding.
    site = Path(works([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], folder).strip())
    (site / "dependencies").symlink_to(sysconfig.get_path("purelib"))
    (site / "dependencies.pth").write_text("dependencies\n")
    return folder / "bin"


@pytest.fixture
def surroundings(tmp_path: Path) -> dict[str, str]:
    """The environment of an installed command: a home of its own, and nothing that leads to the checkout."""
    return {"PYTHONPATH": "", "HOME": str(tmp_path), "XDG_DATA_HOME": ""}


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_each_installed_command_tells_what_it_is(
    command: str, installed: Path, tmp_path: Path, surroundings: dict[str, str]
) -> None:
    done = run([str(installed / command), "--help"], tmp_path, **surroundings)
    told = done.stdout + done.stderr
    known_as = "hero_dev agent" if command == "a" else command
    assert told.startswith((f"usage: {known_as}", f"{known_as}: "))
    assert "Traceback" not in told
    assert done.returncode == 0


@pytest.fixture
def demo_folder(installed: Path, surroundings: dict[str, str]) -> Iterator[Path]:
    """A folder for a box, short enough for its sockets; the box is down afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="h", dir="/tmp"))
    yield folder / "box"
    run([str(installed / "hero_dev"), "--box", str(folder / "box"), "box", "down"], folder, **surroundings)
    shutil.rmtree(folder)


@pytest.mark.slow
def test_the_demo_runs_from_an_installed_wheel(
    installed: Path, demo_folder: Path, tmp_path: Path, surroundings: dict[str, str]
) -> None:
    works([str(installed / "hero_tui"), "demo", "--no-open", "--dir", str(demo_folder)], tmp_path, **surroundings)
    status = [str(installed / "hero_dev"), "--box", str(demo_folder), "status", "--all", "--json"]
    fleet = json.loads(works(status, tmp_path, **surroundings))
    assert {slot["slot"] for slot in fleet["slots"] if slot["online"]} == {"alice", "integration", "mik", "thabet"}
    where = [str(installed / "python"), "-c", "import hero_tui; print(hero_tui.__file__)"]
    assert str(installed.parent) in works(where, tmp_path, **surroundings)
