"""Every screen says in the same words what the box has not told, and how old what it told is."""

from __future__ import annotations

from datetime import timedelta

import pytest

from screens.widgets.no_answer import no_box, old, outdated, refusal, slot_doubt
from tests.hero_tui.fleets import NOW, Cockpit


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, ""), (0.9, ""), (12.7, "12s old"), (125, "2m05s old"), (-5, "")]
)
def test_an_age_is_told_once_it_is_a_second(seconds: float, said: str) -> None:
    assert old(NOW - timedelta(seconds=seconds), NOW) == said
    assert old(None, NOW) == ""


def test_what_could_not_be_told_anew_says_its_age_and_why() -> None:
    assert outdated(NOW - timedelta(seconds=12), NOW, "It is locked.") == "not up to date: 12s old; It is locked."
    assert outdated(None, NOW, "\x1b[2JIt is locked.") == "not up to date: It is locked."


def test_a_refusal_says_what_why_and_which_key_tries_again() -> None:
    assert refusal("It is locked.", "Ask alice.", "ctrl-r") == "It is locked.\nAsk alice.\n\nctrl-r tries again."
    assert refusal("It is locked.", "", "f5") == "It is locked.\n\nf5 tries again."


def test_a_box_that_has_not_answered_yet_is_not_one_that_does_not() -> None:
    assert "Connecting" in no_box("")
    assert "does not answer.\nNobody listens." in no_box("Nobody listens.")


def test_a_lost_box_is_the_reason_before_a_slot_that_is_away() -> None:
    assert slot_doubt(lost=False, stale=False) == ""
    assert "its daemon" in slot_doubt(lost=False, stale=True)
    assert "the box" in slot_doubt(lost=True, stale=True)


async def test_the_status_line_counts_how_old_what_is_shown_is_until_the_box_is_back() -> None:
    cockpit = Cockpit()
    async with cockpit.running((80, 24)) as pilot:
        cockpit.line.on_state("reconnecting", "It is gone.")
        await cockpit.settle(pilot)
        assert " reconnecting…" in cockpit.text
        for seconds in (12, 24):
            cockpit.now += timedelta(seconds=12)
            cockpit.line.on_state("reconnecting", "Nobody listens.")
            cockpit.app._tick()
            await cockpit.settle(pilot)
            assert f"{seconds}s old, reconnecting…" in cockpit.text
        cockpit.line.on_state("online", "")
        await cockpit.settle(pilot)
        assert " old" not in cockpit.text
