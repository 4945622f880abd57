"""A team and a doctor that say what a test wants, in the place of those that look at this machine."""

from __future__ import annotations

import pytest

from tests.hero_tui.teams import FakeDoctor, FakeTeam


@pytest.fixture
def team(monkeypatch: pytest.MonkeyPatch) -> FakeTeam:
    """What the cockpit asks about the team repo and the reconciler."""
    made = FakeTeam()
    monkeypatch.setattr("hero_tui.team_source.BoxTeam", lambda _: made)
    return made


@pytest.fixture
def doctor(monkeypatch: pytest.MonkeyPatch) -> FakeDoctor:
    """What the cockpit has examined."""
    made = FakeDoctor()
    monkeypatch.setattr("hero_tui.doctor_source.BoxDoctor", lambda _: made)
    return made
