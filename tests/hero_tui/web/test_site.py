"""What every answer is like, and what no request gets."""

from __future__ import annotations

import re
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from backends.model.errors import HeroError
from hero_tui.web import pages
from hero_tui.web.guards import Front
from hero_tui.web.site import FILES
from hero_tui.web.tab import WITHHELD
from tests.hero_tui.web.sites import Browser, Web, make_box, running_web


async def test_a_page_loads_nothing_from_elsewhere_and_runs_no_script_but_ours(web: Web, browser: Browser) -> None:
    await browser.sign_in()
    _, text, answer = await browser.go()
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert f"script-src {web.origin}/admin/static/;" in policy
    assert f"connect-src ws://{web.origin.removeprefix('http://')}/admin/ws/;" in policy
    assert "frame-ancestors 'none'" in policy
    assert not re.search(r"<script(?! src)|\son\w+=|javascript:", text)
    loaded = re.findall(r'(?:src|href)="([^"]+)"', text)
    assert all(address.startswith("/admin/") for address in loaded), loaded


async def test_every_answer_is_hardened(browser: Browser) -> None:
    await browser.sign_in()
    for path in ("", "login", "nothing", "static/hero.css", "static/", "ws/x"):
        _, _, answer = await browser.go(path)
        headers = answer.headers
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "Content-Security-Policy" in headers
        assert headers["Server"] == "hero"
        assert headers["Cache-Control"] in ("no-store", "no-cache")


async def test_files_are_those_of_the_pages_and_no_folder_is_listed(browser: Browser) -> None:
    for name in FILES:
        status, _, _ = (
            await browser.go(f"static/{name}", headers={"Accept-Encoding": "identity"})
            if name.endswith((".css", ".js", ".svg"))
            else (200, "", None)
        )
        assert status == 200
    for name in ("", "%2e%2e/site.py", "..%2fsite.py", "hero.css/", "textual.js%00", "site.py"):
        address = URL(f"{browser.web.address}static/{name}", encoded=True)
        async with browser.session.get(address) as answer:
            assert answer.status == 404, name
            assert "textual" not in await answer.text()


def test_the_style_asks_for_no_file_that_there_is_not() -> None:
    style = FILES["hero.css"].read_text()
    assert set(re.findall(r'url\("([^"]+)"\)', style)) <= set(FILES)
    assert "http" not in style


async def test_a_name_that_somebody_else_had_lead_here_shows_nothing(web: Web, browser: Browser) -> None:
    port = web.origin.rpartition(":")[2]
    for host in (f"evil.example:{port}", "127.0.0.1@evil.example", "127.0.0.1:x", "", "[::1"):
        _, text, answer = await browser.go("login", headers={"Host": host})
        assert answer.status in (400, 421), host
        assert "websocket" not in text


@pytest.mark.parametrize(
    ("public", "proto", "host", "origin"),
    [
        ("https://box.example", "https", "box.example", "https://box.example"),
        ("https://box.example", "http", "box.example", ""),
        ("https://box.example", "https", "10.0.0.5", ""),
        ("", "https", "box.example", "https://box.example"),
        ("", "ftp", "box.example", ""),
        ("", "http", "box.example/x", ""),
        ("", "http", "a@box.example", ""),
    ],
)
async def test_behind_the_router_the_origin_is_what_the_router_was_asked(
    public: str, proto: str, host: str, origin: str
) -> None:
    from aiohttp.test_utils import make_mocked_request

    request = make_mocked_request(
        "GET", "/admin/", headers={"Host": "x", "X-Forwarded-Proto": proto, "X-Forwarded-Host": host}
    )
    assert Front(public, routed=True).origin(request) == origin


async def test_what_the_router_sends_as_if_to_a_service_gets_nothing(browser: Browser) -> None:
    """Over a link that the owner of a slot has laid into their folder of sockets."""
    await browser.sign_in()
    for path in ("", "login", "static/hero.css"):
        assert (await browser.go(path, headers={"X-Forwarded-Prefix": "/alice/x"}))[0] == 404


async def test_names_are_drawn_as_text(short_dir: Path) -> None:
    response = pages.card(403, "<b>x</b> & y", "`<i>`", link=('"><script>', "<u>"))
    assert response.text
    assert "<b>" not in response.text
    assert "<script>" not in response.text
    assert "<code>&lt;i&gt;</code>" in response.text


async def test_a_second_daemon_at_the_same_socket_or_address_says_so(short_dir: Path, web: Web) -> None:
    box, socket = make_box(short_dir / "other"), short_dir / "http.sock"
    async with running_web(box, socket=socket):
        assert socket.stat().st_mode & 0o777 == 0o660
        with pytest.raises(HeroError, match=r"serves .* already"):
            async with running_web(box, socket=socket):
                pass
    assert not socket.exists()


async def test_at_a_socket_it_answers_what_the_router_passes_on(short_dir: Path) -> None:
    box, socket = make_box(short_dir / "box", '[router]\nurl = "https://box.example"\n'), short_dir / "http.sock"
    passed_on = {"Host": "box.example", "X-Forwarded-Host": "box.example", "X-Forwarded-Proto": "https"}
    async with (
        running_web(box, socket=socket),
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(socket))) as session,
    ):
        async with session.get(
            "http://x/admin/login", headers={**passed_on, "X-Forwarded-Host": "10.0.0.5"}
        ) as answer:
            assert answer.status == 421
            assert "https://box.example/admin/" in await answer.text()
        basic = {**passed_on, "Authorization": aiohttp.encode_basic_auth("alice", "correct horse battery")}
        async with session.get("http://x/admin/login", headers=basic, allow_redirects=False) as answer:
            cookie = answer.headers["Set-Cookie"]
            assert cookie.startswith("__Secure-hero_admin=")
            assert "Secure" in cookie.partition(";")[2]
            shown = {**passed_on, "Cookie": cookie.partition(";")[0]}
        # Over HTTPS every browser says who asks for what; one that does not is none.
        async with session.get("http://x/admin/", headers=shown) as answer:
            assert answer.status == 403


def test_what_is_withheld_in_a_browser_are_actions_that_there_are() -> None:
    from hero_tui import keys

    assert {one.id for one in keys.TABLE} >= WITHHELD
