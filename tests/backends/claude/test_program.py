"""The program is found where people put it, and its absence comes with the command that mends it."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.claude.program import INSTALL, SETTING, VERSION, find_program, require
from backends.model.errors import HeroError
from deploy.setup import claude as step


def fake(path: Path, says: str = "2.1.329 (Claude Code)", count: Path | None = None) -> Path:
    """A program that prints `says`, and leaves a line in `count` each time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    told = f"echo run >> '{count}'\n" if count else ""
    path.write_text(f"#!/bin/sh\n{told}[ \"$1\" = --version ] && echo '{says}'\n")
    path.chmod(0o755)
    return path


async def test_the_one_on_path_is_found_with_its_version(tmp_path: Path) -> None:
    program = fake(tmp_path / "bin" / "claude")
    found = await find_program(tmp_path, {"PATH": f"{program.parent}:/usr/bin:/bin"})
    assert (found.path, found.version, found.hint) == (str(program), "2.1.329", "")


async def test_one_in_the_users_own_folder_is_found_without_path(tmp_path: Path) -> None:
    program = fake(tmp_path / ".local" / "bin" / "claude")
    assert (await find_program(tmp_path, {"PATH": "/nowhere"})).path == str(program)


async def test_the_one_that_is_set_is_taken_and_no_other(tmp_path: Path) -> None:
    other = fake(tmp_path / "bin" / "claude")
    program = fake(tmp_path / "else" / "claude-x", "2.2.0 (Claude Code)")
    environment = {"PATH": f"{other.parent}:/bin", SETTING: str(program)}
    assert (await find_program(tmp_path, environment)).version == "2.2.0"
    program.unlink()
    assert (await find_program(tmp_path, environment)).path == ""


async def test_its_version_is_asked_for_once_a_file(tmp_path: Path) -> None:
    count = tmp_path / "count"
    program = fake(tmp_path / "claude", count=count)
    for _ in range(3):
        await find_program(tmp_path, {SETTING: str(program)})
    assert count.read_text().count("run") == 1
    program.unlink()
    fake(program, "2.1.400 (Claude Code)", count)
    assert (await find_program(tmp_path, {SETTING: str(program)})).version == "2.1.400"


@pytest.mark.parametrize("content", ["#!/bin/sh\nexit 1\n", "#!/bin/sh\necho nonsense\n", "\x7fELF nonsense", ""])
async def test_a_program_that_does_not_work_is_none(tmp_path: Path, content: str) -> None:
    program = fake(tmp_path / "claude")
    program.write_text(content)
    found = await find_program(tmp_path, {SETTING: str(program)})
    assert found.path == ""
    with pytest.raises(HeroError, match="no working `claude`") as caught:
        require(found)
    assert INSTALL in caught.value.hint


async def test_the_real_one_tells_its_version(claude_program: Path, tmp_path: Path) -> None:
    found = await find_program(tmp_path, {SETTING: str(claude_program), "HOME": str(tmp_path)})
    assert found.version
    assert not list(tmp_path.iterdir())


def test_the_bootstrap_installs_the_version_that_the_hint_names() -> None:
    assert step.VERSION == VERSION
    assert INSTALL.endswith(f"@{step.VERSION}")
