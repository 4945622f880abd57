"""Questions and messages as a table, and one of them in full."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from hero_tui.render.ages import age, span
from hero_tui.render.table import Cell, Column, table
from hero_tui.render.terminal import Terminal
from hero_tui.render.text import clean, cut, cut_middle, wrap

Data = Mapping[str, Any]

_STYLES = {"open": "warn", "submitted": "info", "answered": "good", "delivered": "good", "expired": "bad"}
_LONGEST_LINE = 2000


def inbox_lines(items: Sequence[Data], terminal: Terminal, now: float, *, sent: bool = False) -> list[str]:
    """One line an item, in their order: from whom it is, or with `sent` to whom."""
    columns = (
        Column("id", 0),
        Column("to" if sent else "from", 1, 8, cut_middle),
        Column("what", 4),
        Column("age", 3),
        Column("state", 2),
        Column("text", 0, 20, cut),
        Column("answer", 5, 12, cut),
    )
    return table(columns, [_row(item, terminal, now, sent=sent) for item in items], terminal)


def item_lines(item: Data, terminal: Terminal, now: float) -> list[str]:
    """Everything of one item, its text line by line."""
    who = f"from {clean(item['sender'])} to {clean(item['to'])}"
    when = f"{age(item['asked_at'], now)} ago"
    told = f"{_kind(item)} {clean(item['id'])} {who}, {when}: {_state(item, now)}"
    lines = [terminal.paint(told, "bold")]
    for line in item["text"].splitlines():
        lines += wrap(f"  {clean(line, _LONGEST_LINE)}", terminal.width, "  ")
    if held := item["approval"]:
        rule = f'by the rule for "{held["rule"]}"' if held["rule"] else "for no rule names it"
        radius = f"{held['action']} {held['subject']}: {held['radius']}, {rule}"
        lines.append(terminal.paint(f"  {clean(radius)}", "warn"))
    lines += [f"  {terminal.paint(str(number), 'info')} {clean(option)}" for number, option in _numbered(item)]
    if item["answered_by"]:
        lines.append(f"{clean(item['answered_by'])} answered {age(item['answered_at'], now)} ago:")
        for line in answer_of(item).splitlines():
            lines += wrap(f"  {clean(line, _LONGEST_LINE)}", terminal.width, "  ")
    for line in item["outcome"].splitlines():
        lines += wrap(f"  {clean(line, _LONGEST_LINE)}", terminal.width, "  ")
    if item["problem"]:
        lines.append(terminal.paint(clean(item["problem"], _LONGEST_LINE), "bad"))
    return lines


def answer_of(item: Data) -> str:
    """`2 (Deny)`, `2 (Deny): not before Monday`, or the text; empty without an answer."""
    choice, answer = item["choice"], str(item["answer"])
    if not choice or choice > len(item["options"]):
        return answer
    label = item["options"][choice - 1]
    return f"{choice} ({label})" + (f": {answer}" if answer != label else "")


def _row(item: Data, terminal: Terminal, now: float, *, sent: bool) -> tuple[Cell, ...]:
    options = ", ".join(f"{number} {clean(option)}" for number, option in _numbered(item))
    unread = item["state"] == "open" and item["read_at"] is None and not sent
    return (
        Cell(clean(item["id"]), "info"),
        Cell(clean(item["to"] if sent else item["sender"]), "bold"),
        Cell(_kind(item), "dim"),
        Cell(age(item["asked_at"], now)),
        Cell(_state(item, now), _STYLES.get(item["state"], "dim")),
        Cell(clean(item["text"]) + (f" [{options}]" if options else ""), "bold" if unread else ""),
        Cell(clean(item["problem"] or answer_of(item)), "bad" if item["problem"] else ""),
    )


def _state(item: Data, now: float) -> str:
    """`open`, `open, 4m left`, `answered`, …; a message is unread or read."""
    state = clean(item["state"])
    if item["kind"] == "message":
        return {"open": "unread", "delivered": "read"}.get(state, state)
    if state != "open" or not item["expires_at"]:
        return state
    left = datetime.fromisoformat(item["expires_at"]).timestamp() - now
    return f"open, {span(left)} left" if left > 0 else "expired"


def _kind(item: Data) -> str:
    return {"permission": "dialog"}.get(item["kind"], clean(item["kind"]))


def _numbered(item: Data) -> list[tuple[int, str]]:
    return list(enumerate(item["options"], start=1))
