"""`secrets.toml`: what one user's services are told and nobody else; no message about it ever shows a value."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from backends.model.field_types import ServiceName
from backends.model.names import BadValue
from backends.model.problems import UNKNOWN_KEY, InvalidFile, Problem
from backends.model.tomlfile import TomlFile, parse

FILE_NAME = "secrets.toml"

TEMPLATE = """\
# Your secrets. Only you and the services of your slot read them; hero_dev never prints one.
# A service asks for one by {secret:NAME} in the [run.env] of its hero_service.toml.
schema = 1

[secrets]                  # for every service that asks
# OPENAI_API_KEY = "..."

# [service.hero_slides]    # for this service alone; goes before [secrets]
# OPENAI_API_KEY = "..."
"""
"""What a new file begins with."""

LONGEST_VALUE = 32 * 1024
"""Characters; the environment of a process takes no variable of more than 128 KiB."""

_HIDDEN = "(not shown)"
_NAME = r"[A-Za-z_][A-Za-z0-9_]{0,127}"
_SHOWN_KEY = re.compile(rf"schema|secrets(?:\.{_NAME})?|service(?:\.[a-z][a-z0-9_-]{{0,62}}(?:\.{_NAME})?)?")
"""Keys that are certainly names: whoever pastes a secret where its name should stand must not see it again."""

_PLAIN_FOUND = frozenset({UNKNOWN_KEY, "nothing", "a table", "an array", "true", "false"})
_PLAIN_SYNTAX = re.compile(r"a syntax error \((?:[A-Za-z ,-]+|Expected '=' after a key in a key/value pair)\)")
_OPEN_STRING = re.compile(r"a syntax error \((?:Illegal character '\\(?:n|r)'|Unterminated string)\)")


def check_secret_name(name: str) -> str:
    """`name` if a secret may be called so; BadValue, which does not show it, otherwise."""
    if not re.fullmatch(_NAME, name):
        raise BadValue(_HIDDEN, "a name like OPENAI_API_KEY: letters, digits and `_`")
    return name


def _check_value(value: str) -> str:
    if not value:
        raise BadValue(None, "a value in quotes; take the line out where there is none yet")
    if "\0" in value or len(value) > LONGEST_VALUE:
        raise BadValue(_HIDDEN, f"text of at most {LONGEST_VALUE} characters without a zero byte")
    return value


SecretName = Annotated[str, AfterValidator(check_secret_name)]
SecretValue = Annotated[str, AfterValidator(_check_value)]
Table = dict[SecretName, SecretValue]


class SecretsFile(TomlFile):
    """The whole file: `secrets` are for every service, `service` has those of one service alone."""

    secrets: Table = Field(default_factory=dict, repr=False)
    service: dict[ServiceName, Table] = Field(default_factory=dict, repr=False)

    def of(self, service: str) -> dict[str, str]:
        """What `service` may ask for, by name: everybody's, and before them its own."""
        return {**self.secrets, **self.service.get(service, {})}

    def titles(self) -> dict[str, str]:
        """Each value by what people call its place: `NAME`, or `NAME of SERVICE`."""
        own = {f"{name} of {one}": value for one, table in self.service.items() for name, value in table.items()}
        return {**self.secrets, **own}


def parse_secrets(text: str, file: str = FILE_NAME) -> SecretsFile:
    """The secrets in `text`. Raises InvalidFile, which tells line, column and key, and never a value."""
    try:
        return parse(SecretsFile, text, file)
    except InvalidFile as error:
        problems = [_without_value(problem) for problem in error.problems]
    # Raised out here, so that the error that knows the values is not kept as its context.
    raise InvalidFile(problems)


def changed_apart(base: SecretsFile, ours: SecretsFile, theirs: SecretsFile) -> list[str]:
    """Which secrets two people changed, each in another way, since `base`; sorted, never a value."""
    then, here, there = base.titles(), ours.titles(), theirs.titles()
    return sorted(
        title
        for title in here.keys() | there.keys() | then.keys()
        if here.get(title) != there.get(title) and then.get(title) not in (here.get(title), there.get(title))
    )


def _without_value(problem: Problem) -> Problem:
    return Problem(
        problem.file,
        problem.line,
        problem.column,
        problem.key if _SHOWN_KEY.fullmatch(problem.key) else "",
        _shown_found(problem.found),
        problem.expected,
        problem.suggestion,
    )


def _shown_found(found: str) -> str:
    if found == "a syntax error (Invalid value)":
        return "a value without quotes"
    if _OPEN_STRING.fullmatch(found):
        return "a value whose quotes are not closed"
    if found in _PLAIN_FOUND or _PLAIN_SYNTAX.fullmatch(found):
        return found
    if found.startswith("a syntax error"):
        return "a syntax error"
    if re.fullmatch(r"\d+ characters|a line of \d+ dots", found):
        return found
    return "something that is not shown"
