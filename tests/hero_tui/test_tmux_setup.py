"""`hero_tui setup-tmux`: settings that a real tmux takes, put in force without harm to the person's own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from backends.model.errors import HeroError
from backends.slot.files import write_atomically
from hero_tui import tmux_setup

Ask = Callable[..., str]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Callable[[Path], Ask]]:
    """Begins a tmux server of its own with a home's settings; the answer asks it."""
    sockets: list[Path] = []

    def begin(home: Path) -> Ask:
        socket = tmp_path / f"s{len(sockets)}"
        sockets.append(socket)
        environment = {"PATH": os.environ["PATH"], "HOME": str(home), "TERM": "xterm-256color"}

        def ask(*words: str) -> str:
            argv = ["tmux", "-S", str(socket), *words]
            return subprocess.run(argv, env=environment, capture_output=True, text=True, check=True).stdout.strip()

        ask("new-session", "-d", "cat")
        return ask

    yield begin
    for socket in sockets:
        subprocess.run(["tmux", "-S", str(socket), "kill-server"], check=False, capture_output=True)


def test_it_prints_what_it_would_install(capsys: pytest.CaptureFixture[str]) -> None:
    assert tmux_setup.main([]) == 0
    assert capsys.readouterr().out == tmux_setup.SETTINGS


def test_a_new_server_has_all_of_them_and_the_persons_own_stay(
    tmp_path: Path, server: Callable[[Path], Ask]
) -> None:
    (tmp_path / ".tmux.conf").write_text("set -g prefix C-a")
    tmux_setup.install(tmp_path, {})
    ask = server(tmp_path)
    assert ask("show-options", "-gv", "prefix") == "C-a"
    assert ask("show-options", "-sv", "set-clipboard") == "on"
    assert ask("show-options", "-sv", "escape-time") == "10"
    assert ask("show-options", "-gv", "focus-events") == "on"
    assert "RGB" in ask("show-options", "-s", "terminal-features")
    assert r"Ms=\\E]52;c;%p2%s\\7" in ask("show-options", "-s", "terminal-overrides")
    assert "pane_title" in ask("show-options", "-gv", "set-titles-string")


def test_a_second_time_changes_nothing(tmp_path: Path) -> None:
    tmux_setup.install(tmp_path, {})
    before = (tmp_path / ".tmux.conf").read_text()
    told = tmux_setup.install(tmp_path, {})
    assert (tmp_path / ".tmux.conf").read_text() == before
    assert "up to date" in told[0]
    assert "already" in told[1]


def test_the_file_under_xdg_is_taken_where_it_is_the_one_that_tmux_reads(tmp_path: Path) -> None:
    (tmp_path / "cfg" / "tmux").mkdir(parents=True)
    theirs = tmp_path / "cfg" / "tmux" / "tmux.conf"
    theirs.write_text("set -g mouse on\n")
    tmux_setup.install(tmp_path, {"XDG_CONFIG_HOME": str(tmp_path / "cfg")})
    assert theirs.read_text().startswith("set -g mouse on\nsource-file -q ")
    assert not (tmp_path / ".tmux.conf").exists()


def test_a_link_to_somebodys_dotfiles_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    real = tmp_path / "dotfiles" / "tmux.conf"
    real.write_text("set -g mouse on\n")
    (tmp_path / ".tmux.conf").symlink_to(real)
    tmux_setup.install(tmp_path, {})
    assert (tmp_path / ".tmux.conf").is_symlink()
    assert "source-file" in real.read_text()


def test_a_home_whose_name_has_signs_of_tmux_in_it_is_read(tmp_path: Path, server: Callable[[Path], Ask]) -> None:
    home = tmp_path / 'a "quoted" $HOME #{x}'
    home.mkdir()
    tmux_setup.install(home, {})
    assert server(home)("show-options", "-sv", "escape-time") == "10"


def test_a_file_that_cannot_be_written_is_named_with_the_line_to_add(tmp_path: Path) -> None:
    (tmp_path / ".tmux.conf").mkdir()
    with pytest.raises(HeroError) as refused:
        tmux_setup.install(tmp_path, {})
    assert ".tmux.conf" in refused.value.message
    assert "source-file" in refused.value.hint
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".tmux.conf.")]


def test_links_of_which_there_is_nothing_yet_stay_links_and_lead_to_it(tmp_path: Path) -> None:
    for name in (".tmux.conf", ".config/hero/tmux.conf"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).symlink_to(tmp_path / "dotfiles" / Path(name).parent.name / "tmux.conf")
    tmux_setup.install(tmp_path, {})
    assert (tmp_path / ".tmux.conf").is_symlink()
    assert (tmp_path / ".config/hero/tmux.conf").is_symlink()
    assert "source-file" in (tmp_path / ".tmux.conf").read_text()
    assert (tmp_path / ".config/hero/tmux.conf").read_text() == tmux_setup.SETTINGS
    assert "already" in tmux_setup.install(tmp_path, {})[1]


@pytest.mark.parametrize("problem", [HeroError("failed", "It is read-only."), OSError("no")])
def test_a_home_that_cannot_be_written_to_is_told_with_the_line_to_add(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:

    def refuse(path: Path, content: bytes, **options: Any) -> None:
        if path.name == ".tmux.conf":
            raise problem
        write_atomically(path, content, **options)

    monkeypatch.setattr("hero_tui.tmux_setup.write_atomically", refuse)
    with pytest.raises(HeroError, match="cannot be changed") as refused:
        tmux_setup.install(tmp_path, {})
    assert refused.value.hint.startswith("Put this line there yourself: source-file -q ")


def test_a_link_that_leads_to_itself_is_told(tmp_path: Path) -> None:
    (tmp_path / ".tmux.conf").symlink_to(tmp_path / ".tmux.conf")
    with pytest.raises(HeroError, match="cannot be changed"):
        tmux_setup.install(tmp_path, {})


def test_without_tmux_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    assert tmux_setup.main(["--install"]) == 1
    assert "not installed" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
