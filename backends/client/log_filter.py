"""What a person types after `/`: plain text or `~regex`, with a leading `!` for the lines that do not match."""

from __future__ import annotations

import re
from dataclasses import dataclass

_MANY_SPANS = 64
# A repeated group that repeats something inside can take time without end, and `re` cannot be stopped.
_ENDLESS = re.compile(r"\([^()]*[+*}][^()]*\)\s*[+*{]")


@dataclass(frozen=True, slots=True)
class Matcher:
    """A filter ready to use. `text` is what was typed."""

    text: str
    pattern: re.Pattern[str]
    inverse: bool

    @property
    def exact(self) -> bool:
        """Whether capitals count."""
        return not self.pattern.flags & re.IGNORECASE

    def keeps(self, line: str) -> bool:
        """True for a line that the filter leaves in."""
        return (self.pattern.search(line) is not None) != self.inverse

    def spans(self, line: str) -> list[tuple[int, int]]:
        """Where the line matches, for highlighting; nothing for an inverse filter."""
        if self.inverse:
            return []
        found = []
        for match in self.pattern.finditer(line):
            if match.end() > match.start():
                found.append(match.span())
            if len(found) == _MANY_SPANS:
                break
        return found


def parse_filter(text: str) -> Matcher | None:
    """The filter that `text` means, None for an empty one. Capitals make it exact (smart case).

    Raises ValueError with a sentence for the person if a regex is wrong or could run without end.
    """
    typed = text.strip()
    inverse = typed.startswith("!")
    wanted = typed.removeprefix("!").lstrip()
    regex = wanted.startswith("~")
    wanted = wanted.removeprefix("~")
    if not wanted:
        return None
    if regex and _ENDLESS.search(wanted):
        raise ValueError("A repetition inside a repetition may never end; write it without the outer one.")
    # Where the letters of both cases are the same there is no case, and looking for exact text is quicker.
    cased = wanted.lower() != wanted.upper()
    exact = (not cased and not regex) or any(character.isupper() for character in wanted)
    try:
        pattern = re.compile(wanted if regex else re.escape(wanted), re.NOFLAG if exact else re.IGNORECASE)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"This is not a regular expression: {error}.") from error
    return Matcher(typed, pattern, inverse)


ERRORS = Matcher(
    "errors",
    re.compile(r"\b(?:ERROR|FATAL|CRITICAL|PANIC|panicked at|Traceback \(|error[:\[])|\"(?:error|fatal)\""),
    inverse=False,
)
"""What tells of an error in the logs of many programs."""
