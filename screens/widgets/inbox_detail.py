"""A question or message in full: from whom, what, its answers by number, what became of it, what keys do now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.text import Text

from backends.model.inbox import InboxItem
from screens.widgets.agent_dialog import Colours, keys_text, options_text, question_text
from screens.widgets.cells import ago
from screens.widgets.celltext import clean
from screens.widgets.inbox_model import answer_text, decides, is_open

Hints = Sequence[tuple[str, str]]


def inbox_detail(
    item: InboxItem, now: datetime, colours: Colours, *, chosen: int = 0, problem: str = "", hints: Hints = ()
) -> Text:
    """`chosen` is the number of an answer that is about to be sent, `problem` why the last one was not taken."""
    quiet = colours("quiet")
    parts = [
        Text.assemble(
            (clean(item.sender), "bold"),
            (f" to {clean(item.to)} · {item.kind} · {ago(item.asked_at, now)}", quiet),
        ),
        Text(""),
        question_text(item.text, colours),
    ]
    if item.options and not decides(item):
        parts += [Text(""), options_text(item.options, chosen or item.choice, colours)]
    if held := item.approval:
        colour = colours("error" if held.radius == "high" else "warning")
        parts += [
            Text(""),
            Text(f"{clean(held.action)} {clean(held.subject)}: {held.radius} radius", style=colour),
        ]
    parts.append(Text(""))
    if item.state == "submitted":
        after = "it is not done yet" if item.kind == "approval" else "the agent has not gone on yet"
        words = f"submitted: {answer_text(item)} — {after}"
        parts.append(Text(words, style=f"bold {colours('primary')}"))
    elif item.answered_by:
        who = f"{clean(item.answered_by)} answered {ago(item.answered_at, now)}: "
        parts.append(Text.assemble((who, quiet), answer_text(item)))
    elif item.kind != "message" and not is_open(item):
        parts.append(Text(f"It is {item.state}; nothing can be answered any more.", style=quiet))
    if item.outcome:
        parts.append(question_text(item.outcome, colours))
    for sentence in (problem, item.problem):
        if sentence:
            parts.append(Text(clean(sentence), style=colours("error")))
    if hints:
        parts.append(keys_text(hints, colours))
    return Text("\n").join(parts)
