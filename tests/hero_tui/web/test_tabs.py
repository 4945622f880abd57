"""One cockpit a tab: who may open it, with what it is started, how it ends."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hero_tui.web import tabs
from hero_tui.web.tabs import environment, reason
from tests.hero_tui.web.sites import Browser, Web, make_box, person, running_web


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def refusal(browser: Browser, address: str, **options: Any) -> int:
    """The status with which a WebSocket is refused."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with browser.tab(address, **options):
            pass
    return refused.value.status


async def test_keys_reach_the_cockpit_and_what_it_draws_the_page(browser: Browser) -> None:
    await browser.sign_in()
    async with browser.tab() as tab:
        assert (await tab.start())["argv"][:2] == ["alice", "fleet"]
        await tab.type("j")
        assert await tab.hear() == "keys:j"
        await tab.socket.send_json(["resize", {"width": 100_000, "height": -3}])
        assert await tab.hear() == "size:600x2"


async def test_a_foreign_origin_opens_nothing_whatever_else_it_has(web: Web, browser: Browser) -> None:
    await browser.sign_in()
    address = await browser.socket_address()
    port = web.origin.rpartition(":")[2]
    for origin in (
        "http://evil.example",
        f"https://127.0.0.1:{port}",
        f"http://localhost:{port}",
        "null",
        f"{web.origin}.evil.example",
    ):
        assert await refusal(browser, address, origin=origin) == 403
    async with browser.session.get(address) as answer:  # none at all
        assert answer.status == 403
    assert len(web.site.tabs) == 0
    async with browser.tab(address) as tab:
        assert await tab.start()


async def test_without_a_login_or_with_anothers_ticket_nothing_opens(web: Web, browser: Browser) -> None:
    await browser.sign_in()
    address = await browser.socket_address()
    async with web.browser() as stranger:
        assert await refusal(stranger, address) == 401
        await stranger.sign_in()
        assert await refusal(stranger, address) == 401
    assert await refusal(browser, f"{address}x") == 401
    async with browser.tab(address) as tab:
        await tab.start()
        assert await refusal(browser, address) == 401  # it was good for one


