"""Steps of the bootstrap: looked at, done, looked at again; a stop leaves what was done."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deploy.setup.machine import is_file, point, points_to, write_file
from deploy.setup.step import Step, Stopped, take, tell


class Made:
    """A step that makes a file."""

    def __init__(self, path: Path, *, works: bool = True):
        self.path, self.works, self.times = path, works, 0

    @property
    def step(self) -> Step:
        return Step(self.path.name, lambda: [] if self.path.exists() else [f"make {self.path}"], self.do)

    def do(self) -> None:
        self.times += 1
        if self.works:
            self.path.touch()


def test_only_what_is_missing_is_done(tmp_path: Path) -> None:
    one, two = Made(tmp_path / "one"), Made(tmp_path / "two")
    one.path.touch()
    assert [(title, count) for title, _, count in take([one.step, two.step])] == [("one", 0), ("two", 1)]
    assert (one.times, two.times) == (0, 1)
    assert [count for _, _, count in take([one.step, two.step])] == [0, 0]


def test_a_step_that_does_not_do_it_stops_everything_behind_it(tmp_path: Path) -> None:
    bad, behind = Made(tmp_path / "bad", works=False), Made(tmp_path / "behind")
    with pytest.raises(Stopped, match="bad: this is still missing: make"):
        take([bad.step, behind.step])
    assert behind.times == 0


def test_telling_does_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = Made(tmp_path / "one")

    def cannot() -> list[str]:
        raise Stopped("there is no user hero yet")

    assert tell([made.step, Step("two", cannot, made.do), Step("three", list, made.do)]) == 2
    assert made.times == 0
    assert capsys.readouterr().out.splitlines() == [
        "one:",
        f"  - make {tmp_path / 'one'}",
        "two:",
        "  - cannot tell yet: there is no user hero yet",
        "three: nothing to do",
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="files get an owner, which takes root")
def test_a_file_is_written_whole_with_its_mode_and_owner(tmp_path: Path) -> None:
    path = tmp_path / "etc" / "file"
    write_file(path, b"x", 0o640)
    assert is_file(path, b"x", 0o640)
    assert not is_file(path, b"y", 0o640)
    assert not is_file(path, b"x", 0o600)
    assert not is_file(path, b"x", 0o640, owner="daemon")
    assert not is_file(path, b"x", 0o640, owner="nobody-at-all")
    (tmp_path / "link").symlink_to(path)
    assert not is_file(tmp_path / "link", b"x", 0o640), "a link is no file"
    assert list(path.parent.iterdir()) == [path]


def test_a_link_is_turned_at_once_and_takes_no_files_place(tmp_path: Path) -> None:
    link = tmp_path / "current"
    point(link, "one")
    point(link, "two")
    assert points_to(link, "two")
    (tmp_path / "file").touch()
    with pytest.raises(Stopped, match="in the way"):
        point(tmp_path / "file", "one")
