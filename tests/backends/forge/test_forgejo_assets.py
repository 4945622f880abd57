"""Uploads over a bad network, and what several publishers do to one release."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from backends.forge.forgejo import Forgejo
from backends.model.errors import HeroError
from tests.backends.forge.contract import a_file, sha256
from tests.backends.forge.forgejo_hub import COMMIT, NAME, REPO, Hub, once
from tests.backends.forge.forgejo_wire import TOKEN, URL, Answer, answer


@pytest.fixture
def hub() -> Hub:
    return Hub()


async def test_of_two_that_make_a_draft_at_once_the_slower_takes_the_first_ones(hub: Hub) -> None:
    hub.before = once("POST", "/releases", answer({}, 409), first=lambda: setattr(hub, "there", True))
    assert await hub.begin() == "1"


async def test_an_index_that_fails_on_the_second_draft_is_the_same(hub: Hub) -> None:
    hub.before = once("POST", "/releases", answer({}, 500), first=lambda: setattr(hub, "there", True))
    assert await hub.begin() == "1"


async def test_a_draft_whose_answer_got_lost_is_made_once(hub: Hub) -> None:
    hub.before = once("POST", "/releases", httpx.ReadTimeout("x"), first=lambda: setattr(hub, "there", True))
    assert await hub.begin() == "1"
    assert sum(path.startswith("POST") for path in hub.wire.paths()) == 1


async def test_the_target_is_always_said(hub: Hub) -> None:
    """A tag that a deleted release left behind has no default for it."""
    await hub.begin()
    sent = next(request for request in hub.wire.requests if request.method == "POST")
    assert f'"target_commitish": "{COMMIT}"' in sent.content.decode()


@pytest.mark.parametrize(
    "fault", [answer({"message": ""}, 500), answer({}, 502), httpx.ReadTimeout("x")], ids=repr
)
async def test_a_publication_that_seems_to_fail_is_looked_up(hub: Hub, fault: Answer) -> None:
    identifier = await hub.begin()

    def publish() -> None:
        hub.draft, hub.tag = False, COMMIT

    hub.before = once("PATCH", "/releases/1", fault, first=publish)
    assert not (await hub.forge.publish(REPO, identifier)).draft


async def test_a_forge_that_never_publishes_is_given_up(hub: Hub) -> None:
    identifier = await hub.begin()
    hub.before = once("PATCH", "/releases/1", *[answer({"message": ""}, 500)] * 99)
    with pytest.raises(HeroError) as caught:
        await hub.forge.publish(REPO, identifier)
    assert caught.value.code == "unreachable"


async def test_a_release_that_stands_on_another_commit_than_ours_is_a_conflict(hub: Hub) -> None:
    identifier = await hub.begin()

    def push_tag() -> None:
        hub.draft, hub.tag = False, "9" * 40

    hub.before = once("PATCH", "/releases/1", answer({}), first=push_tag)
    with pytest.raises(HeroError) as caught:
        await hub.forge.publish(REPO, identifier)
    assert caught.value.code == "conflict"


async def test_what_somebody_put_in_place_of_our_file_is_not_published(hub: Hub, tmp_path: Path) -> None:
    identifier = await hub.begin()
    await hub.forge.upload_asset(REPO, identifier, a_file(tmp_path, b"ours", NAME))
    hub.files.clear()
    hub.files[9] = (NAME, b"their")
    with pytest.raises(HeroError) as caught:
        await hub.forge.publish(REPO, identifier)
    assert caught.value.code == "conflict"
    assert hub.draft


async def test_an_upload_whose_answer_got_lost_is_not_sent_twice(hub: Hub, tmp_path: Path) -> None:
    identifier = await hub.begin()
    file = a_file(tmp_path, b"content", NAME)
    hub.before = once("POST", "/assets", httpx.ReadError("cut"), first=lambda: hub.add(NAME, b"content"))
    asset = await hub.forge.upload_asset(REPO, identifier, file)
    assert asset.sha256 == sha256(b"content")
    assert len(hub.files) == 1


@pytest.mark.parametrize(
    "fault", [httpx.ReadError("cut"), httpx.WriteError("cut"), answer({}, 502), answer({}, 500)]
)
async def test_an_upload_that_did_not_arrive_is_sent_again(hub: Hub, tmp_path: Path, fault: Answer) -> None:
    identifier = await hub.begin()
    hub.before = once("POST", "/assets", fault)
    asset = await hub.forge.upload_asset(REPO, identifier, a_file(tmp_path, b"content", NAME))
    assert (asset.size, list(hub.files.values())) == (7, [(NAME, b"content")])


async def test_an_upload_that_never_arrives_is_unreachable(hub: Hub, tmp_path: Path) -> None:
    identifier = await hub.begin()
    hub.before = once("POST", "/assets", *[httpx.WriteError("cut")] * 99)
    with pytest.raises(HeroError) as caught:
        await hub.forge.upload_asset(REPO, identifier, a_file(tmp_path, b"content", NAME))
    assert caught.value.code == "unreachable"
    assert not hub.files


async def test_a_forge_that_knows_only_forms_gets_one(hub: Hub, tmp_path: Path) -> None:
    identifier = await hub.begin()

    def before(request: httpx.Request) -> Answer | None:
        if request.method != "POST" or not request.url.path.endswith("/assets"):
            return None
        kind = request.headers["content-type"]
        if not kind.startswith("multipart/form-data; boundary="):
            return answer({"message": "http: no such file"}, 400)
        first, text, last = request.content.partition(b"\r\n\r\ncontent\r\n")
        boundary = kind.partition("=")[2].encode()
        assert text
        assert first.startswith(b"--" + boundary)
        assert b'name="attachment"; filename="%22a b' in first
        assert last == b"--" + boundary + b"--\r\n"
        return answer(hub.add(request.url.params["name"], b"content"), 201)

    hub.before = before
    asset = await hub.forge.upload_asset(REPO, identifier, a_file(tmp_path, b"content", "x"), name='"a b&c#.txt')
    assert asset.name == '"a b&c#.txt'


async def test_a_file_type_that_the_forge_refuses_is_an_error(hub: Hub, tmp_path: Path) -> None:
    identifier = await hub.begin()
    hub.before = once("POST", "/assets", *[answer({"message": "This file cannot be uploaded"}, 400)] * 2)
    with pytest.raises(HeroError) as caught:
        await hub.forge.upload_asset(REPO, identifier, a_file(tmp_path, b"content", NAME))
    assert "cannot be uploaded" in caught.value.message


async def test_a_file_that_arrived_short_is_removed(hub: Hub, tmp_path: Path) -> None:
    identifier = await hub.begin()

    def before(request: httpx.Request) -> Answer | None:
        if request.method == "POST" and request.url.path.endswith("/assets"):
            return answer(hub.add(NAME, b"con"), 201)
        return None

    hub.before = before
    with pytest.raises(HeroError) as caught:
        await hub.forge.upload_asset(REPO, identifier, a_file(tmp_path, b"content", NAME))
    assert caught.value.code == "verification"
    assert not hub.files


async def test_a_file_that_changes_while_it_is_uploaded_is_an_error(hub: Hub, tmp_path: Path) -> None:
    identifier = await hub.begin()
    file = a_file(tmp_path, b"x" * 3_000_000, NAME)

    def cut(done: int, of: int | None) -> None:
        file.write_bytes(b"x")

    with pytest.raises(HeroError) as caught:
        await hub.forge.upload_asset(REPO, identifier, file, progress=cut)
    assert "changed while it was uploaded" in caught.value.message
    assert not hub.files


async def test_the_first_of_two_equal_uploads_stays(hub: Hub, tmp_path: Path) -> None:
    """Names are not unique: what came beside ours is seen afterwards, and both publishers keep the same one."""
    identifier = await hub.begin()
    hub.before = first_in(hub, b"content")
    asset = await hub.forge.upload_asset(REPO, identifier, a_file(tmp_path, b"content", NAME))
    assert list(hub.files) == [1]
    assert asset.sha256 == sha256(b"content")
    await hub.forge.publish(REPO, identifier)


async def test_the_slower_of_two_different_uploads_gives_way_and_says_so(hub: Hub, tmp_path: Path) -> None:
    identifier = await hub.begin()
    hub.before = first_in(hub, b"another")
    with pytest.raises(HeroError) as caught:
        await hub.forge.upload_asset(REPO, identifier, a_file(tmp_path, b"content", NAME))
    assert caught.value.code == "conflict"
    assert list(hub.files.values()) == [(NAME, b"another")]


def first_in(hub: Hub, content: bytes) -> Callable[[httpx.Request], Answer | None]:
    """Somebody else's upload arrives just before ours."""

    def before(request: httpx.Request) -> Answer | None:
        if request.method == "POST" and request.url.path.endswith("/assets") and not hub.files:
            hub.add(NAME, content)
        return None

    return before


