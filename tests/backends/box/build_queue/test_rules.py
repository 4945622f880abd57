"""The queue's decisions, whatever is asked for in whatever order."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from backends.box.queue.rules import Room, as_ended, choose, merged, needs_build, waiting_for
from backends.model.build_calls import BuildSubmitParams
from backends.model.state import Build, Phase, ServiceStatus

HEAD = "a" * 40
GIB = 1 << 30
SLOTS = st.sampled_from(("alice", "mik", "thabet", "integration"))
PRIORITIES = st.sampled_from(("interactive", "background"))


def build(number: int, slot: str, priority: str = "interactive", state: str = "queued") -> Build:
    return Build.model_validate(
        {
            "id": f"b{number}",
            "slot": slot,
            "service": "s",
            "repo": "o/r",
            "branch": "d",
            "state": state,
            "priority": priority,
        }
    )


@st.composite
def queues(draw: st.DrawFn) -> list[Build]:
    asked = draw(st.lists(st.tuples(SLOTS, PRIORITIES), max_size=12))
    return [build(number, slot, priority) for number, (slot, priority) in enumerate(asked)]


@given(
    queued=queues(),
    busy=st.sets(SLOTS),
    online=st.sets(SLOTS),
    at_once=st.integers(1, 4),
    memory=st.sampled_from((0, 8 * GIB)),
)
def test_what_begins_has_room_and_everything_else_says_what_it_waits_for(
    queued: list[Build], busy: set[str], online: set[str], at_once: int, memory: int
) -> None:
    running = [build(100 + number, slot, state="running") for number, slot in enumerate(sorted(busy))]
    begun, waits = choose(queued, running, Room(at_once, memory, online, {}))
    assert {one.id for one in begun} | set(waits) == {one.id for one in queued}
    assert not {one.id for one in begun} & set(waits)
    assert len({one.slot for one in begun}) == len(begun)
    assert {one.slot for one in begun} <= online - busy
    assert not begun or len(begun) + len(running) <= at_once
    if memory == 0:
        assert len(begun) <= (0 if running else 1)
    free = online - busy
    could = [one for one in queued if one.slot in free]
    if could and len(running) < at_once and (memory or not running):
        assert begun
        best = "interactive" if any(one.priority == "interactive" for one in could) else "background"
        assert begun[0].priority == best


@given(work=st.dictionaries(SLOTS, st.integers(1, 5), min_size=2), at_once=st.integers(1, 2))
def test_no_slot_is_served_twice_before_another_that_waits_is_served(work: dict[str, int], at_once: int) -> None:
    queued = [build(at, slot) for at, slot in enumerate(name for name in sorted(work) for _ in range(work[name]))]
    served: dict[str, int] = {}
    order: list[str] = []
    while queued:
        begun, _ = choose(queued, [], Room(at_once, 8 * GIB, set(work), served))
        for one in begun:
            served[one.slot] = len(order) + 1
            order.append(one.slot)
            queued.remove(one)
    rounds = [order.count(slot) for slot in work]
    assert sorted(rounds) == sorted(work.values())
    first = order[: len(work)]
    assert sorted(first) == sorted(work)


@given(st.booleans(), st.booleans(), PRIORITIES, PRIORITIES)
def test_a_merged_build_answers_both_requests(
    publish: bool, restart: bool, waiting_priority: str, asked_priority: str
) -> None:
    waiting = build(1, "mik", waiting_priority).model_copy(update={"commit": "b" * 40, "publish": not publish})
    params = BuildSubmitParams.model_validate(
        {
            "user": "mik", "service": "s", "branch": "d", "repo": "o/r", "commit": HEAD,
            "publish": publish, "restart": restart, "priority": asked_priority,
        }
    )  # fmt: skip
    assert waiting_for([waiting], params) is waiting
    found = merged(waiting, params)
    assert (found.id, found.commit, found.publish, found.coalesced) == ("b1", HEAD, True, 1)
    assert found.restart == restart
    assert (found.priority == "interactive") == ("interactive" in (waiting_priority, asked_priority))


def test_a_commit_of_a_fork_is_not_asked_of_the_repository_that_was_bound_before() -> None:
    params = BuildSubmitParams(user="mik", service="s", branch="d", repo="mik/r", commit=HEAD)
    assert waiting_for([build(1, "mik")], params) is None


def test_a_build_in_a_slot_that_stays_away_takes_nobodys_place() -> None:
    running, waiting = [build(1, "mik", state="running")], [build(2, "alice"), build(3, "mik")]
    assert not choose(waiting, running, Room(1, 8 * GIB, {"alice"}, {}))[0]
    begun, waits = choose(waiting, running, Room(1, 0, {"alice"}, {}, {"mik"}))
    assert [one.id for one in begun] == ["b2"]
    assert set(waits) == {"b3"}


@given(st.floats())
@example(float("inf"))
@example(float("nan"))
def test_no_duration_that_a_slot_tells_makes_a_build_unreadable(seconds: float) -> None:
    answer = build(1, "mik", state="succeeded").model_copy(update={"phases": (Phase(name="x", seconds=seconds),)})
    ended = as_ended(build(1, "mik", state="running"), answer)
    assert Build.model_validate_json(ended.model_dump_json()) == ended


def test_an_attached_request_is_no_other_request() -> None:
    params = BuildSubmitParams(user="mik", service="s", branch="d", repo="o/r", attached=True, build_id="x")
    assert waiting_for([build(1, "mik")], params) is None
    plain = params.model_copy(update={"attached": False})
    assert waiting_for([build(1, "mik").model_copy(update={"attached": True})], plain) is None


def cell(commit: str, source: str | None) -> ServiceStatus:
    return ServiceStatus.model_validate(
        {"service": "s", "repo": "o/r", "branch": "d", "from": "build", "hash": commit, "running_from": source}
    )


def test_a_head_is_built_once_and_again_only_to_publish_it() -> None:
    old, there = cell("b" * 40, "build"), cell(HEAD, "build")
    quiet = build(1, "mik", state="failed")
    loud = quiet.model_copy(update={"publish": True})
    assert needs_build(HEAD, [], old, publish=False, published=False)
    assert not needs_build(HEAD, [quiet], old, publish=False, published=False)
    assert needs_build(HEAD, [quiet], old, publish=True, published=False)
    assert not needs_build(HEAD, [loud], old, publish=True, published=False)
    assert not needs_build(HEAD, [], there, publish=False, published=False)
    assert needs_build(HEAD, [], there, publish=True, published=False)
    assert not needs_build(HEAD, [], there, publish=True, published=True)


@given(st.text(max_size=60), st.text(max_size=60), st.floats(allow_nan=False, allow_infinity=False), st.text())
def test_nothing_that_a_slot_says_reaches_a_terminal_as_it_came(
    error: str, tag: str, seconds: float, name: str
) -> None:
    answer = build(9, "eve").model_copy(
        update={
            "state": "succeeded", "error": f"\x1b[2J{error}", "tag": f"\x07{tag}", "commit": "nonsense",
            "phases": (Phase(name=f"\x1b]0;{name}", seconds=seconds),) * 50,
        }
    )  # fmt: skip
    ended = as_ended(build(1, "mik", state="running"), answer)
    assert (ended.id, ended.slot) == ("b1", "mik")
    shown = ended.error + ended.tag + "".join(phase.name for phase in ended.phases)
    assert not {"\x1b", "\x07", "\x9b"} & set(shown)
    assert len(ended.phases) <= 21
    assert all(phase.seconds >= 0 for phase in ended.phases)


def test_a_slot_that_is_empty_again_has_built_what_it_built_once_more() -> None:
    empty = cell("", None)
    done = build(1, "integration", state="succeeded").model_copy(update={"publish": True})
    assert needs_build(HEAD, [done], empty, publish=True, published=True)
    for state in ("failed", "cancelled", "running", "queued"):
        other = done.model_copy(update={"state": state})
        assert not needs_build(HEAD, [done, other], empty, publish=True, published=True), state
    other = done.model_copy(update={"state": "superseded"})
    assert needs_build(HEAD, [other, done], empty, publish=True, published=True)
    assert not needs_build(HEAD, [done], empty, publish=True, published=True, is_news=True)
    off = empty.model_copy(update={"enabled": False})
    assert not needs_build(HEAD, [done], off, publish=True, published=True)
