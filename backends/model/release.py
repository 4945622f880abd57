"""Release tags, archive names, platforms and SHA256SUMS: how a published archive is called and checked."""

from __future__ import annotations

import platform as _platform
import re
from collections.abc import Mapping

from backends.model.errors import HeroError
from backends.model.names import BadValue, check_branch, check_hash, check_sha256

_TAG = re.compile(r"(.+)-([0-9a-f]{8})")
_PLATFORM = r"any|(?:linux|darwin)(?:-(?:musl|gnu))?-[a-z0-9_]+"
_BINARY = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}?"
_ARCHIVE = re.compile(rf"({_BINARY})-({_PLATFORM})\.tar\.gz")
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,250}")
_SUM = re.compile(r"([0-9a-f]{64}) [ *](.+)")
_MACHINES = {"amd64": "x86_64", "x64": "x86_64", "arm64": "aarch64"}


def release_tag(branch: str, commit: str) -> str:
    """The tag of a release: `<branch>-<first 8 digits of the commit>`; BadValue for a bad branch or commit."""
    if len(check_hash(commit)) < 8:
        raise BadValue(commit, "a commit of at least 8 hex digits")
    return f"{check_branch(branch)}-{commit[:8]}"


def parse_tag(tag: str, branch: str) -> str | None:
    """The 8 hex digits of `tag` if it is a release of exactly `branch`, else None."""
    parts = split_tag(tag)
    return parts[1] if parts and parts[0] == branch else None


def split_tag(tag: str) -> tuple[str, str] | None:
    """Branch and 8 hex digits of a release tag; None for any other tag."""
    match = _TAG.fullmatch(tag)
    if not match:
        return None
    try:
        return check_branch(match[1]), match[2]
    except BadValue:
        return None


def check_platform(platform: str) -> str:
    """`platform` if it is written like `linux-musl-x86_64`, `linux-any` or `any`; else BadValue."""
    if not re.fullmatch(_PLATFORM, platform):
        raise BadValue(platform, 'a platform like "linux-musl-x86_64", "linux-x86_64" or "any"')
    return platform


def archive_name(binary: str, platform: str) -> str:
    """`<binary>-<platform>.tar.gz`; BadValue where that could not be read back."""
    name = f"{binary}-{check_platform(platform)}.tar.gz"
    if parse_archive_name(name) != (binary, platform):
        raise BadValue(binary, "a binary's name of letters, digits, `.`, `_`, `-` that ends in no platform")
    return name


def parse_archive_name(name: str) -> tuple[str, str] | None:
    """Binary and platform of an archive's name; None if it is not one."""
    match = _ARCHIVE.fullmatch(name)
    return (match[1], match[2]) if match else None


def this_platform(machine: str | None = None) -> str:
    """This machine's platform, like `linux-x86_64` (`machine`: as `platform.machine()` says it)."""
    return f"linux-{_architecture(machine or _platform.machine())}"


def platform_runs_here(platform: str, machine: str | None = None) -> bool:
    """Whether archives for `platform` run on this machine (or on a Linux `machine`)."""
    if platform == "any":
        return True
    system, _, rest = platform.partition("-")
    architecture = rest.removeprefix("musl-").removeprefix("gnu-")
    if system != "linux":
        return False
    return architecture == "any" or _architecture(architecture) == _architecture(machine or _platform.machine())


def _architecture(machine: str) -> str:
    name = machine.lower()
    return _MACHINES.get(name, name)


def sha256sums_text(sums: Mapping[str, str]) -> str:
    """The text of a SHA256SUMS file (`sha256sum -c` reads it), sorted by name; BadValue for a bad name or sum."""
    return "".join(f"{check_sha256(sums[name])}  {_file_name(name)}\n" for name in sorted(sums))


def parse_sha256sums(text: str) -> dict[str, str]:
    """SHA-256 by file name. Raises HeroError `verification` for anything but complete, clean lines."""
    if not text.endswith("\n"):
        raise _bad_sums("it is empty or its last line is cut off")
    sums: dict[str, str] = {}
    for number, line in enumerate(text[:-1].split("\n"), start=1):
        match = _SUM.fullmatch(line)
        if not match or not _FILE_NAME.fullmatch(match[2]):
            raise _bad_sums(f"line {number} is not a SHA-256, two spaces and a plain file name")
        if match[2] in sums:
            raise _bad_sums(f"line {number} names {match[2]} a second time")
        sums[match[2]] = match[1]
    return sums


def _file_name(name: str) -> str:
    if not _FILE_NAME.fullmatch(name):
        raise BadValue(name, "a plain file name")
    return name


def _bad_sums(why: str) -> HeroError:
    return HeroError("verification", f"SHA256SUMS cannot be trusted: {why}.", hint="Publish the release again.")
