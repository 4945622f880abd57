"""What is shown where no service answers: by the box's daemon, and by the router alone while that is away."""

from __future__ import annotations

import asyncio
import json

from tests.backends.box.edge.conftest import Served
from tests.backends.box.edge.deliveries import headers, push
from tests.router.caddy import SECONDS, Router
from tests.router.conftest import serving_box

HTML, JSON = "Accept: text/html,*/*;q=0.8", "Accept: application/json"


async def test_a_service_that_is_not_running_is_told_with_the_verb_that_starts_it(
    router: Router, box: Served
) -> None:
    answer = await router.ask("/alice/slides/deck/1?token=SECRET", HTML)
    assert (answer.status, answer.header("content-type")) == (503, "text/html; charset=utf-8")
    assert "hero_dev start hero_slides" in answer.text
    assert "SECRET" not in answer.text
    assert answer.header("cache-control") == "no-store"
    document = json.loads((await router.ask("/alice/slides/", JSON)).body)
    assert (document["user"], document["service"], document["state"]) == ("alice", "hero_slides", "stopped")
    assert document["verb"] == "hero_dev start hero_slides"
    assert "hero_dev start hero_slides" in (await router.ask("/alice/slides/")).text


async def test_other_methods_and_websockets_are_told_the_same(router: Router, box: Served) -> None:
    assert (await router.ask("/alice/slides/x", method="POST", body=b"{}")).status == 503
    assert (await router.ask("/alice/slides/x", method="DELETE")).status == 503
    upgrade = ("Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
    assert (await router.ask("/alice/slides/ws", "Connection: Upgrade", *upgrade)).status == 503
    assert (await router.ask("/alice/slides/", method="HEAD")).body == b""


async def test_unknown_users_and_services_are_not_found_and_near_ones_are_named(
    router: Router, box: Served
) -> None:
    nobody = await router.ask("/alise/slides/")
    assert (nobody.status, "Did you mean alice?" in nobody.text) == (404, True)
    nothing = await router.ask("/alice/slide/")
    assert (nothing.status, "Did you mean slides?" in nothing.text) == (404, True)


async def test_who_asks_for_the_box_or_a_user_sees_what_runs(router: Router, box: Served) -> None:
    everything = await router.ask("/", HTML)
    assert everything.status == 200
    assert '<a href="/alice/slides/">' in everything.text
    assert '<a href="/bob/api/">' in everything.text
    for target in ("/alice", "/alice/", "/alice?x=1"):
        alices = await router.ask(target)
        assert "/alice/slides/" in alices.text
        assert "/bob/" not in alices.text


async def test_a_client_cannot_have_another_page_shown(router: Router, box: Served) -> None:
    answer = await router.ask("/alice/slides/", "X-Hero-User: bob", "X-Hero-Service: api", JSON)
    assert json.loads(answer.body)["user"] == "alice"


async def test_while_the_box_is_away_the_router_says_so_itself_and_later_the_box_is_asked_again(
    router: Router,
) -> None:
    answer = await router.ask("/alice/slides/")
    assert (answer.status, "the box's daemon does not" in answer.text) == (503, True)
    async with serving_box(router):
        async with asyncio.timeout(SECONDS):
            while "hero_dev start hero_slides" not in (await router.ask("/alice/slides/")).text:
                await asyncio.sleep(0.05)


async def test_a_delivery_of_the_forge_reaches_the_box_as_it_was_signed(router: Router, box: Served) -> None:
    content = push("topic")
    sent = [f"{name}: {value}" for name, value in headers(box.secret(), content).items()]
    answer = await router.ask("/hooks/forge", *sent, method="POST", body=content)
    assert (answer.status, answer.text) == (202, "The delivery is taken.\n")
    assert (await box.looked()).branch == "topic"
