"""A refusal in the words of the Messages API: Claude Code shows its sentence, and retries what may get better."""

from __future__ import annotations

import json

from backends.broker.headers import Headers

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    408: "timeout_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}


class Refusal(Exception):
    """A request that the relay itself answers. `close`: what is left of the request is not read."""

    def __init__(self, status: int, sentence: str, headers: Headers | None = None, *, close: bool = False):
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.headers = headers or []
        self.close = close

    @property
    def body(self) -> bytes:
        kind = _TYPES.get(self.status, "api_error")
        return json.dumps({"type": "error", "error": {"type": kind, "message": self.sentence}}).encode()

    @property
    def head(self) -> Headers:
        more = [(b"connection", b"close")] if self.close else []
        length = (b"content-length", b"%d" % len(self.body))
        return [(b"content-type", b"application/json"), length, *self.headers, *more]
