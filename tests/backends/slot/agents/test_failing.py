"""What ended a turn, as people are told it: the program's words without what misleads, and what to do."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from backends.model.agents import Agent
from backends.slot.agents.failing import in_words

MOMENT = datetime(2026, 11, 21, tzinfo=UTC)
GO_ON = "`hero_dev agent-send 3 'Go on.'`"


def words(error: str, text: str, credential: str = "org-key-2") -> str:
    agent = Agent(id="3", slot="alice", session="s", since=MOMENT, started_at=MOMENT, credential=credential)
    return in_words(error, text, agent)


@pytest.mark.parametrize(
    ("error", "text", "credential", "told"),
    [
        (
            "authentication_failed",
            "Please run /login · API Error: 403 The API refuses K (401). An admin of the team has to rotate it.",
            "org-key-2",
            "The API refuses K (401). An admin of the team has to rotate it. "
            f"`hero_dev claude status` tells more; once that is mended: {GO_ON}.",
        ),
        (
            "authentication_failed",
            "Login expired · Please run /login",
            "personal",
            f"Login expired. `hero_dev claude login`, then {GO_ON}.",
        ),
        (
            "rate_limit",
            "API Error: Request rejected (429) · The key of al is at its rate limit; free at 16:51 UTC.",
            "org-key-2",
            f"The key of al is at its rate limit; free at 16:51 UTC. Then: {GO_ON}.",
        ),
        (
            "rate_limit",
            "You've hit your 5-hour limit · resets 6:08pm (UTC)",
            "personal",
            "You've hit your 5-hour limit · resets 6:08pm (UTC). "
            "Its window says whether it goes on by itself then.",
        ),
        (
            "server_error",
            "API Error: Repeated 529 Overloaded errors. Try again in a moment. "
            "If it persists, check your inference gateway (127.0.0.1:44429).",
            "org-key-2",
            f"Repeated 529 Overloaded errors. Try again in a moment. Later: {GO_ON}.",
        ),
        ("model_not_found", "There's an issue with the selected model (x)", "personal", ""),
        ("authentication_failed", "", "personal", f"`hero_dev claude login`, then {GO_ON}."),
    ],
)
def test_an_error_says_what_it_was_and_what_next(error: str, text: str, credential: str, told: str) -> None:
    assert words(error, text, credential) == (told or f"{text}.")


def test_whatever_the_program_says_stays_short() -> None:
    assert len(words("rate_limit", "x" * 5000)) == 300
