"""The pages around the cockpit: the terminal with its bar, and a page for every reason why there is none."""

from __future__ import annotations

from html import escape

from aiohttp import web

PREFIX = "/admin"
"""Below it is all of the cockpit in the browser."""

_HEAD = (
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    '<meta name="viewport" content="width=device-width">\n<title>{title}</title>\n'
    '<link rel="icon" href="/admin/static/icon.svg">\n'
    '<link rel="stylesheet" href="/admin/static/hero.css">\n{more}</head>\n'
)
_TERMINAL = """\
<body class="cockpit">
<header>
<strong>{box}</strong> <span class="quiet">read-only</span>
<span class="right">{user}
<form method="post" action="/admin/logout"><button class="link">sign out</button></form></span>
</header>
<main id="terminal" class="textual-terminal" data-session-websocket-url="{socket}" data-font-size="{size}"></main>
<div class="cover" id="opening"><p>The cockpit opens …</p></div>
<div class="cover" id="closed" role="alertdialog">
<div class="card"><h1>The cockpit in this tab has ended.</h1>
<p id="why"></p><a class="button" id="again" href="">Open it again</a></div>
</div>
</body>
</html>
"""
_CARD = """\
<body>
<div class="card"><h1>{title}</h1>
{rest}</div>
</body>
</html>
"""
_SENTENCES = {
    403: "This is not for you.",
    404: "There is nothing here.",
    405: "That cannot be done here.",
    413: "That is too much.",
    500: "The cockpit in the browser failed at this; its log says why.",
}
SIZES = range(8, 33)
USUAL_SIZE = 15


def policy(origin: str, base: str) -> str:
    """The content security policy of all pages: all that is loaded is the daemon's own."""
    if not origin:
        return "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    static, socket = f"{base}/static/", base.replace("http", "ws", 1) + "/ws/"
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {static}",
            f"style-src {static} 'unsafe-inline'",  # the terminal makes styles of its own
            f"font-src {static}",
            f"img-src {static}",
            f"connect-src {socket}",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def terminal(box: str, user: str, socket: str, size: int) -> web.Response:
    """The page with the cockpit, which it opens at the address `socket`, in letters of `size` pixels."""
    more = (
        '<link rel="stylesheet" href="/admin/static/xterm.css">\n<script src="/admin/static/hero.js"></script>\n'
        '<script src="/admin/static/textual.js"></script>\n'
    )
    head = _HEAD.format(title=f"{escape(box)} · hero", more=more)
    body = _TERMINAL.format(box=escape(box), user=escape(user), socket=escape(socket), size=size)
    return _html(200, head + body)


def card(status: int, title: str, *sentences: str, link: tuple[str, str] = ("", "")) -> web.Response:
    """A page that says something. `link`: an address and what it is called."""
    rest = "".join(f"<p>{_marked(sentence)}</p>\n" for sentence in sentences)
    if link[0]:
        rest += f'<a class="button" href="{escape(link[0])}">{escape(link[1])}</a>\n'
    head = _HEAD.format(title=escape(title), more="")
    return _html(status, head + _CARD.format(title=escape(title), rest=rest))


def refusal(status: int, reason: str) -> web.Response:
    """What went wrong with a request."""
    return card(status, _SENTENCES.get(status, f"{reason}."))


def elsewhere(public: str) -> web.Response:
    """The answer where the page was asked for under an address that it does not have."""
    title = "The cockpit has another address."
    if not public:
        return card(421, title, "It is at the loopback address that its daemon told when it was started.")
    return card(421, title, "It is open there alone:", link=(f"{public}/admin/", f"{public}/admin/"))


def _marked(sentence: str) -> str:
    """The sentence, with what stands between ` as code."""
    parts = escape(sentence).split("`")
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))


def _html(status: int, text: str) -> web.Response:
    return web.Response(status=status, text=text, content_type="text/html", charset="utf-8")
