"""What a person pastes as an issue: read, compared with the box's forge, and refused where it is anything else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.forge.folder import FolderForge
from backends.forge.issue_links import LINK_LIMIT, IssueLink, find_link, read_link, site_of
from backends.model.errors import HeroError
from backends.model.names import check_repo
from tests.backends.forge.forgejo_wire import URL, Wire, answer

REPO = "lhumina_code/hero_router"


@pytest.mark.parametrize(
    ("text", "link"),
    [
        (f"{REPO}#5", IssueLink(REPO, 5)),
        (f"https://forge.example/{REPO}/issues/5", IssueLink(REPO, 5, "forge.example")),
        (f"  https://forge.example/{REPO}/issues/5/\n", IssueLink(REPO, 5, "forge.example")),
        (f"http://forge.example/{REPO}/issues/5#issuecomment-71", IssueLink(REPO, 5, "forge.example")),
        (f"https://forge.example/{REPO}/issues/5?a=b#x", IssueLink(REPO, 5, "forge.example")),
        (f"https://FORGE.example.:443/{REPO}/issues/5", IssueLink(REPO, 5, "forge.example")),
        (f"http://forge.example:3000/{REPO}/issues/5", IssueLink(REPO, 5, "forge.example:3000")),
        (f"https://forge.example/git/x/{REPO}/issues/5", IssueLink(REPO, 5, "forge.example/git/x")),
        (f"http://127.0.0.1:3000/{REPO}/issues/007", IssueLink(REPO, 7, "127.0.0.1:3000")),
        (f"http://[::1]:3000/{REPO}/issues/5", IssueLink(REPO, 5, "[::1]:3000")),
    ],
)
def test_a_link_is_read(text: str, link: IssueLink) -> None:
    assert read_link(text) == link


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "#5",
        "hero_router#5",
        f"{REPO}#0",
        f"{REPO}#-5",
        f"{REPO}#5x",
        f"{REPO}#99999999999",
        f"{REPO}#9999999999",
        f"{REPO}#\u0665",
        f"../{REPO}#5",
        "a/..#5",
        "-a/b#5",
        f"https://forge.example/{REPO}/issues",
        f"https://forge.example/{REPO}/issues/new",
        f"https://forge.example/{REPO}/issues/5/x",
        f"https://forge.example/{REPO}/issues//5",
        f"https://forge.example/{REPO}/pulls/5",
        f"https://forge.example/../{REPO}/issues/5",
        f"https://forge.example//{REPO}/issues/5",
        "https://forge.example/a/../issues/5",
        "https://forge.example/%2e%2e/b/issues/5",
        f"https://user:geheim@forge.example/{REPO}/issues/5",
        f"https://forge.example@evil.example/{REPO}/issues/5",
        f"https://forge.example\\@evil.example/{REPO}/issues/5",
        f"https://forge.example:0/{REPO}/issues/5",
        f"https://forge.example:99999/{REPO}/issues/5",
        f"https://[::1/{REPO}/issues/5",
        f"https:///{REPO}/issues/5",
        f"//forge.example/{REPO}/issues/5",
        f"file:///{REPO}/issues/5",
        f"ext::sh -c reboot/{REPO}/issues/5",
        f"javascript://forge.example/{REPO}/issues/5",
        f"https://forge.example/{REPO}/issues/5\x1b[2J",
        f"https://forge.example/{REPO}/is\nsues/5",
        f"https://fоrge.example/{REPO}/issues/5",  # a Cyrillic o
        f"https://forge.example/{'a/' * 300}{REPO}/issues/5",
    ],
)
def test_what_is_no_issue_is_refused_in_one_line_without_a_password(text: str) -> None:
    with pytest.raises(HeroError) as caught:
        read_link(text)
    assert caught.value.code == "usage"
    assert caught.value.message.isprintable()
    assert "geheim" not in str(caught.value)
    assert "OWNER/REPO#5" in caught.value.hint


@given(st.text(max_size=LINK_LIMIT + 20) | st.from_regex(r"https?://[!-~]{1,40}/[!-~]{1,40}/issues/[0-9]{1,12}"))
def test_whatever_is_pasted_is_a_good_name_or_an_error(text: str) -> None:
    refused: HeroError | None = None
    try:
        link = read_link(text)
    except HeroError as error:
        refused = error
    if refused:
        assert refused.code == "usage"
        assert str(refused).replace("\n", "").isprintable()
        return
    assert check_repo(link.repo) == link.repo
    assert 1 <= link.number <= 10**9
    assert link.site.isprintable()
    assert "@" not in link.site


_PART = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,20}", fullmatch=True)


@given(_PART, _PART, st.integers(1, 10**9), st.lists(_PART, max_size=3), st.integers(1, 65535), st.booleans())
def test_every_link_of_a_forge_is_read_back_and_compares_equal(
    owner: str, name: str, number: int, prefix: list[str], port: int, slash: bool
) -> None:
    base = "/".join([f"https://Forge.example:{port}", *prefix])
    link = read_link(f"{base}/{owner}/{name}/issues/{number}{'/' * slash}")
    assert (link.repo, link.number, link.site) == (f"{owner}/{name}", number, site_of(base))
    assert link == read_link(f"{base}/{owner}/{name}/issues/{number}#issuecomment-1")


async def found(text: str, told: str = "") -> IssueLink:
    """The link on the forge at URL, which thinks that it is at `told`."""
    wire = Wire(lambda _: answer({"full_name": REPO, "html_url": f"{told}/{REPO}" if told else None}))
    try:
        return await find_link(wire.forge(), text)
    finally:
        assert {request.url.host for request in wire.requests} <= {"forge.example"}


async def test_a_link_of_the_boxs_forge_is_found_by_either_of_its_addresses() -> None:
    assert (await found(f"{URL}/{REPO}/issues/5")).number == 5
    assert (await found(f"http://forge.example/git/{REPO}/issues/5")).number == 5
    assert (await found(f"{REPO}#5")).number == 5
    assert (await found(f"https://code.example:8443/{REPO}/issues/5", "https://code.example:8443")).number == 5


@pytest.mark.parametrize(
    "text",
    [
        f"https://evil.example/git/{REPO}/issues/5",
        f"https://forge.example/{REPO}/issues/5",
        f"https://forge.example/git/sub/{REPO}/issues/5",
        f"https://forge.example:8443/git/{REPO}/issues/5",
        f"https://forge.example.evil.example/git/{REPO}/issues/5",
        f"https://code.example/{REPO}/issues/5",
    ],
)
async def test_a_link_to_another_forge_is_refused_and_that_one_never_asked(text: str) -> None:
    with pytest.raises(HeroError) as caught:
        await found(text, "https://code.example:8443")
    assert caught.value.code == "usage"
    assert "not on this box's forge" in caught.value.message
    assert f"{REPO}#5" in caught.value.hint


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[FolderForge]:
    forge = FolderForge(tmp_path / "forge")
    await forge.create_repository(REPO)
    yield forge
    await forge.aclose()


async def test_a_folder_forge_has_issues_by_their_short_name_alone(folder: FolderForge) -> None:
    assert await find_link(folder, f"{REPO}#5") == IssueLink(REPO, 5)
    with pytest.raises(HeroError, match="no web pages"):
        await find_link(folder, f"https://forge.example/{REPO}/issues/5")
