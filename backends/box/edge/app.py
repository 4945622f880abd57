"""The box's HTTP side: webhooks in; numbers, health and what the router has no service for out; nothing else."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from backends.box.edge.absent import SERVICE_HEADER, USER_HEADER, Known, answer
from backends.box.edge.absent_text import render
from backends.box.edge.health import Health
from backends.box.edge.metrics import Metrics
from backends.box.edge.receive import BodyCut, Receiver, add_header

HOOKS_PATH = "/hooks/forge"

_CLOSE = {"Connection": "close"}
"""With a refusal: what is left of the request is not read."""

_SENTENCES = {
    404: "There is nothing here.",
    405: "That cannot be done here.",
    500: "The box failed at this; its log says why.",
}


class NotForServices:
    """Refuses what the router sends to a service of a slot: it comes here only over a link that somebody has laid
    into their folder of sockets, and would find more than the router has of the box for everybody."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sent = {name for name, _ in scope.get("headers", ())}
        response = PlainTextResponse(_SENTENCES[404] + "\n", 404, headers=_CLOSE)
        await (response if b"x-forwarded-prefix" in sent else self._app)(scope, receive, send)


def make_app(
    receiver: Receiver,
    metrics: Metrics,
    health: Callable[[], Awaitable[Health]],
    known: Callable[[], Known],
) -> Starlette:
    """The application. Every answer is a sentence: text, or JSON for who accepts that."""

    async def hooks(request: Request) -> Response:
        headers: dict[str, str] = {}
        for name, value in request.headers.items():
            add_header(headers, name, value)
        async with aclosing(_body(request)) as body:
            answer = await receiver.receive(headers, body)
        return _say(request, answer.status, answer.message)

    async def numbers(request: Request) -> Response:
        text, content_type = metrics.render(request.headers.get("accept", ""))
        return Response(text, headers={"Content-Type": content_type})

    async def healthz(_: Request) -> Response:
        found = await health()
        return JSONResponse(found.document, 200 if found.ok else 503, headers={"Cache-Control": "no-store"})

    async def absent(request: Request) -> Response:
        told = request.headers
        page = answer(told.get(USER_HEADER, ""), told.get(SERVICE_HEADER, ""), known())
        return render(page, told.get("accept", ""))

    app = Starlette(
        middleware=[Middleware(NotForServices)],
        routes=[
            Route(HOOKS_PATH, hooks, methods=["POST"]),
            Route("/metrics", numbers, methods=["GET"]),
            Route("/healthz", healthz, methods=["GET"]),
            Route("/absent", absent, methods=["GET"]),
        ],
        exception_handlers={HTTPException: _refuse, Exception: _fail},
    )
    app.router.redirect_slashes = False
    return app


async def _body(request: Request) -> AsyncGenerator[bytes, None]:
    try:
        async for part in request.stream():
            yield part
    except ClientDisconnect:
        raise BodyCut from None


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    sentence = _SENTENCES.get(error.status_code, "That is not possible.")
    return _say(request, error.status_code, sentence, dict(error.headers or {}))


async def _fail(request: Request, _: Exception) -> Response:
    return _say(request, 500, _SENTENCES[500])


def _say(request: Request, status: int, sentence: str, headers: dict[str, str] | None = None) -> Response:
    more = (headers or {}) | (_CLOSE if status >= 400 else {})
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse({"message": sentence}, status, headers=more)
    return PlainTextResponse(sentence + "\n", status, headers=more)
