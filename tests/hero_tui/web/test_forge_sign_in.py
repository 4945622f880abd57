"""Who gets in by the forge's word: through the forge's pages and back, on our server and on a real Gitea."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from yarl import URL

from backends.box_files import read_boxfile
from backends.forge.oauth import ForgeOAuth
from backends.model.paths import BoxPaths
from hero_tui.verbs.command import carry_out
from hero_tui.web.logins import Seals
from hero_tui.web.sign_in import WAY_SECONDS
from tests.forgejo_server.gitea import PASSWORD, USER, Gitea, needs_gitea
from tests.forgejo_server.gitea import gitea as gitea
from tests.forgejo_server.gitea import token as token_of
from tests.forgejo_server.oauth import Application
from tests.forgejo_server.server import ForgejoServer, running_server
from tests.hero_tui.standard_input import on_standard_input
from tests.hero_tui.web.sites import PERSON, Browser, Web, make_box, person, running_web

MIK = "MIK.s"
"""The forge's name of mik, as somebody may have written it there."""


@dataclass
class Forge:
    """A running forge, and the application that the box is to it."""

    server: ForgejoServer
    application: Application

    def may_come_back_to(self, web: Web) -> None:
        made = replace(self.application, redirects=(f"{web.address}login/callback",))
        self.server.oauth.applications[made.client] = made


def box_toml(url: str, client: str) -> str:
    return f'[forge]\nkind = "forgejo"\nurl = "{url}"\n[web]\noauth_client = "{client}"\n'


@pytest.fixture
def forge(tmp_path: Path) -> Iterator[Forge]:
    with running_server(tmp_path / "forge") as server:
        server.oauth.signed_in = MIK
        yield Forge(server, server.oauth.register())


@pytest.fixture
async def web(short_dir: Path, forge: Forge) -> AsyncIterator[Web]:
    box = make_box(short_dir / "box", box_toml(forge.server.url, forge.application.client))
    (box.web / "oauth_secret").write_text(f"{forge.application.secret}\n")
    (box.web / "oauth_secret").chmod(0o600)
    async with running_web(box) as running:
        forge.may_come_back_to(running)
        yield running


async def sent_to_forge(browser: Browser, path: str = "login") -> URL:
    """Where the browser is sent to sign in."""
    status, _, answer = await browser.go(path, allow_redirects=False)
    assert status == 303
    return URL(answer.headers["Location"])


async def back_from_forge(browser: Browser) -> URL:
    """Where the forge sends the browser, which does not go there yet."""
    address = await sent_to_forge(browser)
    async with browser.session.get(address, allow_redirects=False) as answer:
        return URL(answer.headers["Location"])


async def test_a_person_of_the_team_gets_in_by_the_forges_word(web: Web, browser: Browser) -> None:
    status, text, answer = await browser.go("?screen=host")
    assert (status, answer.url.path, answer.url.query_string) == (200, "/admin/", "screen=host")
    assert ">mik\n" in text
    async with browser.tab(await browser.socket_address()) as tab:
        assert (await tab.start())["argv"][0] == "mik"


async def test_a_public_application_needs_no_secret(short_dir: Path, forge: Forge) -> None:
    public = forge.server.oauth.register(public=True)
    box = make_box(short_dir / "box", box_toml(forge.server.url, public.client))
    async with running_web(box) as web, web.browser() as browser:
        Forge(forge.server, public).may_come_back_to(web)
        assert (await browser.go())[0] == 200


async def test_the_forge_is_asked_for_little_and_told_nothing_that_would_do_for_another(browser: Browser) -> None:
    address = await sent_to_forge(browser)
    assert address.query["scope"] == "openid profile read:user"
    assert address.query["code_challenge_method"] == "S256"
    assert len(address.query["state"]) >= 32
    assert (await sent_to_forge(browser)).query["state"] != address.query["state"]
    assert "client_secret" not in address.query


async def test_whom_only_the_forge_knows_is_refused(forge: Forge, browser: Browser) -> None:
    for stranger in ("eve", "gone", "mik", "mik.s.", "alice\u202e"):
        forge.server.oauth.signed_in = stranger
        status, text, _ = await browser.go()
        assert status == 403, stranger
        assert "is not let in" in text
        assert browser.cookie() == ""


async def test_of_two_people_who_claim_one_name_of_the_forge_neither_gets_in(web: Web, browser: Browser) -> None:
    person(web.box, "eve", 'role = "developer"\nforge_user = "mik.S"')
    assert (await browser.go())[0] == 403


