"""Compile the branch of a binding in its worktree, and publish the result when asked."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backends.model.errors import HeroError
from backends.model.manifest import Binding
from backends.model.service import ServiceDescription
from backends.model.state import Build, BuildState
from backends.model.tomlfile import parse
from backends.slot.board import now
from backends.slot.build_records import keep_build
from backends.slot.builder import BuildRequest, Built
from backends.slot.context import SlotContext
from backends.slot.operations import Progress
from backends.slot.publishing import publish as publish_archive
from backends.slot.sources import Target


@dataclass(frozen=True)
class Made:
    """A build that succeeded: what to install, its archive on disk, what to tell of it."""

    target: Target
    archive: Path
    result: dict[str, Any]


async def make_build(slot: SlotContext, binding: Binding, progress: Progress, *, publish: bool) -> Made:
    """Ensure the worktree, build it, publish it if asked. Raises HeroError build_failed, cancelled, timeout…"""
    service, repo = binding.service, slot.repo_of(binding)
    publish = publish or binding.publish
    progress.tell("worktree")
    tree = await slot.worktrees.ensure(service, repo, binding.branch)
    state = await slot.worktrees.state(service, binding.branch)
    if publish and state.dirty:
        raise HeroError(
            "conflict",
            f"{service} is not published: its worktree {tree.path} has uncommitted changes.",
            hint="Commit and push them, then run it again.",
        )
    request = BuildRequest(
        id=f"{service}-{secrets.token_hex(5)}",
        service=service,
        repo=repo,
        branch=binding.branch,
        commit=state.commit or tree.commit,
        worktree=tree.path,
        description=_read_description(tree.path, service),
        dirty=state.dirty,
    )
    built = await _build(slot, request, progress, publish=publish)
    result = {"build": request.id, "log": str(built.log), "dirty": built.dirty}
    target = Target(service, repo, binding.branch, "build", built.version, built.sha256)
    if publish and not built.publishable:
        raise HeroError(
            "conflict",
            f"{service} is not published: its worktree {tree.path} changed while it was built.",
            hint="Commit and push the changes, then run it again.",
        )
    if publish:
        result["tag"] = await _publish(slot, request, built, progress)
    return Made(target, built.archive, result)


async def _build(slot: SlotContext, request: BuildRequest, progress: Progress, *, publish: bool) -> Built:
    record = Build(
        id=request.id,
        service=request.service,
        branch=request.branch,
        commit=request.commit,
        state="running",
        publish=publish,
        started_at=now(),
    )
    _tell(slot, record)
    state: BuildState = "failed"
    error = ""
    try:
        built = await slot.builder.build(request, on_progress=progress.tell, cancel=progress.cancel)
        state = "succeeded"
    except asyncio.CancelledError:
        state = "cancelled"
        raise
    except HeroError as failure:
        state = "cancelled" if failure.code == "cancelled" else "failed"
        error = failure.message
        raise
    finally:
        _tell(slot, record.model_copy(update={"state": state, "finished_at": now(), "error": error}))
    return built


async def _publish(slot: SlotContext, request: BuildRequest, built: Built, progress: Progress) -> str:
    build = request.description.build
    if build is None:
        raise HeroError("failed", f"{request.service} has no [build], so there is nothing to publish.")
    release = await publish_archive(
        slot.forge,
        request.repo,
        request.branch,
        request.commit,
        archive=built.archive,
        sha256=built.sha256,
        binary=request.description.name,
        platform=build.platform,
        title=await slot.worktrees.subject(request.service, request.branch),
        author=slot.user,
        tell=progress.tell,
    )
    slot.record("release.published", request.service, {"tag": release.tag, "commit": request.commit})
    return release.tag


def _tell(slot: SlotContext, build: Build) -> None:
    slot.board.update(build.service, build=build)
    keep_build(slot.paths, build)
    slot.record(f"build.{build.state}", build.service, build.model_dump(mode="json"))


def _read_description(worktree: Path, service: str) -> ServiceDescription:
    path = worktree / "hero_service.toml"
    try:
        return parse(ServiceDescription, path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise HeroError(
            "not_found",
            f"{service} cannot be built: {path} cannot be read ({error}).",
            hint="A service's repository says in hero_service.toml how it is built and run.",
        ) from error
