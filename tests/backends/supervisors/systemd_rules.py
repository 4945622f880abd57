"""How systemd reads a unit file, written down from its manual and source, to check what we write against it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

WHITESPACE = " \t\n\r"
_SIMPLE = dict(zip("abfnrtv\\\"'s", "\a\b\f\n\r\t\v\\\"' ", strict=True))


class Refused(Exception):
    """systemd would ignore or refuse this."""


@dataclass
class Unit:
    """What a unit file says: (section, key) → values in their order."""

    values: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def one(self, section: str, key: str) -> str:
        """The only value of a key."""
        (value,) = self.values[section, key]
        return value

    def command(self) -> tuple[str, list[str]]:
        """Program and argv of ExecStart."""
        first, *argv = words(self.one("Service", "ExecStart"))
        flags = ""
        while first[:1] and first[0] in "-@:+!" and first[0] not in flags:
            flags, first = flags + first[0], first[1:]
        if set(flags) != {":", "@"}:
            raise Refused(f"flags {flags!r}")
        program = expanded(first)
        if not program.startswith("/") or program.endswith("/") or re.search("[\x00-\x1f\x7f'\"\\\\]", program):
            raise Refused(f"program {program!r}")
        return program, [expanded(word) for word in argv]

    def environment(self) -> dict[str, str]:
        """The variables that Environment= sets."""
        found = {}
        for line in self.values.get(("Service", "Environment"), []):
            for word in words(line):
                name, equals, value = expanded(word).partition("=")
                if not equals or not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name):
                    raise Refused(f"assignment {word!r}")
                found[name] = value
        return found


def read(text: str) -> Unit:
    """The unit in `text`."""
    unit, section = Unit(), ""
    for line in logical_lines(text):
        if not valid(line):
            raise Refused(f"no UTF-8: {line!r}")
        if line.startswith("["):
            section = line.removeprefix("[").removesuffix("]")
            continue
        key, equals, value = line.partition("=")
        if not equals:
            raise Refused(f"no assignment: {line!r}")
        unit.values.setdefault((section, key.strip(WHITESPACE)), []).append(value.strip(WHITESPACE))
    return unit


def logical_lines(text: str) -> list[str]:
    """Lines without comments and blanks, continuations joined."""
    found, carried = [], ""
    for raw in re.split("[\n\r\0]", text):
        line = raw.lstrip(WHITESPACE)
        if line[:1] in ("#", ";"):
            continue
        line = carried + line
        backslashes = len(line) - len(line.rstrip("\\"))
        if backslashes % 2:
            carried = line[:-1] + " "
            continue
        carried = ""
        if line.strip(WHITESPACE):
            found.append(line.strip(WHITESPACE))
    return found


def valid(text: str) -> bool:
    """systemd's utf8_is_valid, which takes no surrogates and no noncharacters."""
    return not any(
        0xD800 <= code <= 0xDFFF or 0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE for code in map(ord, text)
    )


def words(text: str) -> list[str]:
    """extract_first_word() with EXTRACT_UNQUOTE and EXTRACT_CUNESCAPE, until nothing is left."""
    found: list[str] = []
    at = 0
    while True:
        while at < len(text) and text[at] in WHITESPACE:
            at += 1
        if at == len(text):
            return found
        word, quote = "", ""
        while at < len(text) and (quote or text[at] not in WHITESPACE):
            char = text[at]
            if char == "\\":
                taken, at = _escape(text, at + 1)
                word += taken
                continue
            if quote and char == quote:
                quote = ""
            elif not quote and char in "'\"":
                quote = char
            else:
                word += char
            at += 1
        if quote:
            raise Refused(f"unbalanced quotes: {text!r}")
        found.append(word)


def _escape(text: str, at: int) -> tuple[str, int]:
    char = text[at]
    if char in _SIMPLE:
        return _SIMPLE[char], at + 1
    if char == "x" and re.fullmatch("[0-9a-fA-F]{2}", text[at + 1 : at + 3]):
        code = int(text[at + 1 : at + 3], 16)
        if code in (0, *range(0x80, 0x100)):
            raise Refused(f"byte {code}")
        return chr(code), at + 3
    raise Refused(f"escape {text[at - 1 : at + 3]!r}")


def variables(text: str) -> dict[str, str]:
    """What an EnvironmentFile says whose values are all in double quotes."""
    if not valid(text):
        raise Refused("no UTF-8")
    found, at = {}, 0
    while at < len(text):
        name, _, _ = text[at:].partition('="')
        at += len(name) + 2
        value = ""
        while text[at] != '"':
            if text[at] == "\\" and text[at + 1] in '"\\`$':
                at += 1
            elif text[at] == "\\":
                raise Refused("a backslash that stays")
            value += text[at]
            at += 1
        if text[at + 1] != "\n":
            raise Refused("something behind the quotes")
        found[name] = value
        at += 2
    return found


def expanded(word: str) -> str:
    """Specifiers, of which only `%%` means itself."""
    if re.search("%(?!%)", word.replace("%%", "")):
        raise Refused(f"specifier in {word!r}")
    return word.replace("%%", "%")
