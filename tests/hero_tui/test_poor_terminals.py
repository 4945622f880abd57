"""Terminals without Unicode, without colours, or that cannot place text, each a real one: what is sent to them."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.hero_tui.terminal_of import Terminal, terminal_of

pytestmark = pytest.mark.slow

COLOUR = re.compile(rb"\x1b\[(?:\d+;)*(?:3[0-7]|4[0-7]|9[0-7]|10[0-7]|38;[25];[\d;]+|48;[25];[\d;]+)(?:;\d+)*m")
REVERSE = re.compile(rb"\x1b\[(?:\d+;)*7(?:;\d+)*m")


@contextmanager
def cockpit(**environment: str) -> Iterator[Terminal]:
    """The cockpit on a terminal that knows nothing of this one's environment."""
    known = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "TERM": "xterm-256color", "PYTHONPATH": str(ROOT)}
    argv = [sys.executable, "-m", "tests.hero_tui.cockpit_without_box"]
    with terminal_of(argv, {**known, **environment}) as terminal:
        yield terminal


def test_in_the_c_locale_everything_is_ascii() -> None:
    with cockpit(LC_ALL="C") as terminal:
        terminal.shows("o development")
        terminal.press("?")
        terminal.shows("+- keys . fleet -")
        assert terminal.raw.isascii()


def test_without_colours_none_is_sent_and_the_cursor_is_reversed() -> None:
    with cockpit(LANG="C.UTF-8", NO_COLOR="1", COLORTERM="truecolor") as terminal:
        terminal.shows("● development")
        assert COLOUR.findall(terminal.raw) == []
        assert REVERSE.search(terminal.raw)


def test_a_usual_terminal_gets_both() -> None:
    with cockpit(LANG="C.UTF-8", COLORTERM="truecolor") as terminal:
        terminal.shows("● development")
        assert COLOUR.search(terminal.raw)


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_that_cannot_place_text_is_told_what_to_use_instead(tmp_path: Path, term: str) -> None:
    (tmp_path / "box.toml").write_text('schema = 1\nname = "demo"\n')
    program = (
        "from hero_tui.opening import open_cockpit\nfrom backends.client.locate import Where\n"
        "from backends.model.errors import HeroError\nfrom backends.model.paths import BoxPaths\n"
        "from pathlib import Path\n"
        f"try:\n    open_cockpit(Where(BoxPaths(Path({str(tmp_path)!r})), ''))\n"
        "except HeroError as error:\n    print(error)\n"
    )
    known = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "TERM": term, "PYTHONPATH": str(ROOT)}
    with terminal_of([sys.executable, "-c", program], known) as terminal:
        terminal.shows("cannot place text on a screen")
        terminal.shows("hero_dev status --all")
        assert b"\x1b" not in terminal.raw
        assert terminal.ends() == 0


def test_the_form_of_the_settings_is_refused_there_too(tmp_path: Path) -> None:
    known = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "TERM": "dumb", "PYTHONPATH": str(ROOT)}
    with terminal_of([sys.executable, "-m", "hero_tui.cockpit", "--settings"], known) as terminal:
        terminal.shows("cannot place text on a screen")
        assert b"\x1b" not in terminal.raw
        assert terminal.ends() == 2


def test_the_form_leaves_the_mouse_to_the_terminal_where_it_is_set_so(tmp_path: Path) -> None:
    (tmp_path / "hero").mkdir()
    (tmp_path / "hero" / "settings.toml").write_text("mouse = false\n")
    known = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "TERM": "xterm-256color", "PYTHONPATH": str(ROOT)}
    known["XDG_CONFIG_HOME"] = str(tmp_path)
    with terminal_of([sys.executable, "-m", "hero_tui.cockpit", "--settings"], known) as terminal:
        terminal.shows("what it does")
        assert b"\x1b[?1003h" not in terminal.raw
        terminal.press("q")
        assert terminal.ends() == 0


def test_the_form_of_the_settings_stands_alone(tmp_path: Path) -> None:
    path = tmp_path / "hero" / "settings.toml"
    known = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path),
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(ROOT),
    }
    with terminal_of([sys.executable, "-m", "hero_tui.cockpit", "--settings"], known) as terminal:
        terminal.shows("what it does")
        terminal.press("\r")
        terminal.shows("hero-light")
        terminal.press("q")
        assert terminal.ends() == 0
    assert path.read_text() == 'theme = "hero-light"\n'
