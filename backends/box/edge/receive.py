"""The rule for a webhook, from its headers to the answer: nothing is believed before its signature was checked."""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from backends.box.edge.delivery import BadDelivery, Delivery, form_payload, parse_delivery
from backends.box.edge.inbox import Inbox
from backends.box.edge.secrets import HookSecrets
from backends.box.edge.signature import BadSignature, claimed_signature, is_signed
from backends.model.errors import HeroError
from backends.model.forge_calls import WebhookParams, WebhookResult
from backends.model.text import safe_line

log = logging.getLogger(__name__)

BODY_LIMIT = 2 * 1024 * 1024
"""Bytes of a delivery; a push tells of 15 commits at most, and takes a few kilobytes."""

BODY_SECONDS = 10.0
"""How long a delivery may take to come; a forge gives up after 5 seconds itself."""

LOG_EVERY_SECONDS = 10.0
"""Refusals are logged no more often than this, whoever knocks."""

_SMALL = 64 * 1024
"""Bytes that are parsed without a thread."""

_JSON, _FORM = "application/json", "application/x-www-form-urlencoded"
_EVENT_HEADERS = ("x-forgejo-event", "x-gitea-event", "x-gogs-event", "x-github-event")

Outcome = Literal[
    "taken", "duplicate", "not_followed", "ignored", "too_large", "encoding", "content_type", "malformed",
    "no_signature", "wrong_signature", "slow", "cut", "unavailable",
]  # fmt: skip
"""What became of a delivery; `taken`, `duplicate`, `not_followed` and `ignored` were signed rightly."""


class BodyCut(Exception):
    """Whoever sent the body went away in the middle of it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The HTTP status and the sentence that answer a delivery, and the reason under which it is counted."""

    status: int
    message: str
    outcome: Outcome


class _Refusal(Exception):
    def __init__(self, status: int, message: str, outcome: Outcome):
        super().__init__(message)
        self.answer = Answer(status, message, outcome)


