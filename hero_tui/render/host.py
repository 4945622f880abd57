"""The machine as text: how busy it is, who takes what of it, what takes the room on its disks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hero_tui.render.ages import age
from hero_tui.render.table import Cell, Column, table
from hero_tui.render.terminal import Terminal
from hero_tui.render.text import clean, cut, cut_middle, size, wrap

Data = Mapping[str, Any]

_BAR = 20
_SHARES = (
    Column("slot", 0, 6, cut_middle),
    Column("what", 1, 1),
    Column("name", 2, 10, cut_middle),
    Column("cpu", 3),
    Column("memory", 4),
    Column("processes", 5),
)
_SLOTS = (
    Column("slot", 0, 6, cut_middle),
    Column("size", 1),
    Column("can go", 2),
    Column("today", 3),
    Column("measured", 4),
    Column("", 5, 12, cut),
)
_PARTS = (
    Column("slot", 3, 6, cut_middle),
    Column("what", 1, 1),
    Column("name", 0, 14, cut_middle),
    Column("size", 2),
    Column("can go", 4),
    Column("today", 5),
    Column("why", 6, 12, cut),
)
_ENGINES = (
    Column("engine", 0, 6),
    Column("what", 1),
    Column("number", 3),
    Column("in use", 4),
    Column("size", 2),
    Column("can go", 5),
)
PARTS_SHOWN = 30
_LEVELS = {"warn": "warn", "bad": "bad"}
_EVERYBODY = "(box)"


def status_lines(status: Data, terminal: Terminal, now: float) -> list[str]:
    """The machine, its warnings, and who takes what."""
    sample = status["sample"]
    lines = [*_machine(status, terminal), *warning_lines(sample["warnings"], terminal, now)]
    shares = sorted(sample["shares"], key=lambda one: (one["kind"] == "other", -one["cpu"], -one["memory"]))
    if shares:
        lines += ["", *table(_SHARES, [_share(one) for one in shares], terminal)]
    return lines


def warning_lines(warnings: Iterable[Data], terminal: Terminal, now: float) -> list[str]:
    """What exceeds its limit, and since when."""
    lines = []
    for one in warnings:
        sign = terminal.signs.health["crashed" if one["level"] == "bad" else "unhealthy"]
        text = f"{sign} {clean(one['sentence'])} Since {age(one['since'], now)}; the limit is {one['limit']:g}."
        lines += [terminal.paint(line, _LEVELS.get(one["level"], "")) for line in wrap(text, terminal.width, "  ")]
    return lines


def disk_lines(report: Data, terminal: Terminal, now: float, slot: str = "") -> list[str]:
    """What takes the room: all slots in a line each, then the largest parts (of `slot`, or of all)."""
    slots = [one for one in report["slots"] if not slot or one["slot"] == slot]
    lines = table(_SLOTS, [_slot(one, now) for one in slots], terminal)
    lines += _growth([one for one in report["growth"] if not slot or one["slot"] == slot], terminal)
    parts = [(one["slot"], part) for one in slots for part in one["parts"] if part["size"]]
    parts.sort(key=lambda pair: -pair[1]["size"])
    if parts:
        lines += ["", *table(_PARTS, [_part(*pair) for pair in parts[:PARTS_SHOWN]], terminal)]
    if len(parts) > PARTS_SHOWN:
        lines.append(terminal.paint(f"and {len(parts) - PARTS_SHOWN} smaller ones", "dim"))
    if not slot:
        lines += _engines(report["engines"], terminal)
    if any(part["verb"] for _, part in parts):
        hint = "`hero_dev clean --plan` tells what can go of your own slot."
        lines += ["", *(terminal.paint(line, "dim") for line in wrap(hint, terminal.width))]
    return lines


def plan_lines(plan: Data, terminal: Terminal) -> list[str]:
    """What a clean would remove, and what it would not."""
    total = sum(one["size"] for one in plan["items"])
    lines = [terminal.paint(f"clean {clean(plan['slot'])} would remove {size(total)}", "bold")] if total else []
    for one in plan["items"]:
        text = f"{size(one['size']):>9}  {clean(one['name'])}  ({clean(one['why'])})"
        lines += wrap(text, terminal.width, " " * 11)
    if not plan["items"]:
        lines.append("Nothing can be removed.")
    kept = [f"stays: {clean(one['name'])} ({clean(one['why'])})" for one in plan["kept"]]
    lines += [terminal.paint(line, "dim") for text in kept for line in wrap(text, terminal.width, "  ")]
    return lines


def _machine(status: Data, terminal: Terminal) -> list[str]:
    machine = status["sample"]["machine"]
    load = "  ".join(f"{one:.2f}" for one in machine["load"])
    lines = [terminal.paint(f"{clean(status['box'])}  {machine['cpus']} cores  load {load}", "bold")]
    if machine["cpu"] is not None:
        lines.append(_meter("cpu", machine["cpu"] / 100, "", terminal))
    for name in ("memory", "swap"):
        used, total = machine[f"{name}_used"], machine[f"{name}_total"]
        if total:
            lines.append(_meter(name, used / total, f"{size(used)} of {size(total)}", terminal))
    for disk in machine["disks"]:
        room = disk["used"] + disk["free"]
        told = f"{size(disk['free'])} free of {size(disk['total'])}"
        if disk["inodes"]:
            told += f", {100 * disk['inodes_used'] / disk['inodes']:.0f} % of the inodes"
        told += f"  {clean(disk['kind'])}" + (", extents shared" if disk["shared"] else "")
        told += "  (does not answer)" if disk["stale"] else ""
        lines.append(_meter(clean(disk["mount"]), disk["used"] / room if room else 0.0, told, terminal))
    return lines


def _meter(name: str, share: float, told: str, terminal: Terminal) -> str:
    done = round(max(0.0, min(1.0, share)) * _BAR)
    style = "bad" if share >= 0.95 else "warn" if share >= 0.85 else "good"
    bar = terminal.paint(terminal.signs.bar_done * done, style)
    rest = terminal.paint(terminal.signs.bar_left * (_BAR - done), "dim")
    figures = f"{share:4.0%}  {told}".rstrip()
    if terminal.width is not None:
        figures = cut(figures, max(4, terminal.width - _BAR - 12))
    return f"{cut_middle(name, 8):8} {bar}{rest} {figures}"


def _share(one: Data) -> tuple[Cell, ...]:
    other = one["kind"] == "other"
    return (
        Cell(clean(one["slot"]), "bold"),
        Cell("everything else" if other else clean(one["kind"]), "dim" if other else ""),
        Cell(clean(one["name"])),
        Cell(f"{one['cpu']:5.1f} %"),
        Cell(f"{size(one['memory']):>7}"),
        Cell(f"{one['processes']:9}", "dim"),
    )


def _slot(one: Data, now: float) -> tuple[Cell, ...]:
    parts = one["parts"]
    told = [part["grew"] for part in parts if part["grew"] is not None]
    when = f"{age(one['measured_at'], now)} ago" if one["measured_at"] else "never"
    return (
        Cell(clean(one["slot"]) or _EVERYBODY, "bold"),
        Cell(f"{size(sum(part['size'] for part in parts)):>7}" if parts else ""),
        Cell(_size(sum(part["reclaimable"] for part in parts)), "good"),
        Cell(_change(sum(told)) if told else ""),
        Cell("measuring" if one["measuring"] else when, "info" if one["measuring"] else "dim"),
        Cell(clean(one["problem"]), "warn"),
    )


def _part(slot: str, one: Data) -> tuple[Cell, ...]:
    more = "" if one["complete"] else " at least"
    return (
        Cell(clean(slot) or _EVERYBODY, "bold"),
        Cell(clean(one["kind"])),
        Cell(clean(one["name"])),
        Cell(f"{size(one['size']):>7}{more}"),
        Cell(_size(one["reclaimable"]), "good"),
        Cell(_change(one["grew"]) if one["grew"] else ""),
        Cell(clean(one["why"]), "dim"),
    )


def _growth(growth: Sequence[Data], terminal: Terminal) -> list[str]:
    sign = terminal.signs.arrow
    lines = [line for one in growth for line in wrap(f"{sign} {clean(one['sentence'])}", terminal.width, "  ")]
    return ["", *(terminal.paint(line, "warn") for line in lines)] if lines else []


def _engines(engines: Sequence[Data], terminal: Terminal) -> list[str]:
    lines: list[str] = []
    for engine in engines:
        name = f"{clean(engine['name'])} {clean(engine['version'])}".strip()
        rows = [_use(name, one) for one in engine["uses"] if one["count"]]
        lines += ["", *table(_ENGINES, rows, terminal)] if rows else []
        for stack in engine["stacks"]:
            running = f"{stack['running']} of {stack['containers']} running"
            lines += wrap(
                f"stack {clean(stack['name'])}: {running}  {clean(stack['folder'])}", terminal.width, "  "
            )
        if engine["problem"]:
            lines += wrap(f"{name} at {clean(engine['socket'])}: {clean(engine['problem'])}", terminal.width, "  ")
    return lines


def _use(name: str, one: Data) -> tuple[Cell, ...]:
    return (
        Cell(name, "bold"),
        Cell(clean(one["kind"])),
        Cell(str(one["count"])),
        Cell(str(one["active"])),
        Cell(size(one["size"])),
        Cell(_size(one["reclaimable"])),
    )


def _size(count: int) -> str:
    return f"{size(count):>7}" if count else ""


def _change(count: int) -> str:
    return f"{'+' if count > 0 else '-'}{size(abs(count))}" if count else ""
