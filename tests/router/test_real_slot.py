"""A slot of a real box behind a real router: where `status` says that its services are, they answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from backends.client.blocking import call_box
from tests.acceptance.small_box import SmallBox, small_box
from tests.router.caddy import Answer, Router

pytestmark = pytest.mark.slow


@pytest.fixture
def slot(router: Router) -> Iterator[SmallBox]:
    """alice's slot on a box whose router is ours."""
    with small_box() as made:
        address = f"http://127.0.0.1:{router.port}"
        with made.where.box.config.open("a") as config:
            config.write(f'[router]\nurl = "{address}"\n')
        made.call("slot.status")
        (router.slots / "alice").symlink_to(made.slot.sockets.resolve())
        call_box(made.where, "box.status")
        router.edge.symlink_to(made.where.box.http_socket.resolve())
        yield made


async def ask(router: Router, url: str, *headers: str) -> Answer:
    return await router.ask(urlsplit(url).path, *headers)


async def said(router: Router, url: str) -> dict[str, Any]:
    answer = await ask(router, url)
    assert answer.status == 200, answer
    found: dict[str, Any] = json.loads(answer.body)
    return found


async def test_a_service_answers_at_its_url_as_soon_as_it_is_healthy(router: Router, slot: SmallBox) -> None:
    slot.done("slot.start")
    urls = {service: slot.cell(service)["url"] for service in ("hero_web", "hero_db", "hero_api")}
    assert urls["hero_web"] == f"http://127.0.0.1:{router.port}/alice/web/"
    for service, url in urls.items():
        assert (await said(router, url))["service"] == service
    slot.done("slot.switch", {"service": "hero_web", "branch": "development_mik"})
    assert (await said(router, urls["hero_web"]))["page"] == "mik"


async def test_what_stops_or_is_unbound_is_told_and_comes_back(router: Router, slot: SmallBox) -> None:
    url = f"http://127.0.0.1:{router.port}/alice/web/"
    slot.done("slot.start")
    slot.done("slot.stop", {"services": ["hero_web"]})
    await _told(router, slot, url, "stopped")
    assert "hero_dev start hero_web" in (await ask(router, url)).text
    assert slot.cell("hero_web")["url"] == url
    slot.done("slot.start", {"services": ["hero_web"]})
    assert (await said(router, url))["service"] == "hero_web"
    slot.done("slot.unbind", {"service": "hero_web"})
    assert not (slot.slot.sockets / ".web" / "web.sock").is_symlink()
    await _told(router, slot, url, "not bound")
    slot.done("slot.bind", {"service": "hero_web", "branch": "development", "from": "release"})
    assert (await said(router, url))["service"] == "hero_web"


async def test_names_are_there_after_the_daemon_was_restarted(router: Router, slot: SmallBox) -> None:
    slot.done("slot.start")
    link = slot.slot.sockets / ".web" / "web.sock"
    link.unlink()
    (link.parent / "old.sock").symlink_to("hero_old/web.sock")
    slot.call("slot.down", {"services": False})
    slot.until(lambda: slot.call("slot.status") and link.is_symlink(), "the name")
    assert (await said(router, slot.cell("hero_web")["url"]))["service"] == "hero_web"
    assert not (link.parent / "old.sock").is_symlink()


async def _told(router: Router, slot: SmallBox, url: str, state: str) -> None:
    """Wait until the box has heard of it."""
    for _ in range(600):
        document = json.loads((await ask(router, url, "Accept: application/json")).body)
        if document["state"] == state:
            return
        slot.call("slot.status")
    raise AssertionError(document)
