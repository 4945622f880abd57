"""What stands on the wire: JSON-RPC 2.0, one object a line, and how errors cross it."""

from __future__ import annotations

import json
import math
from typing import Any, NamedTuple, NoReturn

from backends.model.errors import CODES, HeroError

MAX_LINE = 16 * 1024 * 1024
"""Most bytes of one message, its newline left out."""

MAX_DIGITS = 40
"""Most digits of a whole number: more than any size or time has, and few enough to be reckoned with."""

FAREWELL = "rpc.bye"
"""The notification that says why its sender closes the connection: {message, hint}."""

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602

_STANDARD = {
    PARSE_ERROR: "usage",
    INVALID_REQUEST: "usage",
    METHOD_NOT_FOUND: "not_found",
    INVALID_PARAMS: "usage",
}
_NAMES = {number: name for name, number in CODES.items()}

Id = int | str


class Request(NamedTuple):
    """A call that waits for its answer under `id`."""

    id: Id
    method: str
    params: dict[str, Any]


class Notification(NamedTuple):
    """A message that nobody answers."""

    method: str
    params: dict[str, Any]


class Result(NamedTuple):
    """The answer to the request `id`."""

    id: Id
    result: Any


class Failure(NamedTuple):
    """The error that the request `id` ended with; None where the peer could not tell which."""

    id: Id | None
    error: HeroError


Message = Request | Notification | Result | Failure


class RpcError(HeroError):
    """A HeroError with one of JSON-RPC's own numbers; `id` names the request that it answers."""

    def __init__(
        self,
        number: int,
        message: str,
        *,
        hint: str = "",
        data: dict[str, Any] | None = None,
        id: Id | None = None,
    ) -> None:
        super().__init__(_STANDARD.get(number, "failed"), message, hint=hint, data=data)
        self.number = number
        self.id = id


class BadReplyError(HeroError):
    """The peer answered with something that is no reply; never answered, for that could go on for ever."""

    def __init__(self, message: str) -> None:
        super().__init__("failed", message)


def encode(message: Message) -> bytes:
    """One line, newline included.

    Raises HeroError: "internal" for what JSON cannot say, "failed" for more than MAX_LINE bytes.
    """
    line = _dump(_as_object(message))
    if len(line) > MAX_LINE:
        raise HeroError(
            "failed",
            f"The message is {len(line):,} bytes long; one may have {MAX_LINE:,}.",
            hint="Ask for less at once.",
        )
    return line + b"\n"


def encode_failure(id: Id | None, error: HeroError) -> bytes:
    """Like `encode`, for an error; `data` that cannot be sent is left out rather than the error lost."""
    try:
        return encode(Failure(id, error))
    except HeroError:
        return encode(Failure(id, HeroError(error.code, error.message[:2000], hint=error.hint[:2000])))


def decode(line: bytes) -> Message:
    """The message of one line.

    Raises RpcError (to be answered) for a bad request, BadReplyError (never answered) for a bad reply.
    """
    found = _parse(line)
    if isinstance(found, list):
        raise RpcError(INVALID_REQUEST, "Batches are not taken.", hint="Send one object a line.")
    if not isinstance(found, dict):
        raise RpcError(INVALID_REQUEST, f"A message is an object, not {kind_of(found)}.")
    if "method" not in found and ("result" in found or "error" in found):
        return _decode_reply(found)
    return _decode_request(found)


def check_version(message: dict[str, Any]) -> None:
    """Raises RpcError where `message` does not say that it is JSON-RPC 2.0."""
    if message.get("jsonrpc") != "2.0":
        raise RpcError(
            INVALID_REQUEST, 'The message does not say `"jsonrpc": "2.0"`.', id=_id_or_none(message.get("id"))
        )


def error_to_object(error: HeroError) -> dict[str, Any]:
    """The `error` member of a reply."""
    number = error.number if isinstance(error, RpcError) else CODES[error.code]
    data = {"code": error.code, "hint": error.hint, "data": error.data}
    return {"code": number, "message": error.message, "data": data}


