"""/etc/profile.d/hero.sh in real shells: who is led into the session, and that nobody is kept from a shell."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.hero_tui.terminal_of import Terminal, terminal_of

PROFILE = Path(__file__).parents[2] / "deploy" / "etc" / "profile-hero.sh"
SHELLS = [
    pytest.param(name, marks=pytest.mark.skipif(not shutil.which(name), reason=f"no {name} here"))
    for name in ("bash", "dash", "zsh")
]


@dataclass
class Login:
    """Somebody with a slot, and a `hero_dev` that tells that it ran."""

    home: Path

    def hero_dev(self, script: str) -> None:
        self._program("hero_dev", f'echo "hero_dev $* $TMUX_TMPDIR" >>"$HOME/ran"\n{script}\n')

    @property
    def ran(self) -> list[str]:
        path = self.home / "ran"
        return path.read_text().splitlines() if path.exists() else []

    @property
    def environment(self) -> dict[str, str]:
        own = {"HOME": str(self.home), "XDG_RUNTIME_DIR": str(self.home / "run"), "SSH_TTY": "/dev/pts/7"}
        path = f"{self.home / 'bin'}:/usr/bin:/bin"
        return {"PATH": path, "TERM": "xterm", "PS1": "prompt% ", "PROFILE": str(PROFILE), **own}

    @contextmanager
    def on_a_terminal(self, shell: str, **environment: str | None) -> Iterator[Terminal]:
        """An interactive shell that has just read the profile, and then what a test types."""
        world = {name: value for name, value in {**self.environment, **environment}.items() if value is not None}
        start = self.home / "start"
        start.write_text(f'. "{PROFILE}"\nPS1="prompt% "\n')
        argv = {
            "bash": ["bash", "--noprofile", "--rcfile", str(start), "-i"],
            "dash": ["dash", "-i"],
            "zsh": ["zsh", "-i"],
        }[shell]
        (self.home / ".zshrc").write_text(start.read_text())
        with terminal_of(["setsid", "--ctty", "--wait", *argv], {**world, "ENV": str(start)}, 100, 20) as terminal:
            yield terminal

    def _program(self, name: str, script: str) -> None:
        path = self.home / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}")
        path.chmod(0o755)


@pytest.fixture
def login(tmp_path: Path) -> Login:
    (tmp_path / "hero").mkdir()
    (tmp_path / "run").mkdir(mode=0o700)
    made = Login(tmp_path)
    made.hero_dev("exit 0")
    made._program("id", "echo 1000\n")
    return made


@pytest.mark.parametrize("shell", SHELLS)
def test_a_login_runs_the_session_and_ends_with_it(login: Login, shell: str) -> None:
    with login.on_a_terminal(shell) as terminal:
        assert terminal.ends() == 0
    assert login.ran == [f"hero_dev login {login.home / 'run'}"]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("script", ["echo Traceback >&2; exit 1", "kill -9 $$", "exit 137"])
def test_what_is_broken_says_one_line_and_gives_the_shell(login: Login, shell: str, script: str) -> None:
    login.hero_dev(script)
    with login.on_a_terminal(shell) as terminal:
        terminal.shows("prompt%")
        terminal.press("echo still $((40 + 2))\r")
        terminal.shows("still 42")
        lines = [line for line in terminal.text.splitlines() if line.strip()]
        assert lines[0].startswith("hero: no cockpit (exit ")
        assert lines[1].startswith("prompt%")
        terminal.press("sh -lc '. \"$PROFILE\"'; exit 5\r")
        assert terminal.ends() == 5
    assert len(login.ran) == 1


@pytest.mark.parametrize("shell", SHELLS)
def test_a_machine_without_hero_dev_gives_the_shell(login: Login, shell: str) -> None:
    (login.home / "bin" / "hero_dev").unlink()
    with login.on_a_terminal(shell) as terminal:
        terminal.shows("hero: hero_dev cannot be run here")
        terminal.shows("prompt%")


@pytest.mark.parametrize("shell", SHELLS)
def test_a_login_without_tmux_goes_on_with_the_shell_in_silence(login: Login, shell: str) -> None:
    login.hero_dev("echo the cockpit; exit 10")
    with login.on_a_terminal(shell) as terminal:
        terminal.shows("the cockpit")
        terminal.shows("prompt%")
        assert "hero:" not in terminal.text


@pytest.mark.parametrize("shell", SHELLS)
def test_ctrl_c_ends_the_session_program_and_not_the_way_to_a_shell(login: Login, shell: str) -> None:
    login.hero_dev("echo begun; exec sleep 1000")
    with login.on_a_terminal(shell) as terminal:
        terminal.shows("begun")
        terminal.press("\x03")
        terminal.shows("hero: no cockpit")
        terminal.shows("prompt%")
        # One process that says so itself: between two of them the shell may miss the key.
        terminal.press("sh -c 'echo now$((1)); exec sleep 1000'\r")
        terminal.shows("now1")
        terminal.press("\x03")
        terminal.until(lambda text: text.count("prompt%") > 1 and text.rstrip().endswith("prompt%"), "a prompt")
        terminal.press("exit 4\r")
        assert terminal.ends() == 4


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    "environment",
    [
        {"TERM": "dumb"},
        {"TERM": None},
        {"TMUX": "/tmp/x,1,0"},
        {"STY": "1.pts-0"},
        {"HERO_NO_LOGIN": "1"},
        {"HERO_LOGIN": "1"},
        {"SSH_TTY": None},
    ],
    ids=str,
)
def test_who_is_not_at_a_terminal_of_their_own_is_left_alone(
    login: Login, shell: str, environment: dict[str, str | None]
) -> None:
    with login.on_a_terminal(shell, **environment) as terminal:
        terminal.shows("prompt%")
        assert terminal.text.split() == ["prompt%"]
    assert not login.ran


def test_root_and_users_without_a_slot_are_left_alone(login: Login) -> None:
    login._program("id", "echo 0\n")
    with login.on_a_terminal("bash") as terminal:
        terminal.shows("prompt%")
    login._program("id", "echo 1000\n")
    (login.home / "hero").rmdir()
    with login.on_a_terminal("bash") as terminal:
        terminal.shows("prompt%")
    assert not login.ran


def test_a_mosh_login_is_known_by_its_parent(login: Login) -> None:
    if not (login.home / "bin" / "mosh-server").exists():
        shutil.copy(shutil.which("dash") or "/bin/sh", login.home / "bin" / "mosh-server")
    (login.home / "start").write_text(f'. "{PROFILE}"\n')
    rc = login.home / "start"
    argv = [str(login.home / "bin" / "mosh-server"), "-c", f"bash --noprofile --rcfile {rc} -i; exit 0"]
    environment = {name: value for name, value in login.environment.items() if name != "SSH_TTY"}
    with terminal_of(["setsid", "--ctty", "--wait", *argv], environment) as terminal:
        assert terminal.ends() == 0
    assert len(login.ran) == 1


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("options", [["-c"], ["-e", "-u", "-c"], ["-i", "-c"]], ids=" ".join)
def test_a_command_gets_its_output_and_nothing_else(login: Login, shell: str, options: list[str]) -> None:
    script = '. "$PROFILE"; printf "%s" "data $TMUX_TMPDIR"'
    environment = {**login.environment, "ENV": "/dev/null"}
    done = subprocess.run([shell, *options, script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == f"data {login.home / 'run'}"
    if options != ["-i", "-c"]:  # an interactive shell without a terminal complains of that itself
        assert done.stderr == ""
    assert not login.ran


def test_nothing_is_left_behind_in_the_shell(login: Login) -> None:
    script = 'set >"$HOME/before"; . "$PROFILE"; set >"$HOME/after"'
    subprocess.run(["dash", "-c", script], env=login.environment, check=True)
    before, after = ((login.home / name).read_text().splitlines() for name in ("before", "after"))
    assert {line.partition("=")[0] for line in after} - {line.partition("=")[0] for line in before} == {
        "TMUX_TMPDIR"
    }
    assert PROFILE.stat().st_mode & 0o777 == 0o644
