"""Operations and audited changes as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hero_tui.render.ages import age, elapsed, local
from hero_tui.render.progress import phase_name
from hero_tui.render.table import Cell, Column, table
from hero_tui.render.terminal import Terminal
from hero_tui.render.text import clean, cut

Data = Mapping[str, Any]

_STYLES = {"succeeded": "good", "failed": "bad", "running": "warn"}
_OPERATIONS = (
    Column("id", 1),
    Column("state", 2, 1),
    Column("what", 0, 12, cut),
    Column("by", 5, 6, cut),
    Column("began", 3),
    Column("took", 6),
    Column("phase, or why not", 4, 12, cut),
)
_AUDIT = (
    Column("time", 2),
    Column("slot", 1, 6, cut),
    Column("by", 4, 6, cut),
    Column("what", 0, 12, cut),
    Column("ended", 3, 1),
    Column("why", 5, 12, cut),
)


def operation_lines(operations: Sequence[Data], terminal: Terminal, now: float) -> list[str]:
    """One line an operation, the newest first."""
    newest = sorted(operations, key=lambda one: str(one["started_at"]), reverse=True)
    return table(_OPERATIONS, [_operation(one, terminal, now) for one in newest], terminal)


def audit_lines(events: Sequence[Data], terminal: Terminal) -> list[str]:
    """One line a change, in their order."""
    return table(_AUDIT, [_audit(one, terminal) for one in events], terminal)


def _operation(one: Data, terminal: Terminal, now: float) -> tuple[Cell, ...]:
    error = one["error"]
    said = clean(error["message"].splitlines()[0]) if error else phase_name(dict(one)) if not _ended(one) else ""
    return (
        Cell(clean(one["id"]), "dim"),
        _state(one["state"], terminal),
        Cell(clean(one["title"])),
        Cell(clean(one["actor"])),
        Cell(f"{age(one['started_at'], now)} ago"),
        Cell(elapsed(one["started_at"], one["finished_at"])),
        Cell(said, "bad" if error else "dim"),
    )


def _audit(one: Data, terminal: Terminal) -> tuple[Cell, ...]:
    data = one["data"]
    title = data.get("title") or " ".join((one["kind"].removeprefix("audit."), one["subject"])).strip()
    return (
        Cell(local(one["time"]), "dim"),
        Cell(clean(one["slot"])),
        Cell(clean(data.get("actor", ""))),
        Cell(clean(title)),
        _state(clean(data.get("outcome", "")), terminal),
        Cell(clean((str(data.get("error") or "").splitlines() or [""])[0])),
    )


def _state(state: str, terminal: Terminal) -> Cell:
    sign = terminal.signs.build.get(state, "")
    return Cell(f"{sign} {state}".strip(), _STYLES.get(state, "dim"), sign)


def _ended(one: Data) -> bool:
    return bool(one["state"] != "running")
