"""The layout of a TOML text, against the standard parser on generated documents."""

from __future__ import annotations

import json
import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from backends.model.toml_layout import KeyPath, Place, lay_out

KEYS = st.one_of(
    st.text("abc_-1", min_size=1, max_size=3),
    st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=4),
)
BLANKS = st.sampled_from(["", " ", "\t", "  "])
GAPS = st.sampled_from(["", "\n", "# c = [1\n", '\n  # [[x]] = "\n\n', "\t\n"])
INNER_GAPS = st.sampled_from(["", " ", "\n", " # ] } ,\n", "\n\n\t"])
SCALARS = st.sampled_from(
    [
        "1",
        "-2.5e3",
        "true",
        "inf",
        "1979-05-27 07:32:00Z",
        "1979-05-27",
        "07:32:00",
        '""',
        "''",
        '"a\\"] # x"',
        "'\"# = '",
        '"""\na\n[x]\n# c\n"""',
        '""""a"""""',
        "'''\nb = 1\n'''''",
        '"""\\"""" """',
        '"é=…"',
    ]
)


@st.composite
def key_texts(draw: st.DrawFn, name: str) -> str:
    bare = bool(name) and all(c.isascii() and (c.isalnum() or c in "_-") for c in name)
    if bare and draw(st.booleans()):
        return name
    if "'" not in name and draw(st.booleans()):
        return f"'{name}'"
    return json.dumps(name, ensure_ascii=False).replace("\x7f", "\\u007f")


@st.composite
def values(draw: st.DrawFn, depth: int = 2) -> str:
    kinds = ["scalar", "array", "table"] if depth else ["scalar"]
    kind = draw(st.sampled_from(kinds))
    if kind == "scalar":
        return draw(SCALARS)
    size = draw(st.integers(0, 3))
    if kind == "array":
        items = [draw(INNER_GAPS) + draw(values(depth - 1)) + draw(INNER_GAPS) for _ in range(size)]
        trailing = draw(st.booleans())
        comma = "," if items and trailing else ""
        return "[" + ",".join(items) + comma + draw(INNER_GAPS) + "]"
    names = draw(st.lists(KEYS, min_size=size, max_size=size, unique=True))
    pairs = [f" {draw(key_texts(name))} ={draw(BLANKS)}{draw(values(depth - 1))} " for name in names]
    return "{" + ",".join(pairs) + "}"


@st.composite
def pairs(draw: st.DrawFn) -> str:
    names = draw(st.lists(KEYS, max_size=3, unique=True))
    lines = []
    for name in names:
        dotted = draw(st.lists(KEYS, max_size=2))
        key = (
            draw(BLANKS)
            .join(part for name in [name, *dotted] for part in (".", draw(key_texts(name))))
            .removeprefix(".")
        )
        lines.append(f"{draw(BLANKS)}{key.strip()}{draw(BLANKS)}={draw(BLANKS)}{draw(values())}{draw(BLANKS)}")
    return "".join(f"{line}{draw(st.sampled_from(['', ' # x', '#']))}\n{draw(GAPS)}" for line in lines)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Texts that are often valid: tables called t0, t1, …, arrays of tables a0, a1 repeated, nested ones."""
    text = draw(GAPS) + "root = 1\n" + draw(pairs()).replace("root", "r")
    for number in range(draw(st.integers(0, 4))):
        header = draw(
            st.sampled_from([f"[t{number}]", f"[ t0 . 'x' . n{number} ]", "[[a0]]", f"[a0.s{number}]", "[[a0.b]]"])
        )
        text += f"{draw(GAPS)}{draw(BLANKS)}{header}{draw(BLANKS)}\n{draw(pairs())}"
    text = text.removesuffix("\n") if draw(st.booleans()) else text
    return text.replace("\n", "\r\n") if draw(st.booleans()) else text


def paths_of(value: Any, path: KeyPath = ()) -> set[KeyPath]:
    found = {path} if path else set()
    if isinstance(value, dict):
        for key, inner in value.items():
            found |= paths_of(inner, (*path, key))
    if isinstance(value, list):
        for index, inner in enumerate(value):
            found |= paths_of(inner, (*path, index))
    return found


def at(data: Any, path: KeyPath) -> Any:
    for step in path:
        data = data[step]
    return data


@given(documents())
def test_every_key_that_the_parser_sees_has_a_place_and_no_other_has(text: str) -> None:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert set(lay_out(text).places) == paths_of(data)


@given(documents())
def test_a_key_is_written_at_the_place_that_it_is_said_to_have(text: str) -> None:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    lines = text.split("\n")
    for path, place in lay_out(text).places.items():
        if isinstance(path[-1], int):
            continue
        rest = lines[place.line - 1][place.column - 1 :]
        name = path[-1]
        if rest.startswith(('"', "'")):
            end = next(i for i in range(2, len(rest) + 1) if rest[i - 1] == rest[0] and _decodes(rest[:i], name))
            assert end > 1
        else:
            assert rest.startswith(name)


def _decodes(raw: str, name: str) -> bool:
    try:
        return list(tomllib.loads(f"{raw} = 1")) == [name]
    except tomllib.TOMLDecodeError:
        return False


@given(documents())
def test_the_value_of_each_pair_is_cut_out_whole(text: str) -> None:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    for statement in lay_out(text).statements:
        if statement.kind == "pair":
            cut = tomllib.loads(f"v = {text[statement.value : statement.end]}")["v"]
            assert repr(cut) == repr(at(data, statement.path))


def test_places_count_from_one_and_name_the_key_itself() -> None:
    text = 'schema = 1\n\n[[bind]]\n  service = "a"\n[[ bind ]]\nx.y = [\n  {z = 1},\n]\n[state."b c"]\n'
    places = lay_out(text).places
    assert places[("bind", 0)] == places[("bind",)] == Place(3, 3)
    assert places[("bind", 0, "service")] == Place(4, 3)
    assert places[("bind", 1)] == Place(5, 4)
    assert places[("bind", 1, "x", "y", 0, "z")] == Place(7, 4)
    assert places[("state", "b c")] == Place(9, 8)


def test_what_is_not_written_has_the_place_of_what_is_around_it() -> None:
    layout = lay_out("a = 1\n[b]\nc = 2\n")
    assert layout.place(("b", "missing", 3)) == Place(2, 2)
    assert layout.place(("missing",)) == Place(1, 1)
