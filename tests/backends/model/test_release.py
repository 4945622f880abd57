"""Tags, archive names, platforms and sums."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.model.errors import HeroError
from backends.model.names import BadValue
from backends.model.release import (
    archive_name,
    check_platform,
    parse_archive_name,
    parse_sha256sums,
    parse_tag,
    platform_runs_here,
    release_tag,
    sha256sums_text,
    split_tag,
    this_platform,
)

SHA = "0123456789abcdef" * 4

branches = st.from_regex(r"[a-z][a-z0-9_/-]{0,20}", fullmatch=True).filter(
    lambda name: "//" not in name and not name.endswith("/")
)
commits = st.text("0123456789abcdef", min_size=8, max_size=40)


@given(branches, commits)
def test_a_tag_is_read_back(branch: str, commit: str) -> None:
    tag = release_tag(branch, commit)
    assert parse_tag(tag, branch) == commit[:8]
    assert split_tag(tag) == (branch, commit[:8])


@given(branches, branches, commits)
def test_a_tag_is_a_release_of_one_branch_only(branch: str, other: str, commit: str) -> None:
    assert (parse_tag(release_tag(branch, commit), other) is None) == (branch != other)


@given(st.text(max_size=40))
def test_any_text_is_no_tag_or_one_that_is_written_the_same(text: str) -> None:
    parts = split_tag(text)
    assert parts is None or release_tag(*parts) == text


@pytest.mark.parametrize(
    "tag",
    [
        "development_mik-a1b2c3d4",
        "development-a1b2c3d",
        "development-a1b2c3d45",
        "development-A1B2C3D4",
        "development-a1b2c3d4\n",
        "xdevelopment-a1b2c3d4",
        "development--a1b2c3d4",
        "development-x-a1b2c3d4",
        "",
        "development-a1b2c3d4-a1b2c3d4",
        "v1.0",
    ],
)
def test_development_catches_no_other_branch(tag: str) -> None:
    assert parse_tag(tag, "development") is None


def test_a_tag_needs_a_good_branch_and_enough_of_a_commit() -> None:
    for branch, commit in [("a..b", "a1b2c3d4"), ("a", "a1b2c3d"), ("a", "zzzzzzzz")]:
        with pytest.raises(BadValue):
            release_tag(branch, commit)
    assert split_tag("../x..y-a1b2c3d4") is None


@pytest.mark.parametrize("platform", ["linux-musl-x86_64", "linux-gnu-x86_64", "linux-x86_64", "linux-any", "any"])
@pytest.mark.parametrize("binary", ["hero_router", "hero-tool", "a.b", "X"])
def test_archive_names_are_read_back(binary: str, platform: str) -> None:
    assert parse_archive_name(archive_name(binary, platform)) == (binary, platform)


@pytest.mark.parametrize(
    "name",
    ["x.tar.gz", "../x-any.tar.gz", "x-any.tar", "x-any.tar.gz\n", "-any.tar.gz", "x-windows-x86_64.tar.gz"],
)
def test_other_names_are_no_archives(name: str) -> None:
    assert parse_archive_name(name) is None


@pytest.mark.parametrize(("binary", "platform"), [("x-linux", "any"), ("a/b", "any"), ("", "any"), ("a", "x")])
def test_a_name_that_could_not_be_read_back_is_refused(binary: str, platform: str) -> None:
    with pytest.raises(BadValue):
        archive_name(binary, platform)


@given(st.text(max_size=30))
def test_any_text_is_no_archive_or_one_that_is_written_the_same(text: str) -> None:
    parts = parse_archive_name(f"{text}.tar.gz")
    assert parts is None or archive_name(*parts) == f"{text}.tar.gz"


@pytest.mark.parametrize(
    ("platform", "machine", "runs"),
    [
        ("linux-musl-x86_64", "x86_64", True),
        ("linux-gnu-x86_64", "x86_64", True),
        ("linux-x86_64", "AMD64", True),
        ("linux-any", "riscv64", True),
        ("any", "x86_64", True),
        ("linux-musl-arm64", "aarch64", True),
        ("linux-aarch64", "arm64", True),
        ("linux-aarch64", "x86_64", False),
        ("linux-musl-x86_64", "aarch64", False),
        ("darwin-x86_64", "x86_64", False),
        ("darwin-any", "x86_64", False),
        ("nonsense", "x86_64", False),
    ],
)
def test_which_platforms_run_on_which_machine(platform: str, machine: str, runs: bool) -> None:
    assert platform_runs_here(platform, machine) is runs


def test_archives_of_this_platform_run_here() -> None:
    assert this_platform("amd64") == "linux-x86_64"
    assert this_platform("arm64") == "linux-aarch64"
    assert platform_runs_here(check_platform(this_platform()))


@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9._-]{0,9}", fullmatch=True), st.just(SHA), min_size=1))
def test_sums_are_read_back_and_sorted(sums: dict[str, str]) -> None:
    text = sha256sums_text(sums)
    assert parse_sha256sums(text) == sums
    assert text == sha256sums_text(dict(reversed(sums.items())))


@given(st.integers(0, 150))
def test_sums_that_are_cut_off_are_never_trusted(length: int) -> None:
    text = sha256sums_text({"a": SHA, "bb": SHA})
    complete = len(text) // 2
    for cut in {text[:length]} - {text, text[:complete], text[: text.index("\n") + 1]}:
        with pytest.raises(HeroError) as caught:
            parse_sha256sums(cut)
        assert caught.value.code == "verification"


@pytest.mark.parametrize(
    "line",
    [
        "",
        "x",
        f"{SHA} a",
        f"{SHA}  ../a",
        f"{SHA}  a/b",
        f"{SHA}  ..",
        f"{SHA.upper()}  a",
        f" {SHA}  a",
        f"{SHA}  a\r",
        f"{SHA}  a\x1b[2J",
        f"{SHA}  a\n\n",
        f"{SHA}  a\n{SHA}  a",
        f"{SHA[1:]}  a",
    ],
)
def test_hostile_sums_are_refused(line: str) -> None:
    with pytest.raises(HeroError) as caught:
        parse_sha256sums(line + "\n")
    assert caught.value.code == "verification"
    assert caught.value.message.isprintable()


def test_a_bad_name_or_sum_is_not_written() -> None:
    for name, sha in [("../a", SHA), ("a\nb", SHA), ("a", "x")]:
        with pytest.raises(BadValue):
            sha256sums_text({name: sha})


def test_sha256sum_reads_what_is_written(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    (tmp_path / "SHA256SUMS").write_text(sha256sums_text({"a": empty}))
    subprocess.run(["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=tmp_path, check=True, capture_output=True)


def test_names_and_durations_do_not_load_pydantic() -> None:
    code = (
        "import sys, backends.model.release, backends.model.durations as d;"
        "d.parse_seconds('1s'); print('pydantic' in sys.modules)"
    )
    root = Path(__file__).parents[3]
    argv = [sys.executable, "-c", code]
    assert subprocess.run(argv, cwd=root, check=True, capture_output=True, text=True).stdout == "False\n"
