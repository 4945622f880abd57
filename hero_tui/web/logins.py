"""Who has signed in: what a browser keeps of it is signed with a key that lives in this process alone."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

TICKET_SECONDS = 60.0
"""From a page to the cockpit in it."""
_TICKETS = 1000
_MAC = hashlib.sha256
_LIMIT = 2048
"""Characters of a seal; what is longer is none of ours."""


@dataclass(frozen=True)
class Login:
    """A person who has signed in with one browser, until `expires` (seconds of the clock)."""

    user: str
    id: str
    expires: float


@dataclass(frozen=True)
class _Ticket:
    login: Login
    content: Any
    expires: float


class Seals:
    """Signs small documents for one purpose each, which a browser keeps and shows again."""

    def __init__(self, now: Callable[[], float] = time.time):
        self._key = secrets.token_bytes(32)
        self.now = now

    def seal(self, purpose: str, document: dict[str, Any], seconds: float) -> str:
        """`document` as a text that is good for `seconds`."""
        told = {**document, "expires": self.now() + seconds}
        body = base64.urlsafe_b64encode(json.dumps(told, separators=(",", ":")).encode()).decode()
        return f"{body}.{self._mac(purpose, body)}"

    def open(self, purpose: str, text: str) -> dict[str, Any] | None:
        """What was sealed for `purpose`; None for what was forged or changed, is for another one, or is old."""
        body, _, mac = text.partition(".")
        expected = self._mac(purpose, body).encode()
        if len(text) > _LIMIT or not hmac.compare_digest(expected, mac.encode("utf-8", "replace")):
            return None
        try:
            document = json.loads(base64.urlsafe_b64decode(body))
        except (ValueError, binascii.Error):
            return None
        return document if document["expires"] > self.now() else None

    def derived(self, purpose: str, text: str) -> str:
        """A secret that belongs to `text`, the same as long as this process lives; 43 characters."""
        made = hmac.new(self._key, f"{purpose}\0{text}".encode(), _MAC).digest()
        return base64.urlsafe_b64encode(made).decode().rstrip("=")

    def _mac(self, purpose: str, body: str) -> str:
        return hmac.new(self._key, f"{purpose}.{body}".encode("utf-8", "replace"), _MAC).hexdigest()


class Logins:
    """All of one daemon. They end with it: its key is made anew at each start."""

    def __init__(self, seals: Seals, seconds: float):
        self._seals = seals
        self._seconds = seconds
        self._ended: dict[str, float] = {}
        self._tickets: dict[str, _Ticket] = {}

    def begin(self, user: str) -> str:
        """What the browser of `user` is to show from now on."""
        return self._seals.seal("login", {"user": user, "id": secrets.token_urlsafe(16)}, self._seconds)

    def read(self, shown: str) -> Login | None:
        """Who shows this; None for nobody."""
        found = self._seals.open("login", shown) if shown else None
        if found is None or found["id"] in self._ended:
            return None
        return Login(found["user"], found["id"], found["expires"])

    def end(self, login: Login) -> None:
        """Take nobody's word for it any more, whoever may have copied what the browser shows."""
        now = self._seals.now()
        self._ended = {id_: expires for id_, expires in self._ended.items() if expires > now}
        self._ended[login.id] = login.expires

    def is_live(self, login: Login) -> bool:
        """Whether it has neither ended nor expired."""
        return login.id not in self._ended and login.expires > self._seals.now()

    def ticket(self, login: Login, content: Any) -> str:
        """Lets this login open one cockpit, soon; `content` is what `redeem` gives."""
        now = self._seals.now()
        kept = {key: one for key, one in self._tickets.items() if one.expires > now}
        while len(kept) >= _TICKETS:
            del kept[next(iter(kept))]
        made = secrets.token_urlsafe(24)
        self._tickets = {**kept, made: _Ticket(login, content, now + TICKET_SECONDS)}
        return made

    def redeem(self, ticket: str, login: Login) -> Any | None:
        """Its content, once, and for the login alone that it was made for; else None."""
        found = self._tickets.get(ticket)
        if found is None or found.login.id != login.id or found.expires <= self._seals.now():
            return None
        del self._tickets[ticket]
        return found.content
