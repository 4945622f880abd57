"""Which variables of an environment a session does not get; the standard library alone, for the launcher."""

from __future__ import annotations

from collections.abc import Iterable

CREDENTIALS = ("ANTHROPIC_*", "CLAUDE_*", "CLAUDECODE", "AWS_BEARER_TOKEN_BEDROCK")
"""Variables that could be a credential, another payer, or lead elsewhere."""


def without(environment: dict[str, str], unset: Iterable[str]) -> dict[str, str]:
    """`environment` less the variables `unset`; `NAME_*` there means all that begin so."""
    words = tuple(unset)
    names = {name for name in words if not name.endswith("*")}
    prefixes = tuple(name[:-1] for name in words if name.endswith("*"))
    return {
        name: value for name, value in environment.items() if name not in names and not name.startswith(prefixes)
    }
