"""What a forge can do beyond the port, and where Forgejo and Gitea differ."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from backends.model.errors import HeroError
from tests.backends.forge.forgejo_wire import URL, Answer, Wire, answer, as_json, in_turn

REPO = "lhumina_code/hero_router"
COMMIT = "a" * 40


def lacks(*scopes: str) -> httpx.Response:
    return answer({"message": f"token does not have at least one of required scope(s): [{','.join(scopes)}]"}, 403)


@pytest.mark.parametrize(
    ("version", "kind"),
    [("15.0.1+gitea-1.22.0", "forgejo"), ("1.26.0", "gitea"), ("7.0.0~dev+gitea-1.22", "forgejo")],
)
async def test_forgejo_and_gitea_are_told_apart(version: str, kind: str) -> None:
    told = await Wire(in_turn(answer({"version": version}))).forge().version()
    assert (told.kind, told.number) == (kind, version)


async def test_a_check_names_each_scope_that_lacks_and_changes_nothing() -> None:
    said = {
        "/user": lacks("read:user"),
        f"/repos/{REPO}/releases": lacks("write:repository"),
        f"/repos/{REPO}/hooks": answer({"message": "user should be an owner"}, 403),
        "/orgs/lhumina_code/repos": answer({"message": "[Name]: Required"}, 422),
    }
    wire = Wire(lambda request: said[request.url.path.partition("/api/v1")[2]])
    found = await wire.forge().check(REPO)
    assert len(found) == 3
    assert "`read:user`" in found[0]
    assert "`write:repository`" in found[1]
    assert f"{URL}/user/settings/applications" in found[1]
    assert "owner" in found[2]
    assert all(request.content in (b"", b"{}") for request in wire.requests)


async def test_a_check_with_an_unknown_token_says_it_once() -> None:
    found = await Wire(in_turn(answer({"message": "no"}, 401))).forge().check(REPO)
    assert len(set(found)) == len(found) == 4 or len(found) == 1
    assert "does not know the token" in found[0]


async def test_a_hook_is_of_the_kind_that_the_forge_knows() -> None:
    asked: list[Any] = []

    def handle(request: httpx.Request) -> Answer:
        asked.append(as_json(request))
        if asked[-1]["type"] == "forgejo":
            return answer({"message": "Invalid hook type: forgejo"}, 422)
        return answer({"id": 1, "type": "gitea", "config": {"url": "u"}, "events": ["push"], "active": True}, 201)

    assert (await Wire(handle).forge().create_hook(REPO, "u", "geheim")).id == "1"
    assert [one["type"] for one in asked] == ["forgejo", "gitea"]
    assert asked[1]["active"] is True
    assert asked[1]["events"] == ["push", "create", "delete", "release"]
    assert asked[1]["config"] == {"url": "u", "content_type": "json", "secret": "geheim"}


async def test_a_repository_goes_to_the_organisation_or_the_tokens_own_account() -> None:
    def handle(request: httpx.Request) -> Answer:
        path = request.url.path.partition("/api/v1")[2]
        if path == "/orgs/lhumina_code/repos":
            return answer({"full_name": "lhumina_code/x", "private": as_json(request)["private"]}, 201)
        if path == "/user":
            return answer({"login": "Mik"})
        return answer({"full_name": "mik/x"}, 201) if path == "/user/repos" else answer({}, 404)

    wire = Wire(handle)
    assert (await wire.forge().create_repository("lhumina_code/x")).private
    assert (await wire.forge().create_repository("mik/x")).full_name == "mik/x"
    with pytest.raises(HeroError) as caught:
        await wire.forge().create_repository("nobody/x")
    assert caught.value.code == "not_found"
    with pytest.raises(HeroError) as caught:
        await Wire(in_turn(answer({}, 409))).forge().create_repository("lhumina_code/x")
    assert caught.value.code == "conflict"


def pull(**fields: Any) -> dict[str, Any]:
    both = {"head": {"ref": "topic", "sha": COMMIT}, "base": {"ref": "development"}}
    return {"number": 3, "state": "open", "merged": False, **both, **fields}


async def test_a_merge_waits_until_the_forge_knows_whether_it_can() -> None:
    left: list[Answer] = [answer({}, 405), httpx.ReadTimeout("x")]
    merged = False

    def handle(request: httpx.Request) -> Answer:
        nonlocal merged
        if request.method == "GET":
            return answer(pull(merged=merged))
        if left:
            return left.pop(0)
        merged = True
        return httpx.Response(200)

    assert (await Wire(handle).forge().merge_pull_request(REPO, 3, "squash", COMMIT)).merged


async def test_what_cannot_be_merged_is_a_conflict() -> None:
    def handle(status: int) -> Wire:
        return Wire(lambda r: answer(pull()) if r.method == "GET" else answer({"message": "nope"}, status))

    for status in (405, 409):
        with pytest.raises(HeroError) as caught:
            await handle(status).forge().merge_pull_request(REPO, 3, "merge", COMMIT)
        assert caught.value.code == "conflict"
    with pytest.raises(HeroError) as caught:
        await Wire(in_turn(answer(pull(state="closed")))).forge().merge_pull_request(REPO, 3, "merge", COMMIT)
    assert caught.value.code == "conflict"


async def test_a_pull_request_that_is_there_is_found() -> None:
    there = [pull(head={"ref": "other", "sha": COMMIT}), pull(number=4)]
    wire = Wire(lambda request: answer(there, x_total_count="2"))
    assert (await wire.forge().pull_request(REPO, "topic", "development", "t", "")).number == 4
    assert not [request for request in wire.requests if request.method == "POST"]
