"""Which credential an agent would run on, and each step to it, as lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hero_tui.render.terminal import Terminal
from hero_tui.render.text import cells, clean, pad, wrap

Data = Mapping[str, Any]


def credential_name(credential: Data) -> str:
    """As people read it: `personal`, `org-key-2` or `none`."""
    if credential["kind"] != "org":
        return clean(credential["kind"], 20)
    return clean(str(credential["key"]).lower().replace("org_claude_key_", "org-key-").replace("_", "-"), 100)


def status_lines(status: Data, terminal: Terminal) -> list[str]:
    """Who pays for the next agent, why, what to do where nobody does, and the program."""
    resolution = status["resolution"]
    is_paid = resolution["credential"]["kind"] != "none"
    sign, style = (terminal.signs.good, "good") if is_paid else (terminal.signs.bad, "bad")
    name = credential_name(resolution["credential"])
    cooling = is_paid and name not in ("personal",) and resolution["org"]["state"] == "cooling"
    state = f" {terminal.paint('cooling down', 'warn')}" if cooling else ""
    lines = [f"{terminal.paint(sign, style)} {terminal.paint(name, 'bold')}{state}"]
    lines += ["", *_steps(resolution["steps"], terminal)]
    if not is_paid:
        lines += ["", terminal.paint(clean(resolution["problem"]), "bad"), *_wrapped(resolution["hint"], terminal)]
    return [*lines, "", *_program(status["program"], terminal)]


def _steps(steps: Sequence[Data], terminal: Terminal) -> list[str]:
    """Question and answer, one under the other; what decided is marked."""
    questions = [clean(one["question"], 80) for one in steps]
    width = max(map(cells, questions), default=0)
    lines = []
    for question, one in zip(questions, steps, strict=True):
        mark = terminal.signs.arrow if one["taken"] else ""
        room = None if terminal.width is None else max(terminal.width - width - 8, 24)
        first, *rest = wrap(clean(one["answer"]), room)
        style = "bold" if one["taken"] else ""
        lines.append(f"  {pad(mark, 2)} {pad(question, width)}  {terminal.paint(first, style)}".rstrip())
        lines += [f"{'':{width + 7}}{terminal.paint(line, style)}" for line in rest]
    return lines


def _program(program: Data, terminal: Terminal) -> list[str]:
    if not program["path"]:
        return [terminal.paint("There is no working `claude` here.", "bad"), *_wrapped(program["hint"], terminal)]
    return [f"claude {clean(program['version'], 60)} {terminal.paint(clean(program['path']), 'dim')}"]


def _wrapped(text: str, terminal: Terminal) -> list[str]:
    return wrap(clean(text), terminal.width)