async def test_another_browser_cannot_finish_what_this_one_began(web: Web, browser: Browser) -> None:
    """Else somebody could have others sign in as themselves, or take a code that they came by."""
    back = await back_from_forge(browser)
    async with web.browser() as other:
        assert (await other.go("login/callback?" + back.query_string))[0] == 403
        await sent_to_forge(other)  # it has a way of its own now
        assert (await other.go("login/callback?" + back.query_string))[0] == 403
        assert other.cookie() == ""
    async with browser.session.get(back, headers=PERSON) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    "change", [{"state": "x"}, {"state": ""}, {"code": "x"}, {"code": ""}, {"code": "x" * 5000}]
)
async def test_a_state_or_code_that_is_not_the_forges_is_refused(browser: Browser, change: dict[str, str]) -> None:
    back = await back_from_forge(browser)
    async with browser.session.get(back.update_query(change), headers=PERSON) as answer:
        assert answer.status == 403
        assert "websocket" not in await answer.text()
    assert browser.cookie() == ""


async def test_a_way_can_be_gone_once_and_not_too_late(browser: Browser) -> None:
    back = await back_from_forge(browser)
    async with browser.session.get(back, headers=PERSON) as answer:
        assert answer.status == 200
    async with browser.session.get(back, headers=PERSON) as answer:
        assert answer.status == 403
    clock = [0.0]
    seals = Seals(lambda: clock[0])
    sealed = seals.seal("way", {"state": "s"}, WAY_SECONDS)
    clock[0] += WAY_SECONDS + 1
    assert seals.open("way", sealed) is None


async def test_a_code_of_another_application_is_not_taken(forge: Forge, web: Web, browser: Browser) -> None:
    thief = forge.server.oauth.register(f"{web.address}login/callback")
    address = (await sent_to_forge(browser)).update_query(client_id=thief.client)
    async with browser.session.get(address, headers=PERSON) as answer:
        assert answer.status == 403
        assert "did not take the code" in await answer.text()


async def test_who_says_no_at_the_forge_is_told_so(forge: Forge, browser: Browser) -> None:
    forge.server.oauth.signed_in = ""
    status, text, _ = await browser.go()
    assert status == 403
    assert "let nobody in" in text


async def test_nobody_is_led_anywhere_else_after_signing_in(browser: Browser) -> None:
    evil = "screen=https://evil.example/&next=//evil.example/&slot=%0d%0aLocation:%20//evil.example"
    status, _, answer = await browser.go(f"?{evil}")
    assert status == 200
    assert str(answer.url) == browser.web.address
    for step in answer.history:
        assert "evil" not in step.headers.get("Location", "")


async def test_a_forge_that_is_away_or_talks_nonsense_lets_nobody_in(forge: Forge, browser: Browser) -> None:
    back = await back_from_forge(browser)
    forge.server.stop()
    async with browser.session.get(back, headers=PERSON) as answer:
        assert answer.status == 502
        assert "cannot be asked" in await answer.text()
    assert browser.cookie() == ""


async def test_before_the_forge_knows_of_the_box_the_page_says_what_to_do(short_dir: Path) -> None:
    box = make_box(short_dir / "box", '[forge]\nkind = "forgejo"\nurl = "https://git.example"\n')
    async with running_web(box) as web, web.browser() as browser:
        status, text, _ = await browser.go()
        assert status == 503
        assert "hero_dev web register" in text
        assert "/admin/login/callback" in text
        assert (await browser.go("login/callback?state=x&code=y"))[0] == 503


async def test_a_secret_or_an_application_that_the_forge_does_not_take_is_told_with_what_mends_it(
    short_dir: Path, forge: Forge
) -> None:
    box = make_box(short_dir / "box", box_toml(forge.server.url, forge.application.client))
    async with running_web(box) as web, web.browser() as browser:
        forge.may_come_back_to(web)
        for what in ("does not take this box&#x27;s secret", "does not know this box"):
            back = await back_from_forge(browser)
            if "know" in what:
                forge.server.oauth.applications.clear()
            async with browser.session.get(back, headers=PERSON) as answer:
                text = await answer.text()
                assert answer.status == 502
                assert what in text
                assert "hero_dev web register" in text


