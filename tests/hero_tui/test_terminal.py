"""Which program gets the terminal, and what is said when it cannot have it."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.model.errors import HeroError
from hero_tui.terminal import editor_argv, hand_over, shell_argv
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
