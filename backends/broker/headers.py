"""Which headers of a request and of its answer pass the relay, and the key that takes the place of the pass."""

from __future__ import annotations

import re
from collections.abc import Iterable

from backends.broker.store import OrgKey

Headers = list[tuple[bytes, bytes]]

OAUTH_BETA = b"oauth-2025-04-20"
"""What the API wants with a token of `claude setup-token`."""

_HOP = frozenset(
    (
        b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer"
        b" transfer-encoding upgrade"
    ).split()
)
"""Between two neighbours only (RFC 9110)."""
_OF_CALLER = frozenset(
    (
        b"host content-length accept-encoding expect x-api-key authorization cookie forwarded x-forwarded-for"
        b" x-forwarded-host x-forwarded-proto x-real-ip"
    ).split()
)
_OF_API = frozenset((b"set-cookie", b"alt-svc", b"strict-transport-security"))
_BETA = b"anthropic-beta"
_TARGET = re.compile(rb"/v1(?:/[A-Za-z0-9_.:@~-]+)+/?")


def is_relayed(path: bytes) -> bool:
    """Whether a request for `path`, as it was written, goes to the API: plain ones below /v1/."""
    return _TARGET.fullmatch(path) is not None and not {b".", b".."} & set(path.split(b"/"))


def credential_in(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The pass that a request brings, in either of the two headers; "" for none."""
    found = dict(headers)
    given = found.get(b"x-api-key", b"").strip()
    if not given:
        scheme, _, rest = found.get(b"authorization", b"").strip().partition(b" ")
        given = rest.strip() if scheme.lower() == b"bearer" else b""
    return given.decode("latin-1")


def for_api(headers: Iterable[tuple[bytes, bytes]], key: OrgKey) -> Headers:
    """The caller's headers (names in lower case) with `key` instead of the caller's credential."""
    sent = list(headers)
    left_out = _HOP | _OF_CALLER | _named_by_connection(sent)
    kept = [(name, value) for name, value in sent if name not in left_out and name != _BETA]
    betas = _betas(sent)
    if key.oauth:
        betas = [one for one in betas if one != OAUTH_BETA] + [OAUTH_BETA]
        kept.append((b"authorization", b"Bearer " + key.secret.encode("ascii")))
    else:
        betas = [one for one in betas if one != OAUTH_BETA]
        kept.append((b"x-api-key", key.secret.encode("ascii")))
    if betas:
        kept.append((_BETA, b",".join(betas)))
    # The answer has to be readable to be counted, and goes over the machine's own loopback.
    return [*kept, (b"accept-encoding", b"identity")]


def for_caller(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """The API's headers as the caller gets them."""
    sent = [(name.lower(), value) for name, value in headers]
    left_out = _HOP | _OF_API | _named_by_connection(sent)
    return [(name, value) for name, value in sent if name not in left_out]


def _named_by_connection(headers: Headers) -> set[bytes]:
    values = [value for name, value in headers if name == b"connection"]
    return {one.strip().lower() for value in values for one in value.split(b",")}


def _betas(headers: Headers) -> list[bytes]:
    found = [one.strip() for name, value in headers if name == _BETA for one in value.split(b",")]
    return [one for one in dict.fromkeys(found) if one]
