"""`hero_dev ask`, `answer`, `inbox` and `tell`: what they ask the box, and what they print."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backends.model.box_calls import SubscribeResult
from backends.model.errors import HeroError
from backends.model.inbox import InboxItem
from backends.model.inbox_calls import InboxResult
from hero_tui.render.inbox import inbox_lines, item_lines
from hero_tui.render.terminal import Terminal
from tests.hero_tui.standard_input import on_standard_input
from tests.hero_tui.verbs.canned import Canned
from tests.hero_tui.verbs.conftest import Line

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SECONDS = NOW.timestamp()


def item(**more: Any) -> InboxItem:
    known = {
        "id": "ab12cd34",
        "kind": "question",
        "sender": "alice/3",
        "to": "alice",
        "text": "Deploy?",
        "asked_at": NOW - timedelta(minutes=5),
    }
    return InboxItem.model_validate(known | more)


def listing(*items: InboxItem) -> InboxResult:
    return InboxResult(items=items, unread=len(items))


ANSWERED = item(state="answered", answer="No", choice=2, options=("Yes", "No"), answered_by="mik", answered_at=NOW)


def test_a_question_is_asked_as_the_slots_user(box: Canned, hero_dev: Line) -> None:
    box.answers["question.ask"] = item(sender="alice", to="mik")
    said = hero_dev.says(
        "ask", "--to", "mik", "--option", "Yes", "--option", "No", "--ttl", "10m", "Deploy", "now?"
    )
    assert "Asked mik: ab12cd34" in said
    params = box.params("question.ask")
    assert (params.text, params.to, params.user, params.ttl) == ("Deploy now?", "mik", "alice", 600.0)
    assert params.options == ("Yes", "No")
    assert hero_dev.answers("ask", "--to", "mik", "Now?")["id"] == "ab12cd34"


def test_a_long_question_comes_from_standard_input(
    box: Canned, hero_dev: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.answers["question.ask"] = item(to="mik")
    on_standard_input(monkeypatch, "first\nsecond\n")
    hero_dev.says("ask", "--to", "mik", "-")
    assert box.params("question.ask").text == "first\nsecond\n"


def test_waiting_prints_the_answer_when_the_event_of_it_comes(box: Canned, hero_dev: Line) -> None:
    box.answers["events.subscribe"] = SubscribeResult(seq=1)
    box.answers["question.ask"] = item(sender="alice", to="mik")
    box.answers["question.list"] = [listing(item(sender="alice", to="mik")), listing(ANSWERED)]
    other = {"kind": "question.changed", "subject": "another"}
    mine = {"kind": "question.changed", "subject": "ab12cd34"}
    box.events["question.list"] = [("event", other), ("event", mine)]
    assert "2 (No)\n" in hero_dev.says("ask", "--wait", "--to", "mik", "Deploy?")


def test_waiting_goes_on_after_the_boxs_daemon_was_away(box: Canned, hero_dev: Line) -> None:
    box.answers["events.subscribe"] = SubscribeResult(seq=1)
    box.answers["question.ask"] = item(sender="alice", to="mik")
    box.answers["question.list"] = listing(ANSWERED)
    box.hang_up_on("question.list")
    assert hero_dev.answers("ask", "--wait", "--to", "mik", "Deploy?")["choice"] == 2


@pytest.mark.parametrize(("state", "words"), [("expired", "time is over"), ("cancelled", "taken back")])
def test_waiting_for_an_answer_that_never_comes_fails(box: Canned, hero_dev: Line, state: str, words: str) -> None:
    box.answers["events.subscribe"] = SubscribeResult(seq=1)
    box.answers["question.ask"] = item(sender="alice", to="mik")
    box.answers["question.list"] = listing(item(state=state, to="mik"))
    assert words in hero_dev.says("ask", "--wait", "--to", "mik", "Deploy?", code=1)
    told = hero_dev.answers("ask", "--wait", "--to", "mik", "Deploy?", code=1)
    assert (told["error"]["code"], told["item"]["state"]) == ("cancelled", state)


@pytest.mark.parametrize(
    ("words", "choice", "text"),
    [
        (("2",), 2, ""),
        (("2", "not", "yet"), 2, "not yet"),
        (("yes",), 0, "yes"),
        (("12 o'clock",), 0, "12 o'clock"),
    ],
)
def test_a_number_chooses_an_option(
    box: Canned, hero_dev: Line, words: tuple[str, ...], choice: int, text: str
) -> None:
    box.answers["question.list"] = listing(item(options=("Yes", "No")), item(id="ff00ff00"))
    box.answers["question.answer"] = ANSWERED
    assert "Answered alice/3: 2 (No)." in hero_dev.says("answer", "ab1", *words)
    params = box.params("question.answer")
    assert (params.id, params.choice, params.text, params.user) == ("ab12cd34", choice, text, "alice")


def test_a_number_is_an_answer_in_words_where_there_are_no_options(box: Canned, hero_dev: Line) -> None:
    box.answers["question.list"] = listing(item())
    box.answers["question.answer"] = item(state="answered", answer="2", answered_by="alice", answered_at=NOW)
    hero_dev.says("answer", "ab12cd34", "2")
    assert (box.params("question.answer").choice, box.params("question.answer").text) == (0, "2")


def test_an_answer_to_a_dialog_is_told_to_be_submitted(box: Canned, hero_dev: Line) -> None:
    dialog = item(kind="permission", options=("Allow", "Deny"))
    box.answers["question.list"] = listing(dialog)
    box.answers["question.answer"] = dialog.model_copy(
        update={"state": "submitted", "answer": "Allow", "choice": 1}
    )
    assert "submitted until the agent has gone on" in hero_dev.says("answer", "ab", "1")


def test_without_an_answer_the_question_is_told_with_its_options(box: Canned, hero_dev: Line) -> None:
    box.answers["question.list"] = listing(item(options=("Yes", "No")))
    said = hero_dev.says("answer", "ab", code=2)
    assert "alice/3 asks: Deploy?" in said
    assert "1 Yes, 2 No" in said


def test_an_id_that_is_not_known_or_not_clear_is_left_to_the_box(box: Canned, hero_dev: Line) -> None:
    box.answers["question.list"] = listing(item(id="aa"), item(id="ab"))
    box.answers["question.answer"] = HeroError("not_found", "There is no question or message called 'a'.")
    assert "called 'a'" in hero_dev.says("answer", "a", "yes", code=2)


def test_the_inbox_lists_what_waits_and_with_sent_what_was_answered(box: Canned, hero_dev: Line) -> None:
    box.answers["question.list"] = [listing(item()), listing(ANSWERED), listing()]
    assert "Deploy?" in hero_dev.says("inbox")
    assert (box.params("question.list").ended, box.params("question.list").sent) == (False, False)
    assert "2 (No)" in hero_dev.says("inbox", "--sent")
    assert (box.params("question.list").ended, box.params("question.list").sent) == (True, True)
    assert "Nothing waits." in hero_dev.says("inbox")
    assert hero_dev.answers("inbox") == {"items": [], "unread": 0}


def test_one_item_is_shown_whole_and_read_with_that(box: Canned, hero_dev: Line) -> None:
    message = item(kind="message", text="first\nsecond")
    box.answers["question.list"] = listing(message)
    box.answers["message.read"] = message.model_copy(update={"state": "delivered", "read_at": NOW})
    said = hero_dev.says("inbox", "ab1")
    assert "  first\n  second\n" in said
    assert ": read\n" in said
    assert box.params("message.read").id == "ab12cd34"


def test_a_message_is_sent(box: Canned, hero_dev: Line) -> None:
    box.answers["message.send"] = item(kind="message", to="mik/4")
    assert "Told mik/4" in hero_dev.says("tell", "mik/4", "have", "a", "look")
    assert (box.params("message.send").to, box.params("message.send").text) == ("mik/4", "have a look")


@pytest.mark.parametrize(
    "words", [("ask",), ("ask", "--ttl", "soon", "x"), ("tell", "mik"), ("answer",), ("inbox", "ab", "--all")]
)
def test_what_cannot_be_meant_is_refused(box: Canned, hero_dev: Line, words: tuple[str, ...]) -> None:
    hero_dev.says(*words, code=2)
    assert not box.asked


def dump(*items: InboxItem) -> list[dict[str, Any]]:
    return [one.model_dump(mode="json") for one in items]


def test_a_list_fits_eighty_columns_and_says_what_matters_first() -> None:
    long = item(
        kind="permission",
        sender="a_rather_long_login_here/12",
        text="Bash: " + "rm -rf build\x1b[2J && " * 10,
        options=("Allow", "Deny"),
        expires_at=NOW + timedelta(minutes=4),
    )
    lines = inbox_lines(dump(item(), long, ANSWERED), Terminal(width=80), SECONDS)
    assert all(len(line) <= 80 for line in lines), lines
    assert "\x1b" not in "".join(lines)
    assert "ab12cd34" in lines[1]
    assert "Deploy?" in lines[1]
    assert "open, 4m left" in lines[2]


def test_an_item_is_told_line_by_line_with_its_options_and_problem() -> None:
    told = item(text="one\n\x1b[2Jtwo", options=("Yes", "No"), problem="That dialog is not open any more.")
    assert item_lines(dump(told)[0], Terminal(), SECONDS) == [
        "question ab12cd34 from alice/3 to alice, 5m ago: open",
        "  one",
        "  two",
        "  1 Yes",
        "  2 No",
        "That dialog is not open any more.",
    ]


def approval(radius: str = "high", **more: Any) -> InboxItem:
    held = {"action": "slot.switch", "subject": "hero_web", "radius": radius, "rule": "slot.*"}
    text = "switch hero_web x\n\nbranch: x\nruns now: y"
    return item(kind="approval", text=text, options=("Allow", "Deny"), approval=held, **more)


def test_an_action_is_allowed_by_its_name_or_denied_with_a_reason(box: Canned, hero_dev: Line) -> None:
    box.answers["question.list"] = listing(approval())
    box.answers["question.answer"] = approval(state="submitted", answer="Allow", choice=1)
    assert "It is done now" in hero_dev.says("answer", "ab", "allow", "--confirm", "hero_web")
    params = box.params("question.answer")
    assert (params.id, params.choice, params.confirm) == ("ab12cd34", 1, "hero_web")
    box.answers["question.answer"] = approval(state="answered", answer="not now", choice=2)
    hero_dev.says("answer", "ab", "deny", "not", "now")
    params = box.params("question.answer")
    assert (params.choice, params.text, params.confirm) == (2, "not now", "")


@pytest.mark.parametrize(("radius", "how"), [("high", "allow --confirm hero_web"), ("medium", "allow`")])
def test_the_whole_plan_is_read_and_how_it_is_allowed(box: Canned, hero_dev: Line, radius: str, how: str) -> None:
    box.answers["question.list"] = box.answers["message.read"] = listing(approval(radius))
    box.answers["message.read"] = approval(radius)
    said = hero_dev.says("inbox", "ab")
    assert "runs now: y" in said
    assert f"slot.switch hero_web: {radius}" in said
    assert how in said
    said = hero_dev.says("answer", "ab", code=2)
    assert "Allow or deny? alice/3 wants to: switch hero_web x" in said


def test_an_agents_shell_decides_nothing_for_its_person(
    box: Canned, hero_dev: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.answers["question.list"] = listing(approval())
    monkeypatch.setenv("HERO_AGENT_SESSION", "a-mark")
    said = hero_dev.says("answer", "ab", "allow", "--confirm", "hero_web", code=1)
    assert "this shell is an agent's" in said
    assert all(method != "question.answer" for method, _ in box.asked)


def test_what_came_of_an_action_is_told() -> None:
    done = approval(state="answered", choice=1, answer="Allow", answered_by="alice", answered_at=NOW)
    told = done.model_copy(update={"outcome": "Done: switch.\x1b[2J\nhash"}).model_dump(mode="json")
    text = "\n".join(item_lines(told, Terminal(), SECONDS))
    assert "Done: switch." in text
    assert "\x1b" not in text
