"""`./hero` in the surroundings that it may meet, with a stand-in for uv: what it sets up, when, what it says."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ("cat", "cksum", "dirname", "flock", "grep", "mkdir", "mv", "readlink", "rm", "sh", "touch")
SECONDS = 60

UV = """#!/bin/sh
echo "$*" >>"$STAND_IN/log"
case $* in
*--version*) exec cat /dev/null ;;
venv*)
    for last; do :; done
    mkdir -p "$last/bin" "$last/lib/python3/site-packages"
    printf '#!/bin/sh\\n' >"$last/bin/python"
    chmod +x "$last/bin/python"
    ;;
*--require-hashes*)
    touch .venv/half-way
    if [ -f "$STAND_IN/says" ]; then cat "$STAND_IN/says"; exit 1; fi
    ;;
*" -e .")
    printf '#!/bin/sh\\nprintf "[%%s]" hero_dev "$@"\\n' >.venv/bin/hero_dev
    chmod +x .venv/bin/hero_dev
    pwd >.venv/lib/python3/site-packages/_editable_impl_hero_team_box.pth
    ;;
esac
"""
APT_GET = """#!/bin/sh
echo "$*" >>"$STAND_IN/apt"
for word; do case $word in git | tmux) : >"$STAND_IN/bin/$word"; chmod +x "$STAND_IN/bin/$word" ;; esac; done
"""


@dataclass(frozen=True)
class Machine:
    """A checkout, and a PATH on which nothing is but what a test put there."""

    checkout: Path
    stand_in: Path

    @property
    def bin(self) -> Path:
        return self.stand_in / "bin"

    def has(self, name: str, text: str = "#!/bin/sh\n") -> None:
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def begin(self, *words: str, script: Path | None = None, cwd: Path | None = None) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(script or self.checkout / "hero"), *words],
            cwd=cwd or self.checkout,
            env={"PATH": str(self.bin), "STAND_IN": str(self.stand_in), "HERO_PYTHON": sys.executable},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, script: Path | None = None, cwd: Path | None = None) -> tuple[int, str, str]:
        process = self.begin(*words, script=script, cwd=cwd)
        out, err = process.communicate(timeout=SECONDS)
        return process.returncode, out, err

    def calls(self) -> list[str]:
        """What uv was called with since this was asked last."""
        log = self.stand_in / "log"
        lines = log.read_text().splitlines() if log.exists() else []
        log.write_text("")
        return [line for line in lines if "--version" not in line]


def lay_checkout(folder: Path) -> Path:
    (folder / "requirements").mkdir(parents=True)
    shutil.copy(ROOT / "hero", folder / "hero")
    for name in ("pyproject.toml", "requirements/run.lock", "requirements/dev.lock"):
        (folder / name).write_text(f"# {name}\n")
    return folder


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """As an ordinary user, with git and uv, without tmux and apt-get."""
    stand_in = tmp_path / "stand-in"
    (stand_in / "bin").mkdir(parents=True)
    machine = Machine(lay_checkout(tmp_path / "my folder é"), stand_in)
    for tool in (*TOOLS, "chmod"):
        found = shutil.which(tool)
        assert found
        (machine.bin / tool).symlink_to(found)
    machine.has("id", "#!/bin/sh\necho 1000\n")
    machine.has("git")
    machine.has("uv", UV)
    return machine


def test_the_first_run_sets_up_and_the_second_one_only_runs(machine: Machine) -> None:
    code, out, err = machine.run("status", "--grep", "a  b*")
    assert (code, out) == (0, "[hero_dev][status][--grep][a  b*]"), err
    assert "setting up" in err
    assert [call.split()[0] for call in machine.calls()] == ["venv", "pip", "pip"]
    machine.has("uv", "#!/bin/sh\nexit 1\n")
    assert machine.run("status") == (0, "[hero_dev][status]", "")


def test_python_finds_the_checkout_without_knowing_the_letters_of_its_path(machine: Machine) -> None:
    machine.run()
    (pth,) = machine.checkout.glob(".venv/lib/python3*/site-packages/*.pth")
    assert pth.read_bytes() == b"../../../..\n"
    assert (pth.parent / "../../../..").resolve() == machine.checkout


def test_it_is_found_through_links_and_from_any_folder(machine: Machine, tmp_path: Path) -> None:
    machine.run()
    (tmp_path / "first").symlink_to(machine.checkout / "hero")
    (tmp_path / "second").symlink_to("first")
    away = tmp_path / "away"
    away.mkdir()
    for script in ("../second", "../my folder é/hero", str(tmp_path / "first")):
        assert machine.run("x", script=Path(script), cwd=away) == (0, "[hero_dev][x]", "")


def test_several_started_at_once_set_up_once(machine: Machine) -> None:
    started = [machine.begin("x") for _ in range(4)]
    answers = [process.communicate(timeout=SECONDS) for process in started]
    assert [out for out, _ in answers] == ["[hero_dev][x]"] * 4
    assert len([call for call in machine.calls() if call.startswith("venv")]) == 1


def test_a_checkout_that_moved_or_was_copied_is_set_up_again(machine: Machine, tmp_path: Path) -> None:
    machine.run()
    machine.calls()
    moved = machine.checkout.rename(tmp_path / "moved")
    assert machine.run("x", script=moved / "hero", cwd=moved)[:2] == (0, "[hero_dev][x]")
    assert machine.calls()[0].startswith("venv")


def test_a_changed_lock_file_adds_to_the_environment_that_daemons_may_run_in(machine: Machine) -> None:
    machine.run()
    kept = machine.checkout / ".venv" / "kept"
    kept.touch()
    machine.calls()
    (machine.checkout / "requirements" / "run.lock").write_text("# another\n")
    assert "setting up" in machine.run()[2]
    assert [call.split()[0] for call in machine.calls()] == ["pip", "pip"]
    assert kept.exists()


def test_what_an_interrupted_set_up_left_is_thrown_away(machine: Machine) -> None:
    (machine.stand_in / "says").write_text("killed\n")
    code, _, err = machine.run()
    assert code == 1
    assert "requirements/run.lock cannot be installed: pip or uv failed" in err
    left = machine.checkout / ".venv" / "half-way"
    left.write_text("left")
    (machine.stand_in / "says").unlink()
    assert machine.run("x")[:2] == (0, "[hero_dev][x]")
    assert left.read_text() == ""


def test_an_interpreter_that_was_upgraded_away_asks_for_a_new_set_up(machine: Machine) -> None:
    machine.run()
    python = machine.checkout / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python3.11")
    assert "setting up" in machine.run()[2]


def test_without_a_network_one_sentence_says_so(machine: Machine) -> None:
    (machine.stand_in / "says").write_text("error: Request failed\n  cause: dns error\n")
    code, out, err = machine.run()
    assert (code, out) == (1, "")
    assert "no package index answers; run this again with a network" in err.splitlines()[-1]
    assert "Request failed" not in err


def test_an_ordinary_user_is_told_the_command_that_installs_what_is_missing(machine: Machine) -> None:
    machine.has("apt-get", APT_GET)
    (machine.bin / "git").unlink()
    code, _, err = machine.run("demo")
    assert code == 1
    assert err.splitlines() == [
        "hero: needed and not here: git tmux. Install it as root, then run this again:",
        "    apt-get update && apt-get install -y git tmux",
    ]
    machine.has("sudo")
    assert "    sudo apt-get update && sudo apt-get install -y git tmux\n" in machine.run("demo")[2]
    assert not (machine.stand_in / "apt").exists()


def test_root_gets_what_is_missing_installed(machine: Machine) -> None:
    machine.has("apt-get", APT_GET)
    machine.has("id", "#!/bin/sh\necho 0\n")
    (machine.bin / "git").unlink()
    code, out, err = machine.run("x")
    assert (code, out) == (0, "[hero_dev][x]"), err
    assert (machine.stand_in / "apt").read_text().split()[-2:] == ["install", "git"]


def test_a_system_without_apt_is_told_what_is_missing(machine: Machine) -> None:
    code, _, err = machine.run("demo")
    assert code == 1
    assert err.startswith("hero: needed and not here: tmux.")


def test_a_python_that_is_too_old_is_named(machine: Machine) -> None:
    machine.has("old", "#!/bin/sh\nexit 1\n")
    done = subprocess.run(
        [str(machine.checkout / "hero")],
        env={"PATH": str(machine.bin), "STAND_IN": str(machine.stand_in), "HERO_PYTHON": "old"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Python 3.11 or newer is needed" in done.stderr
    assert "old is none" in done.stderr
