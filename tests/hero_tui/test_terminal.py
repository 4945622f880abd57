"""Which program gets the terminal, and what is said when it cannot have it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backends.model.errors import HeroError
from hero_tui.terminal import editor_argv, hand_over, shell_argv
from tests.conftest import ROOT
from tests.hero_tui.fleets import Cockpit

FILE = Path("/srv/dev manifest.toml")


@pytest.mark.parametrize(
    ("environment", "argv"),
    [
        ({"EDITOR": "nano"}, ["nano", str(FILE)]),
        ({"VISUAL": "code --wait", "EDITOR": "nano"}, ["code", "--wait", str(FILE)]),
    ],
)
def test_the_persons_editor_is_used_with_its_options(environment: dict[str, str], argv: list[str]) -> None:
    assert editor_argv(FILE, environment) == argv


def test_without_any_editor_it_says_how_to_name_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(HeroError) as caught:
        editor_argv(FILE, {})
    assert "EDITOR" in str(caught.value)


def test_the_shell_is_the_persons() -> None:
    assert shell_argv({"SHELL": "/bin/zsh"}) == ["/bin/zsh"]
    assert shell_argv({}) == ["/bin/sh"]


async def test_a_terminal_that_cannot_be_lent_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    cockpit = Cockpit()
    async with cockpit.running():
        with pytest.raises(HeroError, match="could not be started"):
            await hand_over(cockpit.app, ["true"], tmp_path, "nothing")


@pytest.mark.parametrize("environment", [{"EDITOR": "vim 'x"}, {"VISUAL": '"', "EDITOR": "nano"}])
def test_an_editor_that_is_no_command_is_told(environment: dict[str, str]) -> None:
    with pytest.raises(HeroError, match="a quote is not closed"):
        editor_argv(FILE, environment)


def test_an_editor_of_nothing_but_spaces_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}" if name == "vi" else None)
    assert editor_argv(FILE, {"EDITOR": "  "}) == ["vi", str(FILE)]
    assert editor_argv(FILE, {"VISUAL": " ", "EDITOR": "nano"}) == ["nano", str(FILE)]


def test_ctrl_c_in_a_program_that_has_the_terminal_is_not_for_the_cockpit(tmp_path: Path) -> None:
    child = (
        "import os, signal\n"
        "assert signal.getsignal(signal.SIGINT) is signal.default_int_handler\n"
        "os.kill(os.getppid(), signal.SIGINT)\n"
    )
    program = (
        "import asyncio, sys\nfrom pathlib import Path\nfrom hero_tui import terminal\n"
        f"code = asyncio.run(terminal.in_front([sys.executable, '-c', {child!r}], Path({str(tmp_path)!r})))\n"
        "print('it ended with', code)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "it ended with 0\n", done.stderr


@pytest.fixture
def tmux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """A tmux server of its own, which this process is taken to be in; the answer asks it."""
    socket = tmp_path / "tmux"

    def ask(*words: str) -> str:
        argv = ["tmux", "-S", str(socket), *words]
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()

    ask("-f", "/dev/null", "new-session", "-d", "cat")
    monkeypatch.setenv("TMUX", f"{socket},1,0")
    monkeypatch.delenv("TMUX_PANE", raising=False)
    yield ask
    ask("kill-server")


async def test_in_tmux_it_opens_a_window_and_nothing_in_a_name_is_carried_out(
    tmux: Callable[..., str], tmp_path: Path
) -> None:
    folder = tmp_path / "of #(echo owned) and #S"
    folder.mkdir()
    async with Cockpit().running() as pilot:
        await hand_over(pilot.app, ["cat"], folder, "#(echo owned)\x1b[2J #S")
    found = tmux("list-windows", "-F", "#{window_name}\t#{pane_start_path}").splitlines()[-1]
    assert found == f"#(echo owned) #S\t{folder}"


async def test_whatever_is_copied_is_given_to_tmux_too(tmux: Callable[..., str]) -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        cockpit.app.desk.copy("what was printed", "2 lines")
        await pilot.app.workers.wait_for_complete([one for one in pilot.app.workers if one.group == "clipboard"])
        assert tmux("show-buffer") == "what was printed"


async def test_a_tmux_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMUX", "/nowhere,1,0")
    monkeypatch.setenv("PATH", str(tmp_path))
    async with Cockpit().running() as pilot:
        with pytest.raises(HeroError, match="tmux could not be started"):
            await hand_over(pilot.app, ["cat"], tmp_path, "x")
