"""The steps that say what the box is: box.toml, its name, the forge's token."""

from __future__ import annotations

import json
import socket
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deploy.setup.machine import is_file, write_file
from deploy.setup.options import Options
from deploy.setup.places import ROOT
from deploy.setup.step import Step, Stopped

CONFIG = ROOT / "box.toml"
TOKEN = ROOT / "secrets" / "forge_token"
ROUTER = Path("/etc/hero/router.d/router.env")


def is_box() -> bool:
    """Whether this machine is a box already."""
    return CONFIG.is_file()


def boxfile(options: Options) -> Step:
    """`box.toml`: written once, then the box's own; what differs from what is asked for is told."""
    return Step("box.toml", lambda: _missing(options), lambda: _write(options))


def secrets(options: Options) -> Step:
    """The forge's token, in a file of the daemon that needs it."""
    return Step("secrets", lambda: _missing_secrets(options), lambda: _write_secrets(options))


def _missing(options: Options) -> list[str]:
    if not is_box():
        return [f"write {CONFIG}: box {options.name}, forge {options.forge}, team repo {options.team_repo}"]
    if not options.forge:
        return []
    found = _read()
    forge, repo = found.get("forge", {}).get("url"), found.get("team_repo")
    if (forge, repo) != (options.forge, options.team_repo):
        raise Stopped(
            f"this machine is a box of {repo} on {forge} already, not of {options.team_repo} on {options.forge}."
            f" Edit {CONFIG} if the team has moved, or leave --team out"
        )
    return []


def _read() -> dict[str, Any]:
    try:
        return tomllib.loads(CONFIG.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Stopped(
            f"{CONFIG} cannot be read: {error}. Mend it, or put the last backup's in its place"
        ) from None


def _write(options: Options) -> None:
    created = datetime.now(UTC).replace(microsecond=0).isoformat()
    address = f"https://{options.host}" if options.host else f"http://{_address()}"
    lines = [
        "# What this box is; `bootstrap.sh` wrote it once, and does not change it again.",
        "schema = 1",
        f"name = {json.dumps(options.name)}",
        f"created = {created}",
        'kind = "system"',
        f"team_repo = {json.dumps(options.team_repo)}",
        "",
        "[forge]",
        'kind = "forgejo"',
        f"url = {json.dumps(options.forge)}",
    ]
    lines += ["", "[edge]", f'url = "{address}"', "", "[router]", f'url = "{address}"']
    write_file(CONFIG, "\n".join([*lines, ""]).encode(), 0o640, "root", "hero-team")


def _address() -> str:
    """The address from which this machine speaks to others; no packet is sent to find out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "localhost"
        return str(probe.getsockname()[0])


def router(options: Options) -> Step:
    """The name under which the router gets its certificate; plain HTTP without one."""
    return Step("router", lambda: _missing_name(options), lambda: _write_name(options))


def _missing_name(options: Options) -> list[str]:
    if not options.host or is_file(ROUTER, _name_line(options), 0o644):
        return []
    return [f"have the router serve https://{options.host}"]


def _name_line(options: Options) -> bytes:
    return f"HERO_ROUTER_LISTEN={options.host}\n".encode()


def _write_name(options: Options) -> None:
    write_file(ROUTER, _name_line(options), 0o644)


def _missing_secrets(options: Options) -> list[str]:
    if not options.token or is_file(TOKEN, f"{options.token}\n".encode(), 0o600, "hero", "hero"):
        return []
    return [f"keep the forge's token in {TOKEN}"]


def _write_secrets(options: Options) -> None:
    write_file(TOKEN, f"{options.token}\n".encode(), 0o600, "hero", "hero")
