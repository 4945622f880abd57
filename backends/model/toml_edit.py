"""Change single tables and values of a TOML text and leave every other character as it is."""

from __future__ import annotations

import re

from backends.model.toml_layout import KeyPath, Statement, lay_out

_OWN_COMMENTS = re.compile(r"(?:[ \t]*#[^\n]*(?:\n|\Z))+(?=[ \t\r]*(?:\n|\Z))")
_BLANK_FIRST = re.compile(r"[ \t\r]*\n")
_BLANK_LAST = re.compile(r"(?:(?<=\n)|\A)[ \t\r]*\n\Z")


def newline_of(text: str) -> str:
    """The line ending that most lines of `text` have."""
    return "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"


def table_statements(text: str, path: KeyPath) -> list[Statement]:
    """The header of the table at `path` and its pairs; empty if it has no header of its own."""
    found: list[Statement] = []
    inside = False
    for statement in lay_out(text).statements:
        if statement.kind != "pair":
            inside = statement.path == path
        if inside:
            found.append(statement)
    return found


def set_value(text: str, table: KeyPath, key: str, literal: str) -> str:
    """`text` with `key = literal` in the table with a header at `table`: in place, or after its last pair."""
    statements = table_statements(text, table)
    for statement in statements:
        if statement.path == (*table, key):
            return text[: statement.value] + literal + text[statement.end :]
    last = statements[-1]
    start, end = _line_start(text, last.start), _line_end(text, last.end)
    aligned = text[last.start : last.value].find("=") if last.kind == "pair" else 0
    indent = text[start : last.start]
    line = f"{indent}{key:<{max(aligned, len(key) + 1)}}= {literal}{newline_of(text)}"
    return _ended(text[:end], newline_of(text)) + line + text[end:]


def remove_value(text: str, path: KeyPath) -> str:
    """`text` without the pair at `path`, which must be there, and its line."""
    return _without(text, next(one for one in lay_out(text).statements if one.path == path))


def remove_table(text: str, path: KeyPath) -> str:
    """`text` without the header at `path` and its pairs; whole-line comments between them stay."""
    statements = table_statements(text, path)
    for statement in reversed(statements):
        text = _without(text, statement)
    at = min(_line_start(text, statements[0].start), len(text))
    before, after = text[:at], text[at:]
    blank_before = _BLANK_LAST.search(before)
    blank_after = _BLANK_FIRST.match(after)
    if blank_before and (blank_after or not after):
        return before[: blank_before.start()] + after
    return before + after


def append_table(text: str, section: str, after: Statement | None) -> str:
    """`text` with the lines of `section` behind a statement and the comments that are its own, or at the end."""
    newline = newline_of(text)
    at = len(text)
    if after:
        at = _line_end(text, after.end)
        if own := _OWN_COMMENTS.match(text, at):
            at = own.end()
    before, behind = _ended(text[:at], newline), text[at:]
    if before.strip() and not _BLANK_LAST.search(before):
        before += newline
    if behind and not _BLANK_FIRST.match(behind):
        behind = newline + behind
    return before + section.replace("\n", newline) + behind


def remove_lines_but_comments(text: str, statement: Statement) -> str:
    """`text` without a pair of several lines; the whole-line comments inside it stay."""
    start, end = _line_start(text, statement.start), _line_end(text, statement.end)
    inside = text[start:end].splitlines(keepends=True)
    return text[:start] + "".join(line for line in inside if line.lstrip().startswith("#")) + text[end:]


def _without(text: str, statement: Statement) -> str:
    return text[: _line_start(text, statement.start)] + text[_line_end(text, statement.end) :]


def _line_start(text: str, offset: int) -> int:
    return text.rfind("\n", 0, offset) + 1


def _line_end(text: str, offset: int) -> int:
    """Just behind the line break after `offset`, or the end of the text."""
    found = text.find("\n", offset)
    return len(text) if found < 0 else found + 1


def _ended(text: str, newline: str) -> str:
    return text if not text or text.endswith("\n") else text + newline
