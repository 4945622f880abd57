"""Fill `{socket:NAME}`, `{home}`, `{var}`, `{port}` and `{secret:NAME}` in a service's command and environment."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from backends.model.errors import HeroError, nearest
from backends.model.names import BadValue

_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_SECRET = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_KNOWN = ("socket:NAME", "home", "var", "port", "secret:NAME")


def check_placeholders(text: str, sockets: Collection[str] | None, *, secrets_allowed: bool) -> None:
    """BadValue if `text` has a placeholder that is unknown, a stray brace or a secret where none may be.

    `sockets` None: which sockets there are is not known, so their names are not looked at.
    """
    for kind, name in _placeholders(text):
        if kind == "socket" and sockets is not None and name not in sockets:
            listed = ", ".join(f"`{one}`" for one in sorted(sockets)) or "none"
            raise BadValue(f"{{socket:{name}}}", f"a socket that `sockets` declares ({listed})")
        if kind == "secret" and not secrets_allowed:
            raise BadValue(f"{{secret:{name}}}", "no secret here: a secret may only stand in `env`")


def fill(
    text: str,
    *,
    sockets: Mapping[str, str],
    home: str,
    var: str,
    port: int | None = None,
    secrets: Mapping[str, str] | None = None,
) -> str:
    """`text` with its placeholders filled; `{{` and `}}` are literal braces. What is filled in is not read again.

    `sockets` maps a declared socket to its path; `secrets` is None where a secret may not stand
    (everywhere but in `env`). Raises BadValue for a bad placeholder, HeroError `not_found` for a port
    or secret that there is not.
    """
    check_placeholders(text, sockets, secrets_allowed=secrets is not None)

    def replacement(match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0][0]
        kind, _, name = match[1].partition(":")
        if kind == "secret":
            return _secret(name, secrets or {})
        if kind == "port" and port is None:
            raise HeroError("not_found", f"{text!r} asks for a port, and this service has none.")
        return sockets[name] if kind == "socket" else {"home": home, "var": var, "port": str(port)}[kind]

    return _PIECE.sub(replacement, text)


def secrets_named(env: Mapping[str, str]) -> set[str]:
    """The names of all secrets that the values of `env` ask for; BadValue for a bad placeholder."""
    return {name for text in env.values() for kind, name in _placeholders(text) if kind == "secret"}


def _placeholders(text: str) -> Iterator[tuple[str, str]]:
    """Kind and name of each placeholder; BadValue for an unknown one or a stray brace."""
    for match in _PIECE.finditer(text):
        if match[0] in ("{{", "}}"):
            continue
        if match[1] is None:
            raise BadValue(text, f"`{match[0] * 2}` for a literal `{match[0]}`")
        kind, colon, name = match[1].partition(":")
        if not _is_known(kind, bool(colon), name):
            close = nearest(match[1], _KNOWN, limit=1) or _KNOWN
            raise BadValue(match[0], "one of " + ", ".join(f"`{{{one}}}`" for one in close))
        yield kind, name


def _is_known(kind: str, has_name: bool, name: str) -> bool:
    if kind == "socket":
        return bool(name)
    if kind == "secret":
        return bool(_SECRET.fullmatch(name))
    return kind in ("home", "var", "port") and not has_name


def _secret(name: str, secrets: Mapping[str, str]) -> str:
    if name not in secrets:
        raise HeroError(
            "not_found",
            f"There is no secret called {name!r}.",
            hint="Add it to your secrets, then run `hero_dev secrets sync`.",
            data={"secret": name},
        )
    return secrets[name]
