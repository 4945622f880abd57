"""A page of absent.py as HTML for a browser, as JSON for a program, as text for a terminal."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from backends.box.edge.absent import Link, Page

_STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:12vh auto;padding:0 1rem}"
    "h1{font-size:1.4rem}code,pre{font:.95em ui-monospace,monospace}"
    "pre{padding:.6rem .8rem;border:1px solid;border-radius:.4rem;overflow:auto}"
    "ul{list-style:none;padding:0}small{opacity:.7}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


def render(page: Page, accept: str) -> Response:
    """`page` as whoever sent the header Accept `accept` wants it."""
    headers = {"Cache-Control": "no-store", "Vary": "Accept", "X-Content-Type-Options": "nosniff"}
    if page.again:
        headers["Retry-After"] = str(page.again)
    if "text/html" in accept:
        return HTMLResponse(_html(page), page.status, headers | {"Content-Security-Policy": _POLICY})
    if "application/json" in accept:
        return JSONResponse(_document(page), page.status, headers)
    return PlainTextResponse(_text(page), page.status, headers)


def _html(page: Page) -> str:
    refresh = f'<meta http-equiv="refresh" content="{page.again}">' if page.again else ""
    parts = [f"<h1>{escape(page.title)}</h1>"]
    parts += [f"<p>{escape(sentence)}</p>" for sentence in page.sentences]
    if page.verb:
        parts.append(f"<pre>{escape(page.verb)}</pre>")
    if page.links:
        parts.append(f"<ul>{''.join(_item(link) for link in page.links)}</ul>")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{refresh}'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(page.title)}</title><style>{_STYLE}</style></head><body>{''.join(parts)}</body></html>\n"
    )


def _item(link: Link) -> str:
    address = f'<a href="{escape(link.href)}">{escape(link.name)}</a>'
    return f"<li>{address} <small>{escape(link.health)}</small>"


def _document(page: Page) -> dict[str, Any]:
    links = [{"href": link.href, "name": link.name, "state": link.health} for link in page.links]
    about = {"user": "", "service": "", "state": ""} | page.facts
    message = " ".join((f"{page.title}{'' if page.title.endswith('.') else '.'}", *page.sentences))
    return {"message": message, **about, "verb": page.verb, "links": links}


def _text(page: Page) -> str:
    lines = [page.title, *page.sentences]
    if page.verb:
        lines.append(f"  {page.verb}")
    lines += [f"{link.href}  {link.health}" for link in page.links]
    return "\n".join(lines) + "\n"
