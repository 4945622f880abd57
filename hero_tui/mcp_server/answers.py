"""What a model gets to read: plain text without control characters, bounded, and nothing that says nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from backends.model.errors import HeroError
from backends.model.text import safe_text

LIMIT = 20_000
"""Characters of an answer; a client refuses much longer ones whole."""


def bounded(text: str, limit: int = LIMIT) -> str:
    """`text` made harmless, its end left out where it is too long, which is said."""
    harmless = safe_text(text[: limit * 2])
    if len(text) <= limit * 2 and len(harmless) <= limit:
        return harmless or "(nothing)"
    return f"{harmless[:limit]}\n[{len(text) - limit} more characters are left out: ask for less.]"


def compact(value: Any) -> str:
    """`value` as JSON on as few lines as it has entries at the top."""
    if not isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False)
    lines = [f"{json.dumps(key)}: {json.dumps(item, ensure_ascii=False)}" for key, item in value.items()]
    return "{" + ",\n ".join(lines) + "}"


def telling(data: Mapping[str, Any], fields: Iterable[str]) -> dict[str, Any]:
    """Those of `fields` in which `data` says something."""
    return {name: data[name] for name in fields if data.get(name) not in (None, "", 0, False, [], {})}


def refusal(error: HeroError) -> str:
    """An error as a model reads it: what happened, then what to do."""
    return bounded(f"{error.message}\n{error.hint}".strip(), 4000)
