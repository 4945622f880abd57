"""The book of releases: pages, news and fresh answers come together in the forge's order, none twice."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.model.errors import HeroError
from backends.model.forge import ReleaseInfo
from backends.model.forge_calls import ReleaseListResult
from screens.widgets.release_model import (
    ReleaseBook,
    filtered,
    ordered,
    refusal,
    runners_of,
    short_platforms,
    versions,
    why_not,
    with_first_page,
    with_news,
    with_page,
)
from screens.widgets.release_text import (
    Version,
    branch_ring,
    compared,
    empty_sentence,
    list_titles,
    running_parts,
)
from tests.hero_tui.fleets import NOW, cell
from tests.hero_tui.releases import RUNS, history, release, some_releases

KEYS = {"back": "esc", "branch": "f", "again": "ctrl-r"}


def page(releases: list[ReleaseInfo], following: int | None = None) -> ReleaseListResult:
    return ReleaseListResult(releases=tuple(releases), next_page=following)


def tags(book: ReleaseBook) -> list[str]:
    return [one.tag for one in book.releases]


def test_pages_follow_each_other() -> None:
    every = history(9)
    book = with_first_page(ReleaseBook(), page(every[:5], 2))
    book = with_page(book, page(every[4:], None))
    assert tags(book) == [one.tag for one in every]
    assert book.next_page is None


def test_a_fresh_first_page_keeps_the_older_ones_that_it_reaches_back_to() -> None:
    every = history(9)
    book = with_page(with_first_page(ReleaseBook(), page(every[:4], 2)), page(every[4:8], 3))
    fresh = release("beef0001" * 5, published_at=NOW)
    assert tags(with_first_page(book, page([fresh, *every[:3]], 2))) == [fresh.tag, *tags(book)]


def test_a_fresh_first_page_forgets_what_was_deleted() -> None:
    every = history(6)
    book = with_first_page(ReleaseBook(), page(every))
    assert tags(with_first_page(book, page([every[0], *every[2:]]))) == [one.tag for one in (every[0], *every[2:])]


def test_a_fresh_first_page_that_reaches_nothing_known_begins_anew() -> None:
    book = with_first_page(ReleaseBook(), page(history(4), 2))
    fresh = history(4, begin=100)
    book = with_first_page(book, page(fresh, 2))
    assert tags(book) == [one.tag for one in fresh]
    assert book.next_page == 2


def test_news_stand_where_their_time_says_and_a_known_one_where_it_was() -> None:
    every = history(4)
    book = with_first_page(ReleaseBook(), page(every))
    fresh = release("beef0001" * 5, published_at=NOW)
    late = release("beef0002" * 5, published_at=every[1].published_at)
    grown = every[2].model_copy(update={"downloads": 9_999})
    book = with_news(book, [fresh, late, grown])
    assert tags(book) == [fresh.tag, every[0].tag, late.tag, every[1].tag, every[2].tag, every[3].tag]
    assert book.releases[4].downloads == 9_999


def test_news_that_are_known_change_nothing() -> None:
    book = with_first_page(ReleaseBook(), page(history(4)))
    assert with_news(book, book.releases) is book


@given(st.lists(st.integers(0, 30), max_size=30), st.lists(st.integers(0, 30), max_size=8))
def test_whatever_comes_no_release_is_listed_twice(told: list[int], news: list[int]) -> None:
    every = history(31, begin=0)
    book = ReleaseBook()
    for number in told:
        book = with_page(book, page(every[number : number + 5], 2))
    book = with_news(book, [every[number] for number in news])
    assert len(set(tags(book))) == len(tags(book))
    assert set(tags(book)) >= {every[number].tag for number in news}


def test_a_filter_looks_at_every_word() -> None:
    releases = some_releases()
    assert [one.tag for one in filtered(releases, "canary INCOMPLETE")] == [releases[1].tag]
    assert [one.tag for one in filtered(releases, "DARWIN")] == [releases[2].tag, releases[3].tag]
    assert releases[1] not in filtered(releases, "!mik")
    assert filtered(releases, " ") is releases


def test_what_cannot_be_installed_here_says_why() -> None:
    _, cut_off, both, other, *_ = some_releases()
    assert (why_not(both), refusal(both)) == ("", "")
    assert why_not(cut_off) == "incomplete"
    assert "SHA256SUMS" in refusal(cut_off)
    assert why_not(other) == "not for this machine"
    assert refusal(other).endswith("only: darwin-arm64.")
    assert why_not(release(platforms=("linux-musl-aarch64",)), "aarch64") == ""
    assert why_not(release(platforms=("linux-musl-aarch64",)), "x86_64") == "not for this machine"


def test_who_runs_it_is_told_by_tag_or_where_it_was_built_by_commit() -> None:
    runners = runners_of(
        [
            ("alice", cell("hero_router")),
            ("integration", cell("hero_router", tag="")),
            ("mik", cell("hero_router", branch="development_mik")),
            ("omar", cell("hero_router", hash="", tag="")),
        ]
    )
    assert runners.of(release()) == ("alice", "integration")
    assert runners.of(release(branch="development_mik")) == ("mik", "integration")
    assert versions(runners) == [
        (f"{RUNS[:8]} built", 1),
        (f"development-{RUNS[:8]}", 1),
        (f"development_mik-{RUNS[:8]}", 1),
    ]


def test_versions_that_do_not_fit_are_counted() -> None:
    runners = runners_of([(f"user{number}", cell("hero_router", tag=f"v-{number:08x}")) for number in range(9)])
    told = "".join(text for text, _ in running_parts(runners, 60))
    assert told == "runs in 9 slots   v-00000000 ×1   and 8 others"
    assert "".join(text for text, _ in running_parts(runners_of([]), 60)) == "No slot runs it."


@pytest.mark.parametrize(
    ("platforms", "shown"),
    [
        ((), "none"),
        (("any",), "any"),
        (("linux-any",), "any"),
        (("linux-musl-x86_64", "linux-x86_64"), "musl-x86_64 +1"),
        (("darwin-arm64", "linux-x86_64"), "x86_64 +1"),
    ],
)
def test_platforms_are_short(platforms: tuple[str, ...], shown: str) -> None:
    assert short_platforms(platforms, "x86_64") == shown


# -- comparing ------------------------------------------------------------------------------------


def test_the_older_of_two_comes_first() -> None:
    newer, older = release("beef0001" * 5, published_at=NOW), history(1)[0]
    expected = (Version(older.tag, older.commit), Version(newer.tag, newer.commit))
    assert compared(newer, older, None, ()) == expected
    assert compared(older, newer, None, ()) == expected


def test_without_a_mark_it_is_compared_with_mine() -> None:
    newer = release("beef0001" * 5, published_at=NOW)
    mine, base = cell("hero_router"), release()
    assert compared(newer, None, mine, [newer, base]) == (
        Version(base.tag, RUNS),
        Version(newer.tag, newer.commit),
    )
    assert compared(newer, None, mine, ()) == (Version(mine.tag, RUNS), Version(newer.tag, newer.commit))
    older = release("beef0002" * 5, published_at=NOW - timedelta(days=3))
    assert compared(older, None, mine, [base, older]) == (
        Version(older.tag, older.commit),
        Version(base.tag, RUNS),
    )
    built = cell("hero_router", tag="")
    pair = compared(newer, None, built, ())
    assert isinstance(pair, tuple)
    assert pair[0] == Version(f"{RUNS[:8]} (mine)", RUNS)


def test_the_same_commit_is_not_compared() -> None:
    assert compared(release(), release(), None, ()) == "It is the marked one itself."
    assert compared(release(), None, cell("hero_router"), ()) == "You run this very commit."
    assert compared(release(), None, None, ()) == "You run no version of it to compare with."


def test_branches_take_turns() -> None:
    assert branch_ring("development", "development_mik") == ["", "development", "development_mik"]
    assert branch_ring("development", "") == ["", "development"]
    assert branch_ring("development", "development") == ["", "development"]


def test_a_list_without_lines_says_what_to_do() -> None:
    def told(book: ReleaseBook, branch: str = "", problem: HeroError | None = None, away: str = "") -> str:
        return empty_sentence("hero_router", branch, book, problem, away, KEYS)

    known = ReleaseBook(known=True)
    assert "`hero_dev rebuild hero_router --publish`" in told(known)
    assert "f shows other branches" in told(known, "development_mik")
    assert told(ReleaseBook()) == "Asking the forge…"
    assert told(ReleaseBook(), away="The box does not answer.") == "The box does not answer."
    refused = HeroError("unreachable", "The forge does not answer.", hint="Look at its machine.")
    assert told(ReleaseBook(), problem=refused) == (
        "The forge does not answer.\nLook at its machine.\n\nctrl-r tries again."
    )
    full = ReleaseBook(tuple(history(3)), 2, known=True)
    assert told(full).startswith("None of the newest 3 matches.")


def test_releases_are_sorted_by_branch_author_and_size_the_newest_first_of_what_is_alike() -> None:
    every = some_releases()
    assert ordered(every, "newest") is every
    branches = [(one.branch, -every.index(one)) for one in ordered(every, "branch")]
    assert [name for name, _ in branches] == sorted(one.branch for one in every)
    assert all(one[0] != two[0] or one[1] > two[1] for one, two in pairwise(branches))
    nobody = release("0badcafe" * 5, author="", size=1)
    assert ordered([nobody, *every], "author")[-1] == nobody
    sizes = [one.size for one in ordered([nobody, *every], "size")]
    assert sizes == sorted(sizes, reverse=True)


def test_the_title_tells_another_order() -> None:
    book = ReleaseBook(tuple(some_releases()), 2, known=True)
    assert list_titles("", book, None, True, "newest")[0] == "releases · 10 and more"
    assert list_titles("", book, None, True, "size")[0] == "releases · 10 and more · by size"
