"""The cockpit in the browser for tests: a box's folder with a team, the daemon's site over it, and browsers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
from yarl import URL

from backends.box_files import read_boxfile
from backends.model.boxfile import render_boxfile
from backends.model.paths import BoxPaths
from hero_tui.deep_link import Link
from hero_tui.web import passwords
from hero_tui.web.daemon import running
from hero_tui.web.logins import Login
from hero_tui.web.site import Site

SECONDS = 30.0
PASSWORD = "correct horse battery"
PEOPLE = {
    "alice": 'role = "developer"',
    "mik": 'role = "reviewer"\nforge_user = "Mik.S"',
    "gone": 'role = "developer"\nenabled = false',
}
PERSON = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
"""What a browser says of a person who goes to a page."""


def make_box(root: Path, more: str = "") -> BoxPaths:
    """A box's folder, with `more` in its box.toml; alice and gone have a password."""
    box = BoxPaths(root)
    (box.team / "users").mkdir(parents=True)
    box.homes.mkdir()
    (box.team / "team.toml").write_text('schema = 1\nname = "T"\nbox = "small"\n[forge]\nkind = "folder"\n')
    (box.team / "services.toml").write_text("schema = 1\n")
    (box.team / "manifest_templates").mkdir()
    for role in ("developer", "reviewer"):
        (box.team / "manifest_templates" / f"{role}.toml").write_text("schema = 1\n")
    for login, lines in PEOPLE.items():
        person(box, login, lines)
    box.config.write_text(f"{render_boxfile('small', datetime.now(UTC), 'lhumina_code/hero_team')}\n{more}")
    for login in ("alice", "gone"):
        passwords.set_password(box.web, login, PASSWORD)
    return box


def person(box: BoxPaths, login: str, lines: str) -> None:
    (box.team / "users" / f"{login}.toml").write_text(f'schema = 1\nfull_name = "{login}"\n{lines}\n')


def standin(*words: str) -> Callable[[Login, Link, Path], list[str]]:
    """The command of a tab that is no cockpit."""
    program = str(Path(__file__).with_name("standin.py"))
    return lambda login, link, folder: [
        sys.executable,
        program,
        login.user,
        link.place,
        link.slot,
        link.service,
        *words,
    ]


@dataclass
class Web:
    """A running site at `address`, like http://127.0.0.1:1234/admin/."""

    address: str
    site: Site
    box: BoxPaths

    @property
    def origin(self) -> str:
        return str(URL(self.address).origin())

    @contextlib.asynccontextmanager
    async def browser(self) -> AsyncIterator[Browser]:
        """A new one, which knows nobody."""
        jar = aiohttp.CookieJar(unsafe=True)  # that is: also for addresses without a name
        async with aiohttp.ClientSession(cookie_jar=jar) as session:
            yield Browser(self, session)

    async def until(self, there: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + SECONDS
        while not there():
            assert time.monotonic() < deadline, f"{what} did not come to be"
            await asyncio.sleep(0.02)


@dataclass
class Browser:
    """Keeps cookies, and says what browsers say."""

    web: Web
    session: aiohttp.ClientSession

    async def go(self, path: str = "", **options: Any) -> tuple[int, str, aiohttp.ClientResponse]:
        """A person goes to a page below /admin/, and wherever it leads; status, text, the last answer."""
        headers = {**PERSON, **options.pop("headers", {})}
        async with self.session.get(self.web.address + path, headers=headers, **options) as answer:
            return answer.status, await answer.text(), answer

    async def sign_in(self, login: str = "alice", word: str = PASSWORD, path: str = "login") -> tuple[int, str]:
        """With a password; status and text of the page that it leads to."""
        basic = aiohttp.encode_basic_auth(login, word)
        status, text, _ = await self.go(path, headers={"Authorization": basic})
        return status, text

    def cookie(self, name: str = "hero_admin") -> str:
        found = self.session.cookie_jar.filter_cookies(URL(self.web.address + "login"))
        return found[name].value if name in found else ""

    async def socket_address(self, path: str = "") -> str:
        """Where the page's cockpit is opened."""
        status, text, _ = await self.go(path)
        assert status == 200, text
        return socket_of(text)

    @contextlib.asynccontextmanager
    async def tab(self, address: str = "", **options: Any) -> AsyncIterator[Tab]:
        """An open cockpit."""
        address = address or await self.socket_address()
        origin = options.pop("origin", self.web.origin)
        async with self.session.ws_connect(
            f"{address}?width=90&height=30", origin=origin, autoclose=False, **options
        ) as socket:
            yield Tab(socket)


def socket_of(page: str) -> str:
    found = re.search(r'data-session-websocket-url="([^"]+)"', page)
    assert found, page
    return found[1]


@dataclass
class Tab:
    socket: aiohttp.ClientWebSocketResponse

    async def hear(self) -> str:
        """The next thing that is drawn; "" once it has ended."""
        async with asyncio.timeout(SECONDS):
            message = await self.socket.receive()
        return message.data.decode() if message.type == aiohttp.WSMsgType.BINARY else ""

    async def start(self) -> dict[str, Any]:
        """What the stand-in was started with."""
        found: dict[str, Any] = json.loads(await self.hear())
        return found

    async def type(self, keys: str) -> None:
        await self.socket.send_json(["stdin", keys])

    async def end(self) -> tuple[int, str]:
        """Wait for its end: the code and the reason."""
        async with asyncio.timeout(SECONDS):
            while True:
                message = await self.socket.receive()
                if message.type == aiohttp.WSMsgType.CLOSE:
                    return message.data, message.extra or ""
                if message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING):
                    return self.socket.close_code or 0, ""


@contextlib.asynccontextmanager
async def running_web(box: BoxPaths, *words: str, socket: Path | None = None, port: int = 0) -> AsyncIterator[Web]:
    """The site over `box`, its tabs stand-ins."""
    boxfile = read_boxfile(box)
    async with running(box, boxfile, socket, f"127.0.0.1:{port}", standin(*words)) as (address, site):
        yield Web(address, site, box)
