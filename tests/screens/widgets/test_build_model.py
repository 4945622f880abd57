"""The builds that a screen knows: late news changes nothing, the order is that of the queue, pages join."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.model.state import Build
from screens.widgets.build_model import (
    SORTS,
    BuildBook,
    BuildFilters,
    Sort,
    filtered,
    oldest,
    ordered,
    sorted_by,
    timings,
    with_answer,
    with_builds,
    with_page,
)
from tests.hero_tui.builds import answer, build, history, queued, running, some_builds
from tests.hero_tui.fleets import NOW

LIFE = (queued("b-1"), running("b-1"), build("b-1"))


def ids(book: BuildBook) -> list[str]:
    return [one.id for one in ordered(book)]


def test_what_runs_stands_before_what_waits_and_what_ended() -> None:
    book = with_answer(BuildBook(), answer(some_builds()), ())
    assert ids(book)[:7] == ["b-1004", "b-1005", "b-1006", "b-1007", "b-1008", "b-1000", "b-999"]
    assert [one.state for one in ordered(book)[:5]] == ["running", "running", "queued", "queued", "queued"]


def test_what_waits_keeps_the_order_of_the_box() -> None:
    late = queued("b-2", queued_at=NOW - timedelta(hours=2))
    early = queued("b-3", queued_at=NOW - timedelta(hours=1))
    assert ids(with_answer(BuildBook(), answer([early, late]), ())) == ["b-3", "b-2"]


def test_a_new_one_waits_behind_those_of_its_priority() -> None:
    book = with_answer(BuildBook(), answer([queued("b-2"), queued("b-3", priority="background")]), ())
    book = with_builds(book, [queued("b-1", queued_at=NOW - timedelta(days=1))])
    assert ids(book) == ["b-2", "b-1", "b-3"]


def test_history_begins_with_the_newest() -> None:
    ended = history(9)
    assert ids(with_builds(BuildBook(), reversed(ended))) == [one.id for one in ended]


@given(st.permutations(LIFE), st.lists(st.sampled_from(LIFE)))
def test_whatever_the_order_of_news_the_end_stands(order: list[Build], repeats: list[Build]) -> None:
    book = with_builds(BuildBook(), [*order, *repeats])
    assert book.builds["b-1"].state == "succeeded"


def test_news_that_tells_nothing_leaves_the_book_as_it_is() -> None:
    book = with_builds(BuildBook(), LIFE)
    assert with_builds(book, [running("b-1")]) is book


def test_a_coalesced_request_changes_the_row_that_waits() -> None:
    book = with_builds(BuildBook(), [queued("b-1"), queued("b-1", coalesced=3, publish=True)])
    assert book.builds["b-1"].coalesced == 3


def test_an_answer_drops_what_no_longer_waits() -> None:
    book = with_builds(BuildBook(), [queued("b-1"), running("b-2")])
    assert ids(with_answer(book, answer([build("b-9")]), ())) == ["b-9"]


def test_what_was_heard_after_the_question_is_newer_than_the_answer() -> None:
    book = with_builds(BuildBook(), [build("b-1"), running("b-2")])
    book = with_answer(book, answer([running("b-1")]), {"b-1", "b-2"})
    assert {id: one.state for id, one in book.builds.items()} == {"b-1": "succeeded", "b-2": "running"}


def test_older_builds_stay_where_a_fresh_answer_reaches_them() -> None:
    told = history(10)
    book = with_page(with_answer(BuildBook(), answer(told[2:6], more=True), ()), answer(told[6:8], more=True))
    book = with_answer(book, answer(told[:4], more=True), ())
    assert ids(book) == [one.id for one in told[:8]]
    assert book.more
    assert oldest(ordered(book)) == told[7].id


def test_older_builds_go_where_there_may_be_a_gap() -> None:
    told = history(10)
    book = with_answer(with_builds(BuildBook(), told[7:]), answer(told[:3], more=True), ())
    assert ids(book) == [one.id for one in told[:3]]
    assert book.more


def test_paging_goes_on_from_the_oldest_that_ended() -> None:
    assert oldest([running("b-1"), build("b-2"), build("b-3")]) == "b-3"
    assert oldest([running("b-1")]) == ""


SORTED = [
    running("b-1", slot="mik", service="hero_db", started_at=NOW - timedelta(seconds=30)),
    queued("b-2", slot="alice", service="hero_router"),
    build("b-3", slot="zoe", service="hero_db", started_at=NOW - timedelta(seconds=90), finished_at=NOW),
    build("b-4", slot="alice", service="hero_mail", state="failed"),
    build("b-5", slot="mik", service="hero_mail", state="superseded", started_at=None),
]
"""In the order of `ordered`; b-4 took 60 seconds."""


@pytest.mark.parametrize(
    ("sort", "numbers"),
    [("queue", "12345"), ("slowest", "34125"), ("service", "13452"), ("slot", "24153"), ("state", "41235")],
)
def test_builds_are_sorted_and_those_that_are_equal_keep_the_order_of_the_queue(sort: Sort, numbers: str) -> None:
    assert [one.id for one in sorted_by(SORTED, sort, NOW)] == [f"b-{number}" for number in numbers]


def test_what_runs_gets_slower_than_what_ended() -> None:
    assert sorted_by(SORTED, "slowest", NOW + timedelta(minutes=2))[0].id == "b-1"


@given(st.permutations(some_builds()), st.sampled_from(SORTS))
def test_sorting_loses_no_build(builds: list[Build], sort: Sort) -> None:
    assert sorted({one.id for one in sorted_by(builds, sort, NOW)}) == sorted({one.id for one in builds})


def test_filters_leave_what_they_say() -> None:
    builds = some_builds()
    assert {one.slot for one in filtered(builds, BuildFilters(only_slot="mik"))} == {"mik"}
    assert {one.state for one in filtered(builds, BuildFilters(only_failed=True))} == {"failed"}
    assert {one.service for one in filtered(builds, BuildFilters(text="ROUTER "))} == {
        "hero_router",
        "hero_slides",
    }
    assert "hero_db" not in {one.service for one in filtered(builds, BuildFilters(text="!hero_db"))}
    assert [one.id for one in filtered(builds, BuildFilters(text="b-1007"))] == ["b-1007"]
    assert len(filtered(builds, BuildFilters(text="!"))) == len(builds)


def test_how_long_builds_take_is_the_median_of_the_slot_else_of_the_service() -> None:
    def lasting(id: str, seconds: float, **fields: str) -> Build:
        return build(id, started_at=NOW - timedelta(seconds=seconds), finished_at=NOW, **fields)

    known = timings([lasting("b-4", 500, state="failed"), *(lasting(f"b-{n}", n * 10) for n in (3, 2, 1))])
    assert known.usual(build("b-5")) == (10.0, 20.0, 30.0)
    assert known.expected(build("b-5")) == 20.0
    assert known.expected(build("b-5", slot="mik")) == 20.0
    assert known.expected(build("b-5", service="hero_mail")) is None
    assert known.before(lasting("b-2", 20)) == (10.0, 20.0)
    assert known.share(running("b-6", started_at=NOW - timedelta(seconds=5)), NOW) == 0.25
    assert known.share(running("b-6", started_at=NOW - timedelta(hours=5)), NOW) == 0.99
