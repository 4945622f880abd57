"""What the bootstrap was asked for: team repo, forge, host, and secrets from descriptors or a person."""

from __future__ import annotations

import argparse
import getpass
import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from deploy.setup.step import Stopped

_SECRET_LIMIT = 64 * 1024
_KEY = re.compile(r"(ORG_CLAUDE_KEY_[0-9]{1,3})=([\x21-\x7e]{4,4096})")
_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*")
_REPO = re.compile(r"/([A-Za-z0-9_][A-Za-z0-9._-]*/[A-Za-z0-9_][A-Za-z0-9._-]*?)(?:\.git)?/?")


@dataclass(frozen=True)
class Options:
    """`forge` is the forge's address, `team_repo` the `<organisation>/<name>` there; "" where a machine that is a
    box already was asked for nothing new. `claude`: Claude Code's archive, "none", or "" for the registry's."""

    forge: str
    team_repo: str
    host: str
    name: str
    restore: Path | None
    check: bool
    keep_passwords: bool
    claude: str = ""
    token: str = field(default="", repr=False)
    keys: dict[str, str] = field(default_factory=dict, repr=False)


def read_options(arguments: list[str], *, is_box: bool) -> Options:
    """What `arguments` ask for; secrets are asked for where they are missing. Raises Stopped, SystemExit."""
    asked = _parser().parse_args(arguments)
    if not asked.team and not is_box:
        raise Stopped(
            "Which team? --team names the address of its repository, like https://git.example/org/hero_team"
        )
    forge, repo = _address(asked.team, asked.forge) if asked.team else ("", "")
    if asked.host and not _HOST.fullmatch(asked.host):
        raise Stopped(f"--host {asked.host!r} is no name of a host: small letters, digits, `-` and `.`")
    may_ask = not asked.check and sys.stdin.isatty()
    ask = may_ask and not is_box
    return Options(
        forge=forge,
        team_repo=repo,
        host=asked.host,
        name=asked.name or (asked.host.split(".")[0] if asked.host else _host_name()),
        restore=asked.restore,
        check=asked.check,
        keep_passwords=asked.keep_passwords,
        claude=asked.claude,
        token=_token(
            _secret(asked.forge_token_fd, "The forge's token (empty: only what is public): " if ask else "")
        ),
        keys=_keys(
            _secret(asked.keys_fd, "Org keys, as NAME=KEY with blanks between (empty: none): " if ask else "")
        ),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bootstrap.sh",
        description="Makes this machine a team's box, or brings the box that it is up to date.",
        epilog="Secrets are asked for, or read from a file descriptor: `bootstrap.sh --forge-token-fd 3 3<token`.",
    )
    parser.add_argument("--team", default="", metavar="GIT_URL", help="the team repo on its Forgejo or Gitea")
    parser.add_argument(
        "--forge", default="", metavar="URL", help="the forge's address, where it is not the host of --team"
    )
    parser.add_argument(
        "--host", default="", metavar="NAME", help="the name that people reach the box by (TLS, URLs)"
    )
    parser.add_argument("--name", default="", metavar="N", help="what the box is called (default: as its host)")
    parser.add_argument("--restore", type=Path, metavar="FILE", help="a `hero_dev box backup` to begin from")
    parser.add_argument("--check", action="store_true", help="only say what would be done")
    parser.add_argument("--keep-passwords", action="store_true", help="do not turn password logins off")
    parser.add_argument(
        "--claude",
        default="",
        metavar="FILE|none",
        help="install Claude Code from this npm archive, or not at all (default: from the npm registry)",
    )
    parser.add_argument(
        "--forge-token-fd", type=int, metavar="N", help="read the forge's token from this descriptor"
    )
    parser.add_argument(
        "--keys-fd", type=int, metavar="N", help="read org keys (lines NAME=KEY) from this descriptor"
    )
    return parser


def _address(team: str, forge: str) -> tuple[str, str]:
    """The forge and `<organisation>/<name>` of the address of a team repo. Raises Stopped."""
    base = forge.rstrip("/")
    parts = urlsplit(team)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise Stopped("--team takes an http(s) address without user or password: the token is given by itself")
    path = team.removeprefix(base) if base and team.startswith(base + "/") else parts.path
    found = _REPO.fullmatch(path)
    if not found:
        raise Stopped(f"--team {team!r} does not end in <organisation>/<name>")
    return base or f"{parts.scheme}://{parts.netloc}", found[1]


def _secret(descriptor: int | None, prompt: str) -> str:
    if descriptor is None:
        return getpass.getpass(prompt).strip() if prompt else ""
    try:
        with os.fdopen(descriptor, "r", encoding="utf-8", errors="strict") as given:
            return given.read(_SECRET_LIMIT).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Stopped(f"descriptor {descriptor} cannot be read: {error}") from None


def _token(text: str) -> str:
    if text and not re.fullmatch(r"[\x21-\x7e]{1,512}", text):
        raise Stopped("what was given as the forge's token is none (it is not shown here)")
    return text


def _keys(text: str) -> dict[str, str]:
    keys = {}
    for word in text.split():
        found = _KEY.fullmatch(word)
        if not found:
            raise Stopped(
                "an org key was given that is not written NAME=KEY, like ORG_CLAUDE_KEY_1=… (it is not shown here)"
            )
        keys[found[1]] = found[2]
    return keys


def _host_name() -> str:
    return re.sub(r"[^a-z0-9.-]+", "-", os.uname().nodename.lower()).strip(".-")[:63] or "box"
