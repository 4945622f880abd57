"""What a hook tells as entries of a session's log: bounded, harmless on any terminal; pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from backends.model.text import safe_line, safe_text

TEXT_LIMIT = 4000
"""Characters of one entry."""

_NAMED_FIRST = ("command", "file_path", "path", "pattern", "url", "query", "description", "prompt")


class Entry(NamedTuple):
    """An AgentLine without its number and time."""

    kind: str
    text: str
    tool: str = ""


def entry_of(event: str, payload: Mapping[str, Any]) -> Entry | None:
    """The entry for a hook's event; None for one that says nothing new."""
    tool = safe_line(text_of(payload.get("tool_name")), 100)
    match event:
        case "SessionStart":
            return Entry("start", text_of(payload.get("source")) or "startup")
        case "UserPromptSubmit":
            return Entry("prompt", bounded(text_of(payload.get("prompt"))))
        case "PreToolUse":
            return Entry("tool", input_in_words(payload.get("tool_input")), tool)
        case "PostToolUse":
            return Entry("result", result_in_words(payload.get("tool_response")), tool)
        case "PostToolUseFailure":
            return Entry("error", bounded(text_of(payload.get("error")) or "failed"), tool)
        case "Stop":
            return Entry("answer", bounded(text_of(payload.get("last_assistant_message"))))
        case "StopFailure":
            said = bounded(text_of(payload.get("last_assistant_message")))
            return Entry("error", said or safe_line(text_of(payload.get("error")), 200))
        case "SessionEnd":
            return Entry("end", safe_line(text_of(payload.get("reason")), 200))
    return None


def input_in_words(given: object) -> str:
    """What a tool is to do: its telling argument alone where there is one."""
    if isinstance(given, Mapping):
        for name in _NAMED_FIRST:
            if isinstance(value := given.get(name), str) and value:
                return bounded(value)
    return bounded(_as_json(given))


def result_in_words(given: object) -> str:
    """What a tool answered."""
    if isinstance(given, Mapping):
        parts = [given.get(name) for name in ("stdout", "stderr", "content", "message")]
        if said := "\n".join(part for part in parts if isinstance(part, str) and part):
            return bounded(said)
    return bounded(given if isinstance(given, str) else _as_json(given))


def last_line(message: str) -> str:
    """The last line of an answer that says anything."""
    lines = [line.strip() for line in safe_text(message[-4 * TEXT_LIMIT :]).splitlines()]
    return safe_line(next((line for line in reversed(lines) if line), ""), 200)


def bounded(text: str) -> str:
    """`text`, harmless, and not longer than an entry may be."""
    harmless = safe_text(text[: 4 * TEXT_LIMIT]).strip("\n")
    return harmless if len(harmless) <= TEXT_LIMIT else f"{harmless[: TEXT_LIMIT - 1]}…"


def text_of(value: object) -> str:
    """`value` where it is text."""
    return value if isinstance(value, str) else ""


def _as_json(value: object) -> str:
    if value in (None, "", {}, []):
        return ""
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (TypeError, ValueError, RecursionError):
        return ""
