"""Docker's and Podman's containers as text: stack by stack, what runs and what it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hero_tui.render.table import Cell, Column, table
from hero_tui.render.terminal import Terminal
from hero_tui.render.text import clean, cut, cut_middle, size, wrap

_COLUMNS = (
    Column("stack", 1, 6, cut_middle),
    Column("container", 0, 10, cut_middle),
    Column("state", 2),
    Column("cpu", 4),
    Column("memory", 3),
    Column("size", 5),
    Column("ports", 7, 8, cut),
    Column("image", 6, 12, cut_middle),
)
_NONE = "There is no Docker and no Podman on this machine."
_STYLES = {"running": "good", "exited": "dim", "created": "dim", "dead": "bad"}


def container_lines(report: Mapping[str, Any], terminal: Terminal) -> list[str]:
    """Each engine with its containers, those of a stack together; why one could not be asked."""
    lines: list[str] = []
    for engine in report["engines"]:
        name = f"{clean(engine['name'])} {clean(engine['version'])}".strip()
        running = sum(one["state"] == "running" for one in engine["containers"])
        lines += [""] if lines else []
        if engine["problem"]:
            told = f"{name} at {clean(engine['socket'])}: {clean(engine['problem'])}"
            lines += [terminal.paint(line, "warn") for line in wrap(told, terminal.width, "  ")]
            continue
        told = f"{name}  {running} of {len(engine['containers'])} containers run"
        lines.append(
            terminal.paint(f"{told}, {engine['more']} more are not listed" if engine["more"] else told, "bold")
        )
        some = sorted(engine["containers"], key=lambda one: (not one["stack"], one["stack"], one["name"]))
        lines += table(_COLUMNS, [_row(one) for one in some], terminal) if some else []
    return lines or [_NONE]


def _row(one: Mapping[str, Any]) -> tuple[Cell, ...]:
    return (
        Cell(clean(one["stack"]), "bold"),
        Cell(clean(one["name"])),
        Cell(clean(one["state"]), _STYLES.get(one["state"], "warn")),
        Cell("" if one["cpu"] is None else f"{one['cpu']:5.1f} %"),
        Cell("" if one["memory"] is None else f"{size(one['memory']):>7}"),
        Cell("" if one["size"] is None else f"{size(one['size']):>7}"),
        Cell(clean(one["ports"])),
        Cell(clean(one["image"]), "dim"),
    )
