"""What is wrong with a file, in the words of a person: where, which key, what was found, what was expected."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time

from backends.model.errors import HeroError
from backends.model.text import safe_line
from backends.model.toml_layout import KeyPath, Layout

UNKNOWN_KEY = "unknown key"

_SHOWN = 20
_SENT = 100
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a file. Line and column count from 1; line 0: the file as a whole.

    `found` and `expected` are phrases for a person; `suggestion` is the name that was probably meant.
    """

    file: str
    line: int
    column: int
    key: str
    found: str
    expected: str
    suggestion: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        subject = f"{where} {self.key}" if self.key else where
        return f"{subject}: {self._what()}"

    def _what(self) -> str:
        if self.found != UNKNOWN_KEY:
            text = f"found {self.found}, expected {self.expected}"
        else:
            text = self.found if self.suggestion else f"{self.found}, expected {self.expected}"
        return f"{text}; did you mean `{self.suggestion}`?" if self.suggestion else text


class InvalidFile(HeroError):
    """A file that cannot be used; `problems` has everything wrong with it, message and data the first of them."""

    def __init__(self, problems: Sequence[Problem]):
        file = problems[0].file
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        lines = [f"  {problem}" for problem in problems[:_SHOWN]]
        if len(problems) > _SHOWN:
            lines.append(f"  … and {len(problems) - _SHOWN} more")
        super().__init__(
            "invalid_file",
            "\n".join([f"{file} has {count}:", *lines]),
            data={
                "file": file,
                "count": len(problems),
                "problems": [asdict(problem) for problem in problems[:_SENT]],
            },
        )
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Finding:
    """A problem that a model's own rule found, at a key of the document."""

    path: KeyPath
    found: str
    expected: str
    suggestion: str = ""


def located(finding: Finding, layout: Layout | None, file: str) -> Problem:
    """`finding` with the line and column that it has in the file; without a layout (JSON) it has none."""
    place = layout.place(finding.path) if layout else None
    return Problem(
        safe_line(file),
        place.line if place else 0,
        place.column if place else 0,
        _key_text(finding.path),
        safe_line(finding.found),
        safe_line(finding.expected),
        safe_line(finding.suggestion),
    )


def describe(value: object) -> str:
    """A value of a file as a short phrase, safe to show."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(safe_line(value, 80), ensure_ascii=False)
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, (list, tuple)):
        return "an array"
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    return safe_line(str(value), 80)


def _key_text(path: KeyPath) -> str:
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
            continue
        name = step if _BARE_KEY.fullmatch(step) else json.dumps(safe_line(step, 80), ensure_ascii=False)
        text += f".{name}" if text else name
    return text
