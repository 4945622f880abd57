"""The cockpit in the browser behind the router: reached there, not by the back door, and missed politely."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import pytest
from aiohttp import web as aiohttp_web

from hero_tui.web import passwords
from tests.chromium import Page, running_chromium
from tests.hero_tui.web.sites import PASSWORD, Web, make_box, running_web
from tests.hero_tui.web.test_in_chromium import KEEP_TERMINAL, OPEN, SCREEN, signing_in
from tests.router.caddy import Router

HTML = "Accept: text/html"


@contextlib.asynccontextmanager
async def behind(router: Router, *words: str) -> AsyncIterator[Web]:
    """The cockpit in the browser as the router reaches it."""
    origin = f"http://127.0.0.1:{router.port}"
    box = make_box(router.folder / "box", f'[router]\nurl = "{origin}"\n')
    async with running_web(box, *words, socket=router.folder / "web.sock") as web:
        yield Web(f"{origin}/admin/", web.site, box)


@pytest.fixture
async def cockpit(router: Router, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Web]:
    monkeypatch.setattr(passwords, "_COST", 2)
    async with behind(router) as web:
        yield web


async def test_a_person_signs_in_and_has_a_cockpit_through_the_router(cockpit: Web) -> None:
    async with cockpit.browser() as browser:
        assert (await browser.go())[0] == 401
        assert (await browser.sign_in())[0] == 200
        async with browser.tab() as tab:
            await tab.start()
            await tab.type("j")
            assert await tab.hear() == "keys:j"
        await cockpit.until(lambda: len(cockpit.site.tabs) == 0, "the end of the tab")


async def test_the_router_shows_the_page_under_its_one_address_alone(router: Router, cockpit: Web) -> None:
    answer = await router.ask("/admin")
    assert (answer.status, answer.header("location")) == (308, "/admin/")
    lied = await router.ask("/admin/", "X-Forwarded-Host: evil.example", "X-Forwarded-Proto: https")
    assert lied.status == 303  # what a client says of itself is dropped: it is where it is
    async with cockpit.browser() as browser:
        status, text, _ = await browser.go(headers={"Host": f"box.example:{router.port}"})
        assert status == 421
        assert cockpit.address in text


async def test_a_link_in_the_folder_of_a_slot_is_no_way_to_it(router: Router, cockpit: Web) -> None:
    """A service's page would so be under the cockpit's name, or the cockpit in the hands of a slot."""
    (router.web("eve") / "x.sock").symlink_to(router.folder / "web.sock")
    for path in ("admin/", "admin/login", "admin/static/hero.css"):
        assert (await router.ask(f"/eve/x/{path}")).status == 404


async def test_while_the_cockpit_is_away_a_page_says_so_and_looks_again(router: Router) -> None:
    for path in ("/admin/", "/admin/ws/x", "/admin?screen=logs"):
        page = await router.ask(path, HTML)
        assert page.status == 503
        assert "does not answer" in page.text
        assert 'http-equiv="refresh"' in page.text
        assert page.header("content-type").startswith("text/html")
        assert page.header("retry-after") == "5"
        assert page.header("cache-control") == "no-store"
    plain = await router.ask("/admin/")
    assert (plain.status, "<" in plain.text) == (503, False)
    assert "hero_webd" in plain.text


async def test_a_refusal_of_the_cockpits_own_is_passed_on(router: Router, cockpit: Web) -> None:
    answer = await router.ask("/admin/nothing", HTML)
    assert answer.status == 404
    assert "There is nothing here." in answer.text


@contextlib.asynccontextmanager
async def evil_service(router: Router) -> AsyncIterator[None]:
    """A service of a slot: on the cockpit's own origin, as all services are."""

    async def page(_: aiohttp_web.Request) -> aiohttp_web.Response:
        return aiohttp_web.Response(text="<title>slides</title>", content_type="text/html")

    app = aiohttp_web.Application()
    app.router.add_get("/", page)
    runner = aiohttp_web.AppRunner(app, access_log=None)
    await runner.setup()
    await aiohttp_web.UnixSite(runner, str(router.web("eve") / "slides.sock")).start()
    try:
        yield
    finally:
        await runner.cleanup()


FRAME = """new Promise(done => {
  const frame = document.createElement('iframe');
  frame.src = '/admin/';
  frame.onload = () => {
    try { done(frame.contentDocument.querySelector('#terminal') ? 'read' : 'refused'); } catch { done('refused'); }
  };
  document.body.append(frame);
})"""
WINDOW = """new Promise(done => {
  const other = window.open('/admin/');
  const look = left => {
    try { if (other && other.document.querySelector('#terminal')) return done('read'); } catch {}
    left ? setTimeout(look, 100, left - 1) : done(other === null || other.closed ? 'severed' : 'open');
  };
  look(30);
})"""


@pytest.mark.slow
async def test_a_service_on_the_same_origin_gets_no_cockpit_of_who_has_signed_in(
    router: Router, cockpit: Web
) -> None:
    async with running_chromium() as browser, evil_service(router):
        page = await browser.page(begin=KEEP_TERMINAL)
        async with signing_in(browser, page, "alice", PASSWORD):
            await page.go(cockpit.address)
        await page.until(f"{SCREEN}.includes('alice')", "the stand-in")
        await page.go(f"{cockpit.origin}/eve/slides/")
        assert await page.value("document.title") == "slides"
        assert await page.value("document.cookie") == ""
        assert await page.value("fetch('/admin/').then(answer => answer.status)") == 403
        assert await page.value(FRAME) == "refused"
        assert await page.value(OPEN % f"{cockpit.origin.replace('http', 'ws')}/admin/ws/x") == "refused"
        assert await _opened_by_a_click(page) == "severed"
        await cockpit.until(lambda: len(cockpit.site.tabs) <= 1, "the first tab's end")


async def _opened_by_a_click(page: Page) -> str:
    """What a window is to the script that opened it; only after a click may one be opened."""
    told = await page.send(
        "Runtime.evaluate", expression=WINDOW, awaitPromise=True, returnByValue=True, userGesture=True
    )
    return str(told["result"]["value"])
