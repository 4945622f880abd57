"""Stands between sessions and the Messages API: on every request anew the pass becomes a key; answers stream."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import Callable, Coroutine
from typing import Any

from backends.broker.admission import Admission
from backends.broker.choosing import Choice, Chooser, missing_sentence, resting_sentence
from backends.broker.cooling import Health, rest_of
from backends.broker.headers import for_api, for_caller, is_relayed
from backends.broker.intake import Intake, Receive
from backends.broker.ledger import Clock, Lease, Ledger
from backends.broker.refusal import Refusal
from backends.broker.store import OrgKey
from backends.broker.upstream import Upstream
from backends.broker.usage import Meter
from backends.forge.lean_httpx import httpx
from backends.model.errors import HeroError
from backends.model.text import safe_line

log = logging.getLogger(__name__)

METHODS = ("GET", "HEAD", "POST", "DELETE")

Send = Callable[[dict[str, Any]], Any]


class Relay:
    """The ASGI application."""

    def __init__(
        self,
        admission: Admission,
        chooser: Chooser,
        health: Health,
        ledger: Ledger,
        upstream: Upstream,
        now: Clock,
    ):
        self._admission = admission
        self._chooser = chooser
        self._health = health
        self._ledger = ledger
        self._upstream = upstream
        self._now = now
        self._intake = Intake()
        self._finishing: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Have what was used be counted; to be called once nothing is asked any more."""
        await asyncio.gather(*self._finishing, return_exceptions=True)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request, until it is answered or its caller has gone."""
        try:
            _refuse_foreign(scope)
            lease = await self._admitted(scope, receive)
            async with self._intake.taken(scope, receive) as body:
                answering = asyncio.create_task(self._answer(lease, scope, body, send), name="relay-request")
                await _unless_gone(answering, receive)
        except Refusal as refusal:
            await _say(send, refusal)
        except Exception:
            log.exception("a request failed because of a defect")
            scope["state"]["peer"].drop()

    async def _admitted(self, scope: dict[str, Any], receive: Receive) -> Lease:
        try:
            return await self._admission.admit(scope)
        except Refusal:
            # A caller that still writes its request would not see an answer before it.
            await self._intake.drain(scope, receive)
            raise

    async def _answer(self, lease: Lease, scope: dict[str, Any], body: bytes, send: Send) -> None:
        try:
            key, answer = await self._asked(lease, scope, body)
        except Refusal as refusal:
            await _say(send, refusal)
            return
        meter = Meter(answer.headers.get("content-type", ""))
        try:
            await self._pass_on(answer, meter, send, scope)
        finally:
            # Apart from this task, which is ended as soon as its caller goes.
            self._later(self._finish(key, lease, answer, meter))

    async def _asked(self, lease: Lease, scope: dict[str, Any], body: bytes) -> tuple[OrgKey, httpx.Response]:
        """The API's answer on the first of the user's keys that it does not turn away. Raises Refusal."""
        tried: set[str] = set()
        while True:
            choice = self._choice(lease)
            key = next((one for one in choice.ready if one.slot not in tried), None)
            if key is None:
                raise self._no_key(choice)
            tried.add(key.slot)
            answer = await self._sent(key, scope, body)
            if answer.status_code not in (401, 429):
                if self._health.refused_at(key) is not None and answer.is_success:
                    await _kept(self._health.forget(key.slot))
                return key, answer
            await self._turned_away(key, lease, answer)

    def _choice(self, lease: Lease) -> Choice:
        try:
            return self._chooser.choose(lease.user, lease.pinned)
        except HeroError as error:
            raise Refusal(403, f"{error.message} {error.hint}") from None

    def _no_key(self, choice: Choice) -> Refusal:
        """Why none of the user's keys can be used."""
        if choice.ready:
            names = ", ".join(key.slot for key in choice.ready)
            return Refusal(403, f"The API refuses {names} (401). An admin of the team has to rotate it.")
        if choice.free_at is None:
            return Refusal(403, f"{missing_sentence(choice)} Ask an admin of the team.")
        wait = max(1, math.ceil(choice.free_at - self._now()))
        return Refusal(429, resting_sentence(choice), [(b"retry-after", b"%d" % wait)])

    async def _sent(self, key: OrgKey, scope: dict[str, Any], body: bytes) -> httpx.Response:
        query = scope.get("query_string", b"")
        target = scope["raw_path"] + (b"?" + query if query else b"")
        try:
            return await self._upstream.send(scope["method"], target, for_api(scope["headers"], key), body)
        except httpx.TimeoutException as error:
            raise Refusal(504, f"{self._upstream.url} did not answer in time ({type(error).__name__}).") from None
        except httpx.TransportError as error:
            why = safe_line(str(error), 200) or type(error).__name__
            raise Refusal(502, f"The box cannot reach {self._upstream.url}: {why}.") from None

    async def _turned_away(self, key: OrgKey, lease: Lease, answer: httpx.Response) -> None:
        """The API does not serve this key now: keep that, for everybody on the box."""
        await answer.aclose()
        if answer.status_code == 429:
            seconds = rest_of({name.lower(): value for name, value in answer.headers.items()}, self._now())
            log.info("%s is at its rate limit and rests for %d s", key.slot, seconds)
            await _kept(self._health.cool(key.slot, seconds))
        else:
            log.warning("the API refused %s (401)", key.slot)
            await _kept(self._health.refuse(key))
        await self._count(key, lease, Meter(""), refused=True)

    async def _pass_on(self, answer: httpx.Response, meter: Meter, send: Send, scope: dict[str, Any]) -> None:
        status = answer.status_code if 200 <= answer.status_code < 600 else 502
        await send({"type": "http.response.start", "status": status, "headers": for_caller(answer.headers.raw)})
        try:
            async for part in answer.aiter_raw():
                await send({"type": "http.response.body", "body": part, "more_body": True})
                meter.see(part)
        except httpx.TransportError as error:
            # Cut off here too: an answer that seems to be whole would be taken for it.
            log.info("an answer of the API broke off (%s)", type(error).__name__)
            scope["state"]["peer"].drop()
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _finish(self, key: OrgKey, lease: Lease, answer: httpx.Response, meter: Meter) -> None:
        with contextlib.suppress(httpx.HTTPError):
            await answer.aclose()
        await self._count(key, lease, meter, refused=answer.status_code in (401, 403, 429))

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name="relay-finish")
        self._finishing.add(task)
        task.add_done_callback(self._finishing.discard)

    async def _count(self, key: OrgKey, lease: Lease, meter: Meter, *, refused: bool) -> None:
        await _kept(self._ledger.count(key.slot, lease.user, meter.tokens(), refused=refused, at=self._now()))


async def _kept(keeping: Any) -> None:
    """What is kept if the disk takes it: a full one stops nobody's session."""
    try:
        await keeping
    except HeroError as error:
        log.error("%s", error)


def _refuse_foreign(scope: dict[str, Any]) -> None:
    if scope["method"] not in METHODS:
        raise Refusal(405, "The relay does not do that.", close=True)
    if not is_relayed(scope["raw_path"]):
        raise Refusal(404, "The relay is for the Messages API: paths below /v1/.", close=True)


async def _unless_gone(answering: asyncio.Task[None], receive: Receive) -> None:
    """Wait for the end of `answering`, which is cancelled if the caller goes before."""

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    leaving = asyncio.create_task(gone(), name="relay-caller")
    try:
        await asyncio.wait((answering, leaving), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (answering, leaving):
            task.cancel()
        ended = await asyncio.gather(answering, leaving, return_exceptions=True)
    if isinstance(ended[0], Exception):
        raise ended[0]


async def _say(send: Send, refusal: Refusal) -> None:
    await send({"type": "http.response.start", "status": refusal.status, "headers": refusal.head})
    await send({"type": "http.response.body", "body": refusal.body, "more_body": False})
