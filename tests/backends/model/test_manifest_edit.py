"""Machine edits keep every word of the user and say exactly what they were asked to."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.model.manifest import Binding, InstalledState, Manifest
from backends.model.manifest_edit import remove_binding, remove_state, set_binding, set_preference, set_state
from backends.model.names import BadValue
from backends.model.tomlfile import InvalidFile, parse

COMMIT = "a1b2c3d4e5f6a7b8a1b2c3d4e5f6a7b8a1b2c3d4"
SHA = "0123456789abcdef" * 4
NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
SERVICES = ["a", "hero_b", "c-d", "e"]

MIXED = f"""\
# my manifest
schema = 1   # of the file

[claude]
preference = "personal"

# router: pinned, see 12
[[bind]]
  service = "a"   # first
  branch  = "development"
  # hash = "a1b2c3d4"
  from    = "release"

# what is installed
[state.a]
hash = "{COMMIT}"
source = "release"   # from the forge
sha256 = "{SHA}"
installed_at = 2026-11-20T10:00:00Z

# second, after a state
[[bind]]
service = 'hero_b'
branch = \"\"\"development\"\"\"
from = "build"
enabled = false  # too slow

# [[bind]]
# service = "x"
"""


def manifest(text: str) -> Manifest:
    return parse(Manifest, text, "m.toml")


def state(**values: object) -> InstalledState:
    known = {"hash": COMMIT, "source": "release", "sha256": SHA, "installed_at": NOW}
    return InstalledState.model_validate({**known, **values})


def comments(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip().startswith("#")]


def is_subsequence(few: Iterable[str], many: Iterable[str]) -> bool:
    rest = iter(many)
    return all(line in rest for line in few)


def test_changing_a_binding_changes_only_the_values_that_differ() -> None:
    new = set_binding(MIXED, Binding(service="a", branch="development_mik", source="release"))
    assert new == MIXED.replace('branch  = "development"', 'branch  = "development_mik"')


def test_changing_nothing_changes_no_character() -> None:
    text = MIXED.replace("\n", "\r\n")
    for binding in manifest(text).bind:
        assert set_binding(text, binding) == text
    assert set_state(text, "a", manifest(text).state["a"]) == text


def test_a_key_that_is_new_is_aligned_with_its_neighbours() -> None:
    new = set_binding(MIXED, Binding(service="a", branch="development", source="hash", hash="a1b2c3d4"))
    assert '  from    = "hash"\n  hash    = "a1b2c3d4"\n' in new
    back = set_binding(new, Binding(service="a", branch="development", source="release"))
    assert back == MIXED


def test_a_value_that_stands_in_the_file_is_kept_even_as_the_default() -> None:
    new = set_binding(MIXED, Binding(service="hero_b", branch="development", source="build"))
    assert new == MIXED.replace("enabled = false  # too slow", "enabled = true  # too slow")


def test_a_new_binding_goes_behind_the_last_one_and_leaves_on_request() -> None:
    new = set_binding(MIXED, Binding(service="e", branch="x", source="build", publish=True))
    section = '\n[[bind]]\nservice = "e"\nbranch = "x"\nfrom = "build"\npublish = true\n'
    assert new == MIXED.replace("# too slow\n", "# too slow\n" + section)
    assert remove_binding(new, "e") == MIXED


def test_a_first_binding_goes_before_the_states() -> None:
    text = set_state("schema = 1\n", "a", state())
    new = set_binding(text, Binding(service="a", branch="b", source="release"))
    assert new.index("[[bind]]") < new.index("[state.a]")
    assert remove_binding(new, "a") == text


def test_a_comment_right_below_the_last_binding_stays_with_it() -> None:
    text = 'schema = 1\n[[bind]]\nservice = "a"\nbranch = "b"\nfrom = "build"\n# enabled = false\n\n# states\n'
    new = set_binding(text, Binding(service="e", branch="b", source="build"))
    assert new.index("# enabled") < new.index('"e"') < new.index("# states")


def test_removing_a_binding_keeps_the_comments_and_the_neighbours() -> None:
    new = remove_binding(MIXED, "a")
    assert comments(new) == comments(MIXED)
    assert new == MIXED.replace('[[bind]]\n  service = "a"   # first\n  branch  = "development"\n', "", 1).replace(
        '  from    = "release"\n', ""
    )
    assert remove_binding(new, "a") == new


def test_state_is_written_changed_and_removed() -> None:
    new = set_state(MIXED, "hero_b", state(tag="x-a1b2c3d4", previous=COMMIT, previous_branch='od"d'))
    assert manifest(new).state["hero_b"].previous_branch == 'od"d'
    changed = set_state(new, "hero_b", state(source="build"))
    assert "tag" not in tomllib.loads(changed)["state"]["hero_b"]
    assert remove_state(changed, "hero_b") == MIXED
    assert remove_state(MIXED, "hero_b") == MIXED
    assert "# from the forge" in set_state(MIXED, "a", state(source="build"))


def test_the_lines_of_an_edit_end_as_the_files_do() -> None:
    text = MIXED.replace("\n", "\r\n")
    new = set_state(set_binding(text, Binding(service="e", branch="x", source="build")), "e", state())
    assert new.count("\n") == new.count("\r\n") > text.count("\n")


def test_a_file_without_a_last_line_break_is_continued_on_a_new_line() -> None:
    assert set_state("schema = 1", "a", state()).startswith("schema = 1\n\n[state.a]\n")
    text = MIXED.rstrip("\n")
    assert remove_state(set_state(text, "e", state()), "e").rstrip("\n") == text
    last = text[: text.index("# [[bind]]")].rstrip() + "#"
    assert "hash" in set_binding(last, Binding(service="hero_b", branch="b", source="hash", hash="a1b2c3d"))


ODD = [
    "bind = []\n",
    'bind = [ # mine\n  # one\n  {service = "a", branch = "b", from = "build"}, # x\n]\n',
    f'state.a = {{hash="{COMMIT}", source="build", sha256="{SHA}", installed_at=2026-11-20T10:00:00Z}}\n',
    f'[state]\na.hash="{COMMIT}"\na.source="build"\na.sha256="{SHA}"\na.installed_at=2026-11-20T10:00:00Z\n#\n',
    "state = {}\n[claude]\n",
    '[ "state" ]\n',
]


@pytest.mark.parametrize("odd", ODD)
def test_bindings_and_states_in_other_spellings_are_edited_too(odd: str) -> None:
    text = "# top\nschema = 1\n" + odd
    old = manifest(text)
    binding = Binding(service="e", branch="x", source="build")
    assert manifest(set_binding(text, binding)).bind == [*old.bind, binding]
    assert manifest(set_state(text, "e", state())).state == {**old.state, "e": state()}
    assert manifest(set_state(text, "a", state())).state["a"] == state()
    assert manifest(remove_state(remove_binding(text, "a"), "a")) == Manifest()
    assert comments(set_binding(text, binding)) == comments(text)


def test_a_file_that_is_not_valid_is_not_edited() -> None:
    with pytest.raises(InvalidFile, match=r"m\.toml:2:1"):
        set_binding("schema = 1\nx = 1\n", Binding(service="a", branch="b", source="build"), "m.toml")
    with pytest.raises(BadValue):
        set_state("schema = 1\n", "../x", state())


bindings = st.builds(
    lambda service, branch, source, repo, flags: Binding(
        service=service,
        repo=repo,
        branch=branch,
        source=source,
        hash="a1b2c3d4" if source == "hash" else None,
        auto_rebuild=flags[0],
        publish=flags[1],
        enabled=flags[2],
    ),
    st.sampled_from(SERVICES),
    st.sampled_from(["development", "feature/x", "q\"uo'te", "é#b", "a]b={}"]),
    st.sampled_from(["release", "build", "hash"]),
    st.sampled_from([None, "org/a", "o.x/b"]),
    st.tuples(st.booleans(), st.booleans(), st.booleans()),
)
states = st.builds(
    lambda tag, previous, source, micro: state(
        tag=tag, previous=previous, previous_source=source, installed_at=NOW.replace(microsecond=micro)
    ),
    st.sampled_from([None, "development-a1b2c3d4"]),
    st.sampled_from([None, "b" * 40]),
    st.sampled_from([None, "build"]),
    st.sampled_from([0, 5, 123456]),
)
edits = st.one_of(
    st.tuples(st.just("set_binding"), bindings),
    st.tuples(st.just("remove_binding"), st.sampled_from(SERVICES)),
    st.tuples(st.just("set_state"), st.tuples(st.sampled_from(SERVICES), states)),
    st.tuples(st.just("remove_state"), st.sampled_from(SERVICES)),
)
fillers = st.lists(st.sampled_from(["", "# note", "  # [[bind]]", '# service = "a"', "#"]), max_size=4)


@st.composite
def manifests(draw: st.DrawFn) -> str:
    """Valid manifests as people leave them: tables in any order, comments and blank lines anywhere."""
    tables: list[list[str]] = []
    for service in draw(st.lists(st.sampled_from(SERVICES), unique=True)):
        tables.append(["[[bind]]", f'service = "{service}" # s', "branch='b'", 'from = "build"'])
    for service in draw(st.lists(st.sampled_from(SERVICES), unique=True)):
        lines = [
            f"hash = '{COMMIT}'",
            'source="build"',
            f'sha256 = "{SHA}"',
            "installed_at = 2026-11-20 10:00:00Z",
        ]
        tables.append([f"[state.{service}] # by the slot", *lines])
    tables.append(["[claude]", 'preference = "org"'])
    lines = [*draw(fillers), "schema = 1 # s"]
    for table in draw(st.permutations(tables)):
        for line in table:
            lines += [*draw(fillers), line]
    text = "\n".join([*lines, *draw(fillers)]) + draw(st.sampled_from(["", "\n"]))
    return text.replace("\n", "\r\n") if draw(st.booleans()) else text


def apply(text: str, edit: tuple[str, object]) -> str:
    match edit:
        case "set_binding", Binding() as binding:
            return set_binding(text, binding)
        case "remove_binding", str(service):
            return remove_binding(text, service)
        case "set_state", (str(service), InstalledState() as value):
            return set_state(text, service, value)
        case "remove_state", str(service):
            return remove_state(text, service)
    raise AssertionError(edit)


def expect(bound: dict[str, Binding], installed: dict[str, InstalledState], edit: tuple[str, object]) -> None:
    match edit:
        case "set_binding", Binding() as binding:
            bound[binding.service] = binding
        case "remove_binding", str(service):
            bound.pop(service, None)
        case "set_state", (str(service), InstalledState() as value):
            installed[service] = value
        case "remove_state", str(service):
            installed.pop(service, None)


@settings(max_examples=150, deadline=None)
@given(manifests(), st.lists(edits, max_size=8))
def test_any_edits_keep_every_comment_in_order_and_say_what_is_expected(
    text: str, sequence: list[tuple[str, object]]
) -> None:
    old = manifest(text)
    bound = {binding.service: binding for binding in old.bind}
    installed = dict(old.state)
    new = text
    for edit in sequence:
        new = apply(new, edit)
        expect(bound, installed, edit)
    result = manifest(new)
    assert result.bind == list(bound.values())
    assert result.state == installed
    assert result.claude == old.claude
    assert is_subsequence(comments(text), comments(new))
    assert len(comments(new)) == len(comments(text))
    untouched = [line for line in text.splitlines() if line.startswith(("schema", "[claude]", "preference"))]
    assert is_subsequence(untouched, new.splitlines())


@settings(max_examples=100, deadline=None)
@given(manifests(), edits)
def test_one_edit_leaves_the_lines_of_all_other_tables_as_they_are(text: str, edit: tuple[str, object]) -> None:
    what = edit[1]
    match what:
        case Binding(service=service) | str(service) | (str(service), _):
            pass
    kind = "[[bind]]" if "binding" in edit[0] else f"[state.{service}]"
    others, inside = [], False
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if line.startswith("["):
            service_lines = [one for one in lines[number:] if one.startswith("service = ")]
            mine = kind != "[[bind]]" or f'"{service}"' in (service_lines or [""])[0]
            inside = line.startswith(kind) and mine
        if not inside and line.strip():
            others.append(line)
    assert is_subsequence(others, apply(text, edit).splitlines())


@pytest.mark.parametrize(
    ("text", "edited"),
    [
        ("schema = 1\n", 'schema = 1\n\n[claude]\npreference = "org"\n'),
        (
            "# mine\nschema = 1\n\n# about x\n[[bind]]\nservice = 'hero_x'\nbranch = 'b'\nfrom = 'build'\n",
            '# mine\nschema = 1\n\n[claude]\npreference = "org"\n\n'
            "# about x\n[[bind]]\nservice = 'hero_x'\nbranch = 'b'\nfrom = 'build'\n",
        ),
        ("schema = 1\n[claude] # c\n", 'schema = 1\n[claude] # c\npreference = "org"\n'),
        (
            "schema = 1\n[claude]\npreference = 'auto' # why\n",
            'schema = 1\n[claude]\npreference = "org" # why\n',
        ),
        ("schema = 1\nclaude.preference = 'personal'\n", 'schema = 1\nclaude.preference = "org"\n'),
        ("schema = 1\nclaude = { preference = 'auto' }\n", 'schema = 1\n\n[claude]\npreference = "org"\n'),
    ],
)
def test_a_preference_is_set_wherever_it_stands_and_nothing_else_changes(text: str, edited: str) -> None:
    assert set_preference(text, "org") == edited
    assert set_preference(edited, "org") == edited
