"""The gate's lamps: sign and word for each state, the reason as one harmless sentence."""

from __future__ import annotations

from unicodedata import category

import pytest

from screens.widgets.gateline import gate_sign, lamps, verdict
from screens.widgets.glyphs import ASCII, UNICODE
from tests.hero_tui.releases import gate, waiting_gate


def told(parts: object) -> str:
    return "".join(text for text, _ in parts)  # type: ignore[attr-defined]


def test_a_trunk_that_is_fit_says_so() -> None:
    assert told(lamps(gate())) == "builds ✓ pass   archives ✓ pass   healthy ✓ pass"
    assert verdict(gate())[0].startswith("Fit for everybody")


def test_what_is_missing_is_named() -> None:
    assert told(lamps(waiting_gate())) == "builds ✓ pass   archives ✗ no linux-musl-aarch64   healthy ◌ wait"
    assert verdict(waiting_gate()) == ("development-9f3c21ab has no archive for linux-musl-aarch64.", "gate--fail")
    several = waiting_gate().model_copy(update={"missing": ("linux-any", "linux-musl-aarch64")})
    assert "✗ no linux-any +1" in told(lamps(several))


def test_where_no_platform_is_required_the_box_needs_its_own() -> None:
    one = gate(archives="fail", platforms=(), missing=("this box's",), reason="It is not published.")
    assert "archives ✗ none for this box   healthy" in told(lamps(one))


def test_nothing_known_is_no_failure() -> None:
    away = gate(builds="unknown", archives="unknown", healthy="unknown", reason="The forge does not answer.")
    assert told(lamps(away)) == "builds ? unknown   archives ? unknown   healthy ? unknown"
    assert verdict(away) == ("The forge does not answer.", "gate--unknown")


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_every_state_has_its_own_sign(glyphs: object) -> None:
    signs = [gate_sign(state, glyphs) for state in ("pass", "fail", "wait", "unknown")]  # type: ignore[arg-type]
    assert len(set(signs)) == 4


def test_a_hostile_reason_is_harmless() -> None:
    nasty = "\x1b[2Jgone\u202e\r\n"
    one = gate(archives="fail", platforms=(nasty,), missing=(nasty,), reason=nasty)
    shown = told(lamps(one)) + verdict(one)[0]
    assert not {category(letter) for letter in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
