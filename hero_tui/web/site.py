"""What the daemon answers below /admin/: who is let in gets a cockpit, for as long as the tab is there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from aiohttp import web
from yarl import URL

from backends.model.errors import HeroError
from hero_tui.deep_link import LINKS, Link, check_link
from hero_tui.web import pages, sign_in
from hero_tui.web.guards import Front, guard, is_from_here, is_navigation
from hero_tui.web.logins import Login, Logins
from hero_tui.web.members import Members
from hero_tui.web.pages import PREFIX
from hero_tui.web.place import CALLBACK
from hero_tui.web.served import STATIC, within
from hero_tui.web.sign_in import SignIn
from hero_tui.web.tabs import Full, Tabs

_ASSETS = Path(__file__).parent / "assets"
FILES: Mapping[str, Path] = {
    "hero.css": _ASSETS / "hero.css",
    "hero.js": _ASSETS / "hero.js",
    "icon.svg": _ASSETS / "icon.svg",
    "textual.js": STATIC / "js" / "textual.js",
    "xterm.css": STATIC / "css" / "xterm.css",
    "RobotoMono.ttf": STATIC / "fonts" / "RobotoMono-VariableFont_wght.ttf",
    "RobotoMono-Italic.ttf": STATIC / "fonts" / "RobotoMono-Italic-VariableFont_wght.ttf",
}
"""All that a page loads: nothing comes from another machine, and no folder is shown."""
_COOKIE = "hero_admin"
_BODY_LIMIT = 16 << 10
_NAME_LIMIT = 80
_PLACES = {"place": "screen", "slot": "slot", "service": "service"}
"""Fields of a link, and what they are called in addresses."""


class Site:
    """The application. `make_tabs` gets what decides whether a login may stay."""

    def __init__(
        self,
        box: str,
        front: Front,
        way: SignIn,
        members: Members,
        logins: Logins,
        login_seconds: float,
        make_tabs: Callable[[Callable[[Login], Awaitable[bool]]], Tabs],
    ):
        self._box = box
        self._front = front
        self._way = way
        self._members = members
        self._logins = logins
        self._seconds = login_seconds
        self.tabs = make_tabs(self._may_stay)

    def app(self) -> web.Application:
        """What an HTTP server serves."""
        app = web.Application(middlewares=[guard(self._front)], client_max_size=_BODY_LIMIT)
        app.add_routes(
            [
                web.get(PREFIX, self._bare),
                web.get(f"{PREFIX}/", self._page),
                web.get(f"{PREFIX}/login", self._login),
                web.get(CALLBACK, self._back),
                web.post(f"{PREFIX}/logout", self._logout),
                web.get(PREFIX + "/ws/{ticket}", self._socket),
                web.get(PREFIX + "/static/{name}", self._file),
            ]
        )
        return app

    async def _bare(self, request: web.Request) -> web.StreamResponse:
        return web.Response(status=308, headers={"Location": f"{PREFIX}/"})

    async def _page(self, request: web.Request) -> web.StreamResponse:
        origin, link = self._front.origin(request), _link_of(request)
        login = self._shown(request)
        if login is None:
            return web.Response(status=303, headers={"Location": _address(f"{PREFIX}/login", link)})
        if not is_navigation(request, self._front):
            return pages.card(403, "This page is for people, not for other pages.")
        try:
            if not await self._members.is_let_in(login.user):
                return sign_in.stranger(login.user)
            self.tabs.check_room(login.user)
        except Full as full:
            return pages.card(503, full.message, full.hint, link=(_address(f"{PREFIX}/", link), "Try again"))
        except HeroError as error:
            return pages.card(503, error.message, error.hint)
        ticket = self._logins.ticket(login, link)
        socket = f"{origin.replace('http', 'ws', 1)}{PREFIX}/ws/{ticket}"
        return pages.terminal(self._box, login.user, socket, _size_of(request))

    async def _login(self, request: web.Request) -> web.StreamResponse:
        try:
            user, link = await self._way.begin(request, self._front.origin(request), _link_of(request))
        except sign_in.Refused as refused:
            return refused.response
        except HeroError as error:
            return pages.card(503, error.message, error.hint)
        return self._let_in(request, user, link)

    async def _back(self, request: web.Request) -> web.StreamResponse:
        origin = self._front.origin(request)
        try:
            user, link = await self._way.come_back(request, origin)
        except sign_in.Refused as refused:
            response = refused.response
        else:
            response = self._let_in(request, user, link)
        sign_in.forget_way(response, origin)
        return response

    def _let_in(self, request: web.Request, user: str, link: Mapping[str, str]) -> web.StreamResponse:
        # Never where a request names: to the one page that there is, and there to a place of the cockpit.
        response = web.Response(status=303, headers={"Location": _address(f"{PREFIX}/", link)})
        self._set(response, request, self._logins.begin(user), self._seconds)
        return response

    async def _logout(self, request: web.Request) -> web.StreamResponse:
        if not is_from_here(request, self._front):
            return pages.refusal(403, "")
        if login := self._shown(request):
            self._logins.end(login)
            await self.tabs.close_of(login)
        response = pages.card(200, "You have signed out.", link=(f"{PREFIX}/login", "Sign in again"))
        self._set(response, request, "", 0)
        return response

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        """A cockpit: for a page of ours, of a login of ours, with the ticket that the page was given."""
        if not is_from_here(request, self._front):
            return web.Response(status=403, text="Only a page of this box may open a cockpit.\n")
        login = self._shown(request)
        link = self._logins.redeem(request.match_info["ticket"], login) if login else None
        if login is None or link is None:
            return web.Response(status=401, text="Sign in, and open the page anew.\n")
        if not await self._members.is_let_in(login.user):
            return web.Response(status=403, text="You are not let in any more.\n")
        size = within(_number(request, "width", 80), _number(request, "height", 24))
        return await self.tabs.serve(request, login, Link(**link), size)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        path = FILES.get(request.match_info["name"])
        if path is None:
            raise web.HTTPNotFound
        return web.FileResponse(path, headers={"Cache-Control": "no-cache"})

    def _shown(self, request: web.Request) -> Login | None:
        return self._logins.read(sign_in.cookie_of(request, _COOKIE, self._front.origin(request)))

    def _set(self, response: web.StreamResponse, request: web.Request, value: str, seconds: float) -> None:
        origin = self._front.origin(request)
        sign_in.set_cookie(response, _COOKIE, value, origin, path=f"{PREFIX}/", seconds=seconds)

    async def _may_stay(self, login: Login) -> bool:
        return self._logins.is_live(login) and await self._members.is_let_in(login.user)


def _link_of(request: web.Request) -> dict[str, str]:
    """The place of the cockpit that the address names, like `?screen=logs&slot=mik`; {} for what is none."""
    asked = request.query
    names = {key: asked.get(name, "") for key, name in _PLACES.items()}
    names["place"] = names["place"] or LINKS[0]
    if any(len(name) > _NAME_LIMIT or not name.isprintable() for name in names.values()):
        return {}
    try:
        check_link(Link(**names))
    except HeroError:
        return {}
    return {key: name for key, name in names.items() if name and (key, name) != ("place", LINKS[0])}


def _address(path: str, link: Mapping[str, str]) -> str:
    query = {_PLACES[key]: name for key, name in link.items()}
    return str(URL(path).with_query(query)) if query else path


def _size_of(request: web.Request) -> int:
    size = _number(request, "fontsize", pages.USUAL_SIZE)
    return size if size in pages.SIZES else pages.USUAL_SIZE


def _number(request: web.Request, name: str, usual: int) -> int:
    text = request.query.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else usual
