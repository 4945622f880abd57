"""What is typed while the cockpit is still being loaded is done once it stands, Enter as Enter."""

from __future__ import annotations

import sys

import pytest

from screens.driver import _with_enter
from tests.conftest import ROOT
from tests.hero_tui.terminal_of import terminal_of


@pytest.mark.slow
def test_a_line_that_was_typed_before_the_terminal_was_ours_is_carried_out() -> None:
    known = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "TERM": "xterm-256color", "PYTHONPATH": str(ROOT)}
    with terminal_of([sys.executable, "-m", "tests.hero_tui.cockpit_without_box"], known) as terminal:
        terminal.press(":q\r")  # the terminal makes `:q` and a line's end of it: nobody has told it otherwise yet
        assert terminal.ends() == 0


@pytest.mark.parametrize(
    ("received", "early", "keys"),
    [(b":q\n", 3, b":q\r"), (b":q\n\n", 3, b":q\r\n"), (b"a\n", 0, b"a\n"), (b"\n", 9, b"\r")],
)
def test_only_what_was_typed_early_is_changed(received: bytes, early: int, keys: bytes) -> None:
    assert _with_enter(received, early) == keys
