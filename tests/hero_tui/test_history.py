"""The way back: whatever a person does, it goes where a browser would, remembers, and does not grow."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hero_tui.history import History, Visit

PLACES = st.builds(Visit, st.sampled_from(["fleet", "slot", "logs", "team"]), st.sampled_from([(), ("mik",)]))
LIMIT = 6


class Browser(RuleBasedStateMachine):
    """Against two lists, one of what lies behind and one of what lies ahead."""

    def __init__(self) -> None:
        super().__init__()
        self.history = History((Visit("fleet"),), limit=LIMIT)
        self.behind: list[Visit] = []
        self.ahead: list[Visit] = []
        self.here = Visit("fleet")
        self.before: Visit | None = None
        self.left = 0

    def leave(self) -> None:
        """How the screen was left, another way each time."""
        self.left += 1
        self.history = self.history.keeping(self.left)
        self.here = replace(self.here, memory=self.left)

    @rule(visit=PLACES)
    def goes(self, visit: Visit) -> None:
        self.leave()
        self.history = self.history.gone_to(visit)
        self.behind = [*self.behind, self.here][-(LIMIT - 1) :]
        self.before, self.here, self.ahead = self.here, visit, []

    @rule()
    def back(self) -> None:
        self.leave()
        moved = self.history.moved(-1)
        assert (moved is None) == (not self.behind)
        if moved:
            self.history = moved
            self.ahead.insert(0, self.here)
            self.before, self.here = self.here, self.behind.pop()

    @rule()
    def forward(self) -> None:
        self.leave()
        moved = self.history.moved(1)
        assert (moved is None) == (not self.ahead)
        if moved:
            self.history = moved
            self.behind.append(self.here)
            self.before, self.here = self.here, self.ahead.pop(0)

    @precondition(lambda self: self.before is not None)
    @rule()
    def last_and_last_again(self) -> None:
        self.leave()
        once = self.history.last()
        assert once
        assert once.here.memory == (self.before.memory if self.before else None)
        twice = once.keeping(once.here.memory).last()
        assert twice
        assert (twice.at, twice.visits, twice.here.memory) == (self.history.at, self.history.visits, self.left)

    @invariant()
    def it_is_where_the_lists_say(self) -> None:
        assert self.history.here == self.here
        assert self.history.here.memory == self.here.memory
        assert list(self.history.visits) == [*self.behind, self.here, *self.ahead]
        memories = [visit.memory for visit in self.history.visits]
        assert memories == [visit.memory for visit in (*self.behind, self.here, *self.ahead)]

    @invariant()
    def it_is_bounded(self) -> None:
        assert 1 <= len(self.history.visits) <= LIMIT


TestBrowser = Browser.TestCase


def test_where_the_cursor_began_is_forgotten_once_it_is_known_where_it_was() -> None:
    history = History((Visit("inbox", first="q-1"),)).keeping("the second")
    assert history.here == Visit("inbox")
    assert history.here.memory == "the second"


def test_nothing_is_before_the_first_place() -> None:
    history = History((Visit("fleet"),))
    assert (history.moved(-1), history.moved(1), history.last()) == (None, None, None)
