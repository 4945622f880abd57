"""What there is beside what the team repo wants, as a unified diff in colours; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from difflib import SequenceMatcher

from backends.model.team_calls import TeamDiff, TeamDifference
from screens.widgets.celltext import clean
from screens.widgets.textpane import Line

MOST_LINES = 2000
"""Of a diff of the whole team; a person's own has few."""
_LONG = 400


def diff_lines(diff: TeamDiff, users: Collection[str] = ()) -> list[Line]:
    """The diff of these `users`, or with none of everybody who differs."""
    if diff.stopped:
        return [(("Nothing could be compared: ", "bad"), (clean(diff.stopped, _LONG), "text"))]
    chosen = [one for one in diff.differences if not users or one.user in users]
    if not chosen:
        are = "are" if len(users) > 1 else "is"
        lines: list[Line] = [((f"{named(users) or 'Everybody'} {are} as the team repo has it.", "good"),)]
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


def named(users: Collection[str]) -> str:
    """`alice`, `alice and mik`, `alice, mik and thabet`."""
    names = [clean(user) for user in sorted(users)]
    return " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else "".join(names)


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
