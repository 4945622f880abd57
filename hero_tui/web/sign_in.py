"""How people sign in: by the forge's word, or by a password where the forge is a folder."""

from __future__ import annotations

import base64
import binascii
import logging
import secrets
from typing import Any, Protocol

from aiohttp import web

from backends.forge.oauth import ForgeOAuth
from backends.model.errors import HeroError
from backends.model.text import safe_line
from hero_tui.web import pages
from hero_tui.web.logins import Seals
from hero_tui.web.members import Members
from hero_tui.web.pages import PREFIX
from hero_tui.web.passwords import Passwords, TooMany
from hero_tui.web.place import CALLBACK

log = logging.getLogger(__name__)

WAY_SECONDS = 600.0
"""From here to the forge and back."""
_COOKIE = "hero_admin_way"
_LONGEST = 512


class Refused(Exception):
    """Nobody was signed in; `response` says why."""

    def __init__(self, response: web.StreamResponse):
        super().__init__()
        self.response = response


class SignIn(Protocol):
    """One way. Both calls raise Refused."""

    async def begin(self, request: web.Request, origin: str, link: dict[str, str]) -> tuple[str, dict[str, str]]:
        """Sign in, or send the browser where that is done: the login, and `link` where it was to lead."""
        ...

    async def come_back(self, request: web.Request, origin: str) -> tuple[str, dict[str, str]]:
        """The browser is back from there: the login, and the `link` that `begin` was given."""
        ...


class ByForge:
    """The forge says who it is."""

    def __init__(self, oauth: ForgeOAuth, members: Members, seals: Seals):
        self._oauth = oauth
        self._members = members
        self._seals = seals

    async def begin(self, request: web.Request, origin: str, link: dict[str, str]) -> tuple[str, dict[str, str]]:
        """Send the browser to the forge; only this browser may come back, and once."""
        state = secrets.token_urlsafe(24)
        address = self._oauth.ask_address(f"{origin}{CALLBACK}", state, self._seals.derived("verifier", state))
        response = web.Response(status=303, headers={"Location": address})
        sealed = self._seals.seal("way", {"state": state, "link": link}, WAY_SECONDS)
        set_cookie(response, _COOKIE, sealed, origin, path=f"{PREFIX}/login", seconds=WAY_SECONDS)
        raise Refused(response)

    async def come_back(self, request: web.Request, origin: str) -> tuple[str, dict[str, str]]:
        """Whom the forge names, if the team repo does, too."""
        kept = self._seals.open("way", cookie_of(request, _COOKIE, origin))
        state, code = request.query.get("state", ""), request.query.get("code", "")
        if kept is None or not secrets.compare_digest(kept["state"].encode(), state.encode()):
            raise Refused(_again(403, "This sign-in was not begun here, or too long ago."))
        if not code or len(code) > _LONGEST:
            raise Refused(_again(403, "The forge let nobody in.", "It was asked, and said no or nothing."))
        try:
            name = await self._oauth.who(code, f"{origin}{CALLBACK}", self._seals.derived("verifier", state))
            login = await self._members.of_forge(name)
        except HeroError as error:
            raise Refused(_again(403 if error.code == "denied" else 502, error.message, error.hint)) from None
        if not login:
            log.warning("the forge's %s is not let in", safe_line(name, 64))
            raise Refused(stranger(name))
        return login, kept["link"]


class ByPassword:
    """HTTP's basic authentication, at the one address of signing in; a cookie for everything after it."""

    def __init__(self, passwords: Passwords, members: Members, box: str):
        self._passwords = passwords
        self._members = members
        self._realm = f"hero box {box}"

    async def begin(self, request: web.Request, origin: str, link: dict[str, str]) -> tuple[str, dict[str, str]]:
        """Who has the right password, if the team repo names them."""
        login, password = _basic(request)
        try:
            right = bool(login) and await self._passwords.is_right(login, password)
        except TooMany as error:
            raise Refused(pages.card(429, error.message, error.hint)) from None
        except HeroError as error:
            raise Refused(pages.card(503, error.message, error.hint)) from None
        if not right:
            if login:
                log.warning("a wrong password for %s", safe_line(login, 40))
            response = pages.card(
                401,
                "Who are you?",
                "`hero_dev web passwd LOGIN` on the box sets a password.",
                link=(f"{PREFIX}/login", "Sign in"),
            )
            response.headers["WWW-Authenticate"] = f'Basic realm="{self._realm}", charset="UTF-8"'
            raise Refused(response)
        if not await self._members.is_let_in(login):
            raise Refused(stranger(login))
        return login, link

    async def come_back(self, request: web.Request, origin: str) -> tuple[str, dict[str, str]]:
        """From nowhere."""
        raise Refused(pages.refusal(404, ""))


class NotSetUp:
    """Nobody can sign in before an admin has told the forge of this box."""

    def __init__(self, forge: str, public: str):
        self._forge = forge
        self._public = public or "https://…"

    async def begin(self, request: web.Request, origin: str, link: dict[str, str]) -> tuple[str, dict[str, str]]:
        """Say what is to be done."""
        raise Refused(
            pages.card(
                503,
                "The cockpit in the browser is not set up yet.",
                f"An admin types `hero_dev web register` on the box: it has {self._forge} send people back to"
                f" `{self._public}{CALLBACK}`.",
                "Then `systemctl restart hero_webd`.",
                "Until then: `ssh` to the box, and `hero_tui`.",
            )
        )

    async def come_back(self, request: web.Request, origin: str) -> tuple[str, dict[str, str]]:
        """From nowhere."""
        return await self.begin(request, origin, {})


def stranger(name: str) -> web.Response:
    """The answer to somebody whom the team repo does not let in."""
    return pages.card(
        403,
        f"{name[:64]} is not let in.",
        "The cockpit is for people of the team, whom `users/` of the team repo names; box.toml may ask for roles.",
        link=(f"{PREFIX}/login", "Sign in as somebody else"),
    )


def cookie_name(name: str, origin: str) -> str:
    """Over HTTPS, a name that nothing but HTTPS can set."""
    return f"__Secure-{name}" if origin.startswith("https:") else name


def cookie_of(request: web.Request, name: str, origin: str) -> str:
    """What the browser shows; "" for none."""
    return request.cookies.get(cookie_name(name, origin), "")


def set_cookie(
    response: web.StreamResponse, name: str, value: str, origin: str, *, path: str, seconds: float
) -> None:
    """Have the browser keep `value` for so long, where no script reads it, and show it below `path` alone."""
    named: dict[str, Any] = {
        "path": path,
        "httponly": True,
        "secure": origin.startswith("https:"),
        "samesite": "Lax",
    }
    response.set_cookie(cookie_name(name, origin), value, max_age=int(seconds), **named)


def forget_way(response: web.StreamResponse, origin: str) -> None:
    """The way to the forge and back has been gone."""
    set_cookie(response, _COOKIE, "", origin, path=f"{PREFIX}/login", seconds=0)


def _again(status: int, *sentences: str) -> web.Response:
    return pages.card(status, sentences[0], *sentences[1:], link=(f"{PREFIX}/login", "Sign in again"))


def _basic(request: web.Request) -> tuple[str, str]:
    """Name and password as the browser sent them; "" for none."""
    kind, _, coded = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic" or len(coded) > 4 * _LONGEST:
        return "", ""
    try:
        login, _, password = base64.b64decode(coded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return login, password
