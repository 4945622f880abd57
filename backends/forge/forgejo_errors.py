"""What a refusal of a Forgejo or Gitea means to a person, and what to do about it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from backends.forge.forgejo_redact import Redactor
from backends.model.errors import HeroError

PAUSE_LIMIT = 30.0
"""Seconds that a forge may ask us to wait; for longer pauses a person decides."""

_SCOPE = re.compile(r"(?:required=|scope\(s\): )\[([a-z:,\- ]{1,200})\]")


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete answer: `headers` with small names, `body` at most as long as was asked for."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def is_html(self) -> bool:
        return "html" in self.headers.get("content-type", "") or self.body.lstrip()[:1] == b"<"

    def message(self) -> str:
        """What the forge says went wrong, as it came; "" where it says nothing that is for people."""
        try:
            told = json.loads(self.body)
        except ValueError:
            return ""
        message = told.get("message") if isinstance(told, dict) else None
        return message if isinstance(message, str) else ""

    def pause(self, now: datetime | None = None) -> float | None:
        """Seconds that `Retry-After` asks to wait; None without one that can be understood."""
        asked = self.headers.get("retry-after", "").strip()
        if asked.isascii() and asked.isdigit():
            return float(asked[:9])
        try:
            until = parsedate_to_datetime(asked)
        except (ValueError, TypeError):
            return None
        until = until if until.tzinfo else until.replace(tzinfo=UTC)
        return max(0.0, (until - (now or datetime.now(UTC))).total_seconds())


@dataclass(frozen=True, slots=True)
class Site:
    """The forge as errors speak of it: its address without a slash at the end, and whether we have a token."""

    base: str
    has_token: bool
    redact: Redactor

    @property
    def name(self) -> str:
        return urlsplit(self.base).netloc

    @property
    def tokens_page(self) -> str:
        return f"{self.base}/user/settings/applications"

    def error(
        self, code: str, message: str, hint: str = "", *, status: int | None = None, **data: Any
    ) -> HeroError:
        """A HeroError whose every text is one harmless line without the token."""
        told = data if status is None else data | {"status": status}
        return HeroError(code, self.redact.line(message, 700), hint=self.redact.line(hint, 700), data=told)

    def refusal(self, reply: Reply, request: str) -> HeroError:
        """The error for a `reply` that is no success, to `request` ("GET /repos/…")."""
        return _Refusal(self, reply, self.redact.line(request, 200)).explain()

    def unreachable(self, why: str, request: str) -> HeroError:
        """The error for a request that got no answer."""
        return self.error(
            "unreachable",
            f"Cannot reach the forge {self.name}: {why or 'the connection failed'} ({request}).",
            "Check the network and whether the forge runs, then try again.",
        )

    def no_forge(self, request: str, why: str) -> HeroError:
        """The error for an answer that makes no sense."""
        return self.error(
            "failed",
            f"{self.name} answers {request} as no Forgejo does: {why}. Is that a Forgejo?",
            f"Open {self.base} in a browser: is it a login page, or a proxy that says that the forge is down?",
        )


@dataclass(frozen=True, slots=True)
class _Refusal:
    site: Site
    reply: Reply
    request: str

    def explain(self) -> HeroError:
        status = self.reply.status
        by_status = {
            401: self._unknown_token,
            403: self._forbidden,
            404: self._absent,
            409: self._conflict,
            413: self._too_large,
            422: self._unusable,
            423: self._archived,
            429: self._too_often,
        }
        if explain := by_status.get(status):
            return explain()
        if status >= 500:
            return self._broken()
        if self.reply.is_html:
            return self.site.no_forge(self.request, f"status {status} and a web page")
        return self._error(
            "failed", f"{self.site.name} refuses {self.request} with status {status}{self._said()}."
        )

    def _error(self, code: str, message: str, hint: str = "") -> HeroError:
        return self.site.error(code, message, hint, status=self.reply.status)

    def _said(self) -> str:
        said = self.site.redact.line(self.reply.message(), 300).strip().rstrip(".")
        return f": {said}" if said else ""

    def _unknown_token(self) -> HeroError:
        if not self.site.has_token:
            return self._error(
                "denied",
                f"{self.site.name} wants to know who asks ({self.request}), and there is no token.",
                f"Make a token at {self.site.tokens_page} and put it in the token file, with mode 600.",
            )
        return self._error(
            "denied",
            f"{self.site.name} does not know the token, or it has expired ({self.request}).",
            f"Make a new one at {self.site.tokens_page} and put it in the token file.",
        )

    def _forbidden(self) -> HeroError:
        if found := _SCOPE.search(self.reply.message()):
            scopes = " and ".join(f"`{scope.strip()}`" for scope in found[1].split(",") if scope.strip())
            return self._error(
                "denied",
                f"The token lacks the scope {scopes}, which {self.request} on {self.site.name} needs.",
                f"Make a token that has it at {self.site.tokens_page} and put it in the token file.",
            )
        return self._error(
            "denied",
            f"{self.site.name} does not allow {self.request}{self._said()}.",
            "Ask an owner of the organisation for the right, or use the token of somebody who has it.",
        )

    def _absent(self) -> HeroError:
        more = "" if self.site.has_token else " Without a token only public repositories are seen."
        return self._error("not_found", f"{self.site.name} has nothing at {self.request}{self._said()}.{more}")

    def _conflict(self) -> HeroError:
        return self._error(
            "conflict",
            f"{self.site.name}: {self.request} collides with what is there{self._said()}.",
            "Somebody was faster: look at what is there, then try again.",
        )

    def _too_large(self) -> HeroError:
        if "quota" in self.reply.message().lower():
            return self._error(
                "no_space",
                f"The quota on {self.site.name} is used up ({self.request}){self._said()}.",
                "Delete old releases of that owner, or have its quota raised.",
            )
        who = "A proxy before the forge" if self.reply.is_html or not self.reply.message() else "The forge"
        return self._error(
            "failed",
            f"{who} takes no file as large as this ({self.request} on {self.site.name}){self._said()}.",
            "Have it raised: the proxy's limit for a body, or the forge's [repository.release] FILE_MAX_SIZE.",
        )

    def _unusable(self) -> HeroError:
        return self._error(
            "usage", f"{self.site.name} cannot use {self.request}{self._said()}.", "Check the names."
        )

    def _archived(self) -> HeroError:
        return self._error(
            "denied",
            f"{self.site.name}: the repository is archived, so nothing in it changes ({self.request}).",
            "Take it out of the archive in its settings on the forge.",
        )

    def _too_often(self) -> HeroError:
        pause = self.reply.pause()
        when = f"in {pause:.0f} seconds" if pause is not None else "in a minute"
        error = self._error(
            "unreachable",
            f"{self.site.name} takes no more requests for now ({self.request}).",
            f"Try again {when}.",
        )
        error.data["retry_after"] = pause
        return error

    def _broken(self) -> HeroError:
        pause = self.reply.pause()
        when = "" if pause is None else f" in {pause:.0f} seconds"
        web = " and a web page" if self.reply.is_html else ""
        error = self._error(
            "unreachable",
            f"{self.site.name} failed with status {self.reply.status}{web} at {self.request}{self._said()}.",
            f"Try again{when}; if it goes on, the forge's own log says why.",
        )
        error.data["retry_after"] = pause
        return error


def status_of(error: HeroError) -> int | None:
    """The HTTP status behind `error`; None where there was no answer."""
    status = error.data.get("status")
    return status if isinstance(status, int) else None
