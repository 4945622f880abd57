"""Take the terminal's control characters out of what a slot says, before any teammate's screen shows it."""

from __future__ import annotations

import re
from typing import Any

from backends.model.agents import AgentLine
from backends.model.box_calls import ReportParams
from backends.model.state import LogLine
from backends.model.text import safe_line, safe_text

_SUSPECT = re.compile(r"\\u00|\\[bfr]|[\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]")
_COLOUR = re.compile(r"(\x1b\[[0-9;:]{0,64}m)")
_LINE_LIMIT = 20_000


def harmless(report: ReportParams) -> ReportParams:
    """`report` with every text in it made safe; the same object where all was."""
    if not _SUSPECT.search(report.model_dump_json(by_alias=True)):
        return report
    return ReportParams.model_validate(_cleaned(report.model_dump(by_alias=True)))


def harmless_line(line: LogLine) -> LogLine:
    """One log line as people may see it: colours (SGR) stay, everything else is made safe."""
    parts = _COLOUR.split(line.text[:_LINE_LIMIT].replace("\n", " "))
    parts[::2] = [safe_text(part) for part in parts[::2]]
    return line.model_copy(update={"source": safe_line(line.source, 200), "text": "".join(parts)})


def harmless_agent_line(line: AgentLine) -> AgentLine:
    """One entry of an agent's log, bounded; it keeps its line breaks."""
    text = safe_text(line.text[:_LINE_LIMIT])
    return line.model_copy(update={"text": text, "tool": safe_line(line.tool, 200)})


def harmless_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """`fields` with every text in them made safe."""
    return {str(name): _cleaned(value) for name, value in fields.items()}


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return safe_text(value)
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(item) for item in value]
    return value
