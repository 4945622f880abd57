"""The rules for names that come from outside: services, branches, repositories, logins, commits, paths."""

from __future__ import annotations

import re
from urllib.parse import quote

from backends.model.errors import HeroError
from backends.model.text import safe_line

BRANCH_LIMIT = 200
"""Longest branch in characters once percent-encoded, so that a folder can be called after it."""

_SERVICE = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_REPO_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
_LOGIN = re.compile(r"[a-z_][a-z0-9_-]{0,30}")
_HEX = re.compile(r"[0-9a-f]+")
_BRANCH_FORBIDDEN = re.compile(r"[ ~^:?*\[\\]")

RESERVED_SERVICES = frozenset({"hero_slot"})
"""Names that a slot uses itself: `var/sockets/hero_slot/` is the slot daemon's."""

# fmt: off
RESERVED_LOGINS = frozenset({
    "root", "daemon", "bin", "sys", "sync", "games", "man", "lp", "mail", "news", "uucp", "proxy",
    "www-data", "backup", "list", "irc", "gnats", "nobody", "_apt", "adm", "shutdown", "halt", "operator",
    "ftp", "sshd", "messagebus", "polkitd", "dbus", "syslog", "tcpdump", "uuidd", "tss", "landscape",
    "postgres", "mysql", "redis", "nginx", "caddy", "nats", "git", "gitea", "forgejo", "docker", "admin",
    "sudo", "wheel", "users", "hero", "hero-broker", "hero_broker", "hero_team_sync", "hero_boxd",
    "hero_slotd", "hero_aibroker", "hero_builder", "hooks", "hero-web", "hero_webd",
})
# fmt: on
"""Logins that no file of the team repo may claim."""


class BadValue(HeroError, ValueError):
    """A name or value that breaks its rule: what was `found` (None: nothing), and what `expected`.

    A ValueError too, because that is how pydantic is told of a bad field.
    """

    def __init__(self, found: object, expected: str):
        shown = "Nothing" if found is None else safe_line(repr(found), 120)
        super().__init__("usage", f"{shown} cannot be used: expected {expected}.")
        self.found = found
        self.expected = expected


def check_service(name: str) -> str:
    """`name` if it is a service name; BadValue otherwise."""
    if not _SERVICE.fullmatch(name):
        raise BadValue(name, "a service name: a small letter, then at most 62 of a-z, 0-9, `_`, `-`")
    if name in RESERVED_SERVICES:
        raise BadValue(name, "a service name that the slot does not use itself")
    return name


def check_role(name: str) -> str:
    """`name` if a role's template may be called so; BadValue otherwise."""
    if not _SERVICE.fullmatch(name):
        raise BadValue(name, "a role: a small letter, then at most 62 of a-z, 0-9, `_`, `-`")
    return name


def check_branch(name: str) -> str:
    """`name` if git would take it as a branch and a terminal and a folder can carry it; BadValue otherwise."""
    problem = _branch_problem(name)
    if problem:
        raise BadValue(name, f"a branch name {problem}")
    return name


def _branch_problem(name: str) -> str:
    """What a branch name would have to be, or "" for a good one (the rules of git check-ref-format)."""
    if not name:
        return "that is not empty"
    if not name.isprintable():
        return "of printable characters only"
    if forbidden := _BRANCH_FORBIDDEN.search(name):
        return f"without `{forbidden[0]}`"
    for sequence in ("..", "@{", "//"):
        if sequence in name:
            return f"without `{sequence}`"
    if name[0] in "-/" or name[-1] in "/.":
        return "that does not begin with `-` or `/`, nor end with `/` or `.`"
    if name in ("@", "HEAD"):
        return "that git does not use itself"
    if any(part.startswith(".") or part.endswith(".lock") for part in name.split("/")):
        return "of which no part begins with `.` or ends with `.lock`"
    if len(quote(name, safe="")) > BRANCH_LIMIT:
        return f"of at most {BRANCH_LIMIT} characters (special ones count more)"
    return ""


def check_repo(name: str) -> str:
    """`name` if it is an `org/name` that is safe as a path and in an address; BadValue otherwise."""
    parts = name.split("/")
    if len(parts) != 2 or not all(_REPO_PART.fullmatch(part) for part in parts):
        raise BadValue(name, "a repository as `org/name` of letters, digits, `.`, `_`, `-`")
    if ".." in name or name.endswith((".git", ".lock")):
        raise BadValue(name, "a repository as `org/name`, without `..` and without `.git` at the end")
    return name


def check_login(name: str) -> str:
    """`name` if the team repo may make an account called so; BadValue otherwise."""
    if not _LOGIN.fullmatch(name):
        raise BadValue(name, "a login: a small letter or `_`, then at most 30 of a-z, 0-9, `_`, `-`")
    if name in RESERVED_LOGINS or name.startswith("systemd-"):
        raise BadValue(name, "a login that the system does not reserve")
    return name


def check_commit(text: str) -> str:
    """`text` if it is a full commit: 40 small hex digits; BadValue otherwise."""
    if len(text) != 40 or not _HEX.fullmatch(text):
        raise BadValue(text, "a full commit: 40 hex digits (0-9, a-f)")
    return text


def check_hash(text: str) -> str:
    """`text` if it is a commit or the beginning of one: 7 to 40 small hex digits; BadValue otherwise."""
    if not 7 <= len(text) <= 40 or not _HEX.fullmatch(text):
        raise BadValue(text, "a commit hash: 7 to 40 hex digits (0-9, a-f)")
    return text


def check_sha256(text: str) -> str:
    """`text` if it is a SHA-256 as 64 small hex digits; BadValue otherwise."""
    if len(text) != 64 or not _HEX.fullmatch(text):
        raise BadValue(text, "a SHA-256: 64 hex digits (0-9, a-f)")
    return text


def check_relative_path(path: str) -> str:
    """`path` if it stays inside its folder and is written plainly; BadValue otherwise."""
    parts = path.split("/")
    if not path.isprintable() or any(part in ("", ".", "..") for part in parts) or "\\" in path:
        raise BadValue(path, "a path inside the folder, without `..`, `.`, `//`, `\\` or a leading `/`")
    return path


def check_label(text: str) -> str:
    """`text` if it is one printable line of at most 200 characters (a person's name, a comment); else BadValue."""
    if not text.strip() or not text.isprintable() or len(text) > 200:
        raise BadValue(text, "one line of 1 to 200 printable characters")
    return text
