"""What is typed after `/`: words, words that must not be, and letters in their order."""

from __future__ import annotations

import pytest

from screens.widgets.list_filters import matcher

TOLD = "alice\nhero_router\nDevelopment_mik\n" + "x" * 200 + "needle"


@pytest.mark.parametrize(
    ("typed", "matches"),
    [
        ("", True),
        ("!", True),
        ("-f", True),
        ("router alice", True),
        ("router bob", False),
        ("ALICE", True),
        ("!bob", True),
        ("!bob router", False),
        ("-f hrtr", True),
        ("-f dvmik alc", True),
        ("-fhrtr", True),
        ("-f zz", False),
        ("-f alicehero", False),
        ("needle", True),
        ("-f needle", False),
    ],
)
def test_a_row_is_left_where_its_lines_match(typed: str, matches: bool) -> None:
    assert matcher(typed)(TOLD) is matches