async def register(box: BoxPaths, token: str, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """`hero_dev web register`, with the token on standard input."""
    monkeypatch.setenv("HERO_BOX", str(box.root))
    on_standard_input(monkeypatch, f"{token}\n")
    return await asyncio.to_thread(carry_out, ["web", "register", *words])


async def own_port(box: BoxPaths) -> int:
    """A port for the site of `box`, whose address box.toml has from now on."""
    async with running_web(box) as web:
        box.config.write_text(f'{box.config.read_text()}[router]\nurl = "{web.origin}"\n')
        return URL(web.address).port or 0


async def test_registered_by_one_command_people_get_in(
    short_dir: Path, forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = make_box(short_dir / "box", box_toml(forge.server.url, ""))
    port = await own_port(box)
    assert await register(box, forge.server.world.account("mik", "write:user"), monkeypatch) == 0
    async with running_web(box, port=port) as web, web.browser() as browser:
        assert (await browser.go())[0] == 200


@needs_gitea
@pytest.mark.slow
async def test_a_real_gitea_knows_the_box_by_one_command(
    gitea: Gitea, short_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    box = make_box(short_dir / "box", box_toml(gitea.url, ""))
    person(box, USER, 'role = "developer"')
    port = await own_port(box)
    for scope in ("write:repository", "read:user"):
        assert await register(box, token_of(gitea.url, scope), monkeypatch) == 1
        assert "Make a token with the scope `write:user`" in capsys.readouterr().err
    token = token_of(gitea.url, "write:user")
    found = []
    for _ in range(2):  # the second time, the same application has another secret
        assert await register(box, token, monkeypatch) == 0
        found.append((read_boxfile(box).web.oauth_client, (box.web / "oauth_secret").read_text()))
        async with running_web(box, port=port) as web, web.browser() as browser:
            back = await _through_gitea(gitea, browser)
            async with browser.session.get(back, headers=PERSON) as answer:
                assert answer.status == 200
                assert USER in await answer.text()
    assert found[0][0] == found[1][0]
    assert found[0][1] != found[1][1]
    oauth = ForgeOAuth(gitea.url, found[0][0])
    assert await oauth.standing() == "wants_secret"
    assert await register(box, token, monkeypatch, "--remove") == 0
    assert await oauth.standing() == "unknown"
    assert read_boxfile(box).web.oauth_client == ""
    assert not (box.web / "oauth_secret").exists()


@needs_gitea
@pytest.mark.slow
async def test_a_real_gitea_lets_a_person_of_the_team_in(gitea: Gitea, short_dir: Path) -> None:
    box = make_box(short_dir / "box", box_toml(gitea.url, "later"))
    person(box, USER, 'role = "developer"')
    async with running_web(box) as first:
        redirect = f"{first.address}login/callback"
    for public in (False, True):
        client, secret = _application(gitea, redirect, public=public)
        box.config.write_text(re.sub("oauth_client = .*", f'oauth_client = "{client}"', box.config.read_text()))
        (box.web / "oauth_secret").write_text("" if public else secret)
        (box.web / "oauth_secret").chmod(0o600)
        async with running_web(box, port=URL(first.address).port or 0) as web, web.browser() as browser:
            back = await _through_gitea(gitea, browser)
            assert str(back).startswith(redirect)
            async with browser.session.get(back, headers=PERSON) as answer:
                text = await answer.text()
                assert answer.status == 200, text
                assert USER in text
                assert "data-session-websocket-url" in text


def _application(gitea: Gitea, redirect: str, *, public: bool) -> tuple[str, str]:
    made = httpx.post(
        f"{gitea.url}/api/v1/user/applications/oauth2",
        json={"name": f"hero box {public}", "redirect_uris": [redirect], "confidential_client": not public},
        headers={"Authorization": f"token {gitea.token}"},
        trust_env=False,
    )
    assert made.status_code == 201, made.text
    return made.json()["client_id"], made.json()["client_secret"]


async def _through_gitea(gitea: Gitea, browser: Browser) -> URL:
    """Sign in there, and consent, as a person does by its forms; where it sends the browser then."""
    address = await sent_to_forge(browser)
    async with browser.session.get(f"{gitea.url}/user/login") as page:
        fields = _hidden(await page.text(), "/user/login")
    signed = {**fields, "user_name": USER, "password": PASSWORD}
    async with browser.session.post(
        f"{gitea.url}/user/login", data=signed, headers={"Origin": gitea.url}
    ) as answer:
        assert answer.status == 200
    async with browser.session.get(address, allow_redirects=False) as consent:
        if consent.status in (302, 303):
            return URL(consent.headers["Location"])
        text = await consent.text()
        assert "/login/oauth/grant" in text, text[:2000]
    granted = {**_hidden(text, "/login/oauth/grant"), "granted": "true"}
    async with browser.session.post(
        f"{gitea.url}/login/oauth/grant", data=granted, headers={"Origin": gitea.url}, allow_redirects=False
    ) as answer:
        return URL(answer.headers["Location"])


def _hidden(page: str, action: str) -> dict[str, str]:
    """The hidden fields of the form that is sent to `action`."""
    form = re.search(rf'<form[^>]*action="[^"]*{action}".*?</form>', page, re.DOTALL)
    assert form, page[:2000]
    found = {}
    for field in re.findall(r"<input[^>]*>", form[0]):
        named = dict(re.findall(r'(\w+)="([^"]*)"', field))
        if named.get("type") == "hidden":
            found[named["name"]] = html.unescape(named.get("value", ""))
    return found
