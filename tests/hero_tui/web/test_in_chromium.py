"""The cockpit as a person has it in a browser: a real Chromium, the real daemon, a real box."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web as aiohttp_web

from backends.client.blocking import call_box, connect_box
from tests.acceptance.small_box import SmallBox, small_box
from tests.chromium import Chromium, Page, program, running_chromium
from tests.hero_tui.web.sites import PASSWORD

pytestmark = pytest.mark.slow

SECONDS = 60.0
ROOT = Path(__file__).resolve().parents[3]

KEEP_TERMINAL = """
Object.defineProperty(Object.prototype, 'fitAddon', {configurable: true, set(value) {
  Object.defineProperty(this, 'fitAddon', {value, writable: true});
  window.heroTab = this;
}});
"""
"""Before the page's own scripts: keeps the terminal that they make, which nothing else leads to."""
SCREEN = """(() => {
  const terminal = window.heroTab?.terminal, rows = [];
  for (let y = 0; terminal && y < terminal.rows; y++)
    rows.push(terminal.buffer.active.getLine(y).translateToString(true));
  return rows.join('\\n');
})()"""


@dataclass
class Served:
    """The daemon as it is started by hand, at `address`."""

    box: SmallBox
    process: subprocess.Popen[str]
    address: str

    @property
    def origin(self) -> str:
        return self.address.removesuffix("/admin/")

    def cockpits(self) -> list[int]:
        """Processes of tabs."""
        return [pid for pid in _children(self.process.pid) if "hero_tui.web.tab" in _command(pid)]


def _children(pid: int) -> list[int]:
    try:
        told = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(child) for child in told.split()]


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


@pytest.fixture(scope="module")
def box() -> Iterator[SmallBox]:
    program()
    with small_box() as made:
        connect_box(made.where).close()
        made.until(lambda: len(call_box(made.where, "box.status")["online"]) == 2, "both slots")
        made.done("slot.start")
        yield made


@pytest.fixture
def served(box: SmallBox) -> Iterator[Served]:
    hero_dev = [sys.executable, "-m", "hero_tui.cli", "--box", str(box.root)]
    subprocess.run([*hero_dev, "web", "passwd", "alice"], input=PASSWORD, text=True, check=True, cwd=ROOT)
    argv = [sys.executable, "-m", "hero_tui.cockpit", "web", "--box", str(box.root), "--listen", "127.0.0.1:0"]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout
    told = process.stdout.readline()
    address = re.search(r"http://\S+", told)
    assert address, told
    made = Served(box, process, address[0])
    yield made
    process.terminate()
    process.wait(SECONDS)
    process.stdout.close()
    assert not made.cockpits()


@pytest.fixture
async def chromium() -> AsyncIterator[Chromium]:
    async with running_chromium() as browser:
        yield browser


@contextlib.asynccontextmanager
async def signing_in(browser: Chromium, page: Page, login: str, password: str) -> AsyncIterator[None]:
    """Whenever the browser would ask for name and password, type these; once each."""
    await page.send("Fetch.enable", handleAuthRequests=True)
    told = asyncio.create_task(_answer(browser, page, {"username": login, "password": password}))
    try:
        yield
    finally:
        told.cancel()
        await page.send("Fetch.disable")


async def _answer(browser: Chromium, page: Page, typed: dict[str, str]) -> None:
    seen, asked = 0, 0
    while True:
        for event in browser.events[seen:]:
            seen += 1
            if event.get("sessionId") != page.session:
                continue
            if event["method"] == "Fetch.requestPaused":
                await page.send("Fetch.continueRequest", requestId=event["params"]["requestId"])
            elif event["method"] == "Fetch.authRequired":
                asked += 1
                answer = {"response": "ProvideCredentials", **typed} if asked == 1 else {"response": "CancelAuth"}
                await page.send(
                    "Fetch.continueWithAuth", requestId=event["params"]["requestId"], authChallengeResponse=answer
                )
        await asyncio.sleep(0.02)


async def opened(browser: Chromium, served: Served) -> Page:
    """A tab in which alice has signed in, and whose cockpit shows the fleet."""
    page = await browser.page(begin=KEEP_TERMINAL)
    async with signing_in(browser, page, "alice", PASSWORD):
        await page.go(served.address)
    await page.until(
        f"{SCREEN}.includes('hero_web') && {SCREEN}.includes('● healthy')", "the fleet in the browser"
    )
    return page


