"""The manifest on disk: nobody's save is lost, the last good one stays in force."""

from __future__ import annotations

import asyncio
import functools
import os
import subprocess
import sys
from pathlib import Path

import pytest

from backends.model.manifest import Binding
from backends.model.manifest_edit import remove_binding, set_binding
from backends.model.paths import SlotPaths
from backends.model.tomlfile import InvalidFile
from backends.slot.manifest_file import ManifestFile

GOOD = '# mine\nschema = 1\n\n[[bind]]\nservice = "hero_db"\nbranch = "development"\nfrom = "release"\n'


def binding(service: str, branch: str = "development") -> Binding:
    return Binding(service=service, branch=branch, source="release")


@pytest.fixture
def file(tmp_path: Path) -> ManifestFile:
    paths = SlotPaths(tmp_path)
    paths.manifest.parent.mkdir(parents=True)
    return ManifestFile(paths)


def manifest_path(tmp_path: Path) -> Path:
    return SlotPaths(tmp_path).manifest


def test_a_missing_manifest_is_an_empty_one(file: ManifestFile) -> None:
    assert file.load().manifest.bind == []


def test_a_manifest_that_does_not_parse_leaves_the_last_good_one_in_force(
    file: ManifestFile, tmp_path: Path
) -> None:
    manifest_path(tmp_path).write_text(GOOD)
    assert file.load().problem is None
    manifest_path(tmp_path).write_text(GOOD + "[[bind]\n")
    loaded = file.load()
    assert loaded.manifest.binding("hero_db") is not None
    assert loaded.problem is not None
    assert loaded.problem.problems[0].line == 8


def test_the_last_good_manifest_outlives_the_daemon(file: ManifestFile, tmp_path: Path) -> None:
    manifest_path(tmp_path).write_text(GOOD)
    file.load()
    manifest_path(tmp_path).write_bytes(b"\xff\xfe broken")
    loaded = ManifestFile(SlotPaths(tmp_path)).load()
    assert loaded.manifest.binding("hero_db") is not None
    assert loaded.problem is not None


async def test_an_edit_of_a_broken_manifest_is_refused_and_changes_nothing(
    file: ManifestFile, tmp_path: Path
) -> None:
    broken = GOOD + "colour = 3\n"
    manifest_path(tmp_path).write_text(broken)
    with pytest.raises(InvalidFile):
        await file.edit(lambda text: set_binding(text, binding("hero_web")))
    assert manifest_path(tmp_path).read_text() == broken


async def test_an_edit_keeps_comments_mode_and_the_other_bindings(file: ManifestFile, tmp_path: Path) -> None:
    path = manifest_path(tmp_path)
    path.write_text(GOOD)
    path.chmod(0o640)
    manifest = await file.edit(lambda text: set_binding(text, binding("hero_web")))
    assert {one.service for one in manifest.bind} == {"hero_db", "hero_web"}
    assert path.read_text().startswith("# mine\n")
    assert path.stat().st_mode & 0o777 == 0o640


async def test_a_save_by_an_editor_between_read_and_write_is_kept(file: ManifestFile, tmp_path: Path) -> None:
    path = manifest_path(tmp_path)
    path.write_text(GOOD)
    saved = GOOD + '\n[[bind]]\nservice = "by_editor"\nbranch = "development"\nfrom = "build"\n'
    calls = 0

    def change(text: str) -> str:
        nonlocal calls
        calls += 1
        if calls == 1:
            editor = path.with_name("editor.tmp")
            editor.write_text(saved)
            editor.replace(path)
        return set_binding(text, binding("by_us"))

    manifest = await file.edit(change)
    assert calls == 2
    assert {one.service for one in manifest.bind} == {"hero_db", "by_editor", "by_us"}
    assert file.load().manifest == manifest


async def test_edits_at_once_all_arrive(file: ManifestFile, tmp_path: Path) -> None:
    manifest_path(tmp_path).write_text(GOOD)
    other = ManifestFile(SlotPaths(tmp_path))
    names = [f"svc_{number}" for number in range(16)]

    async with asyncio.TaskGroup() as group:
        for number, name in enumerate(names):
            writer = file if number % 2 else other
            group.create_task(writer.edit(functools.partial(set_binding, binding=binding(name))))
    assert {one.service for one in file.load().manifest.bind} == {"hero_db", *names}


async def test_a_removed_binding_is_gone_and_the_rest_is_as_it_was(file: ManifestFile, tmp_path: Path) -> None:
    manifest_path(tmp_path).write_text(GOOD)
    await file.edit(lambda text: set_binding(text, binding("hero_web")))
    await file.edit(lambda text: remove_binding(text, "hero_web"))
    assert manifest_path(tmp_path).read_text() == GOOD


KILLED_WRITER = """
import os, signal, sys, asyncio
from pathlib import Path
from backends.model.paths import SlotPaths
from backends.model.manifest import Binding
from backends.model.manifest_edit import set_binding
from backends.slot import manifest_file
root, step = Path(sys.argv[1]), sys.argv[2]
real_exchange, real_sync = manifest_file._exchange, manifest_file.sync_folder
def die(*_): os.kill(os.getpid(), signal.SIGKILL)
if step == "before": manifest_file._exchange = die
if step == "after":
    def exchange(*a):
        real_exchange(*a); die()
    manifest_file._exchange = exchange
one = Binding(service="hero_new", branch="development", source="release")
asyncio.run(manifest_file.ManifestFile(SlotPaths(root)).edit(lambda text: set_binding(text, one)))
"""


@pytest.mark.parametrize("step", ["before", "after"])
def test_a_writer_that_is_killed_leaves_the_old_or_the_new_manifest(
    file: ManifestFile, tmp_path: Path, step: str
) -> None:
    manifest_path(tmp_path).write_text(GOOD)
    done = subprocess.run(
        [sys.executable, "-c", KILLED_WRITER, str(tmp_path), step],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        check=False,
    )
    assert done.returncode == -9
    loaded = file.load()
    assert loaded.problem is None
    services = {one.service for one in loaded.manifest.bind}
    assert services == ({"hero_db"} if step == "before" else {"hero_db", "hero_new"})
