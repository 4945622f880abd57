"""`secrets.toml`: what it may say, and that no message about it says a value."""

from __future__ import annotations

import contextlib
import json
import string
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.model.names import BadValue
from backends.model.placeholders import fill, secrets_named
from backends.model.problems import InvalidFile
from backends.model.secrets import (
    TEMPLATE,
    SecretsFile,
    changed_apart,
    check_secret_name,
    parse_secrets,
)

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True)
SERVICES = st.from_regex(r"hero_[a-z]{1,8}", fullmatch=True)
VALUES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=200)
TABLES = st.dictionaries(NAMES, VALUES, max_size=5)
FILES = st.builds(SecretsFile, secrets=TABLES, service=st.dictionaries(SERVICES, TABLES, max_size=3))
TOKEN = st.text(string.ascii_letters + string.digits, min_size=24, max_size=40).map(lambda end: f"sk-{end}Z")


def quoted(value: str) -> str:
    """A TOML string; DEL is the one character that JSON writes plainly and TOML does not."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def written(file: SecretsFile) -> str:
    lines = ["schema = 1", "[secrets]", *(f"{name} = {quoted(value)}" for name, value in file.secrets.items())]
    for service, table in file.service.items():
        lines += [f"[service.{service}]", *(f"{name} = {quoted(value)}" for name, value in table.items())]
    return "\n".join(lines) + "\n"


def told(text: str) -> str:
    """Everything that the error for `text` could show anybody."""
    with pytest.raises(InvalidFile) as caught:
        parse_secrets(text)
    error = caught.value
    assert error.problems
    return "".join([str(error), json.dumps(error.data), *traceback.format_exception(error)])


@given(FILES)
def test_what_is_written_is_read(file: SecretsFile) -> None:
    assert parse_secrets(written(file)) == file


@given(FILES)
def test_no_form_of_the_file_shows_a_value(file: SecretsFile) -> None:
    assert repr(file) == "SecretsFile(schema_version=1)"
    assert str(file) == "schema_version=1"


@given(FILES, SERVICES)
def test_a_service_gets_everybodys_secrets_and_before_them_its_own(file: SecretsFile, service: str) -> None:
    own = file.service.get(service, {})
    for name, value in file.of(service).items():
        assert value == own.get(name, file.secrets.get(name))
    assert file.of(service).keys() == own.keys() | file.secrets.keys()


@given(
    TOKEN,
    st.sampled_from(
        (
            "A = {}",
            'A = "{}',
            'A "{}"',
            "{}",
            '{} = "x"',
            '"{}" = "x"',
            'A = ["{}"]',
            'A = {{ b = "{}" }}',
            'A = "{}" "{}"',
            'A = "x"\nA = "{}"',
            "[{}]",
            "[service.{}]",
            '[service.{}]\nA = "x"',
            '[service.hero_x]\n"{}" = "x"',
            'A = """{}',
            'A = "\\q{}"',
            'A = "{}\x01"',
            "A = '{}",
            '{} "x"',
            'A.{} = "x"',
            'A = "{}" # x\n[secrets]',
        )
    ),
)
def test_a_mistake_around_a_secret_never_shows_it(token: str, line: str) -> None:
    assert token not in told("schema = 1\n[secrets]\n" + line.format(token, token) + "\n")


@given(TOKEN)
def test_a_secret_in_the_schemas_place_is_not_shown(token: str) -> None:
    assert token not in told(f'schema = "{token}"\n')


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(InvalidFile):
        parse_secrets(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('schema = 1\n[secrets]\nA = "x\n', "secrets.toml:3:7: found a value whose quotes are not closed"),
        ("schema = 1\n[secrets]\nA = sk-1\n", "secrets.toml:3:5: found a value without quotes"),
        ('schema = 1\n[secret]\nA = "x"\n', "secrets.toml:2:2: unknown key; did you mean `secrets`?"),
        ("schema = 1\n[secrets]\nA = 7\n", "secrets.toml:3:1 secrets.A: found something that is not shown"),
        ('schema = 1\n[secrets]\nA = ""\n', "secrets.toml:3:1 secrets.A: found nothing, expected a value"),
        ('schema = 1\n[secrets]\nA-B = "x"\n', "expected a name like OPENAI_API_KEY"),
        ('[secrets]\nA = "x"\n', "expected `schema = 1` at the top"),
    ],
)
def test_a_mistake_is_told_with_line_and_column(text: str, said: str) -> None:
    assert said in told(text)


def test_the_template_is_a_file_without_secrets() -> None:
    assert parse_secrets(TEMPLATE) == SecretsFile()


@given(st.one_of(NAMES, st.text(max_size=30)))
def test_a_secrets_name_is_what_a_placeholder_takes(name: str) -> None:
    try:
        check_secret_name(name)
    except BadValue:
        with pytest.raises(BadValue):
            secrets_named({"A": f"{{secret:{name}}}"})
    else:
        assert secrets_named({"A": f"{{secret:{name}}}"}) == {name}
        assert fill(f"x{{secret:{name}}}", sockets={}, home="", var="", secrets={name: "{home}"}) == "x{home}"


@given(FILES, FILES)
def test_only_what_both_changed_differently_is_apart(base: SecretsFile, other: SecretsFile) -> None:
    assert changed_apart(base, base, other) == []
    assert changed_apart(base, other, base) == []
    assert changed_apart(base, other, other) == []


def test_what_both_changed_is_named_with_its_service() -> None:
    def file(value: str) -> SecretsFile:
        return SecretsFile(secrets={"A": value, "B": "b"}, service={"hero_x": {"A": value}})

    assert changed_apart(file("1"), file("2"), file("3")) == ["A", "A of hero_x"]
    assert changed_apart(file("1"), file("2"), SecretsFile()) == ["A", "A of hero_x"]
