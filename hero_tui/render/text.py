"""Text from outside made harmless, measured and cut in terminal cells."""

from __future__ import annotations


def clean(text: object, limit: int = 400) -> str:
    """One harmless line of at most `limit` characters."""
    line = str(text)
    if line.isascii() and line.isprintable() and len(line) <= limit:
        return line
    # Only what is unusual pays for the patterns.
    from backends.model.text import safe_line

    return safe_line(line, limit)


def cells(text: str) -> int:
    """How many terminal cells `text` takes."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(one) else 2 if east_asian_width(one) in "WF" else 1 for one in text)


def cut(text: str, width: int, more: str = "…") -> str:
    """`text` in at most `width` cells, its end left out where it must be."""
    if cells(text) <= width:
        return text
    return _start(text, width - 1) + more if width > 0 else ""


def cut_middle(text: str, width: int, more: str = "…") -> str:
    """Like `cut`, but keeps the end too: it is what tells branch names apart."""
    if cells(text) <= width or width < 5:
        return cut(text, width, more)
    tail = _end(text, (width - 1) // 2)
    return _start(text, width - 1 - cells(tail)) + more + tail


def cut_start(text: str, width: int, more: str = "…") -> str:
    """Like `cut`, but leaves the beginning out: a path's end says more."""
    if cells(text) <= width:
        return text
    return more + _end(text, width - 1) if width > 0 else ""


def pad(text: str, width: int) -> str:
    """`text` with spaces behind it up to `width` cells."""
    return text + " " * (width - cells(text))


def wrap(text: str, width: int | None, indent: str = "") -> list[str]:
    """`text` in lines of at most `width` cells, broken at spaces; later lines begin with `indent`."""
    if width is None or cells(text) <= width:
        return [text]
    first, *words = text.split(" ")
    lines: list[str] = []
    line = cut(first, width)
    for word in words:
        if cells(line) + 1 + cells(word) <= width:
            line = f"{line} {word}"
        elif word:
            lines.append(line)
            line = indent + cut(word, max(width - cells(indent), 1))
    return [*lines, line]


def size(count: float) -> str:
    """Bytes for people: `12 B`, `3.4 MB`; decimal units."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def _start(text: str, width: int) -> str:
    used = 0
    for number, one in enumerate(text):
        used += cells(one)
        if used > width:
            return text[:number]
    return text


def _end(text: str, width: int) -> str:
    return _start(text[::-1], width)[::-1]