async def test_a_cockpit_is_started_with_a_clean_environment_and_nothing_secret(
    web: Web, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HERO_SECRET_OF_THE_DAEMON", "do-not-tell")
    monkeypatch.setenv("SSH_AUTH_SOCK", "/nowhere")
    monkeypatch.setenv("TMUX", "/nowhere,1,1")
    await browser.sign_in()
    async with browser.tab() as tab:
        started = await tab.start()
    told = started["environment"]
    assert not {"HERO_SECRET_OF_THE_DAEMON", "SSH_AUTH_SOCK", "TMUX"} & set(told)
    assert (told["HERO_RESIDENT"], told["HERO_READ_ONLY"]) == ("0", "1")
    assert (told["COLUMNS"], told["ROWS"]) == ("90", "30")
    assert browser.cookie() not in str(started)
    await web.until(lambda: not Path(started["cwd"]).exists(), "the end of the tab's own folder")


async def test_a_closed_tab_ends_the_process(web: Web, browser: Browser) -> None:
    await browser.sign_in()
    async with browser.tab() as tab:
        pid = (await tab.start())["pid"]
        assert web.site.tabs.pids == [pid]
    await web.until(lambda: len(web.site.tabs) == 0, "the end of the tab")
    assert not runs(pid)


async def test_a_process_that_does_not_leave_by_itself_is_ended(
    short_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hero_tui.web.served.END_SECONDS", 0.05)
    async with running_web(make_box(short_dir / "box"), "stubborn") as web, web.browser() as browser:
        await browser.sign_in()
        async with browser.tab() as tab:
            pid = (await tab.start())["pid"]
            tab.socket._response.close()  # as a browser that crashes: no word of farewell
        await web.until(lambda: len(web.site.tabs) == 0, "the end of the tab")
        assert not runs(pid)


async def test_the_end_of_the_cockpit_is_told_to_the_page(browser: Browser) -> None:
    await browser.sign_in()
    async with browser.tab() as tab:
        await tab.start()
        await tab.type("q")
        assert await tab.end() == (1000, "You have left the cockpit.")


async def test_the_page_is_asked_for_nothing_but_to_draw(browser: Browser) -> None:
    await browser.sign_in()
    async with browser.tab() as tab:
        await tab.start()
        await tab.type("dig")
        assert await tab.hear() == "dug"  # neither another page nor a download came before it


@pytest.mark.parametrize(
    "nonsense",
    [
        "{",
        "[]",
        '["stdin", 1]',
        '["resize", {"width": "x"}]',
        '["exec", "id"]',
        pytest.param("[" * 9999, id="deep"),
    ],
)
async def test_what_no_page_of_ours_sends_ends_the_tab(web: Web, browser: Browser, nonsense: str) -> None:
    await browser.sign_in()
    async with browser.tab() as tab:
        await tab.start()
        await tab.socket.send_str(nonsense)
        assert (await tab.end())[0] == 1003
    await web.until(lambda: len(web.site.tabs) == 0, "the end of the tab")


async def test_there_are_no_more_cockpits_than_box_toml_allows(short_dir: Path) -> None:
    box = make_box(short_dir / "box", "[web]\ntabs = 3\ntabs_each = 2\n")
    async with running_web(box) as web, web.browser() as browser:
        await browser.sign_in()
        spare = await browser.socket_address()
        async with browser.tab() as one, browser.tab() as two:
            await asyncio.gather(one.start(), two.start())
            status, text, _ = await browser.go()
            assert status == 503
            assert "You have 2 cockpits open in browsers" in text
            async with browser.tab(spare) as third:
                code, why = await third.end()
                assert (code, why.startswith("You have 2 cockpits open in browsers")) == (4001, True)
        await web.until(lambda: len(web.site.tabs) == 0, "room")
        assert (await browser.go())[0] == 200


async def test_all_people_together_have_a_limit_too(short_dir: Path) -> None:
    box = make_box(short_dir / "box", "[web]\ntabs = 1\n")
    from hero_tui.web import passwords

    passwords.set_password(box.web, "mik", "another horse")
    async with running_web(box) as web, web.browser() as browser, web.browser() as other:
        await browser.sign_in()
        async with browser.tab() as tab:
            await tab.start()
            status, text = await other.sign_in("mik", "another horse")
            assert status == 503
            assert "as many as this box has room for" in text


async def test_a_cockpit_that_nobody_touches_is_closed(short_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_web(make_box(short_dir / "box", '[web]\nidle = "1m"\n')) as web, web.browser() as browser:
        monkeypatch.setattr(web.site.tabs, "_look", 0.01)
        await browser.sign_in()
        async with browser.tab() as tab:
            await tab.start()
            only = next(iter(web.site.tabs._open.values()))
            only.touched -= 61
            assert await tab.end() == (4000, "Nobody has touched this cockpit for a while.")


async def test_a_cockpit_ends_when_its_person_leaves_the_team_or_signs_out(
    web: Web, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web.site.tabs, "_look", 0.01)
    await browser.sign_in()
    async with browser.tab() as tab:
        await tab.start()
        async with browser.session.post(f"{web.address}logout", headers={"Origin": web.origin}):
            pass
        assert await tab.end() == (4000, "You have signed out.")
    await browser.sign_in()
    async with browser.tab() as tab:
        await tab.start()
        person(web.box, "alice", 'role = "developer"\nenabled = false')
        assert await tab.end() == (4000, "Your login has ended. Sign in again.")


async def test_the_end_of_the_daemon_is_told_to_the_page_and_ends_every_process(short_dir: Path) -> None:
    async with running_web(make_box(short_dir / "box")) as web, web.browser() as browser:
        await browser.sign_in()
        async with browser.tab() as tab:
            pid = (await tab.start())["pid"]
            await web.site.tabs.close()
            assert (await tab.end())[0] == 1001
            assert not runs(pid)


async def test_an_address_leads_to_a_place_of_the_cockpit_also_through_the_sign_in(
    web: Web, browser: Browser
) -> None:
    status, _ = await browser.sign_in(path="login?screen=logs&slot=mik&service=hero_web")
    assert status == 200
    address = await browser.socket_address("?screen=logs&slot=mik&service=hero_web")
    async with browser.tab(address) as tab:
        assert (await tab.start())["argv"] == ["alice", "logs", "mik", "hero_web"]
    address = await browser.socket_address("?screen=nowhere&slot=mik")
    async with browser.tab(address) as tab:
        assert (await tab.start())["argv"] == ["alice", "fleet", "", ""]


def test_a_reason_fits_into_what_a_websocket_can_say() -> None:
    assert reason("é" * 200) == ("é" * 61).encode()


def test_the_environment_is_complete_without_a_locale() -> None:
    assert environment({"PATH": "/bin", "LD_PRELOAD": "x"})["LANG"] == "C.UTF-8"
    assert "LD_PRELOAD" not in environment({"LD_PRELOAD": "x"})
    assert tabs.LOOK_SECONDS > 0