class Receiver:
    """Takes deliveries for the repositories that `follows` says yes to, and counts what became of each."""

    def __init__(
        self,
        secrets: HookSecrets,
        inbox: Inbox,
        follows: Callable[[str], bool],
        *,
        now: Callable[[], float] = time.time,
        body_seconds: float = BODY_SECONDS,
    ):
        self._secrets = secrets
        self._inbox = inbox
        self._follows = follows
        self._now = now
        self._body_seconds = body_seconds
        self._counts: dict[Outcome, int] = dict.fromkeys(get_args(Outcome), 0)
        self._logged_at = 0.0
        self._unlogged = 0

    @property
    def counts(self) -> Mapping[str, int]:
        """How many deliveries ended how, since the start."""
        return {str(outcome): count for outcome, count in self._counts.items()}

    async def receive(self, headers: Mapping[str, str], body: AsyncIterator[bytes]) -> Answer:
        """The answer to a delivery; what is told `taken` is on the disk. `headers` have names in small letters.

        No more of `body` is read than the rule needs.
        """
        try:
            answer = await self._judge(headers, body)
        except _Refusal as refusal:
            answer = refusal.answer
            self._tell(answer)
        self._counts[answer.outcome] += 1
        return answer

    async def handle(self, params: WebhookParams) -> WebhookResult:
        """A delivery that came over RPC, by the same rule. Raises HeroError `usage` for what is no base64."""
        try:
            body = base64.b64decode(params.body, validate=True)
        except (binascii.Error, ValueError) as error:
            raise HeroError("usage", f"The body of the webhook is not base64: {error}.") from None
        headers: dict[str, str] = {}
        for name, value in params.headers.items():
            add_header(headers, name, value)
        answer = await self.receive(headers, _whole(body))
        return WebhookResult(status=answer.status, message=answer.message)

    async def _judge(self, headers: Mapping[str, str], body: AsyncIterator[bytes]) -> Answer:
        _check_length(headers)
        if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
            raise _Refusal(415, "Compressed deliveries are not taken.", "encoding")
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in (_JSON, _FORM):
            raise _Refusal(415, f"A delivery is {_JSON} or {_FORM}.", "content_type")
        try:
            signature = claimed_signature(headers)
        except BadSignature as error:
            raise _Refusal(401, error.message, "no_signature") from None
        whole = await self._read(body)
        read = _signed_delivery if len(whole) <= _SMALL else _in_thread
        try:
            content, delivery = await read(whole, kind == _FORM, _hint(headers))
        except BadDelivery as error:
            raise _Refusal(400, error.message, "malformed") from None
        if not self._secrets.is_open:
            raise _Refusal(503, "The box cannot check signatures at the moment.", "unavailable")
        if not is_signed(signature, content, self._secrets.valid_secrets(delivery.repo, self._now())):
            raise _Refusal(401, "The delivery's signature is wrong.", "wrong_signature")
        return await self._take(delivery)

    async def _take(self, delivery: Delivery) -> Answer:
        if not self._follows(delivery.repo):
            return Answer(202, "Nothing here follows that repository.", "not_followed")
        if delivery.event == "ignored":
            return Answer(202, "Nothing here follows that event.", "ignored")
        try:
            taken = await self._inbox.accept(delivery)
        except HeroError as error:
            raise _Refusal(503, "The box cannot keep the delivery at the moment.", "unavailable") from error
        if taken == "duplicate":
            return Answer(200, "That delivery was taken already.", "duplicate")
        return Answer(202, "The delivery is taken.", "taken")

    async def _read(self, body: AsyncIterator[bytes]) -> bytes:
        found = bytearray()
        try:
            async with asyncio.timeout(self._body_seconds):
                async for part in body:
                    found += part
                    if len(found) > BODY_LIMIT:
                        raise _too_large()
        except TimeoutError:
            seconds = f"{self._body_seconds:g}"
            raise _Refusal(408, f"The delivery did not come within {seconds} seconds.", "slow") from None
        except BodyCut:
            raise _Refusal(400, "The delivery was cut short.", "cut") from None
        return bytes(found)

    def _tell(self, answer: Answer) -> None:
        """Log a refusal, and how many were not logged since the last; never a word of the body."""
        moment = self._now()
        if 0 <= moment - self._logged_at < LOG_EVERY_SECONDS:
            self._unlogged += 1
            return
        more = f" ({self._unlogged} more refused since the last line)" if self._unlogged else ""
        log.warning("a webhook was refused with %d: %s%s", answer.status, safe_line(answer.message, 200), more)
        self._logged_at, self._unlogged = moment, 0


def add_header(headers: dict[str, str], name: str, value: str) -> None:
    """Put a header under its name in small letters; one that comes twice holds both values, as HTTP says."""
    name = name.lower()
    headers[name] = f"{headers[name]}, {value}" if name in headers else value


def _check_length(headers: Mapping[str, str]) -> None:
    length = headers.get("content-length", "")
    if length.isascii() and length.isdigit() and (len(length) > 15 or int(length) > BODY_LIMIT):
        raise _too_large()


def _too_large() -> _Refusal:
    return _Refusal(413, f"A delivery has at most {BODY_LIMIT // 1024 // 1024} MiB.", "too_large")


def _hint(headers: Mapping[str, str]) -> str:
    return next((headers[name] for name in _EVENT_HEADERS if name in headers), "")


async def _signed_delivery(body: bytes, form: bool, hint: str) -> tuple[bytes, Delivery]:
    return _parse(body, form, hint)


async def _in_thread(body: bytes, form: bool, hint: str) -> tuple[bytes, Delivery]:
    return await asyncio.to_thread(_parse, body, form, hint)


def _parse(body: bytes, form: bool, hint: str) -> tuple[bytes, Delivery]:
    """What was signed, and the delivery in it."""
    content = form_payload(body) if form else body
    return content, parse_delivery(content, hint)


async def _whole(body: bytes) -> AsyncIterator[bytes]:
    yield body
