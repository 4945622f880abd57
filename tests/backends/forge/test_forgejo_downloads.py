"""Downloads over a bad network: exactly the bytes that were asked for, or an error."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from backends.model.errors import HeroError
from tests.backends.forge.contract import a_file, read
from tests.backends.forge.forgejo_hub import NAME, REPO, TAG, UUID, Hub, once
from tests.backends.forge.forgejo_wire import answer, streamed


@pytest.fixture
def hub() -> Hub:
    return Hub()


async def published(hub: Hub, tmp_path: Path, content: bytes = b"hello world") -> None:
    identifier = await hub.begin()
    await hub.forge.upload_asset(REPO, identifier, a_file(tmp_path, content, NAME))
    await hub.forge.publish(REPO, identifier)


def attachment(said: httpx.Response) -> Any:
    return once("GET", UUID.format(1), said)


async def test_a_piece_is_asked_for_of_exactly_this_file(hub: Hub, tmp_path: Path) -> None:
    await published(hub, tmp_path)
    hub.before = attachment(streamed(b"world", 206, content_range="bytes 6-10/11"))
    assert await read(hub.forge.open_asset(REPO, TAG, NAME, offset=6)) == b"world"
    asked = hub.wire.requests[-1].headers
    assert (asked["range"], asked["if-range"]) == ("bytes=6-", f'"{UUID.format(1)}"')
    assert asked["accept-encoding"] == "identity"


async def test_of_a_whole_answer_to_the_question_for_a_piece_the_beginning_is_skipped(
    hub: Hub, tmp_path: Path
) -> None:
    await published(hub, tmp_path)
    assert await read(hub.forge.open_asset(REPO, TAG, NAME, offset=7)) == b"orld"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (streamed(b"hello"), "unreachable"),
        (streamed(b"hello world and more"), "unreachable"),
        (httpx.Response(200, content=streamed(b"hello").stream), "unreachable"),
        (httpx.Response(200, content=streamed(b"hello world and more").stream), "unreachable"),
        (streamed(b"world", 206, content_range="bytes 5-9/11"), "unreachable"),
        (streamed(b"world", 206, content_range="bytes 6-10/12"), "unreachable"),
        (streamed(b"world", 206), "unreachable"),
        (httpx.Response(416), "usage"),
        (httpx.Response(404), "denied"),
        (httpx.Response(403, html="<p>no"), "denied"),
    ],
)
async def test_another_answer_than_the_bytes_asked_for_is_an_error(
    hub: Hub, tmp_path: Path, said: httpx.Response, code: str
) -> None:
    await published(hub, tmp_path)
    hub.before = attachment(said)
    with pytest.raises(HeroError) as caught:
        await read(hub.forge.open_asset(REPO, TAG, NAME, offset=6))
    assert caught.value.code == code


async def test_a_release_that_is_deleted_while_it_is_fetched_is_not_found(hub: Hub, tmp_path: Path) -> None:
    await published(hub, tmp_path)
    path = UUID.format(1)
    hub.before = once("GET", path, httpx.Response(404), first=lambda: setattr(hub, "there", False))
    with pytest.raises(HeroError) as caught:
        await read(hub.forge.open_asset(REPO, TAG, NAME))
    assert caught.value.code == "not_found"
    assert "deleted while it was fetched" in caught.value.message


async def test_files_of_a_draft_and_links_elsewhere_are_not_given(hub: Hub, tmp_path: Path) -> None:
    identifier = await hub.begin()
    await hub.forge.upload_asset(REPO, identifier, a_file(tmp_path, b"x", NAME))
    with pytest.raises(HeroError) as caught:
        await read(hub.forge.open_asset(REPO, TAG, NAME))
    assert caught.value.code == "not_found"
    hub.draft = False
    linked = hub.release()
    linked["assets"][0]["type"] = "external"
    hub.before = once("GET", f"/releases/tags/{TAG}", answer(linked))
    with pytest.raises(HeroError) as caught:
        await read(hub.forge.open_asset(REPO, TAG, NAME))
    assert caught.value.code == "denied"


@pytest.mark.parametrize(
    "error", [httpx.ReadError("reset"), httpx.RemoteProtocolError("cut"), httpx.ReadTimeout("")]
)
async def test_a_download_that_breaks_off_gives_what_came_and_is_unreachable(
    hub: Hub, tmp_path: Path, error: Exception
) -> None:
    """So that it can be gone on with: what came is kept by whoever reads."""

    async def cut() -> AsyncIterator[bytes]:
        yield b"hello"
        raise error

    await published(hub, tmp_path)
    hub.before = attachment(httpx.Response(200, content=cut(), headers={"content-length": "11"}))
    came = bytearray()
    with pytest.raises(HeroError) as caught:
        async for chunk in hub.forge.open_asset(REPO, TAG, NAME):
            came += chunk
    assert (bytes(came), caught.value.code) == (b"hello", "unreachable")