async def test_an_upload_that_is_too_large_says_whose_limit_it_is(hub: Hub, tmp_path: Path) -> None:
    identifier = await hub.begin()
    hub.before = once("POST", "/assets", httpx.Response(413, html="<h1>413 Request Entity Too Large</h1>"))
    with pytest.raises(HeroError) as caught:
        await hub.forge.upload_asset(REPO, identifier, a_file(tmp_path, b"content", NAME))
    assert "proxy" in caught.value.message


async def test_a_large_file_goes_both_ways_in_little_memory(hub: Hub, tmp_path: Path) -> None:
    """Pieces, not files: no request holds more than one."""
    seen: list[int] = []
    identifier = await hub.begin()
    file = a_file(tmp_path, b"z" * 5_000_000, NAME)

    async def handle(request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.AsyncByteStream)
        seen.extend([len(chunk) async for chunk in request.stream])
        assert request.headers["content-length"] == "5000000"
        return answer(hub.add(NAME, b"z" * 5_000_000), 201)

    class Pieces(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.method == "POST" and request.url.path.endswith("/assets"):
                return await handle(request)
            return await hub.wire(request)

    forge = Forgejo(URL, TOKEN, transport=Pieces())
    await forge.upload_asset(REPO, identifier, file)
    assert max(seen) <= 1 << 20
    assert sum(seen) == 5_000_000
