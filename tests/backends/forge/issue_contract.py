"""What every Forge must do with issues: subclass IssueContract in a test module and give it the two fixtures."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from backends.forge.base import Forge
from backends.forge.issues import COMMENT_LIMIT
from backends.model.errors import HeroError

REPO = "lhumina_code/hero_router"
EVIL = "\x1b]0;owned\x07\x1b[2J\u202egnp"

OpenIssue = Callable[[str, str], Awaitable[int]]
"""Opens an issue with a title and a body; its number."""


class IssueContract:
    """The part of the contract of `backends.forge.base.Forge` about issues, on a forge with REPO in it."""

    @pytest.fixture
    def open_issue(self) -> OpenIssue:
        raise NotImplementedError

    async def test_an_issue_tells_what_went_in(self, forge: Forge, open_issue: OpenIssue) -> None:
        number = await open_issue("It is slow; $(reboot)", "Since *yesterday*.\n\n```\nlog\n```\nΩ")
        found = await forge.issue(REPO, number)
        assert (found.repo, found.number, found.state) == (REPO, number, "open")
        assert found.title == "It is slow; $(reboot)"
        assert found.body == "Since *yesterday*.\n\n```\nlog\n```\nΩ"
        assert found.author
        assert (found.labels, found.comments_count) == ((), 0)

    async def test_what_an_issue_says_is_harmless_to_a_terminal(self, forge: Forge, open_issue: OpenIssue) -> None:
        number = await open_issue(f"evil {EVIL}", f"evil {EVIL}\nmore")
        await forge.comment(REPO, number, f"evil {EVIL}")
        found, (said,) = await forge.issue(REPO, number), await forge.comments(REPO, number)
        for text in (found.title, found.body.replace("\n", ""), said.body):
            assert text.isprintable()
            assert "owned" not in text

    async def test_comments_come_the_oldest_first_and_only_the_newest(
        self, forge: Forge, open_issue: OpenIssue
    ) -> None:
        number = await open_issue("t", "b")
        made = [await forge.comment(REPO, number, f"step {count}") for count in range(4)]
        assert await forge.comments(REPO, number) == tuple(made)
        assert [one.body for one in await forge.comments(REPO, number, newest=2)] == ["step 2", "step 3"]
        assert (await forge.issue(REPO, number)).comments_count == 4

    async def test_a_comment_of_a_key_is_written_once(self, forge: Forge, open_issue: OpenIssue) -> None:
        number = await open_issue("t", "b")
        first = await forge.comment(REPO, number, "alice's agent begins", key="a1-start")
        assert (first.body, first.key) == ("alice's agent begins", "a1-start")
        assert await forge.comment(REPO, number, "another text", key="a1-start") == first
        await forge.comment(REPO, number, "it is done", key="a1-result")
        assert [one.key for one in await forge.comments(REPO, number)] == ["a1-start", "a1-result"]

    async def test_without_a_key_the_same_text_is_written_twice(self, forge: Forge, open_issue: OpenIssue) -> None:
        number = await open_issue("t", "b")
        await asyncio.gather(*(forge.comment(REPO, number, "me too") for _ in range(2)))
        assert [one.body for one in await forge.comments(REPO, number)] == ["me too", "me too"]

    async def test_an_issue_that_is_not_there_is_not_found(self, forge: Forge, open_issue: OpenIssue) -> None:
        await open_issue("t", "b")
        for ask in (forge.issue(REPO, 99), forge.comments(REPO, 99), forge.comment(REPO, 99, "x", key="k")):
            with pytest.raises(HeroError) as caught:
                await ask
            assert caught.value.code == "not_found"
            assert "99" in caught.value.message

    async def test_an_issue_of_an_unknown_repository_gets_the_nearest_names(
        self, forge: Forge, open_issue: OpenIssue
    ) -> None:
        for ask in (forge.issue("lhumina_code/hero_ruter", 1), forge.comment("lhumina_code/hero_ruter", 1, "x")):
            with pytest.raises(HeroError) as caught:
                await ask
            assert caught.value.code == "not_found"
            assert REPO in caught.value.data["nearest"]

    @pytest.mark.parametrize("number", [0, -1, 10**12])
    async def test_a_number_that_no_issue_has_is_refused(
        self, forge: Forge, open_issue: OpenIssue, number: int
    ) -> None:
        with pytest.raises(HeroError) as caught:
            await forge.issue(REPO, number)
        assert caught.value.code == "usage"

    async def test_what_cannot_be_a_comment_is_refused_and_what_is_too_long_is_cut(
        self, forge: Forge, open_issue: OpenIssue
    ) -> None:
        number = await open_issue("t", "b")
        for text, key in ((" \n", "k"), ("x", "a b"), ("x", "k" * 65), ("x", "-->")):
            with pytest.raises(HeroError) as caught:
                await forge.comment(REPO, number, text, key=key)
            assert caught.value.code == "usage"
        made = await forge.comment(REPO, number, "y" * (COMMENT_LIMIT + 500), key="long")
        assert (len(made.body), made.body[-1], made.key) == (COMMENT_LIMIT, "…", "long")
        assert [one.key for one in await forge.comments(REPO, number)] == ["long"]

    async def test_a_mark_in_the_middle_of_a_text_is_text(self, forge: Forge, open_issue: OpenIssue) -> None:
        number = await open_issue("t", "b")
        said = "<!-- hero:a1-result --> and more"
        await forge.comment(REPO, number, said)
        there = (await forge.comments(REPO, number))[0]
        assert there.body == said
        assert there.key != "a1-result"
