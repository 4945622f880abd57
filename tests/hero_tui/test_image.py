"""Modules that come from the image are those on the disk: what was changed, or is not safe, is not used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import json, sys
sys.path.insert(0, {sources!r})
from hero_tui import image
image.use()
import dataclasses, re
run, pattern = getattr(dataclasses, "exec", None), re._compiler.compile
used = image._used[0]
import thing, thing.part
from textwrap import dedent
one = thing.Value(3)
told = {{
    "holds": used.holds,
    "there": len(used.names),
    "loaders": [type(module.__loader__).__name__ for module in (thing, thing.part)],
    "files": [thing.__file__, thing.__path__, thing.part.__spec__.origin, thing.part.__cached__],
    "value": [repr(one), one == thing.Value(3), hash(one) == hash(thing.Value(3)), thing.part.WORD],
    "groups": thing.PATTERN.fullmatch("ab 12").groupdict(),
    "flags": thing.PATTERN.flags,
    "again": re.compile(r"(?i)x(?P<y>.)").match("XZ")["y"],
    "source": thing.__loader__.get_source("thing") == open(thing.__file__).read(),
    "code": thing.__loader__.get_code("thing").co_filename == thing.__file__,
}}
image.renew()
told["left"] = [hasattr(dataclasses, "exec"), re._compiler.compile is image._compiled, used in sys.meta_path]
print(json.dumps(told))
"""
THING = '''
import dataclasses, re

@dataclasses.dataclass(frozen=True, slots=True)
class Value:
    """A value."""

    number: int
    name: str = "x"

PATTERN = re.compile(r"(?P<word>[a-z]+) (?P<number>[0-9]+)", re.I)
'''


class Start:
    """Starts with an image of their own."""

    def __init__(self, folder: Path) -> None:
        self.cache, self.sources = folder / "cache", folder / "sources"
        self.cache.mkdir()
        (self.sources / "thing").mkdir(parents=True)
        self.write("thing/__init__.py", THING)
        self.write("thing/part.py", "WORD = 'one'\n")

    def write(self, name: str, text: str, age: int = 10_000) -> None:
        """A source that was written so many seconds ago: Python takes no two versions of one second apart."""
        path = self.sources / name
        path.write_text(text)
        then = path.stat().st_mtime - age
        os.utime(path, (then, then))

    @property
    def file(self) -> Path:
        (found,) = (self.cache / "hero").glob("*.image")
        return found

    def __call__(self, *options: str, **environment: str) -> dict[str, Any]:
        known = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        around = {**known, "XDG_CACHE_HOME": str(self.cache), "PYTHONPATH": str(ROOT), **environment}
        script = SCRIPT.format(sources=str(self.sources))
        argv = [sys.executable, *options, "-c", script]
        ran = subprocess.run(argv, env=around, cwd=self.sources, capture_output=True, text=True, timeout=60)
        assert ran.returncode == 0, ran.stderr
        told: dict[str, Any] = json.loads(ran.stdout)
        return told


FROM_IMAGE, FROM_FILES = ["_Loader", "_Loader"], ["SourceFileLoader", "SourceFileLoader"]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    return Start(tmp_path)


def test_a_second_start_takes_from_the_image_what_the_first_one_loaded(start: Start) -> None:
    first, second, third = start(), start(), start()
    assert (first["there"], first["loaders"]) == (0, FROM_FILES)
    assert second["loaders"] == FROM_IMAGE
    for told in (first, second, third):
        assert told["value"] == ["Value(number=3, name='x')", True, True, "one"]
        assert told["groups"] == {"word": "ab", "number": "12"}
        assert (told["again"], told["source"], told["code"]) == ("Z", True, True)
        assert told["left"] == [False, True, False]
        assert (told["files"], told["flags"]) == (first["files"], first["flags"])
    assert third["holds"]


def test_the_image_is_this_users_alone(start: Start) -> None:
    start()
    assert start.file.stat().st_mode & 0o777 == 0o600
    assert start.file.parent.stat().st_mode & 0o777 == 0o700
    start.file.chmod(0o666)
    assert start()["there"] == 0
    assert start()["there"] > 0
    start.file.parent.chmod(0o770)
    assert start()["there"] == 0


def test_a_source_that_was_changed_is_read_and_the_image_made_anew(start: Start) -> None:
    start()
    before = start()
    start.write("thing/part.py", "WORD = 'two'\n", age=5_000)
    changed = start()
    assert changed["value"][3] == "two"
    assert not changed["holds"]
    assert changed["loaders"] == ["_Loader", "SourceFileLoader"]
    after = start()
    assert (after["value"][3], after["loaders"]) == ("two", FROM_IMAGE)
    assert before["value"][3] == "one"


def test_a_name_that_is_new_in_the_path_may_be_another_module(start: Start) -> None:
    start()
    assert start()["loaders"] == FROM_IMAGE
    start.write("textwrap.py", "def dedent(text):\n    return text\n")
    assert start()["loaders"] == FROM_FILES
    assert start()["loaders"] == FROM_IMAGE
    (start.sources / "notes.txt").write_text("no module")
    assert start()["loaders"] == FROM_IMAGE


@pytest.mark.parametrize("damage", [b"", b"\xff" * 4096, b"\x08" + bytes(7) + b"not marshal", b"\x02"])
def test_a_file_that_is_no_image_is_not_used_and_replaced(start: Start, damage: bytes) -> None:
    start()
    start.file.write_bytes(damage)
    assert start()["loaders"] == FROM_FILES
    assert start()["loaders"] == FROM_IMAGE


def test_an_image_that_was_cut_off_is_made_up_for_from_the_files(start: Start) -> None:
    start()
    whole = start.file.read_bytes()
    length = 8 + int.from_bytes(whole[:8], "little")
    start.file.write_bytes(whole[: length + 100])
    assert start()["value"] == ["Value(number=3, name='x')", True, True, "one"]


def test_no_link_is_followed_and_no_compiled_file_written_where_none_is_wanted(start: Start) -> None:
    start()
    link, elsewhere = start.file, start.cache / "elsewhere"
    link.rename(elsewhere)
    link.symlink_to(elsewhere)
    assert start(PYTHONDONTWRITEBYTECODE="1")["there"] == 0
    link.unlink()
    start(PYTHONDONTWRITEBYTECODE="1")
    assert list(link.parent.iterdir()) == []


def test_where_there_is_no_home_there_is_no_image(start: Start) -> None:
    told = start(XDG_CACHE_HOME="", HOME="/nowhere")
    assert (told["there"], told["value"][3]) == (0, "one")


def test_another_python_has_an_image_of_its_own(start: Start) -> None:
    start()
    assert start("-O")["loaders"] == FROM_FILES
