"""From what a person pasted as an issue to the repository and number, of this box's forge and of no other."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from backends.forge.base import Forge
from backends.forge.issues import check_number
from backends.model.errors import HeroError
from backends.model.names import BadValue, check_repo
from backends.model.text import safe_line

LINK_LIMIT = 500
"""Longest link in characters."""

_SHORT = re.compile(r"([^#\s]+)#([0-9]{1,10})")
_NUMBER = re.compile(r"[0-9]{1,10}")
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}|[0-9A-Fa-f:.]{2,45}")
_PREFIX = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,99}")
_PORTS = {"http": 80, "https": 443}
_FORMS = (
    "Name it as https://FORGE/OWNER/REPO/issues/5, or as OWNER/REPO#5; where the forge is a folder, which has no "
    "pages, as OWNER/REPO#5 only."
)


@dataclass(frozen=True, slots=True)
class IssueLink:
    """What a link says. `site` is the forge's host, port and path, to be compared; "" where it names none."""

    repo: str
    number: int
    site: str = ""


def read_link(text: str) -> IssueLink:
    """The link in `text`: an issue's web address (a comment's, too) or `owner/repo#5`. Raises HeroError usage."""
    text = text.strip()
    if not text or len(text) > LINK_LIMIT or not text.isascii() or not text.isprintable() or "\\" in text:
        raise _no_link(text)
    if short := _SHORT.fullmatch(text):
        return _link(text, short[1], short[2], "")
    parts = _split(text)
    path = parts.path.removesuffix("/").split("/")[1:]
    if len(path) >= 4 and path[-2] == "pulls" and _NUMBER.fullmatch(path[-1]):
        raise HeroError("usage", f"{safe_line(text, 200)} is a pull request, not an issue.", hint=_FORMS)
    if len(path) < 4 or path[-2] != "issues" or not all(_PREFIX.fullmatch(one) for one in path[:-4]):
        raise _no_link(text)
    return _link(text, "/".join(path[-4:-2]), path[-1], _site(parts, path[:-4]))


async def find_link(forge: Forge, text: str) -> IssueLink:
    """The link in `text`, which is of `forge`. Nothing is ever asked of the host that it names.

    Raises HeroError usage for what is no link, and for one that leads to another forge.
    """
    link = read_link(text)
    if not link.site:
        return link
    addresses = await forge.addresses(link.repo)
    if link.site in [site_of(address) for address in addresses]:
        return link
    where = safe_line(addresses[0], 200) if addresses else "a folder, which has no web pages"
    raise HeroError(
        "usage",
        f"{safe_line(text.strip(), 200)} is not on this box's forge, which is {where}.",
        hint=f"If it is the same repository there: {link.repo}#{link.number}.",
    )


def site_of(address: str) -> str:
    """The forge at `address` as links are compared with it: host, port and path; "" for what is no address."""
    try:
        parts = _split(address)
    except HeroError:
        return ""
    return _site(parts, [part for part in parts.path.split("/") if part])


def _site(parts: SplitResult, prefix: list[str]) -> str:
    """Whether it is http or https does not count: we only ever speak with the forge that we know."""
    port = parts.port or _PORTS[parts.scheme]
    shown = "" if port in _PORTS.values() else f":{port}"
    host = (parts.hostname or "").rstrip(".")
    return "/".join([f"[{host}]{shown}" if ":" in host else f"{host}{shown}", *prefix])


def _split(text: str) -> SplitResult:
    """The parts of a web address without user and password. Raises HeroError usage."""
    try:
        parts = urlsplit(text)
        good = parts.port != 0
    except ValueError:
        raise _no_link(text) from None
    if not good or parts.scheme not in _PORTS or "@" in parts.netloc or not _HOST.fullmatch(parts.hostname or ""):
        raise _no_link(text)
    return parts


def _link(text: str, repo: str, number: str, site: str) -> IssueLink:
    try:
        return IssueLink(check_repo(repo), check_number(int(number)), site)
    except (BadValue, ValueError, HeroError):
        raise _no_link(text) from None


def _no_link(text: str) -> HeroError:
    # A pasted address may hold a password.
    shown = "That" if "@" in text else repr(safe_line(text, 120))
    return HeroError("usage", f"{shown} is no issue.", hint=_FORMS)
