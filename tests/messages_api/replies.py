"""What the stand-in answers: text, a tool call, an error, a stream that is slow, hangs or breaks off."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

ERRORS = {
    400: ("invalid_request_error", "Bad request"),
    401: ("authentication_error", "invalid x-api-key"),
    403: ("permission_error", "Your account does not have permission"),
    404: ("not_found_error", "Not found"),
    429: ("rate_limit_error", "This request would exceed your account's rate limit"),
    500: ("api_error", "Internal server error"),
    529: ("overloaded_error", "Overloaded"),
}


@dataclass(frozen=True)
class Reply:
    """One answer.

    `status` other than 200 is an error. `tool` is a name and its input, called before `text` is said. `gate` holds
    a stream back after its first event until it is set; `hangs` for as long as the server runs. `drops` closes the
    connection after that event. `pause` is how many seconds a stream is silent before each further event.
    """

    text: str = "STUB-OK"
    tool: tuple[str, dict[str, Any]] | None = None
    status: int = 200
    message: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    retry_after: str = ""
    gate: threading.Event | None = None
    hangs: bool = False
    drops: bool = False
    pause: float = 0.0
    input_tokens: int = 10
    output_tokens: int = 5
    cached_tokens: int = 0


def error_body(reply: Reply) -> bytes:
    """The body of an error, as the API words it."""
    kind, message = ERRORS.get(reply.status, ("api_error", "Something is wrong"))
    error = {"type": kind, "message": reply.message or message}
    return json.dumps({"type": "error", "error": error, "request_id": "req_stub"}).encode()


def message_of(reply: Reply, model: str, number: int) -> dict[str, Any]:
    """The whole message, as an answer without a stream has it."""
    content: list[dict[str, Any]] = []
    if reply.text:
        content.append({"type": "text", "text": reply.text})
    if reply.tool:
        name, given = reply.tool
        content.append({"type": "tool_use", "id": f"toolu_stub{number}", "name": name, "input": given})
    return {
        "id": f"msg_stub{number}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": "tool_use" if reply.tool else "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": reply.input_tokens,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": reply.cached_tokens,
            "output_tokens": reply.output_tokens,
        },
    }


def events_of(message: dict[str, Any]) -> Iterator[bytes]:
    """The same message as the events of a stream."""
    begun = {**message, "content": [], "stop_reason": None, "usage": {**message["usage"], "output_tokens": 1}}
    yield _event("message_start", message=begun)
    for index, block in enumerate(message["content"]):
        yield from _block(index, block)
    ended = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield _event("message_delta", delta=ended, usage=message["usage"])
    yield _event("message_stop")


def _block(index: int, block: dict[str, Any]) -> Iterator[bytes]:
    if block["type"] == "text":
        yield _event("content_block_start", index=index, content_block={"type": "text", "text": ""})
        for word in re.findall(r"\s*\S+\s*$|\s*\S+|\s+$", block["text"]):
            yield _event("content_block_delta", index=index, delta={"type": "text_delta", "text": word})
    else:
        yield _event("content_block_start", index=index, content_block={**block, "input": {}})
        part = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        yield _event("content_block_delta", index=index, delta=part)
    yield _event("content_block_stop", index=index)


def _event(kind: str, **data: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n".encode()
