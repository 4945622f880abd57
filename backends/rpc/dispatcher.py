"""The calls that a process answers: a name, checked parameters, a handler, a checked result."""

from __future__ import annotations

import logging
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from backends.model.errors import HeroError, nearest, unknown_name
from backends.model.method import Method
from backends.rpc.connection import Connection
from backends.rpc.openrpc import document
from backends.rpc.sockets import Peer
from backends.rpc.wire import INVALID_PARAMS, METHOD_NOT_FOUND, Request, RpcError, kind_of

log = logging.getLogger(__name__)

P = TypeVar("P", bound=BaseModel)
DISCOVER = "rpc.discover"
PING = "rpc.ping"


@dataclass(frozen=True)
class Call:
    """Who calls (`peer`, from the kernel) and over which connection it can be called back."""

    peer: Peer
    connection: Connection


Handler = Callable[[Call, P], Awaitable[BaseModel]]


class Dispatcher:
    """The methods of the process `name`; use it as a `Server`'s or a connection's `dispatch`.

    `rpc.ping` and `rpc.discover` are answered without being registered. `log` is the file that an error of ours
    points people to.
    """

    def __init__(self, name: str, version: str, *, log: str | os.PathLike[str] = "") -> None:
        self.name = name
        self.version = version
        self._log = os.fspath(log)
        self._methods: dict[str, tuple[Method, Handler[Any]]] = {}
        self._document: dict[str, Any] | None = None

    def register(self, method: Method, handler: Handler[P]) -> None:
        """Have `handler` answer `method`.

        One that mutates runs to its end even if its caller leaves; any other is cancelled then. Raises ValueError
        for a name that is taken.
        """
        if method.name in self._methods or method.name in (DISCOVER, PING):
            raise ValueError(f"{method.name} is registered already")
        self._methods[method.name] = (method, handler)
        self._document = None

    async def __call__(self, connection: Connection, request: Request) -> Any:
        """The result of `request` as JSON can say it. Raises HeroError for everything that goes wrong."""
        if request.method == PING:
            return {"pid": os.getpid(), "version": self.version, "name": self.name}
        if request.method == DISCOVER:
            return self.discover()
        if request.method not in self._methods:
            raise self._no_method(request.method)
        method, handler = self._methods[request.method]
        params = _check(method, request.params)
        work = self._handle(method, handler, Call(connection.peer, connection), params)
        return await (connection.to_the_end(work) if method.mutates else work)

    def discover(self) -> dict[str, Any]:
        """The OpenRPC document of what is registered."""
        if self._document is None:
            self._document = document(self.name, (method for method, _ in self._methods.values()))
        return self._document

    async def _handle(self, method: Method, handler: Handler[Any], call: Call, params: BaseModel) -> Any:
        try:
            result = await handler(call, params)
            if not isinstance(result, method.result):
                raise TypeError(f"{method.name} answered {type(result).__name__}, not {method.result.__name__}")
            return result.model_dump(mode="json", by_alias=True)
        except HeroError:
            raise
        except Exception as error:
            log.exception("%s failed because of a defect", method.name)
            where = f"; see {self._log}" if self._log else ""
            raise HeroError(
                "internal",
                f"{self.name} could not answer {method.name} because of a defect ({type(error).__name__}){where}.",
                hint="This is a fault of the program. Report it with those lines of the log.",
            ) from error

    def _no_method(self, name: str) -> RpcError:
        error = unknown_name("method", name[:100], self._methods)
        return RpcError(METHOD_NOT_FOUND, error.message, hint=error.hint, data=error.data)


def _check(method: Method, params: dict[str, Any]) -> BaseModel:
    try:
        return method.params.model_validate(params)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
    known = [info.alias or name for name, info in method.params.model_fields.items()]
    problems = [_in_words(problem, known) for problem in found]
    raise RpcError(
        INVALID_PARAMS,
        f"{method.name} was called wrongly: {'; '.join(words for _, words in problems)}.",
        hint=f"It takes {', '.join(known)}." if known else "It takes no parameters.",
        data={"fields": [{"field": field, "problem": words} for field, words in problems]},
    )


def _in_words(problem: ErrorDetails, known: list[str]) -> tuple[str, str]:
    """The field and a sentence about it; never the value, which may be a secret."""
    field = ".".join(str(part)[:100] for part in problem["loc"])
    subject = f"`{field}`" if field else "the whole"
    if problem["type"] == "missing":
        return field, f"{subject} is missing"
    if problem["type"] == "extra_forbidden":
        close = nearest(field, known, 1)
        return field, f"{subject} is not known" + (f" (did you mean `{close[0]}`?)" if close else "")
    words = problem["msg"].removeprefix("Input ").removeprefix("Value error, ").removesuffix(".")
    found = f", found {kind_of(problem['input'])}" if problem["type"].endswith("_type") else ""
    return field, f"{subject} {words}{found}" if words.startswith("should") else f"{subject}: {words}{found}"
