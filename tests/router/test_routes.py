"""The way to a service: its socket, its prefix, its headers, WebSockets and streams, while others come and go."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from tests.router.caddy import SECONDS, Router, read_head
from tests.router.servers import Service, frame, receive, serving

UPGRADE = (
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)
HARMFUL = (
    "Service-Worker-Allowed: /",
    'Clear-Site-Data: "*"',
    "Strict-Transport-Security: max-age=1; includeSubDomains",
    'Alt-Svc: h2="elsewhere.example:443"',
    "NEL: {}",
    "Report-To: {}",
    "X-Content-Type-Options: sniff-away",
)


@asynccontextmanager
async def running(router: Router, user: str, short: str, *extra: str) -> AsyncIterator[Service]:
    """A service that answers to `short`, its socket laid as a slot's daemon lays it."""
    folder = router.web(user)
    (folder / f"hero_{short}").mkdir(exist_ok=True)
    link = folder / f"{short}.sock"
    async with serving(folder / f"hero_{short}" / "web.sock", Service(f"{user} {short}", *extra)) as service:
        link.symlink_to(f"hero_{short}/web.sock")
        yield service
    link.unlink()


async def told(router: Router, target: str, *headers: str) -> dict[str, Any]:
    """What the service behind `target` says that it was asked."""
    answer = await router.ask(target, *headers)
    assert answer.status == 200, answer
    found: dict[str, Any] = json.loads(answer.body)
    return found


async def test_each_user_and_service_has_its_own_address(router: Router) -> None:
    async with running(router, "alice", "slides"), running(router, "bob", "slides"), running(router, "bob", "a-1"):
        assert (await told(router, "/alice/slides/"))["name"] == "alice slides"
        assert (await told(router, "/bob/slides/"))["name"] == "bob slides"
        assert (await told(router, "/bob/a-1/"))["name"] == "bob a-1"


async def test_the_prefix_is_taken_off_and_told_and_the_rest_is_passed_on_as_it_came(router: Router) -> None:
    async with running(router, "alice", "slides"):
        asked = await told(router, "/alice/slides/deck%201/a;b,c..d/.e?x=%2f%2e%2e&y=//../&z")
    assert asked["target"] == "/deck%201/a;b,c..d/.e?x=%2f%2e%2e&y=//../&z"
    assert asked["headers"]["x-forwarded-prefix"] == "/alice/slides"
    assert asked["headers"]["x-forwarded-for"] == "127.0.0.1"
    assert asked["headers"]["x-forwarded-proto"] == "http"
    assert asked["headers"]["host"] == asked["headers"]["x-forwarded-host"] == f"127.0.0.1:{router.port}"


async def test_a_body_is_passed_on_with_its_method(router: Router) -> None:
    async with running(router, "alice", "slides"):
        answer = await router.ask("/alice/slides/up", method="PUT", body=b"x" * 5000)
    found = json.loads(answer.body)
    assert (found["method"], found["target"], found["body"]) == ("PUT", "/up", 5000)


async def test_an_address_without_its_last_slash_leads_to_the_one_with_it(router: Router) -> None:
    answer = await router.ask("/alice/slides?x=/y")
    assert (answer.status, answer.header("location")) == (308, "/alice/slides/?x=/y")


async def test_what_a_client_claims_of_itself_reaches_nobody(router: Router) -> None:
    claims = (
        "X-Forwarded-Prefix",
        "X-Forwarded-User",
        "X-Forwarded-For",
        "X_Forwarded_Prefix",
        "x-forwarded-host",
    )
    others = ("Forwarded", "X-Real-IP", "Remote-User", "X-Remote-User", "X-Hero-User", "X_Hero_User")
    async with running(router, "alice", "slides"):
        asked = await told(router, "/alice/slides/", *(f"{name}: evil" for name in (*claims, *others)))
    assert "evil" not in asked["headers"].values()


async def test_a_header_that_the_client_wants_dropped_on_the_way_arrives(router: Router) -> None:
    async with running(router, "alice", "slides"):
        asked = await told(router, "/alice/slides/", "Connection: close, X-Forwarded-Prefix, X-Forwarded-For")
    assert asked["headers"]["x-forwarded-prefix"] == "/alice/slides"
    assert asked["headers"]["x-forwarded-for"] == "127.0.0.1"


async def test_an_answer_may_not_reach_beyond_its_own_pages(router: Router) -> None:
    async with running(router, "alice", "slides", *HARMFUL, "X-Own: 1", "Set-Cookie: a=b"):
        answer = await router.ask("/alice/slides/")
    names = [name for name, _ in answer.headers]
    assert not {line.partition(":")[0].lower() for line in HARMFUL[:-1]} & set(names)
    assert answer.header("x-content-type-options") == "nosniff"
    assert (answer.header("x-own"), answer.header("set-cookie")) == ("1", "a=b")


async def test_a_stream_arrives_while_it_is_written(router: Router) -> None:
    async with running(router, "alice", "slides") as service:
        reader, writer = await router.connect()
        writer.write(b"GET /alice/slides/stream HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(SECONDS):
            await read_head(reader)
            assert b"first" in await reader.readuntil(b"first\n")
            service.go.set()
            assert b"second" in await reader.readuntil(b"second\n")
        writer.close()


async def test_a_websocket_stays_while_services_come_and_go(router: Router) -> None:
    async with running(router, "alice", "slides"):
        reader, writer = await router.connect()
        writer.write(_request("/alice/slides/ws", UPGRADE))
        async with asyncio.timeout(SECONDS):
            assert (await read_head(reader))[0] == 101
            assert await _said(reader, writer, b"one") == b"echo one"
            for _ in range(3):
                async with running(router, "bob", "chat"), running(router, "alice", "web"):
                    assert (await router.ask("/bob/chat/")).status == 200
                    assert (await router.ask("/alice/web/")).status == 200
                assert (await router.ask("/bob/chat/")).status == 503
            assert await _said(reader, writer, b"two") == b"echo two"
        writer.close()


async def test_a_service_that_comes_back_answers_at_once(router: Router) -> None:
    for _ in range(3):
        async with running(router, "alice", "slides"):
            assert (await told(router, "/alice/slides/"))["name"] == "alice slides"
        assert (await router.ask("/alice/slides/")).status == 503


async def test_connections_are_never_shared_between_services(router: Router) -> None:
    users = ("alice", "bob", "carol")
    async with running(router, "alice", "x"), running(router, "bob", "x"), running(router, "carol", "x"):
        for _ in range(5):
            names = await asyncio.gather(*(told(router, f"/{user}/x/") for user in users * 4))
            assert [one["name"] for one in names] == [f"{user} x" for user in users * 4]


async def _said(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, text: bytes) -> bytes:
    writer.write(frame(text))
    return await receive(reader)


def _request(target: str, headers: Iterable[str]) -> bytes:
    return "\r\n".join([f"GET {target} HTTP/1.1", "Host: x", *headers, "", ""]).encode()
