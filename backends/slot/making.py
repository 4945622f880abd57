"""Compile the branch of a binding in its worktree, and publish the result when asked."""

from __future__ import annotations

import secrets
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backends.model.errors import HeroError
from backends.model.manifest import Binding
from backends.model.service import ServiceDescription
from backends.model.state import Build
from backends.model.tomlfile import parse
from backends.slot.board import now
from backends.slot.builder import BuildRequest, Built
from backends.slot.context import SlotContext
from backends.slot.course import Course
from backends.slot.operations import Progress
from backends.slot.publishing import Upload
from backends.slot.publishing import publish as publish_archives
from backends.slot.sources import Target
from backends.slot.worktrees import Worktree


@dataclass(frozen=True)
class Made:
    """A build that succeeded: what to install, its archive on disk, what to tell of it, how it went."""

    target: Target
    archive: Path
    result: dict[str, Any]
    course: Course


async def make_build(slot: SlotContext, binding: Binding, progress: Progress, *, publish: bool) -> Made:
    """Build the worktree of `binding` as it is, in the slot's turn, and publish it if asked.

    Raises HeroError build_failed, cancelled, timeout…
    """
    build, begun = _attached(slot, binding, progress, publish=publish or binding.publish), time.monotonic()
    progress.tell("worktree")
    tree = await slot.worktrees.ensure(build.service, build.repo, build.branch)
    _check_publishable(build, tree)
    read_description(tree.path, build.service)
    course = slot.course(build.model_copy(update={"commit": _commit_of(tree)}), alone=True)
    course.took(("worktree", time.monotonic() - begun))
    async with slot.turns.turn(course, progress):
        with course.running():
            # Again: the turn may have been a long time coming.
            tree = await slot.worktrees.ensure(build.service, build.repo, build.branch)
            _check_publishable(build, tree)
            return await compile_tree(slot, course, tree, progress)


async def compile_tree(
    slot: SlotContext,
    course: Course,
    tree: Worktree,
    progress: Progress,
    *,
    again: bool = False,
) -> Made:
    """Build `tree` as it is, and publish it if the build is to be; `again`: a build of this id was cut off."""
    build = course.build
    course.change(commit=_commit_of(tree))
    told = slot.statuses.of_build(build.repo, tree.commit, slot.user) if build.publish else nullcontext()
    with told:
        request = BuildRequest(
            id=build.id,
            service=build.service,
            repo=build.repo,
            branch=build.branch,
            commit=tree.commit,
            worktree=tree.path,
            description=read_description(tree.path, build.service),
            dirty=tree.dirty,
            again=again,
        )
        built = await _compile(slot, course, request, progress)
        if build.publish:
            _check_still_clean(request, built)
            with course.phase("publish"):
                course.change(tag=await _publish(slot, request, built, progress))
    return _made(course, built)


def _made(course: Course, built: Built) -> Made:
    build = course.build
    if built.dirty:
        course.change(commit="")
    target = Target(build.service, build.repo, build.branch, "build", built.version, built.sha256)
    result = {"build": build.id, "log": str(built.log), "dirty": built.dirty}
    if build.tag:
        result["tag"] = build.tag
    return Made(target, built.archive, result, course)


def _commit_of(tree: Worktree) -> str:
    """The commit that is built; none where the tree holds more than that."""
    return "" if tree.dirty else tree.commit


def _attached(slot: SlotContext, binding: Binding, progress: Progress, *, publish: bool) -> Build:
    """The build of a running operation."""
    operation = slot.operations.get(progress.id)
    return Build(
        id=f"{binding.service}-{secrets.token_hex(5)}",
        slot=slot.user,
        service=binding.service,
        repo=slot.repo_of(binding),
        branch=binding.branch,
        state="queued",
        publish=publish,
        restart=binding.enabled,
        attached=True,
        reason=operation.kind,
        actor=operation.actor,
        queued_at=now(),
        attempt=1,
    )


async def _compile(slot: SlotContext, course: Course, request: BuildRequest, progress: Progress) -> Built:
    begun = time.monotonic()
    try:
        built = await slot.builder.build(request, on_progress=progress.tell, cancel=progress.cancel)
    except BaseException:
        course.took(("compile", time.monotonic() - begun))
        raise
    course.took(("compile", built.seconds - built.packing), ("pack", built.packing))
    return built


async def _publish(slot: SlotContext, request: BuildRequest, built: Built, progress: Progress) -> str:
    release = await publish_archives(
        slot.forge,
        request.repo,
        request.branch,
        request.commit,
        [Upload(built.archive, built.archive.name, built.sha256)],
        title=await slot.worktrees.subject(request.service, request.branch),
        author=slot.user,
        tell=progress.tell,
    )
    slot.record("release.published", request.service, {"tag": release.tag, "commit": request.commit})
    return release.tag


def _check_publishable(build: Build, tree: Worktree) -> None:
    if build.publish and tree.dirty:
        raise HeroError(
            "conflict",
            f"{build.service} is not published: its worktree {tree.path} has uncommitted changes.",
            hint="Commit and push them, then run it again.",
        )


def _check_still_clean(request: BuildRequest, built: Built) -> None:
    if not built.publishable:
        raise HeroError(
            "conflict",
            f"{request.service} is not published: its worktree {request.worktree} changed while it was built.",
            hint="Commit and push the changes, then run it again.",
        )


def read_description(worktree: Path, service: str) -> ServiceDescription:
    """How the service in `worktree` is built and run. Raises HeroError."""
    path = worktree / "hero_service.toml"
    try:
        return parse(ServiceDescription, path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise HeroError(
            "not_found",
            f"{service} cannot be built: {path} cannot be read ({error}).",
            hint="A service's repository says in hero_service.toml how it is built and run.",
        ) from error
