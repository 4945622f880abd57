"""What a person is told about a file that is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from backends.model.tomlfile import SIZE_LIMIT, InvalidFile, Problem, Strict, TomlFile, parse


class Wheel(Strict):
    name: str
    size: int = 1
    source: str | None = Field(default=None, alias="from")


class Car(TomlFile):
    unique: ClassVar[Mapping[str, tuple[str, ...]]] = {"wheel": ("name",)}

    colour: str = "red"
    wheels: tuple[Wheel, ...] = Field(default=(), alias="wheel", strict=False)
    extras: dict[str, Wheel] = Field(default_factory=dict)
    spare: Wheel | None = None


def problems(text: str) -> tuple[Problem, ...]:
    with pytest.raises(InvalidFile) as caught:
        parse(Car, text, "car.toml")
    assert caught.value.code == "invalid_file"
    return caught.value.problems


def test_a_good_file_becomes_its_model() -> None:
    car = parse(Car, 'schema = 1\n[[wheel]]\nname = "a"\nfrom = "x"\n', "car.toml")
    assert car == Car(wheels=(Wheel(name="a", source="x"),))


def test_an_unknown_key_is_never_ignored_and_gets_the_nearest_name() -> None:
    (problem,) = problems('schema = 1\n[[wheel]]\nname = "a"\n[[wheel]]\nname = "b"\n  sze = 3\n')
    assert str(problem) == "car.toml:6:3 wheel[1].sze: unknown key; did you mean `size`?"


def test_an_unknown_key_that_is_near_nothing_gets_all_names() -> None:
    (problem,) = problems("schema = 1\nqqq = 1\n")
    assert str(problem) == "car.toml:2:1 qqq: unknown key, expected one of `colour`, `wheel`, `extras`, `spare`"


@pytest.mark.parametrize("where", ["[spare]", "[extras.left]", "[[wheel]]"])
def test_names_are_suggested_inside_every_kind_of_table(where: str) -> None:
    (problem,) = problems(f'schema = 1\n{where}\nname = "a"\nfrm = "x"\n')
    assert (problem.line, problem.suggestion) == (4, "from")


def test_the_python_name_of_an_aliased_key_is_no_key() -> None:
    (problem,) = problems('schema = 1\n[spare]\nname = "a"\nsource = "x"\n')
    assert problem.found == "unknown key"


def test_all_problems_come_at_once_in_the_order_of_the_file() -> None:
    found = problems(
        'colour = 3\n[[wheel]]\nname = "a"\nsize = "big"\n[[wheel]]\nname = "a"\n[spare]\nnme = "s"\n'
    )
    assert [(one.line, one.column, one.key) for one in found] == [
        (1, 1, "schema"),
        (1, 1, "colour"),
        (4, 1, "wheel[0].size"),
        (6, 1, "wheel[1].name"),
        (7, 2, "spare.name"),
        (8, 1, "spare.nme"),
    ]
    assert str(found[1]) == "car.toml:1:1 colour: found 3, expected a string in quotes"
    assert str(found[2]) == 'car.toml:4:1 wheel[0].size: found "big", expected a whole number'
    assert "line 3" in str(found[3])


def test_a_repeated_name_names_both_lines() -> None:
    (problem,) = problems('schema = 1\n[[wheel]]\nname = "a"\n[[wheel]]\nname = "a"\n')
    assert problem.line == 5
    assert "it is on line 3 already" in problem.expected


def test_a_missing_schema_is_an_error() -> None:
    (problem,) = problems('colour = "red"\n')
    assert (problem.key, problem.found) == ("schema", "nothing")


def test_a_newer_schema_says_that_the_program_is_older_and_nothing_else() -> None:
    (problem,) = problems("schema = 2\nwings = 2\n")
    assert "newer than this program" in str(problem)


@pytest.mark.parametrize("value", ["0", "-1", "true", '"1"', "1.0", "[1]"])
def test_any_other_schema_is_an_error(value: str) -> None:
    (problem,) = problems(f"schema = {value}\n")
    assert problem.key == "schema"


def test_a_syntax_error_has_the_line_and_column_of_the_parser() -> None:
    (problem,) = problems("schema = 1\ncolour = = 3\n")
    assert (problem.line, problem.column) == (2, 10)


def test_a_file_that_ends_too_early_is_reported_at_its_end() -> None:
    (problem,) = problems('schema = 1\ncolour = """abc\n')
    assert problem.line == 3


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 20000,
        "a = " + "1" * 5000,
        ".".join(["a"] * 5000) + " = 1",
        "#" * (SIZE_LIMIT + 1),
        "\x00",
        "\ufeff",
    ],
)
def test_hostile_texts_are_refused_like_any_other_bad_file(text: str) -> None:
    assert len(problems(text)) == 1


def test_what_a_file_says_reaches_nobody_with_its_escapes() -> None:
    found = problems(
        'schema = 1\ncolour = "red"\n"\\u001b[31mx" = "\\u001b]0;y\\u0007"\nspare = "\\u202e\\u001b[2J"\n'
    )
    assert len(found) == 2
    with pytest.raises(InvalidFile) as caught:
        parse(Car, "schema = 2", "a\x1b[31m.toml")
    for text in [*map(str, found), caught.value.message]:
        assert text.replace("\n", " ").isprintable() or "\ufffd" in text
        assert "\x1b" not in text
        assert "\u202e" not in text


def test_a_long_list_of_problems_is_cut_in_message_and_data_but_kept_whole() -> None:
    with pytest.raises(InvalidFile) as caught:
        parse(Car, "schema = 1\n" + "".join(f"k{n} = 1\n" for n in range(150)), "car.toml")
    assert "car.toml has 150 problems" in caught.value.message
    assert "130 more" in caught.value.message
    assert (caught.value.data["count"], len(caught.value.data["problems"])) == (150, 100)
    assert len(caught.value.problems) == 150


@given(st.text("schema=1\n[]{}.\"'#,ab wheln:-", max_size=60))
def test_any_text_is_a_model_or_an_invalid_file(text: str) -> None:
    with suppress(InvalidFile):
        assert isinstance(parse(Car, text, "car.toml"), Car)
