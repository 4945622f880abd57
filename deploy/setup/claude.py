"""The step that installs Claude Code: one pinned version below /opt, checked by its digest, and a link to it."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from deploy.setup.machine import point, points_to
from deploy.setup.step import Step, Stopped

VERSION = "2.1.329"
INTEGRITY = {
    "linux-x64": "+n4lu1ubYAp02Y0X/MAUnxw9yY6SHHZ77F+IoW+V0wVoFuiI9opdH6gofjf14gXJCEYMTNpks7Gn1i8XZTKAWA==",
    "linux-arm64": "IiG5umFToSCVWqB1lEsxxwIxKgxPXyZ3DRU915v8J4Bz5Q3JpslM0ew1m5yaT+lFXBPvYxmsEgi0XI68XHND0A==",
    "linux-x64-musl": "EouW7B/aG3GOQBmzN9MxHV9uTOE2r6E+VIlFBrBgIEBuBBF4qH1GTvg5/CVf53gGp4DgVf1CYdBHjS+2NeDP4A==",
    "linux-arm64-musl": "uVWrRp60cqvikJ13Rtmlkd8WuJtJEWAuGJzenJ0or0I7by05kRWopFdDdpWYQi8dRIJ6+W9T9w+PA4B+EjfCXQ==",
}
"""The sha512 of each platform's archive as the npm registry has it."""

NONE = "none"
"""What is given where the step is to be left out."""

FOLDER = Path("/opt/claude-code")
LINK = Path("/usr/local/bin/claude")
_MEMBER = "package/claude"
_LIMIT = 1 << 30
_SECONDS = 60.0
_PART = 1 << 20


def claude(given: str = "") -> Step:
    """The pinned version in place. `given`: the archive that `npm pack` makes; "": from the npm registry."""
    return Step("claude", lambda: [] if given == NONE else _missing(), lambda: _do(given), lasting=False)


def platform() -> str:
    """This machine's name among the packages. Raises Stopped where there is none for it."""
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(os.uname().machine)
    if machine is None:
        raise Stopped(f"there is no Claude Code for {os.uname().machine}")
    return f"linux-{machine}{'' if _has_glibc() else '-musl'}"


def registry(environment: Mapping[str, str]) -> str:
    """The npm registry that this machine is set up for; "" where none is known."""
    for name in ("npm_config_registry", "NPM_CONFIG_REGISTRY"):
        if environment.get(name):
            return environment[name].rstrip("/")
    npm = shutil.which("npm", path=environment.get("PATH", os.defpath))
    if npm is None:
        return ""
    asked = [npm, "config", "get", "registry"]
    try:
        told = subprocess.run(asked, capture_output=True, text=True, timeout=_SECONDS, cwd="/", check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return told.strip().rstrip("/")


def download(base: str, into: Path, integrity: Mapping[str, str] = INTEGRITY) -> None:
    """Have `into` be the program of the registry at `base`. Raises Stopped, OSError; then `into` is as it was."""
    if urlsplit(base).scheme not in ("http", "https"):
        raise Stopped("no npm registry is known (npm_config_registry names one)")
    try:
        _fetch(base, into, integrity[platform()])
    except (http.client.HTTPException, ValueError) as error:
        raise Stopped(f"the npm registry does not speak HTTP as it should: {error}") from None


def _fetch(base: str, into: Path, expected: str) -> None:
    package = f"@anthropic-ai/claude-code-{platform()}"
    with urllib.request.urlopen(f"{base}/{package.replace('/', '%2f')}/{VERSION}", timeout=_SECONDS) as answer:
        try:
            url = str(json.loads(answer.read(_PART))["dist"]["tarball"])
        except (ValueError, KeyError, TypeError):
            raise Stopped(f"the npm registry tells of {package} in another way than npm's") from None
    if urlsplit(url).scheme not in ("http", "https"):
        raise Stopped(f"the npm registry names no address to fetch {package} from")
    with urllib.request.urlopen(url, timeout=_SECONDS) as archive:
        _unpack(archive, into, expected)


def install(archive: Path, into: Path, integrity: Mapping[str, str] = INTEGRITY) -> None:
    """Have `into` be the program in `archive`. Raises Stopped, OSError; then `into` is as it was."""
    with archive.open("rb") as opened:
        _unpack(opened, into, integrity[platform()])


def is_whole(program: Path) -> bool:
    """Whether the program is there and says that it is this version."""
    try:
        asked = [str(program), "--version"]
        told = subprocess.run(asked, capture_output=True, text=True, timeout=_SECONDS, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return False
    return told.startswith(f"{VERSION} ")


def _program() -> Path:
    return FOLDER / VERSION / "claude"


def _missing() -> list[str]:
    found = []
    if not is_whole(_program()):
        found.append(f"install Claude Code {VERSION} in {FOLDER}")
    if not points_to(LINK, str(_program())) and not _is_somebody_elses():
        found.append(f"link it as {LINK}")
    return found


def _is_somebody_elses() -> bool:
    """A program of that name that we did not put there stays."""
    if LINK.is_symlink():
        return not LINK.readlink().is_relative_to(FOLDER)
    return LINK.exists()


def _do(given: str) -> None:
    """Install it. A given archive must be right; without one, a box without Claude Code is a box all the same."""
    program = _program()
    if not is_whole(program):
        try:
            if given:
                install(Path(given), program)
            else:
                download(registry(os.environ), program)
        except (OSError, Stopped) as error:
            if given:
                raise Stopped(f"Claude Code could not be installed from {given}: {error}") from None
            _warn(str(error))
            return
    if not _is_somebody_elses():
        point(LINK, str(program))


def _warn(why: str) -> None:
    print(
        f"bootstrap: Claude Code was not installed: {why}.\n"
        f"  The box works without; agents need it. Where there is npm: `npm pack "
        f"@anthropic-ai/claude-code-{platform()}@{VERSION}`, then here `--claude FILE`.",
        file=sys.stderr,
    )


def _unpack(archive: IO[bytes], into: Path, expected: str) -> None:
    """Take the one program out of the archive, once all of that was seen to be what it should be."""
    into.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".claude-", dir=into.parent) as folder:
        packed = Path(folder) / "archive.tgz"
        if _copy(archive, packed) != expected:
            raise Stopped("the archive is not what it should be: its sha512 is another")
        fresh = Path(folder) / "claude"
        try:
            _take_out(packed, fresh)
        except (tarfile.TarError, EOFError, zlib.error):
            raise Stopped("the archive cannot be unpacked") from None
        fresh.chmod(0o755)
        fresh.replace(into)


def _take_out(packed: Path, into: Path) -> None:
    with tarfile.open(packed, "r:gz") as tar:
        try:
            member = tar.extractfile(_MEMBER)
        except KeyError:
            member = None
        if member is None:
            raise Stopped(f"the archive has no {_MEMBER}")
        _copy(member, into)


def _copy(source: IO[bytes], into: Path) -> str:
    """Write `source` out, synced; its sha512 in base64. Raises Stopped where it does not end."""
    digest, size = hashlib.sha512(), 0
    with into.open("xb") as out:
        while part := source.read(_PART):
            size += len(part)
            if size > _LIMIT:
                raise Stopped("the archive is far too large")
            digest.update(part)
            out.write(part)
        out.flush()
        os.fsync(out.fileno())
    return base64.b64encode(digest.digest()).decode("ascii")


def _has_glibc() -> bool:
    try:
        return bool(os.confstr("CS_GNU_LIBC_VERSION"))
    except (ValueError, OSError):
        return False