def object_to_error(found: object) -> HeroError:
    """The HeroError that an `error` member stands for, harmless to show.

    Raises BadReplyError where it is none.
    """
    # Here and not above, because errors are rare and the module costs a thin client its quick start.
    from backends.model.text import safe_text

    if not isinstance(found, dict):
        raise BadReplyError(f"The peer's error is {kind_of(found)} instead of an object.")
    number, message, more = found.get("code"), found.get("message"), found.get("data")
    if not isinstance(number, int) or not isinstance(message, str):
        raise BadReplyError("The peer's error has no number or no message.")
    more = more if isinstance(more, dict) else {}
    hint = more.get("hint")
    text = safe_text(message)
    hint = safe_text(hint) if isinstance(hint, str) else ""
    data = more["data"] if isinstance(more.get("data"), dict) else {}
    if number in _STANDARD:
        return RpcError(number, text, hint=hint, data=data)
    name = more.get("code")
    known = name if isinstance(name, str) and name in CODES else _NAMES.get(number, "failed")
    return HeroError(known, text, hint=hint, data=data)


def farewell(reason: HeroError) -> Notification:
    """What to send before closing because of `reason`."""
    return Notification(FAREWELL, {"message": reason.message[:2000], "hint": reason.hint[:2000]})


def heard_farewell(params: dict[str, Any]) -> HeroError:
    """Why the peer closes, as the "unreachable" that calls to it now end with."""
    from backends.model.text import safe_text

    message, hint = (safe_text(str(params.get(name) or "")) for name in ("message", "hint"))
    return HeroError("unreachable", message or "The peer closed the connection.", hint=hint)


def kind_of(value: object) -> str:
    """What JSON calls `value`, for messages: "a string", "an object", …"""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    names = {str: "a string", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return names.get(type(value), "something else")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _whole(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a number has {len(digits)} digits")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError("a number is too large")
    return number


# Escaped to ASCII: file names that are no UTF-8 live in Python as lone surrogates, and must arrive as they left.
_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_int=_whole, parse_float=_finite)


def _dump(found: dict[str, Any]) -> bytes:
    try:
        return _ENCODER.encode(found).encode("ascii")
    except (TypeError, ValueError, RecursionError) as error:
        raise HeroError("internal", f"The message cannot be said in JSON: {error}") from error


def _parse(line: bytes) -> object:
    try:
        found: object = _DECODER.decode(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise RpcError(PARSE_ERROR, f"The line is not UTF-8 at byte {error.start + 1}.") from None
    except RecursionError:
        raise RpcError(PARSE_ERROR, "The line is nested too deeply.") from None
    except ValueError as error:
        raise RpcError(PARSE_ERROR, f"The line is not JSON: {error}.") from None
    return found


def _as_object(message: Message) -> dict[str, Any]:
    match message:
        case Request():
            return {"jsonrpc": "2.0", "id": message.id, "method": message.method, "params": message.params}
        case Notification():
            return {"jsonrpc": "2.0", "method": message.method, "params": message.params}
        case Result():
            return {"jsonrpc": "2.0", "id": message.id, "result": message.result}
        case Failure():
            return {"jsonrpc": "2.0", "id": message.id, "error": error_to_object(message.error)}


def _is_id(value: object) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool)


def _id_or_none(value: object) -> Id | None:
    return value if _is_id(value) else None  # type: ignore[return-value]  # _is_id says so


def _decode_request(found: dict[str, Any]) -> Request | Notification:
    check_version(found)
    id = _id_or_none(found.get("id"))
    if "id" in found and id is None:
        raise RpcError(INVALID_REQUEST, f"An `id` is a number or a string, not {kind_of(found['id'])}.")
    method = found.get("method")
    if not isinstance(method, str):
        raise RpcError(INVALID_REQUEST, "The message names no `method`.", id=id)
    params = found.get("params", {})
    if not isinstance(params, dict):
        raise RpcError(
            INVALID_PARAMS,
            f"Parameters are given by name in an object, not as {kind_of(params)}.",
            hint="`rpc.discover` answers every method's parameters.",
            id=id,
        )
    return Notification(method, params) if id is None else Request(id, method, params)


def _decode_reply(found: dict[str, Any]) -> Result | Failure:
    if found.get("jsonrpc") != "2.0":
        raise BadReplyError("The peer's reply does not say that it is JSON-RPC 2.0.")
    if "result" in found and "error" in found:
        raise BadReplyError("The peer's reply has a result and an error.")
    id = _id_or_none(found.get("id"))
    if "error" in found:
        return Failure(id, object_to_error(found["error"]))
    if id is None:
        raise BadReplyError("The peer's reply does not say to which request.")
    return Result(id, found["result"])
