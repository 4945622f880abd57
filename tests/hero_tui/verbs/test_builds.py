"""The build verbs against a daemon of canned answers: what they ask, what they tell, how they end."""

from __future__ import annotations

from typing import Any

import pytest

from backends.model.box_calls import SubscribeResult
from backends.model.build_calls import BuildListResult, BuildSubmitResult
from backends.model.errors import HeroError
from backends.model.slot_calls import LogsResult
from backends.model.state import Build, LogLine
from tests.hero_tui.render.replies import build
from tests.hero_tui.verbs.canned import Canned
from tests.hero_tui.verbs.conftest import Line

ID = "hero_web-1a2b3c4d5e"
WAITS = "waits for mik's build"
QUEUED = build(state="queued", started_at=None, finished_at=None, phases=(), commit="", waits_for=WAITS)
RUNNING = build(state="running", finished_at=None, phases=())
FAILED = build(state="failed", error="The build failed: exit 1.", hint="Mend it.")


def event(one: Build) -> tuple[str, dict[str, Any]]:
    data = one.model_dump(mode="json")
    return "event", {"seq": 1, "box": "b", "slot": one.slot, "kind": f"build.{one.state}", "data": data}


def lines(*texts: str, stream: str = "") -> LogsResult:
    return LogsResult(lines=tuple(LogLine(source=ID, text=text) for text in texts), stream=stream)


@pytest.fixture
def submitting(box: Canned) -> Canned:
    """The box queues whatever it is asked for."""
    box.answers |= {
        "events.subscribe": SubscribeResult(seq=7),
        "codescalers.build.submit": BuildSubmitResult(build_id=ID, state="queued"),
        "build.get": QUEUED,
        "peek.logs": lines("cc -c main.c", "main.c:3: error: no such thing"),
    }
    return box


def test_the_queue_of_my_slot_is_listed(box: Canned, hero_dev: Line) -> None:
    box.answers["build.list"] = BuildListResult(builds=(RUNNING, build("b")), more=True, at_once=3)
    told = hero_dev.says("builds", "hero_web", "--state", "running", "--state", "failed", "--limit", "7")
    assert "1 running · 0 queued · at most 3 at a time" in told
    assert told.endswith("There are older ones: --before b.\n")
    asked = box.params("build.list")
    assert (asked.user, asked.service, asked.limit) == ("alice", "hero_web", 7)
    assert asked.states == ("running", "failed")


def test_the_queue_of_all_slots_or_of_another_one_is_asked_for(box: Canned, hero_dev: Line) -> None:
    box.answers["build.list"] = BuildListResult(builds=())
    assert hero_dev.says("builds", "--all-slots") == "No builds in any slot.\n"
    assert box.params("build.list").user is None
    assert hero_dev.says("builds", "--user", "mik", "--state", "failed") == "No such builds in mik's slot.\n"
    assert box.params("build.list").user == "mik"
    assert hero_dev.answers("builds") == {"builds": [], "more": False, "at_once": 1}
    assert "did you mean `failed`?" in hero_dev.says("builds", "--state", "faild", code=2)


def test_a_build_is_queued_in_my_slot_and_what_it_waits_for_is_told(submitting: Canned, hero_dev: Line) -> None:
    told = hero_dev.says("build", "submit", "hero_web", "--publish", "development")
    assert told.splitlines() == [
        "The build of hero_web development in alice's slot is queued: waits for mik's build",
        f"  `hero_dev build log {ID} -f` follows it.",
    ]
    asked = submitting.params("codescalers.build.submit")
    assert (asked.user, asked.service, asked.branch) == ("alice", "hero_web", "development")
    assert (asked.publish, asked.restart, asked.priority) == (True, True, "interactive")
    answer = hero_dev.answers("build", "submit", "hero_web", "--no-restart", "--user", "mik")
    assert answer == {"build_id": ID, "state": "queued", "coalesced": False}
    asked = submitting.params("codescalers.build.submit")
    assert (asked.user, asked.branch, asked.restart) == ("mik", "", False)


def test_a_request_that_became_part_of_another_says_so(submitting: Canned, hero_dev: Line) -> None:
    submitting.answers["codescalers.build.submit"] = BuildSubmitResult(build_id=ID, state="queued", coalesced=True)
    assert "is part of one that waits" in hero_dev.says("build", "submit", "hero_web")


def test_waiting_ends_with_the_build(submitting: Canned, hero_dev: Line) -> None:
    last = build(tag="development-1c487cb1")
    submitting.events["build.get"] = [event(build("other")), event(RUNNING), event(QUEUED), event(last)]
    told = hero_dev.says("build", "submit", "hero_web", "--wait")
    assert told.splitlines() == [
        "✓ hero_web development 1c487cb1 is built in 42s, published as development-1c487cb1.",
        "build hero_web development: queued: waits for mik's build",
        "build hero_web development: build",
    ]
    assert [name for name, _ in submitting.asked][:2] == ["events.subscribe", "codescalers.build.submit"]


