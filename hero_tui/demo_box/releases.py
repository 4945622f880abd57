"""The demo's releases, each built from its commit and published by our own builder."""

from __future__ import annotations

import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from backends.forge.folder import FolderForge
from backends.forge.git import commit_info, git
from backends.model.paths import BoxPaths
from backends.model.service import ServiceDescription
from backends.model.tomlfile import parse
from backends.slot.builder import Builder, BuildRequest
from backends.slot.publishing import Upload, publish
from hero_tui.demo_box.catalogue import DemoService
from hero_tui.demo_box.histories import Made

AFTER_COMMIT = timedelta(minutes=7)
"""How long after its commit a release of the demo was published."""


async def publish_releases(box: BoxPaths, service: DemoService, made: list[Made]) -> int:
    """Build and publish the commits of `service` that the demo has releases of; returns how many."""
    chosen = [one for one in made if one.what.release]
    for one in chosen:
        await _publish(box, service, one)
    await git("worktree", "prune", git_dir=box.forge / f"{service.repo}.git")
    return len(chosen)


async def _publish(box: BoxPaths, service: DemoService, made: Made) -> None:
    paths = box.slot("integration")
    repository = box.forge / f"{service.repo}.git"
    with tempfile.TemporaryDirectory(prefix="demo-", dir=box.root) as folder:
        tree = Path(folder) / "tree"
        when = await _check_out(repository, made.commit, tree)
        description = parse(ServiceDescription, (tree / "hero_service.toml").read_text(), "hero_service.toml")
        built = await Builder(paths).build(_request(service, made, tree, description), on_progress=_quiet)
        forge = FolderForge(box.forge, clock=lambda: when + AFTER_COMMIT)
        await publish(
            forge,
            service.repo,
            made.branch,
            made.commit,
            [Upload(built.archive, built.archive.name, built.sha256)],
            title=made.what.subject,
            author=made.what.author,
            tell=_quiet,
        )


async def _check_out(repository: Path, commit: str, tree: Path) -> datetime:
    """A worktree of `commit` in the new folder `tree`; returns when the commit was made."""
    await git("worktree", "add", "--quiet", "--detach", "--end-of-options", str(tree), commit, git_dir=repository)
    return (await commit_info(repository, commit)).committed_at


def _request(service: DemoService, made: Made, tree: Path, description: ServiceDescription) -> BuildRequest:
    return BuildRequest(
        id=f"{service.name}-{made.commit[:10]}",
        service=service.name,
        repo=service.repo,
        branch=made.branch,
        commit=made.commit,
        worktree=tree,
        description=description,
        dirty=False,
    )


def _quiet(phase: str, done: int, total: int | None) -> None:
    """Nobody watches the demo's builds one by one."""
