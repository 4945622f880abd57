"""The build queue, releases, gates and webhooks as text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from backends.model.build_calls import BuildListResult
from backends.model.forge import CommitInfo, Gate, HookState, ReleaseInfo
from backends.model.state import Build
from hero_tui.render.ages import took
from hero_tui.render.builds import build_detail_lines, build_lines
from hero_tui.render.gates import gate_lines, hook_lines
from hero_tui.render.releases import commit_lines, release_lines
from hero_tui.render.signs import ASCII
from hero_tui.render.terminal import Terminal
from hero_tui.render.text import cells
from tests.hero_tui.render.replies import SECONDS, ago, build

WIDE = Terminal(260)
QUEUED = {"state": "queued", "started_at": None, "finished_at": None, "phases": (), "commit": ""}


def plain(value: BaseModel) -> dict[str, Any]:
    return value.model_dump(mode="json", by_alias=True)


def listed(*builds: Build, terminal: Terminal = WIDE, at_once: int = 2) -> list[str]:
    answer = BuildListResult(builds=builds, at_once=at_once)
    return build_lines(plain(answer), terminal, SECONDS)


def words(line: str) -> str:
    return " ".join(line.split())


def test_a_build_is_one_line_with_why_how_long_and_in_which_parts() -> None:
    head, titles, line = listed(build(tag="development-1c487cb1"))
    assert head == "0 running · 0 queued · at most 2 at a time on this box"
    assert words(titles) == "ID STATE SLOT SERVICE BRANCH COMMIT WHY AGE TOOK PHASES RESULT"
    assert words(line) == (
        "hero_web-1a2b3c4d5e ✓ succeeded alice hero_web development 1c487cb1 webhook by forge 2m 42s "
        "worktree 0.2s · compile 41s · pack 0.3s development-1c487cb1"
    )


def test_what_waits_says_for_what_and_what_failed_says_why_in_a_line() -> None:
    waits = build("a", **QUEUED, waits_for="waits for hero_db in alice's slot", coalesced=3)
    failed = build("b", state="failed", error="\n\nThe build failed: exit 1.\n  error: line 3")
    runs = build("c", state="running", finished_at=None)
    gone = build("d", state="superseded", superseded_by="hero_web-9")
    head, _, *lines = listed(runs, waits, failed, gone)
    assert head.startswith("1 running · 1 queued")
    assert words(lines[0]).startswith("c ◴ running alice")
    assert "2m00s" in lines[0]
    assert words(lines[1]).endswith("webhook by forge +3 2m waits for hero_db in alice's slot")
    assert lines[2].endswith("The build failed: exit 1.")
    assert lines[3].endswith("by hero_web-9")


@given(st.integers(30, 240), st.text(max_size=60))
def test_no_line_of_the_queue_is_wider_than_the_terminal(width: int, text: str) -> None:
    shown = listed(build(branch=f"development_{text}", error=text, state="failed"), terminal=Terminal(width))
    assert all(cells(line) <= width for line in shown[1:])
    assert not set("".join(shown)) & set("\x1b\x07\n\r")


def test_in_little_room_what_came_of_it_stays() -> None:
    line = listed(build(state="failed", error="No compiler."), terminal=Terminal(60))[-1]
    assert words(line).startswith("hero_web-1a2b3c4d5e ✗")
    assert "No compiler." in line


def test_ascii_signs_and_no_colour() -> None:
    assert "+ succeeded" in listed(build(), terminal=Terminal(None, signs=ASCII))[-1]
    assert "worktree 0.2s - compile 41s" in listed(build(), terminal=Terminal(None, signs=ASCII))[-1]
    assert "\x1b[32m✓ succeeded\x1b[0m" in listed(build(), terminal=Terminal(None, colour=True))[-1]


def test_one_build_is_told_in_full() -> None:
    error = "The build failed: exit 1.\n  error: line 3\x1b[2J"
    one = build(state="failed", error=error, hint="Mend it.", attempt=2, publish=True, attached=True)
    text = "\n".join(build_detail_lines(plain(one), WIDE, SECONDS))
    assert text.splitlines()[0] == "hero_web  hero_web-1a2b3c4d5e"
    for fact in (
        "  state      ✗ failed",
        "  commit     1c487cb175ba21563b1e3cdbb6a2ffce6fd869b7",
        "  wants      publish, a step of an operation, interactive",
        "  took       42s",
        "  tries      2",
        "  error      The build failed: exit 1.\n               error: line 3",
        "  next       Mend it.",
        "  log        hero_dev build log hero_web-1a2b3c4d5e",
    ):
        assert fact in text
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.04, "0.0s"), (9.94, "9.9s"), (9.96, "10s"), (59.6, "1m00s"), (200, "3m20s"), (3900, "1h05m")],
)
def test_durations_are_short(seconds: float, shown: str) -> None:
    assert took(seconds) == shown


def test_a_release_that_is_not_complete_is_marked() -> None:
    fields: dict[str, Any] = {"branch": "development", "commit": "1c", "author": "mik", "published_at": ago(7200)}
    whole = ReleaseInfo(tag="development-1", platforms=("linux-x86_64",), size=2100, downloads=7, **fields)
    half = ReleaseInfo(tag="development-2", complete=False, **fields)
    titles, first, second = release_lines([plain(whole), plain(half)], WIDE, SECONDS)
    assert words(titles) == "TAG AGE AUTHOR SIZE PLATFORMS LOADS WRONG"
    assert words(first) == "development-1 2h mik 2.1 kB linux-x86_64 7"
    assert words(second) == "development-2 2h mik 0 B ✗ incomplete"


def test_the_commits_between_two_releases_are_a_table() -> None:
    commit = CommitInfo(commit="a" * 40, author="mik", time=ago(60), subject="Mend\x1b[2J it")
    assert words(commit_lines([plain(commit)], WIDE, SECONDS)[1]) == "aaaaaaaa 1m mik Mend it"


def test_a_gate_says_which_platforms_are_missing_and_why() -> None:
    fields: dict[str, Any] = {"repo": "a/b", "branch": "development", "commit": "1c487cb1" * 5}
    good = Gate(service="hero_db", builds="pass", archives="pass", healthy="wait", **fields)
    bad = Gate(
        service="hero_web", builds="fail", archives="fail", missing=("linux-x86_64",), reason="It fails.", **fields
    )
    _, first, second = gate_lines([plain(good), plain(bad)], WIDE)
    assert words(first) == "hero_db development 1c487cb1 ✓ pass ✓ pass ◌ wait"
    assert words(second) == "hero_web development 1c487cb1 ✗ fail ✗ linux-x86_64 ? unknown It fails."
    narrow = gate_lines([plain(bad)], Terminal(30))[1]
    assert words(narrow).startswith("hero_web ✗ ✗ ?")


def test_a_hook_says_when_the_forge_was_heard_last() -> None:
    well = HookState(repo="a/b", state="installed", url="https://box/hooks/forge", last_seen=ago(120))
    gone = HookState(repo="a/c", state="not_needed", detail="By itself.")
    _, first, second = hook_lines([plain(well), plain(gone)], WIDE, SECONDS)
    assert words(first) == "a/b ✓ installed 2m ago https://box/hooks/forge"
    assert words(second) == "a/c · not needed By itself."
