"""What there is beside what the team repo wants, as a unified diff in colours; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from backends.model.team_calls import TeamDiff, TeamDifference
from screens.widgets.celltext import clean
from screens.widgets.textpane import Line

MOST_LINES = 2000
"""Of a diff of the whole team; a person's own has few."""
_LONG = 400


def diff_lines(diff: TeamDiff, user: str = "") -> list[Line]:
    """The diff of one `user`, or of everybody who differs."""
    if diff.stopped:
        return [(("Nothing could be compared: ", "bad"), (clean(diff.stopped, _LONG), "text"))]
    chosen = [one for one in diff.differences if not user or one.user == user]
    if not chosen:
        whom = clean(user) if user else "Everybody"
        lines: list[Line] = [((f"{whom} is as the team repo has it.", "good"),)]
        others = [clean(one.user) for one in diff.differences]
        return [*lines, (), ((f"Others differ: {', '.join(others)}.", "quiet"),)] if others else lines
    commit = f" at {diff.commit[:8]}" if diff.commit else ""
    lines = [(("--- this box", "removed"),), ((f"+++ the team repo{commit}", "added"),)]
    for number, one in enumerate(chosen):
        lines += _person(one)
        if len(lines) > MOST_LINES:
            left = len(chosen) - number - 1
            return [*lines, ((f"… and {left} people more: move to one of them", "quiet"),)] if left else lines
    return lines


def _person(one: TeamDifference) -> Iterator[Line]:
    yield ((f"@@ {clean(one.user)} @@", "place"),)
    if one.why:
        yield ((f"! {clean(one.why, _LONG)}", "warn"),)
    yield from _hunks(one.there, one.wanted)


def _hunks(there: Sequence[str], wanted: Sequence[str]) -> Iterator[Line]:
    matcher = SequenceMatcher(None, there, wanted, autojunk=False)
    for tag, first, last, other_first, other_last in matcher.get_opcodes():
        if tag == "equal":
            yield from (((f"  {clean(text, _LONG)}", "quiet"),) for text in there[first:last])
            continue
        yield from (((f"- {clean(text, _LONG)}", "removed"),) for text in there[first:last])
        yield from (((f"+ {clean(text, _LONG)}", "added"),) for text in wanted[other_first:other_last])
