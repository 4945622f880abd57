"""Who gets in by password, and for how long."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from backends.model.errors import HeroError
from hero_tui.web import passwords
from hero_tui.web.logins import Logins, Seals
from hero_tui.web.passwords import GUESSES, PAUSE_SECONDS, Passwords, TooMany
from tests.hero_tui.web.sites import PASSWORD, PERSON, Browser, Web, make_box, person, running_web


async def test_an_anonymous_visitor_is_asked_who_they_are_and_sees_no_cockpit(browser: Browser) -> None:
    status, text, answer = await browser.go()
    assert status == 401
    assert answer.headers["WWW-Authenticate"].startswith('Basic realm="hero box small"')
    assert "websocket" not in text
    assert browser.cookie() == ""


async def test_the_right_password_opens_the_page_and_later_a_cookie_does(browser: Browser) -> None:
    status, text = await browser.sign_in()
    assert status == 200
    assert "data-session-websocket-url" in text
    status, text, answer = await browser.go()  # now without the password
    assert (status, answer.url.path) == (200, "/admin/")
    assert "alice" in text


@pytest.mark.parametrize(
    ("login", "word"), [("alice", "wrong horse"), ("nobody", PASSWORD), ("mik", PASSWORD), ("", "")]
)
async def test_a_wrong_password_or_name_opens_nothing(browser: Browser, login: str, word: str) -> None:
    status, text = await browser.sign_in(login, word)
    assert status == 401
    assert "websocket" not in text


async def test_who_has_a_password_and_is_not_in_the_team_any_more_is_refused(browser: Browser) -> None:
    status, text = await browser.sign_in("gone")
    assert status == 403
    assert "gone is not let in" in text


async def test_who_leaves_the_team_is_refused_although_the_cookie_is_good(web: Web, browser: Browser) -> None:
    await browser.sign_in()
    address = await browser.socket_address()
    person(web.box, "alice", 'role = "developer"\nenabled = false')
    assert (await browser.go())[0] == 403
    async with browser.session.get(address, headers={"Origin": web.origin}) as answer:
        assert answer.status == 403


async def test_only_the_roles_of_box_toml_get_in(short_dir: Path) -> None:
    box = make_box(short_dir / "box", '[web]\nroles = ["reviewer"]\n')
    passwords.set_password(box.web, "mik", PASSWORD)
    async with running_web(box) as web, web.browser() as browser:
        assert (await browser.sign_in("alice"))[0] == 403
        assert (await browser.sign_in("mik"))[0] == 200


async def test_the_cookie_is_kept_from_scripts_and_from_the_services_of_slots(browser: Browser) -> None:
    basic = {"Authorization": f"Basic {base64.b64encode(f'alice:{PASSWORD}'.encode()).decode()}"}
    _, _, answer = await browser.go("login", headers=basic, allow_redirects=False)
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/admin/" in cookie
    assert "Max-Age=43200" in cookie


async def test_a_forged_or_altered_cookie_is_nobodys(browser: Browser) -> None:
    await browser.sign_in()
    real = browser.cookie()
    body, _, mac = real.partition(".")
    told = json.loads(base64.urlsafe_b64decode(body))
    mine = base64.urlsafe_b64encode(json.dumps({**told, "user": "mik"}).encode()).decode()
    stranger = Seals().seal("login", {"user": "alice", "id": "x"}, 1000)
    forged = [
        f"{mine}.{mac}",
        f"{body}.",
        body,
        f"{body}.{mac[:-1]}{'1' if mac[-1] == '0' else '0'}",
        stranger,
        "é.é",
        "." * 5000,
        f"{body}.{mac}x",
    ]
    for cookie in forged:
        async with browser.web.browser() as other:
            other.session.cookie_jar.update_cookies({"hero_admin": cookie})
            status, _, answer = await other.go(allow_redirects=False)
            assert (status, answer.headers["Location"]) == (303, "/admin/login"), cookie


def test_a_login_ends_by_itself_and_a_seal_is_good_for_its_purpose_alone() -> None:
    clock = [1000.0]
    seals = Seals(lambda: clock[0])
    logins = Logins(seals, 60)
    shown = logins.begin("alice")
    login = logins.read(shown)
    assert login is not None
    assert login.user == "alice"
    assert seals.open("way", shown) is None
    clock[0] += 61
    assert logins.read(shown) is None
    assert not logins.is_live(login)


def test_a_ticket_opens_one_cockpit_for_its_own_login_and_soon() -> None:
    clock = [1000.0]
    logins = Logins(Seals(lambda: clock[0]), 3600)
    alice, mik = logins.read(logins.begin("alice")), logins.read(logins.begin("mik"))
    assert alice
    assert mik
    ticket = logins.ticket(alice, "there")
    assert logins.redeem(ticket, mik) is None
    assert logins.redeem(ticket, alice) == "there"
    assert logins.redeem(ticket, alice) is None
    late = logins.ticket(alice, "there")
    clock[0] += 61
    assert logins.redeem(late, alice) is None


async def test_signing_out_ends_the_login_wherever_it_was_copied_to(web: Web, browser: Browser) -> None:
    await browser.sign_in()
    copied = browser.cookie()
    async with browser.session.post(f"{web.address}logout", headers={"Origin": web.origin}) as answer:
        assert answer.status == 200
    assert browser.cookie() == ""
    async with web.browser() as other:
        other.session.cookie_jar.update_cookies({"hero_admin": copied})
        assert (await other.go(allow_redirects=False))[0] == 303


async def test_another_page_cannot_sign_anybody_out(web: Web, browser: Browser) -> None:
    await browser.sign_in()
    for headers in ({"Origin": "http://evil.example"}, {}):
        async with browser.session.post(f"{web.address}logout", headers=headers) as answer:
            assert answer.status == 403
    assert (await browser.go())[0] == 200


async def test_after_a_few_wrong_passwords_no_more_are_looked_at_for_a_while(tmp_path: Path) -> None:
    clock = [0.0]
    passwords.set_password(tmp_path, "alice", PASSWORD)
    known = Passwords(tmp_path, lambda: clock[0])
    for _ in range(GUESSES):
        assert not await known.is_right("alice", "wrong horse")
    with pytest.raises(TooMany):
        await known.is_right("alice", PASSWORD)
    clock[0] += PAUSE_SECONDS
    assert await known.is_right("alice", PASSWORD)


def test_passwords_are_kept_as_hashes_that_only_their_owner_reads(tmp_path: Path) -> None:
    passwords.set_password(tmp_path, "alice", PASSWORD)
    path = tmp_path / passwords.FILE
    assert PASSWORD not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(HeroError, match="not for its owner alone"):
        passwords.read(path)


def test_a_short_password_is_refused_and_one_can_be_taken_away(tmp_path: Path) -> None:
    with pytest.raises(HeroError, match="characters"):
        passwords.set_password(tmp_path, "alice", "short")
    passwords.set_password(tmp_path, "alice", PASSWORD)
    passwords.set_password(tmp_path, "alice", "")
    assert passwords.read(tmp_path / passwords.FILE) == {}


async def test_a_script_of_another_service_of_the_box_does_not_get_the_page(web: Web, browser: Browser) -> None:
    """All services share one origin, so that neither the cookie nor the origin tells them apart."""
    await browser.sign_in()
    for mode, purpose in (
        ("cors", "empty"),
        ("same-origin", "empty"),
        ("navigate", "iframe"),
        ("no-cors", "script"),
    ):
        headers = {"Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": purpose}
        status, text, _ = await browser.go(headers=headers)
        assert status == 403
        assert "websocket" not in text
    assert (await browser.go(headers=PERSON))[0] == 200
