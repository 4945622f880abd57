"""Every sign is one cell, and states that differ in meaning differ in sign."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from backends.model.state import BuildState, Drift, Health, Source
from screens.widgets.glyphs import ASCII, UNICODE, Glyphs, glyphs_for


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_every_sign_is_one_cell_wide(glyphs: Glyphs) -> None:
    assert {name for name, sign in glyphs.all().items() if len(sign) != 1 or cell_len(sign) != 1} == set()


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_no_two_states_of_a_kind_share_a_sign(glyphs: Glyphs) -> None:
    for group in (
        glyphs.health,
        glyphs.drift,
        glyphs.source,
        glyphs.build,
        glyphs.agent,
        glyphs.said,
        glyphs.item,
    ):
        assert len(set(group.values())) == len(group)


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_every_state_of_the_model_has_a_sign(glyphs: Glyphs) -> None:
    for group, states in (
        (glyphs.health, Health),
        (glyphs.drift, Drift),
        (glyphs.source, Source),
        (glyphs.build, BuildState),
    ):
        assert set(states.__args__) == set(group)  # type: ignore[attr-defined]


def test_the_ascii_set_is_ascii() -> None:
    assert all(sign.isascii() for sign in ASCII.all().values())


@pytest.mark.parametrize(
    ("environment", "glyphs"),
    [
        ({}, UNICODE),
        ({"LANG": "de_DE.UTF-8", "TERM": "tmux-256color"}, UNICODE),
        ({"LANG": "C", "LC_ALL": "en_GB.utf8"}, UNICODE),
        ({"LANG": "C"}, ASCII),
        ({"LANG": "C.UTF-8", "TERM": "linux"}, ASCII),
    ],
)
def test_the_terminal_decides_which_signs_are_drawn(environment: dict[str, str], glyphs: Glyphs) -> None:
    assert glyphs_for(environment) is glyphs
