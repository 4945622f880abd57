"""Issues by the HTTP client, on our server in both flavours and a real Gitea; in a folder; and what goes wrong."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from backends.forge.base import Forge
from backends.forge.folder import FolderForge
from backends.forge.forgejo import Forgejo
from backends.model.errors import HeroError
from tests.backends.forge.forgejo_wire import TOKEN, URL, Wire, answer
from tests.backends.forge.issue_contract import REPO, IssueContract, OpenIssue
from tests.forgejo_server.faults import Fault
from tests.forgejo_server.server import ForgejoServer, running_server
from tests.forgejo_server.sites import Site, site
from tests.forgejo_server.state import Flavour

__all__ = ["site"]

COMMENTS = r"/issues/\d+/comments$"


class TestFolder(IssueContract):
    @pytest.fixture
    async def forge(self, tmp_path: Path) -> AsyncIterator[Forge]:
        forge = FolderForge(tmp_path / "forge")
        await forge.create_repository(REPO)
        yield forge
        await forge.aclose()

    @pytest.fixture
    def open_issue(self, forge: FolderForge) -> OpenIssue:
        async def create(title: str, body: str) -> int:
            return (await forge.create_issue(REPO, title, body)).number

        return create

    async def test_a_damaged_file_is_named_and_left_alone(self, forge: FolderForge, open_issue: OpenIssue) -> None:
        path = forge.root / f"{REPO}.issues" / f"{await open_issue('t', 'b')}.json"
        path.write_text('{"title": 3}')
        with pytest.raises(HeroError) as caught:
            await forge.comment(REPO, 1, "x")
        assert caught.value.code == "invalid_file"
        assert str(path) in caught.value.message
        assert path.read_text() == '{"title": 3}'

    async def test_issues_are_no_repositories_and_no_news(self, forge: FolderForge, open_issue: OpenIssue) -> None:
        await open_issue("t", "b")
        assert await forge.repositories() == (REPO,)
        assert forge._repo_of(str(forge.root / f"{REPO}.issues" / "1.json")) is None


@pytest.fixture
async def raw(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """The API of the site, on which there is one empty REPO."""
    headers = {"Authorization": f"token {site.token}"}
    owner, _, name = REPO.partition("/")
    async with httpx.AsyncClient(base_url=f"{site.url}/api/v1", headers=headers, trust_env=False) as client:
        await client.delete(f"/repos/{REPO}")
        made = await client.post(f"/orgs/{owner}/repos", json={"name": name, "private": True, "auto_init": True})
        assert made.status_code == 201, made.text
        yield client


class TestForgejo(IssueContract):
    @pytest.fixture
    async def forge(self, site: Site, raw: httpx.AsyncClient) -> AsyncIterator[Forge]:
        forge = Forgejo(site.url, site.token)
        yield forge
        await forge.aclose()

    @pytest.fixture
    def open_issue(self, raw: httpx.AsyncClient) -> OpenIssue:
        async def create(title: str, body: str) -> int:
            made = await raw.post(f"/repos/{REPO}/issues", json={"title": title, "body": body})
            assert made.status_code == 201, made.text
            return int(made.json()["number"])

        return create

    async def test_its_pages_are_where_people_see_them(self, forge: Forgejo, open_issue: OpenIssue) -> None:
        number = await open_issue("t", "b")
        assert (await forge.issue(REPO, number)).url == f"{forge.url}/{REPO}/issues/{number}"
        said = await forge.comment(REPO, number, "x")
        assert said.url == f"{forge.url}/{REPO}/issues/{number}#issuecomment-{said.id}"
        assert await forge.addresses(REPO) == (forge.url,)
        assert await forge.addresses("lhumina_code/none") == (forge.url,)

    async def test_more_comments_than_a_page_holds_are_told_once_each(
        self, forge: Forgejo, open_issue: OpenIssue, raw: httpx.AsyncClient
    ) -> None:
        number = await open_issue("t", "b")
        for count in range(55):
            await raw.post(f"/repos/{REPO}/issues/{number}/comments", json={"body": f"{count}"})
        assert [one.body for one in await forge.comments(REPO, number, newest=200)] == [str(n) for n in range(55)]
        assert [one.body for one in await forge.comments(REPO, number, newest=2)] == ["53", "54"]

    async def test_in_an_archived_repository_nothing_can_be_said(
        self, forge: Forgejo, open_issue: OpenIssue, raw: httpx.AsyncClient
    ) -> None:
        number = await open_issue("t", "b")
        await raw.patch(f"/repos/{REPO}", json={"archived": True})
        with pytest.raises(HeroError) as caught:
            await forge.comment(REPO, number, "x")
        assert caught.value.code == "denied"
        assert "archived" in caught.value.message

    async def test_without_a_token_a_private_issue_is_not_there(self, site: Site, open_issue: OpenIssue) -> None:
        number = await open_issue("t", "b")
        nobody = Forgejo(site.url)
        with pytest.raises(HeroError) as caught:
            await nobody.issue(REPO, number)
        assert caught.value.code == "not_found"
        await nobody.aclose()


@pytest.fixture(params=["forgejo", "gitea"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ForgejoServer]:
    flavour: Flavour = request.param
    with running_server(tmp_path, flavour) as running:
        running.world.create(REPO)
        yield running


@pytest.fixture
async def forge(server: ForgejoServer) -> AsyncIterator[Forgejo]:
    forge = Forgejo(server.url, server.world.account("mik"))
    await forge._api.json("POST", f"/repos/{REPO}/issues", body={"title": "t"})
    yield forge
    await forge.aclose()


async def test_a_comment_whose_answer_got_lost_is_found_and_not_sent_again(
    server: ForgejoServer, forge: Forgejo
) -> None:
    server.faults.add("POST", COMMENTS, Fault(cut_download=0))
    said = await forge.comment(REPO, 1, "only once")
    assert said.body == "only once"
    assert server.faults.count("POST", COMMENTS) == 1
    assert [one.body for one in await forge.comments(REPO, 1)] == ["only once"]


@pytest.mark.parametrize("fault", [Fault(status=500), Fault(status=502), Fault(close=True)])
async def test_a_comment_that_was_not_taken_fails_and_a_later_one_of_its_key_is_written(
    server: ForgejoServer, forge: Forgejo, fault: Fault
) -> None:
    server.faults.add("POST", COMMENTS, fault)
    with pytest.raises(HeroError) as caught:
        await forge.comment(REPO, 1, "mine", key="k")
    assert caught.value.code == "unreachable"
    assert server.faults.count("POST", COMMENTS) == 1
    assert await forge.comments(REPO, 1) == ()
    assert (await forge.comment(REPO, 1, "mine", key="k")).key == "k"


async def test_a_forge_that_went_away_for_good_says_so(server: ForgejoServer, forge: Forgejo) -> None:
    server.faults.add("POST", COMMENTS, Fault(close=True))
    server.faults.add("GET", COMMENTS, Fault(close=True), times=99)
    with pytest.raises(HeroError) as caught:
        await forge.comment(REPO, 1, "mine")
    assert caught.value.code == "unreachable"


async def test_a_comment_that_a_busy_forge_refused_is_sent_again(server: ForgejoServer, forge: Forgejo) -> None:
    server.faults.add("POST", COMMENTS, Fault(status=429, headers=(("Retry-After", "0"),)))
    await forge.comment(REPO, 1, "mine")
    assert len(await forge.comments(REPO, 1)) == 1


async def test_a_token_without_the_scope_is_told_which_one(server: ForgejoServer) -> None:
    forge = Forgejo(server.url, server.world.account("mik", "write:repository"))
    server.world.repositories[REPO].issues.clear()
    for ask in (forge.issue(REPO, 1), forge.comment(REPO, 1, "x")):
        with pytest.raises(HeroError) as caught:
            await ask
        assert caught.value.code == "denied"
        assert ":issue`" in caught.value.message
    await forge.aclose()


async def test_a_locked_issue_takes_no_word_of_a_reader(server: ForgejoServer, forge: Forgejo) -> None:
    await forge._api.json("PUT", f"/repos/{REPO}/issues/1/lock", body={"lock_reason": ""})
    reader = Forgejo(server.url, server.world.account("bob", writer=False))
    with pytest.raises(HeroError, match="locked"):
        await reader.comment(REPO, 1, "x")
    await reader.aclose()


async def test_a_pull_request_is_no_issue() -> None:
    raw = {"number": 7, "title": "t", "pull_request": {"merged": False}}
    with pytest.raises(HeroError) as caught:
        await Wire(lambda _: answer(raw)).forge().issue(REPO, 7)
    assert caught.value.code == "usage"
    assert "pull request" in caught.value.message


@pytest.mark.parametrize(
    "raw",
    [
        [],
        "x",
        {"title": "t"},
        {"number": 0, "title": "t"},
        {"number": 7, "title": 3},
        {"number": 7, "comments": -1},
        {"number": "x" * 10_000},
    ],
)
async def test_an_issue_that_makes_no_sense_is_an_error_in_one_line(raw: object) -> None:
    with pytest.raises(HeroError) as caught:
        await Wire(lambda _: answer(raw)).forge().issue(REPO, 7)
    assert caught.value.code == "failed"
    assert caught.value.message.isprintable()


async def test_damaged_comments_are_left_out_and_the_token_is_in_none_of_the_errors() -> None:
    good = {"id": 2, "body": "fine", "user": None, "created_at": "2026-11-20T12:00:00Z"}
    wire = Wire(lambda _: answer([{"id": 0}, good, "x", {"id": 3}]))
    assert [one.body for one in await wire.forge().comments(REPO, 7)] == ["fine"]
    told = Wire(lambda _: answer({"message": f"no: {TOKEN}"}, 401))
    with pytest.raises(HeroError) as caught:
        await told.forge().comment(REPO, 7, "x")
    assert TOKEN not in repr(caught.value.message) + caught.value.hint + repr(caught.value.data)


async def test_a_huge_body_is_cut_and_a_mark_behind_a_million_spaces_costs_nothing() -> None:
    raw = {"number": 7, "title": "t" * 9000, "body": "b" * 3_000_000, "labels": [{"name": "l"}] * 900}
    found = await Wire(lambda _: answer(raw)).forge().issue(REPO, 7)
    assert (len(found.title), len(found.body), len(found.labels)) == (500, 100_000, 50)
    said = {"id": 2, "body": "\n" * 1_000_000 + "x", "created_at": "2026-11-20T12:00:00Z"}
    (one,) = await Wire(lambda _: answer([said])).forge().comments(REPO, 7)
    assert len(one.body) == 100_000


async def test_the_address_that_the_forge_tells_of_itself_is_known_too() -> None:
    for told, addresses in (
        (f"https://code.example/{REPO}", (URL, "https://code.example")),
        (f"{URL}/{REPO}", (URL,)),
        ("https://code.example/renamed/repo", (URL,)),
        (None, (URL,)),
    ):
        wire = Wire(lambda _, told=told: answer({"full_name": REPO, "html_url": told}))  # type: ignore[misc]
        assert await wire.forge().addresses(REPO) == addresses


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
async def test_a_folder_that_may_not_be_read_is_denied(tmp_path: Path) -> None:
    forge = FolderForge(tmp_path)
    await forge.create_repository(REPO)
    await forge.create_issue(REPO, "t")
    (tmp_path / f"{REPO}.issues" / "1.json").chmod(0)
    with pytest.raises(HeroError) as caught:
        await forge.issue(REPO, 1)
    assert caught.value.code == "denied"
