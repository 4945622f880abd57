"""The traps of the API that cost releases, webhooks or secrets: that they are there, and what our client does."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from pathlib import Path

import httpx
import pytest

from backends.forge.base import Release
from backends.forge.forgejo import Forgejo
from backends.model.errors import HeroError
from tests.backends.forge.contract import a_file
from tests.forgejo_server.sites import SECONDS, Ground, Receiver, Site, ground, receiver, site

__all__ = ["ground", "receiver", "site"]

NAME = "hero_router-linux-any.tar.gz"


async def our_draft(ground: Ground, tag: str) -> Release:
    return await ground.forge.create_draft(
        ground.repo, tag=tag, commit=ground.head, title="t", body="", author="mik"
    )


async def until_published(ground: Ground, number: int) -> None:
    async with asyncio.timeout(SECONDS):
        while (await ground.ask("GET", f"/releases/{number}", 200))["draft"]:
            await asyncio.sleep(0.05)


def signature(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


async def test_a_pushed_tag_publishes_a_draft_without_a_webhook_and_we_complete_it(
    ground: Ground, receiver: Receiver, tmp_path: Path
) -> None:
    tag = f"development-{ground.head[:8]}"
    made = await our_draft(ground, tag)
    await ground.hook(receiver.url)
    ground.push(f"{ground.head}:refs/tags/{tag}")
    await until_published(ground, int(made.id))
    await ground.ask("PATCH", f"/releases/{made.id}", 200, body="changed by hand")
    assert (await receiver.next("release")).content["action"] == "updated"
    await ground.forge.upload_asset(ground.repo, made.id, a_file(tmp_path, b"late", NAME))
    release = await ground.forge.publish(ground.repo, made.id)
    assert (release.commit, [asset.name for asset in release.assets]) == (ground.head, [NAME])


async def test_a_draft_over_a_tag_that_is_there_is_told_as_updated_and_found_all_the_same(
    ground: Ground, receiver: Receiver
) -> None:
    await ground.hook(receiver.url)
    for tag, action in ((f"new-{ground.head[:8]}", "published"), (f"old-{ground.head[:8]}", "updated")):
        if action == "updated":
            await ground.ask("POST", "/tags", 201, tag_name=tag, target=ground.head)
        made = await our_draft(ground, tag)
        await ground.ask("PATCH", f"/releases/{made.id}", 200, draft=False)
        told = await receiver.next("release")
        assert (told.content["action"], told.content["release"]["tag_name"]) == (action, tag)
        latest = await ground.forge.latest_release(ground.repo, tag.partition("-")[0])
        assert latest is not None
        assert latest.tag == tag


async def test_one_name_can_be_there_twice_and_we_leave_one(ground: Ground, tmp_path: Path) -> None:
    made = await our_draft(ground, f"development-{ground.head[:8]}")
    assert "/attachments/" in (await ground.upload(int(made.id), NAME, b"one"))["browser_download_url"]
    await ground.upload(int(made.id), NAME, b"two")
    both = (await ground.ask("GET", f"/releases/{made.id}", 200))["assets"]
    assert [one["name"] for one in both] == [NAME, NAME]
    assert all("/attachments/" in one["browser_download_url"] for one in both)
    await ground.forge.upload_asset(ground.repo, made.id, a_file(tmp_path, b"two", NAME))
    release = await ground.forge.publish(ground.repo, made.id)
    assert [asset.sha256 for asset in release.assets] == [hashlib.sha256(b"two").hexdigest()]
    (left,) = (await ground.ask("GET", f"/releases/{made.id}", 200))["assets"]
    assert left["browser_download_url"].endswith(f"/releases/download/{release.tag}/{NAME}")


async def test_letters_of_either_case_find_a_tag_and_we_do_not_take_it(ground: Ground) -> None:
    tag = f"Topic-{ground.head[:8]}"
    made = await ground.draft(tag, draft=False)
    assert (await ground.ask("GET", f"/releases/tags/{tag.lower()}", 200))["id"] == made["id"]
    with pytest.raises(HeroError) as caught:
        await ground.forge.release(ground.repo, tag.lower())
    assert caught.value.code == "not_found"
    with pytest.raises(HeroError) as caught:
        await our_draft(ground, tag.lower())
    assert caught.value.code == "conflict"


async def test_a_deleted_release_leaves_its_tag_and_can_be_published_again(ground: Ground) -> None:
    tag = f"development-{ground.head[:8]}"
    made = await ground.draft(tag, draft=False)
    await ground.ask("DELETE", f"/releases/{made['id']}", 204)
    assert (await ground.ask("GET", f"/tags/{tag}", 200))["commit"]["sha"] == ground.head
    await ground.ask("GET", f"/releases/tags/{tag}", 404)
    again = await our_draft(ground, tag)
    assert (await ground.forge.publish(ground.repo, again.id)).commit == ground.head


async def test_what_a_deleted_draft_leaves_has_no_default_target_and_we_always_say_one(ground: Ground) -> None:
    tag = f"development-{ground.head[:8]}"
    made = await ground.draft(tag)
    await ground.ask("DELETE", f"/releases/{made['id']}", 204)
    await ground.ask("POST", "/releases", 500, tag_name=tag)
    again = await our_draft(ground, tag)
    assert (await ground.forge.publish(ground.repo, again.id)).commit == ground.head


async def test_a_changed_hook_keeps_its_secret_and_loses_its_events_and_we_only_make_new_ones(
    ground: Ground, receiver: Receiver
) -> None:
    made = await ground.forge.create_hook(ground.repo, receiver.url, "before")
    await ground.ask("PATCH", f"/hooks/{made.id}", 200, config={"secret": "after"}, active=True)
    (left,) = await ground.forge.hooks(ground.repo)
    assert left.events == ("push",)
    ground.push("HEAD:refs/heads/one")
    told = await receiver.next("push", "create")
    assert told.event == "push"
    assert told.headers["x-gitea-signature"] == signature("before", told.body)
    await ground.forge.delete_hook(ground.repo, made.id)
    await ground.forge.create_hook(ground.repo, receiver.url, "after")
    ground.push("HEAD:refs/heads/two")
    told = await receiver.next("push")
    assert told.headers["x-gitea-signature"] == signature("after", told.body)


async def test_a_hook_is_made_asleep_and_ours_is_awake(ground: Ground) -> None:
    config = {"url": "http://127.0.0.1:9/hooks/forge", "content_type": "json"}
    asleep = await ground.ask("POST", "/hooks", 201, type="gitea", config=config)
    assert (asleep["active"], asleep["events"]) == (False, ["push"])
    made = await ground.forge.create_hook(ground.repo, config["url"], "secret")
    assert (made.active, made.events) == (True, ("create", "delete", "push", "release"))


async def test_without_a_secret_the_signatures_are_there_and_empty(ground: Ground, receiver: Receiver) -> None:
    await ground.hook(receiver.url)
    ground.push("HEAD:refs/heads/one")
    told = await receiver.next("push")
    assert told.headers["x-gitea-signature"] == ""
    assert told.headers["x-hub-signature-256"].strip() in ("", "sha256=")
    assert ("x-forgejo-signature" in told.headers) == (ground.site.flavour == "forgejo")


async def test_a_refused_token_comes_back_in_the_answer_and_we_never_repeat_it(ground: Ground, site: Site) -> None:
    token = "f00d" * 10
    answer = await ground.api.get("/user", headers={"Authorization": f"token {token}"})
    assert answer.status_code == 401
    if site.flavour == "forgejo":
        assert token in answer.json()["message"]
    stranger = Forgejo(site.url, token)
    with pytest.raises(HeroError) as caught:
        await stranger.user()
    assert caught.value.code == "denied"
    assert token not in f"{caught.value} {caught.value.hint} {caught.value.data}"
    await stranger.aclose()


async def test_a_delivery_that_fails_is_not_sent_again(ground: Ground, receiver: Receiver) -> None:
    receiver.status = 500
    await ground.hook(receiver.url, events=["push"])
    told = []
    for branch in ("one", "two", "three"):
        ground.push(f"HEAD:refs/heads/{branch}")
        told.append(await receiver.next("push"))
    assert [one.content["ref"] for one in told] == [f"refs/heads/{name}" for name in ("one", "two", "three")]
    assert len({one.headers["x-gitea-delivery"] for one in told}) == 3


@pytest.mark.parametrize("category", ["repository", "organization"])
async def test_an_empty_body_tells_whether_a_token_may_write(ground: Ground, category: str) -> None:
    path = f"/repos/{ground.repo}/releases" if category == "repository" else "/orgs/lhumina_code/repos"
    assert (await ground.api.post(path, json={})).status_code == 422
    assert await ground.forge.check(ground.repo) == []


async def test_a_list_is_cut_to_fifty_and_says_how_many_there_are(ground: Ground) -> None:
    async def asked() -> httpx.Response:
        return await ground.api.get(f"/repos/{ground.repo}/branches", params={"limit": 1000})

    ground.push(*(f"HEAD:refs/heads/b{number:02}" for number in range(52)))
    async with asyncio.timeout(SECONDS):
        while (answer := await asked()).headers["x-total-count"] != "53":
            await asyncio.sleep(0.05)
    assert len(answer.json()) == 50
    assert 'rel="next"' in answer.headers["link"]
    assert len((await ground.forge.branches(ground.repo, limit=1000)).items) == 53
