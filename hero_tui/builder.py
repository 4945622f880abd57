"""`hero_builder`: build a checkout outside of any slot and leave its archive, as a slot would make it."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import secrets
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from backends.forge.git import current_branch, git, is_dirty, rev_parse
from backends.model.errors import HeroError
from backends.model.paths import SlotPaths
from backends.model.service import FILE_NAME, ServiceDescription
from backends.model.tomlfile import parse
from backends.slot.builder import Builder, BuildRequest, Built
from backends.slot.files import disk_error

_REPO = re.compile(r"([A-Za-z0-9_][A-Za-z0-9._-]*)[/:]([A-Za-z0-9_][A-Za-z0-9._-]*?)(?:\.git)?/*\Z")


async def build_checkout(worktree: Path, out: Path) -> tuple[Path, Built]:
    """Build the clean checkout `worktree` and put its archive in `out`. Raises HeroError."""
    with tempfile.TemporaryDirectory(prefix="hero-builder-") as folder:
        request = await _request(worktree)
        try:
            built = await _build(Builder(SlotPaths(Path(folder))), request)
        except HeroError as error:
            raise _with_log_kept(error, out) from error
        if not built.publishable:
            raise _not_clean(worktree, "has changed while it was built")
        target = out / built.archive.name
        try:
            out.mkdir(parents=True, exist_ok=True)
            temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
            shutil.copyfile(built.archive, temporary)
            temporary.replace(target)
        except OSError as error:
            raise disk_error(target, error) from error
    return target, built


async def _request(worktree: Path) -> BuildRequest:
    description = _description(worktree / FILE_NAME)
    commit = await rev_parse(worktree, "HEAD")
    if await is_dirty(worktree):
        raise _not_clean(worktree, "has uncommitted changes")
    branch = await current_branch(worktree)
    if branch is None:
        raise HeroError(
            "usage", f"{worktree} is on no branch.", hint="`git switch BRANCH` first: an archive names its branch."
        )
    return BuildRequest(
        id=f"{description.name}-{secrets.token_hex(4)}",
        service=description.name,
        repo=await _repo(worktree, description.name),
        branch=branch,
        commit=commit,
        worktree=worktree,
        description=description,
    )


async def _build(builder: Builder, request: BuildRequest) -> Built:
    cancel = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, cancel.set)
    return await builder.build(request, on_progress=_show, cancel=cancel)


def _show(phase: str, done: int, total: int | None) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{phase[: os.get_terminal_size(2).columns - 1]}", end="", file=sys.stderr, flush=True)


def _description(path: Path) -> ServiceDescription:
    try:
        return parse(ServiceDescription, path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise HeroError(
            "not_found",
            f"{path} cannot be read: {error}.",
            hint="Give the checkout of a service: `hero_builder --worktree DIR`.",
        ) from error


async def _repo(worktree: Path, service: str) -> str:
    """`org/name` from the address of `origin`; a checkout without one is `local/<service>`."""
    result = await git("config", "--get", "remote.origin.url", cwd=worktree, check=False)
    match = _REPO.search(result.stdout.strip())
    return f"{match[1]}/{match[2]}" if match else f"local/{service}"


def _with_log_kept(error: HeroError, out: Path) -> HeroError:
    """`error` with the build's log in `out`, for the folder where it was made goes."""
    log = Path(str(error.data.get("log", "")))
    if not log.is_file():
        return error
    kept = out / log.name
    try:
        out.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(log, kept)
    except OSError as failure:
        return HeroError(error.code, error.message, hint=f"Its log could not be kept: {failure.strerror}.")
    return HeroError(
        error.code, error.message, hint=f"The whole log is {kept}.", data={**error.data, "log": str(kept)}
    )


def _not_clean(worktree: Path, why: str) -> HeroError:
    return HeroError(
        "conflict",
        f"{worktree} {why}, so no archive is made of it: an archive tells the one commit that it is of.",
        hint="Commit first, and let `.gitignore` name what a build makes.",
    )


def main() -> None:
    """The command `hero_builder`: prints the archive's path and SHA-256; exit 1 where that failed."""
    parser = argparse.ArgumentParser(
        prog="hero_builder", description="Build a service's checkout into an archive."
    )
    parser.add_argument(
        "--worktree", type=Path, default=Path(), metavar="DIR", help="the checkout (default: here)"
    )
    parser.add_argument(
        "--out", type=Path, default=Path(), metavar="DIR", help="where the archive goes (default: here)"
    )
    options = parser.parse_args()
    try:
        archive, built = asyncio.run(build_checkout(options.worktree.resolve(), options.out.resolve()))
    except HeroError as error:
        print(f"{_fresh_line()}hero_builder: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    print(_fresh_line(), end="", file=sys.stderr)
    print(f"{built.sha256}  {archive}")


def _fresh_line() -> str:
    return "\r\x1b[K" if sys.stderr.isatty() else ""


if __name__ == "__main__":
    main()
