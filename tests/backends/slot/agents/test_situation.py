"""The state of a session as it follows from what is known, whatever comes in whichever order."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.model.agents import Waiting
from backends.slot.agents.situation import (
    ATTACH,
    Checking,
    DialogClosed,
    DialogOpened,
    Ended,
    Fact,
    Interrupted,
    Launched,
    NoFile,
    Prompted,
    Silent,
    Situation,
    Told,
    TurnEnded,
    TurnFailed,
    after,
    shown,
)

MOMENT = datetime(2026, 11, 21, tzinfo=UTC)
LEGAL = {
    "starting": {""},
    "working": {""},
    "waiting": {"permission", "question"},
    "idle": {"done"},
    "error": {"", "auth", "rate limit", "overloaded", "crashed"},
    "gone": {""},
}


def dialog(id: str, tool: str = "Bash") -> Waiting:
    return Waiting(id=id, tool=tool, text="?", since=MOMENT)


def said(*facts: Fact) -> str:
    state, why, _, _ = shown(known(*facts))
    return f"{state}: {why}" if why else state


def known(*facts: Fact) -> Situation:
    situation = Situation()
    for fact in facts:
        situation = after(situation, fact)
    return situation


dialogs = st.builds(dialog, st.sampled_from("abc"), st.sampled_from(["Bash", "AskUserQuestion"]))
facts: st.SearchStrategy[Fact] = st.one_of(
    st.just(Launched()),
    st.builds(Told, st.sampled_from(["", "busy", "idle", "waiting"]), st.sampled_from(["", "permission prompt"])),
    st.just(NoFile()),
    st.just(Prompted()),
    st.builds(Checking, st.sampled_from(["", "make"])),
    st.just(TurnEnded()),
    st.just(Interrupted()),
    st.builds(TurnFailed, st.sampled_from(["", "rate_limit", "authentication_failed", "nonsense"])),
    st.builds(DialogOpened, dialogs),
    st.builds(DialogClosed, st.sampled_from("abc")),
    st.builds(Silent, st.integers(1, 99)),
    st.builds(Ended, st.booleans(), st.booleans(), st.just("why")),
)


@given(st.lists(facts, max_size=30))
def test_every_course_ends_in_a_state_that_there_is(course: list[Fact]) -> None:
    state, why, _, waiting = shown(known(*course))
    assert why in LEGAL[state]
    assert waiting is None or state == "waiting"


@given(
    st.lists(facts, max_size=15), st.lists(facts.filter(lambda one: not isinstance(one, Launched)), max_size=15)
)
def test_an_end_stays_an_end_until_it_is_started_again(before: list[Fact], behind: list[Fact]) -> None:
    ended = known(*before, Ended(crashed=True, reason="r"))
    for fact in behind:
        assert after(ended, fact).ended is not None
    assert shown(known(*before, Ended(), *behind, Launched()))[0] == "starting"


@given(st.lists(facts.filter(lambda one: not isinstance(one, Ended)), max_size=20))
def test_the_status_file_alone_ends_every_turn_and_dialog(course: list[Fact]) -> None:
    state, _, _, _ = shown(known(*course, Told("idle"), Interrupted()))
    assert state in ("idle", "error")


def test_a_whole_course() -> None:
    course: list[tuple[Fact, str]] = [
        (Launched(), "starting"),
        (Told("idle"), "idle: done"),
        (Prompted(), "working"),
        (Told("busy"), "working"),
        (Told("waiting", "permission prompt"), "waiting: permission"),
        (DialogOpened(dialog("a")), "waiting: permission"),
        (DialogClosed("a"), "waiting: permission"),
        (Told("busy"), "working"),
        (DialogOpened(dialog("b", "AskUserQuestion")), "waiting: question"),
        (Told("idle"), "working"),
        (Interrupted(), "idle: done"),
        (Prompted(), "working"),
        (Told("busy"), "working"),
        (TurnFailed("rate_limit", "no"), "working"),
        (Told("idle"), "error: rate limit"),
        (Prompted(), "working"),
        (Told("busy"), "working"),
        (Ended(crashed=True), "error: crashed"),
    ]
    situation = Situation()
    for fact, says in course:
        situation = after(situation, fact)
        state, why, _, _ = shown(situation)
        assert (f"{state}: {why}" if why else state) == says, fact


def test_a_turn_that_fails_is_never_taken_for_done_before_its_hook_is_heard() -> None:
    rests = known(Told("idle"), Prompted(), Told("busy"), Told("idle"))
    assert shown(rests)[:2] == ("working", "")
    assert shown(after(rests, TurnFailed("overloaded")))[:2] == ("error", "overloaded")
    assert shown(after(rests, Interrupted()))[:2] == ("idle", "done")
    assert shown(known(Told("idle"), Prompted(), Interrupted()))[:2] == ("working", "")


def test_several_dialogs_are_shown_one_after_the_other() -> None:
    both = known(Told("waiting", "permission prompt"), DialogOpened(dialog("a")), DialogOpened(dialog("b")))
    assert shown(both).waiting == dialog("a")
    assert shown(after(both, DialogClosed("a"))).waiting == dialog("b")


@pytest.mark.parametrize(
    ("error", "says"),
    [
        ("authentication_failed", "error: auth"),
        ("billing_error", "error: auth"),
        ("rate_limit", "error: rate limit"),
        ("server_error", "error: overloaded"),
        ("model_not_found", "error"),
        ("", "error"),
    ],
)
def test_what_ended_a_turn_is_said_in_our_words(error: str, says: str) -> None:
    assert said(Told("busy"), TurnFailed(error), Told("idle")) == says


def test_a_dialog_of_the_start_has_no_file_and_says_where_to_go() -> None:
    assert shown(known(Launched(), NoFile())) == ("waiting", "question", ATTACH, None)
    assert said(Launched(), NoFile(), Told("idle")) == "idle: done"
    assert said(Launched(), Told("idle"), NoFile()) == "idle: done"


def test_a_long_silence_is_told_and_forgotten_with_the_next_word() -> None:
    silent = known(Told("busy"), Silent(6))
    assert "6 minutes" in shown(silent).detail
    assert shown(after(silent, Told("busy"))).detail == ""
