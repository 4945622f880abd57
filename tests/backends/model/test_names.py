"""The rules for names, against git itself where git has the last word."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.model.errors import HeroError
from backends.model.names import (
    BadValue,
    check_branch,
    check_commit,
    check_hash,
    check_label,
    check_login,
    check_relative_path,
    check_repo,
    check_service,
    check_sha256,
)

branch_like = st.text(st.sampled_from("abZ019-_./@{}~^:?*[\\ \x07\x7fé\"'$lock"), min_size=1, max_size=12)


def is_accepted(name: str) -> bool:
    try:
        return check_branch(name) == name
    except BadValue:
        return False


def git_takes(name: str) -> bool:
    """Whether it is a good reference; the excepted ones git's commands refuse or expand."""
    if name in ("@", "HEAD") or name.startswith("-"):
        return False
    argv = ["git", "check-ref-format", f"refs/heads/{name}"]
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


@settings(max_examples=250, deadline=None)
@given(branch_like)
def test_a_printable_branch_name_is_accepted_exactly_if_git_takes_it(name: str) -> None:
    assert is_accepted(name) == git_takes(name)


@given(st.text(max_size=30))
def test_an_accepted_branch_name_is_printable_and_no_option(name: str) -> None:
    if is_accepted(name):
        assert name.isprintable()
        assert not name.startswith("-")
        assert ".." not in name


@pytest.mark.parametrize("name", ["development", "development_mik", "feature/a-b", "v1.2", "é", "a@b"])
def test_usual_branch_names_are_accepted(name: str) -> None:
    assert check_branch(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "-x",
        "a..b",
        "a/.b",
        "a.lock",
        "a.lock/b",
        "/a",
        "a/",
        "a//b",
        "a.",
        "@",
        "HEAD",
        "a@{1}",
        "a b",
        "a\x1b[2J",
        "a\nb",
        "a\u202eb",
        "a\u00a0b",
        "a~1",
        "a^",
        "a:b",
        "a?",
        "a*",
        "a[b",
        "a\\b",
        "\udc80",
        "x" * 201,
        "é" * 40,
    ],
)
def test_hostile_branch_names_are_refused_with_a_sentence(name: str) -> None:
    with pytest.raises(HeroError) as caught:
        check_branch(name)
    assert caught.value.code == "usage"
    assert caught.value.message.isprintable()
    assert "expected a branch name" in caught.value.message


@pytest.mark.parametrize("name", ["hero_router", "a", "a" * 63, "x-1"])
def test_service_names_are_accepted(name: str) -> None:
    assert check_service(name) == name


@pytest.mark.parametrize("name", ["", "A", "1a", "a/b", "a.b", "..", "a" * 64, "a\n", "hero_slot", "-a"])
def test_bad_or_reserved_service_names_are_refused(name: str) -> None:
    with pytest.raises(BadValue):
        check_service(name)


@pytest.mark.parametrize("name", ["lhumina_code/hero_router", "A.b/c-d"])
def test_repositories_are_accepted(name: str) -> None:
    assert check_repo(name) == name


@pytest.mark.parametrize("name", ["a", "a/b/c", "../b", "a/..", "/a", "a/", "-a/b", "a/b.git", "a/b c", "a/.b"])
def test_unsafe_repositories_are_refused(name: str) -> None:
    with pytest.raises(BadValue):
        check_repo(name)


@pytest.mark.parametrize("name", ["root", "Sara", "", "a.b", "hero", "systemd-x", "a" * 32, "../x", "a\n"])
def test_reserved_and_malformed_logins_are_refused(name: str) -> None:
    with pytest.raises(BadValue):
        check_login(name)


def test_integration_and_people_are_logins() -> None:
    assert [check_login(name) for name in ("integration", "sara", "_x1")] == ["integration", "sara", "_x1"]


def test_hashes_are_small_hex_of_the_right_length() -> None:
    assert check_commit("a" * 40) == "a" * 40
    assert check_hash("a1b2c3d") == "a1b2c3d"
    assert check_sha256("0" * 64) == "0" * 64
    for check, text in [
        (check_commit, "A" * 40),
        (check_commit, "a" * 39),
        (check_commit, "a" * 39 + "\n"),
        (check_hash, "a1b2c3"),
        (check_hash, "a" * 41),
        (check_sha256, "g" * 64),
    ]:
        with pytest.raises(BadValue):
            check(text)


@pytest.mark.parametrize("path", ["", "/a", "a/../b", "..", ".", "a//b", "a/", "a\nb", "a\\b", "./a"])
def test_paths_out_of_the_folder_are_refused(path: str) -> None:
    with pytest.raises(BadValue):
        check_relative_path(path)


@given(st.text())
def test_a_label_is_always_one_short_printable_line(text: str) -> None:
    try:
        label = check_label(text)
    except BadValue:
        return
    assert label.isprintable()
    assert 0 < len(label) <= 200


def test_the_error_for_a_huge_name_is_short() -> None:
    with pytest.raises(BadValue) as caught:
        check_service("x" * 100000)
    assert len(caught.value.message) < 400
