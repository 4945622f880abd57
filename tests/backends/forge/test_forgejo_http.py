"""The rules of the road to a forge: what is sent again, how long we wait, and who gets to see the token."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from backends.forge.base import Forge
from backends.forge.forgejo import Forgejo
from backends.model.errors import HeroError
from tests.backends.forge.forgejo_wire import (
    TOKEN,
    URL,
    Answer,
    Wire,
    answer,
    head,
    in_turn,
    listed,
    release,
    socket_that_says,
    streamed,
)

BRANCH = {
    "name": "development",
    "commit": {"id": "a" * 40, "message": "first", "timestamp": "2026-11-20T12:00:00Z"},
}
HOOK = {"id": 7, "type": "forgejo", "config": {"url": "u"}, "events": ["push"], "active": True}
REPO = "lhumina_code/hero_router"

LATER = [
    answer({}, 502),
    answer({}, 503),
    answer({}, 504),
    answer({}, 429),
    httpx.ConnectError("refused"),
    httpx.ConnectTimeout("slow"),
    httpx.ReadTimeout("slow"),
    httpx.RemoteProtocolError("gone"),
]


def test_it_is_a_forge() -> None:
    forge: Forge = Forgejo(URL)
    assert repr(forge) == f"Forgejo('{URL}')"


@pytest.mark.parametrize("fault", LATER, ids=repr)
async def test_a_question_is_asked_again(fault: Answer) -> None:
    wire = Wire(in_turn(fault, fault, answer(BRANCH)))
    assert (await wire.forge().branch(REPO, "development")).commit == "a" * 40
    assert wire.pauses == [0.5, 1.0]


@pytest.mark.parametrize("fault", LATER, ids=repr)
async def test_after_four_tries_it_is_given_up(fault: Answer) -> None:
    wire = Wire(in_turn(fault))
    with pytest.raises(HeroError) as caught:
        await wire.forge().branch(REPO, "development")
    assert caught.value.code == "unreachable"
    assert len(wire.requests) == 4
    assert len(wire.pauses) == 3


@pytest.mark.parametrize(
    "fault",
    [answer({}, 502), answer({}, 503), answer({}, 504), answer({}, 429), httpx.ReadTimeout("slow")],
    ids=repr,
)
async def test_what_may_have_been_done_is_not_done_again(fault: Answer) -> None:
    wire = Wire(in_turn(fault, answer(HOOK, 201)))
    with pytest.raises(HeroError) as caught:
        await wire.forge().create_hook(REPO, "http://box/hooks/forge", "secret")
    assert caught.value.code == "unreachable"
    assert wire.paths() == [f"POST /repos/{REPO}/hooks"]


@pytest.mark.parametrize(
    "fault",
    [
        answer({}, 429, retry_after="2"),
        answer({}, 503, retry_after="2"),
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("slow"),
    ],
    ids=repr,
)
async def test_what_was_certainly_not_taken_is_sent_again(fault: Answer) -> None:
    wire = Wire(in_turn(fault, answer(HOOK, 201)))
    assert (await wire.forge().create_hook(REPO, "http://box/hooks/forge", "secret")).active
    assert len(wire.requests) == 2


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [
        ("7", 7, 7),
        ("0", 0, 0),
        (format_datetime(datetime.now(UTC) + timedelta(seconds=25), usegmt=True), 0, 25),
        (format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True), 0, 0),
        ("soon", 0.5, 0.5),
        ("-5", 0.5, 0.5),
    ],
    ids=["seconds", "none", "a time to come", "a time gone by", "a word", "less than none"],
)
async def test_the_forge_says_how_long_to_wait(asked: str, least: float, most: float) -> None:
    wire = Wire(in_turn(answer({}, 429, retry_after=asked), answer(BRANCH)))
    await wire.forge().branch(REPO, "development")
    assert least <= wire.pauses[0] <= most


async def test_a_long_pause_is_left_to_people() -> None:
    wire = Wire(in_turn(answer({}, 429, retry_after="3600"), answer(BRANCH)))
    with pytest.raises(HeroError) as caught:
        await wire.forge().branch(REPO, "development")
    assert (caught.value.code, caught.value.data["retry_after"]) == ("unreachable", 3600)
    assert "3600 seconds" in caught.value.hint
    assert len(wire.requests) == 1


async def test_pauses_of_one_request_have_an_end() -> None:
    wire = Wire(in_turn(answer({}, 429, retry_after="29")))
    with pytest.raises(HeroError):
        await wire.forge().branch(REPO, "development")
    assert sum(wire.pauses) <= 60


async def test_a_refused_connection_is_unreachable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    forge = Forgejo(f"http://127.0.0.1:{port}", TOKEN, chance=lambda: 0.0)
    with pytest.raises(HeroError) as caught:
        await forge.repositories()
    assert caught.value.code == "unreachable"
    assert f"127.0.0.1:{port}" in caught.value.message
    await forge.aclose()


async def test_an_answer_that_breaks_off_is_asked_for_again_and_then_unreachable() -> None:
    async with socket_that_says(head(100) + b'{"id": 1') as (url, heard):
        forge = Forgejo(url, TOKEN, chance=lambda: 0.0)
        with pytest.raises(HeroError) as caught:
            await forge.branch(REPO, "development")
        assert caught.value.code == "unreachable"
        assert len(heard) == 4
        await forge.aclose()


@pytest.mark.parametrize(
    "said",
    [
        httpx.Response(200, html="<html>Sign in</html>"),
        httpx.Response(200, text="{"),
        httpx.Response(200, json=[1]),
        httpx.Response(200, json={"name": 1}),
        httpx.Response(200, text="[" * 100_000),
        httpx.Response(200, text='"' + "\\ud800" + '"'),
    ],
)
async def test_what_no_forge_would_say_asks_whether_it_is_one(said: httpx.Response) -> None:
    with pytest.raises(HeroError) as caught:
        await Wire(in_turn(said)).forge().branch(REPO, "development")
    assert caught.value.code == "failed"
    assert "Is that a Forgejo?" in caught.value.message


async def test_cookies_are_not_kept() -> None:
    wire = Wire(in_turn(answer(BRANCH, set_cookie="i_like_gitea=abc; Path=/")))
    forge = wire.forge()
    for _ in range(2):
        await forge.branch(REPO, "development")
    assert "cookie" not in wire.requests[1].headers


async def test_a_renamed_repository_is_followed_on_our_own_address() -> None:
    """Behind a proxy the forge redirects to the name that it knows itself by; the token must not go there."""
    moved = httpx.Response(301, headers={"location": "http://inner.test:3000/api/v1/repos/o/new/branches/b?x=1"})
    wire = Wire(in_turn(moved, answer({**BRANCH, "name": "b"})))
    await wire.forge().branch(REPO, "b")
    assert str(wire.requests[1].url) == f"{URL}/api/v1/repos/o/new/branches/b?x=1"


async def test_a_change_to_a_renamed_repository_says_so() -> None:
    wire = Wire(in_turn(httpx.Response(301, headers={"location": "/api/v1/repos/o/new/hooks"})))
    with pytest.raises(HeroError) as caught:
        await wire.forge().create_hook(REPO, "u", "s")
    assert caught.value.code == "not_found"
    assert "renamed" in caught.value.message


def download(*steps: httpx.Response) -> Wire:
    """A forge with one asset of 5 bytes, whose download goes through `steps`."""
    asset = {"id": 1, "name": "a.tar.gz", "size": 5, "uuid": "f689e8e5-4441-4caa-b8e7-324a0000e761"}
    later = in_turn(*steps)

    def handle(request: httpx.Request) -> Answer:
        if "/api/v1/" in request.url.path:
            return answer(release(1, "development-abcdef12", assets=[asset]))
        found = later(request)
        assert isinstance(found, httpx.Response)
        return found

    return Wire(handle)


async def fetch(wire: Wire, offset: int = 0) -> bytes:
    chunks = wire.forge().open_asset(REPO, "development-abcdef12", "a.tar.gz", offset=offset)
    return b"".join([chunk async for chunk in chunks])


def to(url: str, status: int = 303) -> httpx.Response:
    return httpx.Response(status, headers={"location": url})


async def test_a_store_elsewhere_gets_no_token() -> None:
    wire = download(to("https://s3.example/x?sig=1"), to(f"{URL}/back"), streamed(b"hello"))
    assert await fetch(wire) == b"hello"
    seen = [(r.url.host, "authorization" in r.headers) for r in wire.requests[1:]]
    assert seen == [("forge.example", True), ("s3.example", False), ("forge.example", True)]


@pytest.mark.parametrize("url", ["https://forge.example:8443/x", "https://forge.example.evil.example/x"])
async def test_another_port_or_name_gets_no_token(url: str) -> None:
    wire = download(to(url), streamed(b"hello"))
    await fetch(wire)
    assert "authorization" not in wire.requests[-1].headers


@pytest.mark.parametrize("url", ["http://forge.example/git/x", "http://s3.example/x", "file:///etc/passwd"])
async def test_a_redirect_without_tls_or_to_nowhere_is_not_followed(url: str) -> None:
    wire = download(to(url))
    with pytest.raises(HeroError) as caught:
        await fetch(wire)
    assert caught.value.code == "failed"
    assert len(wire.requests) == 2


async def test_redirects_have_an_end() -> None:
    wire = download(to(f"{URL}/again"))
    with pytest.raises(HeroError) as caught:
        await fetch(wire)
    assert caught.value.code == "failed"
    assert len(wire.requests) == 1 + 6


async def test_the_list_that_is_too_long_to_hold_is_refused() -> None:
    def handle(request: httpx.Request) -> Answer:
        if "/raw/" in request.url.path:
            return httpx.Response(200, content=b"x" * ((16 << 20) + 1))
        return listed([], request)

    with pytest.raises(HeroError) as caught:
        await Wire(handle).forge().raw_file(REPO, "a" * 40, "big")
    assert caught.value.code == "usage"


async def test_after_it_is_closed_nothing_is_asked() -> None:
    wire = Wire(in_turn(answer(BRANCH)))
    forge = wire.forge()
    await forge.aclose()
    with pytest.raises(HeroError):
        await forge.branch(REPO, "development")
    assert not wire.requests
