"""What every request to the cockpit in the browser has to be like, and every answer."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from hero_tui.web import pages
from hero_tui.web.pages import PREFIX

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True)
class Front:
    """How browsers reach the daemon.

    `public`: the one address that they are to use, like `https://box.example`, or "". `routed`: all comes by the
    router, which says what it was asked; else by loopback alone.
    """

    public: str = ""
    routed: bool = False

    def origin(self, request: web.Request) -> str:
        """The origin under which the browser sees the page; "" where it may not be seen there."""
        headers = request.headers
        scheme = headers.get("X-Forwarded-Proto", "http") if self.routed else "http"
        host = headers.get("X-Forwarded-Host", request.host) if self.routed else request.host
        if scheme not in ("http", "https") or not _is_host(host):
            return ""
        found = f"{scheme}://{host}".lower()
        if self.public:
            return self.public if found == self.public.lower() else ""
        # Without the router only names of this machine: another one may have been made to lead here.
        return found if self.routed or urlsplit(found).hostname in _LOOPBACK else ""


def guard(front: Front) -> Middleware:
    """The middleware of all requests."""

    @web.middleware
    async def checked(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await _answered(front, request, handler)
        if not response.prepared:
            _harden(response, front.origin(request))
        return response

    return checked


async def _answered(front: Front, request: web.Request, handler: Handler) -> web.StreamResponse:
    if "X-Forwarded-Prefix" in request.headers:
        # Over a link that the owner of a slot has laid into their folder of sockets.
        return web.Response(status=404, text="There is nothing here.\n")
    if not front.origin(request):
        return pages.elsewhere(front.public)
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return pages.refusal(error.status, error.reason)


def is_from_here(request: web.Request, front: Front) -> bool:
    """Whether a page of ours sends it: browsers say from which origin, and nothing else is taken."""
    return request.headers.get("Origin", "").lower() == front.origin(request).lower()


def is_navigation(request: web.Request, front: Front) -> bool:
    """Whether a person goes to the page, as far as the browser says: no script of another service may read it.

    All services of a box share its origin, so that the origin alone tells nothing.
    """
    mode, purpose = request.headers.get("Sec-Fetch-Mode"), request.headers.get("Sec-Fetch-Dest")
    if mode is None and purpose is None:
        return not front.origin(request).startswith("https:")  # over plain HTTP browsers do not say it
    return (mode, purpose) == ("navigate", "document")


def _is_host(text: str) -> bool:
    try:
        parts = urlsplit(f"//{text}")
        return bool(parts.hostname) and parts.netloc == text and "@" not in text and (parts.port or 1) > 0
    except ValueError:
        return False


def _harden(response: web.StreamResponse, origin: str) -> None:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", pages.policy(origin, f"{origin}{PREFIX}"))
    headers.setdefault("Cache-Control", "no-store")
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    headers["Referrer-Policy"] = "same-origin"  # with none at all, forms would come from the origin `null`
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "clipboard-read=(), camera=(), microphone=(), geolocation=()"
    headers["Server"] = "hero"