async def until(there: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not there():
        assert time.monotonic() < deadline, f"{what} did not come to be"
        await asyncio.sleep(0.05)


def cursor(screen: str) -> str:
    """The name of the row that the cursor is on, by the bar beside its cell."""
    rows = [line for line in screen.splitlines() if "▌" in line]
    return rows[0].split()[0] if rows else ""


async def test_a_person_sees_the_grid_a_key_moves_it_and_the_tabs_end_is_the_cockpits(
    served: Served, chromium: Chromium
) -> None:
    page = await opened(chromium, served)
    screen = await page.value(SCREEN)
    assert "READ ONLY" in screen
    assert cursor(screen) == "alice"
    await page.press("k")
    await page.until(f"/integration[^\\n]*▌/.test({SCREEN})", "the cursor one row up")
    await page.press("l")
    await page.until(f"{SCREEN}.includes('logs')", "logs")
    assert "save" not in (await page.value(SCREEN)).splitlines()[-1]
    assert len(await page.picture()) > 15_000  # a blank one has some three thousand bytes
    assert chromium.complaints() == []  # of the content security policy above all
    assert len(served.cockpits()) == 1
    await page.close()
    await until(lambda: not served.cockpits(), "the end of the cockpit")


async def test_an_anonymous_visitor_sees_no_cockpit(served: Served, chromium: Chromium) -> None:
    page = await chromium.page()
    async with signing_in(chromium, page, "alice", "wrong horse battery"):
        await page.go(served.address)
    assert await page.value("document.querySelector('h1').textContent") == "Who are you?"
    assert await page.value("document.querySelector('#terminal')") is None
    assert not served.cockpits()


async def _other_site() -> tuple[aiohttp_web.AppRunner, str]:
    """A page of somebody else on the same machine: the browser sends it the same cookies, ports do not count."""

    async def page(_: aiohttp_web.Request) -> aiohttp_web.Response:
        return aiohttp_web.Response(text="<title>evil</title>", content_type="text/html")

    app = aiohttp_web.Application()
    app.router.add_get("/", page)
    runner = aiohttp_web.AppRunner(app, access_log=None)
    await runner.setup()
    await aiohttp_web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}/"


OPEN = (
    "new Promise(done => { const s = new WebSocket(%r);"
    " s.onopen = () => done('open'); s.onerror = () => done('refused') })"
)


async def test_a_page_of_a_foreign_origin_gets_neither_the_page_nor_a_cockpit(
    served: Served, chromium: Chromium
) -> None:
    page = await opened(chromium, served)
    # Not even a script of the page itself may read the page.
    assert await page.value("fetch('/admin/').then(() => 'read').catch(() => 'refused')") == "refused"
    assert len(served.cockpits()) == 1
    runner, address = await _other_site()
    try:
        await page.go(address)
        assert await page.value("document.title") == "evil"
        socket = f"{served.origin.replace('http', 'ws')}/admin/ws/x"
        assert await page.value(OPEN % socket) == "refused"
        got = f"fetch('{served.address}', {{credentials: 'include'}}).then(() => 'read').catch(() => 'refused')"
        assert await page.value(got) == "refused"
        framed = (
            f"new Promise(done => {{ const f = document.createElement('iframe'); f.src = '{served.address}';"
            " f.onload = () => { try { done(f.contentDocument ? 'read' : 'refused') } catch { done('refused') } };"
            " document.body.append(f) })"
        )
        assert await page.value(framed) == "refused"
    finally:
        await runner.cleanup()
    await until(lambda: not served.cockpits(), "the end of the cockpit that was left")


async def test_after_signing_out_the_tab_says_so(served: Served, chromium: Chromium) -> None:
    page = await opened(chromium, served)
    await page.value("document.querySelector('form button').click()")
    await page.until("document.querySelector('h1')?.textContent === 'You have signed out.'", "the farewell")
    await until(lambda: not served.cockpits(), "the end of the cockpit")


async def test_a_daemon_that_is_killed_takes_its_cockpits_along(served: Served, chromium: Chromium) -> None:
    page = await opened(chromium, served)
    (cockpit,) = served.cockpits()
    served.process.send_signal(signal.SIGKILL)
    await until(lambda: not _command(cockpit), "the end of the cockpit")
    await page.until("document.body.classList.contains('-closed')", "the page to notice")
    assert await page.value("document.getElementById('why').textContent") == "The connection was lost."