def test_a_build_that_fails_while_it_is_waited_for_is_told_with_its_last_lines(
    submitting: Canned, hero_dev: Line
) -> None:
    submitting.events["build.get"] = [event(FAILED)]
    told = hero_dev.says("build", "submit", "hero_web", "--wait", "-q", code=1)
    assert told.splitlines() == [
        "hero_dev: The build failed: exit 1.",
        "  cc -c main.c",
        "  main.c:3: error: no such thing",
        "  Mend it.",
        f"  `hero_dev build log {ID}` shows all of its output.",
    ]
    assert (submitting.params("peek.logs").user, submitting.params("peek.logs").build) == ("alice", ID)
    submitting.events["build.get"] = [event(FAILED)]
    answer = hero_dev.answers("build", "submit", "hero_web", "--wait", code=1)
    assert answer["error"]["code"] == "build_failed"
    assert answer["build"]["state"] == "failed"


@pytest.mark.parametrize(
    ("fields", "code", "told"),
    [
        ({"state": "superseded", "superseded_by": "x-1"}, 3, "is built already by x-1: nothing to do."),
        ({"state": "cancelled", "error": "Cancelled by mik before it began."}, 1, "Cancelled by mik"),
    ],
)
def test_other_ends_have_codes_of_their_own(
    submitting: Canned, hero_dev: Line, fields: dict[str, Any], code: int, told: str
) -> None:
    submitting.answers["build.get"] = build(**fields)
    assert told in hero_dev.says("build", "submit", "hero_web", "--wait", code=code)


def test_a_box_that_goes_away_meanwhile_is_asked_again(submitting: Canned, hero_dev: Line) -> None:
    submitting.answers["build.get"] = build()
    submitting.hang_up_on("build.get")
    assert "is built in 42s" in hero_dev.says("build", "submit", "hero_web", "--wait")
    assert [name for name, _ in submitting.asked].count("codescalers.build.submit") == 1


def test_a_build_is_shown_and_an_unknown_one_gets_the_nearest(box: Canned, hero_dev: Line) -> None:
    box.answers |= {"build.get": FAILED, "build.list": BuildListResult(builds=(FAILED,))}
    assert "  error      The build failed: exit 1.\n" in hero_dev.says("build", "show", ID)
    assert hero_dev.answers("build", "show", ID)["phases"][2] == {"name": "compile", "seconds": 41.0}
    box.answers["build.get"] = HeroError("not_found", "There is no build 'hero_web-1a'.")
    assert f"Did you mean `{ID}`?" in hero_dev.says("build", "show", "hero_web-1a2b", code=2)


def test_a_build_is_cancelled_or_it_is_too_late(box: Canned, hero_dev: Line) -> None:
    box.answers |= {"build.get": RUNNING, "build.cancel": build(state="cancelled")}
    told = hero_dev.says("build", "cancel", ID)
    assert told == f"Cancelled: {ID}, hero_web development in alice's slot.\n"
    box.answers["build.cancel"] = build()
    assert "Too late" in hero_dev.says("build", "cancel", ID, code=1)
    box.answers["build.cancel"] = RUNNING
    assert "has not yet" in hero_dev.says("build", "cancel", ID)


def test_the_log_of_a_build_is_that_of_its_slot(box: Canned, hero_dev: Line) -> None:
    box.answers |= {"build.get": build(slot="mik"), "peek.logs": lines("one\x1b[2J", "two")}
    assert hero_dev.says("build", "log", ID, "-n", "5", "--grep", "o") == "one\ntwo\n"
    asked = box.params("peek.logs")
    assert (asked.user, asked.build, asked.lines, asked.grep, asked.services) == ("mik", ID, 5, "o", ())


def test_a_followed_log_waits_for_the_build_and_ends_with_it(box: Canned, hero_dev: Line) -> None:
    no_log = HeroError("not_found", "There is no log of a build.")
    more = {"stream": "s", "lines": [{"source": ID, "time": None, "text": "linking"}]}
    box.answers |= {
        "events.subscribe": SubscribeResult(seq=1),
        "build.get": QUEUED,
        "peek.logs": [no_log, no_log, lines("compiling", stream="s")],
    }
    assert "has printed nothing yet" in hero_dev.says("build", "log", ID, code=2)
    box.events["build.get"] = [event(RUNNING)]
    box.answers["peek.logs"] = [no_log, lines("compiling", stream="s")]
    box.events["events.subscribe"] = [event(build("other"))]
    # The end is told before the last lines are: they come all the same.
    box.events["build.get"] += [event(build()), ("log", more), ("log", {**more, "stream": "another"})]
    assert hero_dev.says("build", "log", ID, "-f") == "compiling\nlinking\n"


def test_options_of_one_action_do_not_go_with_another(hero_dev: Line) -> None:
    assert "--wait does not go with `build cancel`" in hero_dev.says("build", "cancel", ID, "--wait", code=2)
    assert "--follow does not go with `build submit`" in hero_dev.says("build", "submit", "x", "-f", code=2)
    assert "A branch does not go with `build show`" in hero_dev.says("build", "show", ID, "x", code=2)
    assert "did you mean `submit`?" in hero_dev.says("build", "submt", "x", code=2)
