"""Lays out what an archive shall hold: a build's artifacts, how the service runs, where it comes from."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from backends.archives.disk import disk_errors, link_text
from backends.archives.installed import file_sha256
from backends.archives.members import DESCRIPTION, PROVENANCE, check_link, member_name
from backends.model.errors import HeroError
from backends.model.provenance import Provenance, to_json
from backends.model.service import ServiceDescription
from backends.model.tomlfile import parse


def stage(
    payload: Path,
    worktree: Path,
    artifacts: Iterable[str],
    description: str,
    provenance: Provenance,
    *,
    cancelled: Callable[[], bool] | None = None,
) -> Provenance:
    """Fill the new folder `payload` for `pack`. Blocking: call it in a thread.

    Each of `artifacts` (paths in `worktree`) is copied to `bin/` under its base name, executable; a
    folder called `share` becomes `share/`. `description` is the text of `hero_service.toml`. The
    `files` of `provenance` are filled in here; its times are the caller's, so that equal calls give equal bytes.

    Returns the provenance as written. Raises HeroError: "build_failed" for an artifact that is missing,
    leads out of the worktree or is no file; "invalid_file", "verification", "no_space", "cancelled".
    On an error `payload` is removed.
    """
    parsed = parse(ServiceDescription, description, DESCRIPTION)
    with disk_errors("collecting the build's result in", payload):
        payload.mkdir(parents=True)
        try:
            (payload / "bin").mkdir()
            for artifact in artifacts:
                _check_cancelled(cancelled)
                _copy_artifact(payload, worktree, artifact, cancelled)
            _check_program(payload, parsed)
            (payload / DESCRIPTION).write_text(description, encoding="utf-8", newline="")
            written = provenance.model_copy(update={"files": _hashes(payload, cancelled)})
            (payload / PROVENANCE).write_text(to_json(written), encoding="utf-8", newline="")
        except BaseException:
            shutil.rmtree(payload, ignore_errors=True)
            raise
    return written


def _check_cancelled(cancelled: Callable[[], bool] | None) -> None:
    if cancelled is not None and cancelled():
        raise HeroError("cancelled", "The packing was cancelled.", hint="Nothing was published.")


def _copy_artifact(payload: Path, worktree: Path, artifact: str, cancelled: Callable[[], bool] | None) -> None:
    source = _inside(worktree, artifact)
    if source.is_dir():
        if Path(artifact).name != "share":
            raise _bad_artifact(artifact, "is a folder; only one called `share` can be packed as it is")
        _copy_folder(source, payload / "share", payload, cancelled)
        return
    target = payload / "bin" / Path(artifact).name
    if target.exists():
        raise _bad_artifact(artifact, "has the same base name as another one")
    _copy_file(source, target, 0o755)


def _inside(worktree: Path, artifact: str) -> Path:
    """The real path of `artifact`, below the real `worktree`: a branch must not pack its builder's secrets."""
    root = worktree.resolve()
    source = Path(root, artifact).resolve()
    if not source.is_relative_to(root) or source == root:
        raise _bad_artifact(artifact, "leads out of the worktree")
    if not source.exists():
        raise _bad_artifact(artifact, "was not made by the build")
    return source


def _bad_artifact(artifact: str, why: str) -> HeroError:
    return HeroError(
        "build_failed",
        f"The artifact {artifact!r} {why}.",
        hint="Correct `artifacts` or `command` under [build] in hero_service.toml.",
        data={"artifact": artifact},
    )


def _check_program(payload: Path, description: ServiceDescription) -> None:
    program = description.run.command[0]
    if program.startswith("bin/") and not (payload / program).is_file():
        raise _bad_artifact(program, "is what [run] starts, but is not among the artifacts")


def _copy_folder(source: Path, target: Path, payload: Path, cancelled: Callable[[], bool] | None) -> None:
    if target.exists():
        raise _bad_artifact(source.name, "is given twice")
    for folder, folders, files in os.walk(source):
        _check_cancelled(cancelled)
        to = target / Path(folder).relative_to(source)
        to.mkdir()
        for name in folders + files:
            entry = Path(folder, name)
            if entry.is_symlink():
                check_link((to / name).relative_to(payload).as_posix(), link_text(entry))
                (to / name).symlink_to(link_text(entry))
            elif name in files:
                _copy_file(entry, to / name, 0o755 if entry.stat().st_mode & 0o100 else 0o644)


def _copy_file(source: Path, target: Path, mode: int) -> None:
    if not stat.S_ISREG(source.lstat().st_mode):
        raise _bad_artifact(source.name, "is not a regular file")
    shutil.copyfile(source, target, follow_symlinks=False)
    target.chmod(mode)


def _hashes(payload: Path, cancelled: Callable[[], bool] | None) -> dict[str, str]:
    hashes = {}
    for name, path in _regular_files(payload):
        _check_cancelled(cancelled)
        hashes[member_name(name)] = file_sha256(path)
    return hashes


def _regular_files(payload: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(payload.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path.relative_to(payload).as_posix(), path
