"""What all tests share: a short folder, and pictures in the top-level snapshots/ folder, which mirrors tests/."""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import signal
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import pytest_textual_snapshot as pts
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from syrupy.location import PyTestLocation
from textual import _wait
from textual.app import App

from screens import textual_gate
from tests.claude_program import claude_or_none as claude_or_none
from tests.claude_program import claude_program as claude_program

ROOT = Path(__file__).resolve().parent.parent
TESTS, SNAPSHOTS = ROOT / "tests", ROOT / "snapshots"
SLOW = 20
"""How many other tests a slow one counts for."""

os.environ.pop("NO_COLOR", None)  # a developer's own setting would change the pictures
os.environ["HERO_RESIDENT"] = "0"  # no test leaves a cockpit behind
os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="hero-state-")
atexit.register(shutil.rmtree, os.environ["XDG_STATE_HOME"], ignore_errors=True)
# Textual sleeps after each key until it is idle, 20 ms at least: half of the time of some thousand tests.
_wait.SLEEP_GRANULARITY = 0.005
_wait.SLEEP_IDLE = _wait.SLEEP_GRANULARITY / 20
_wait.wait_for_idle.__defaults__ = (_wait.SLEEP_GRANULARITY, 1)
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in a shell's background job; no child would hear ctrl-c
    signal.signal(signal.SIGINT, signal.default_int_handler)


class TopLevel:
    """Mirror tests/a/test_b.py to snapshots/a/test_b/."""

    @classmethod
    def dirname(cls, *, test_location: PyTestLocation) -> str:
        """The folder that holds the pictures of one test module."""
        relative = Path(test_location.filepath).resolve().relative_to(TESTS).with_suffix("")
        return str(SNAPSHOTS / relative)


class HeroSVG(TopLevel, pts.SVGImageExtension):  # type: ignore[misc]
    """A screenshot with its colours: 20-150 kB."""

    file_extension = "svg"  # the spelling of newer syrupy


class HeroText(TopLevel, SingleFileSnapshotExtension):
    """A screen as plain text: 1-10 kB, readable in a diff."""

    _file_extension = file_extension = "txt"
    _write_mode = WriteMode.TEXT


pts.SVGImageExtension = HeroSVG  # snap_compare looks the name up when the test runs


def screen_text(app: App[Any]) -> str:
    """What `app` shows now, without colours, one line a row, no trailing spaces."""
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips) + "\n"


@pytest.fixture
def snap_text(snapshot: SnapshotAssertion) -> Callable[[App[Any]], bool]:
    """Compare a screen's layout with its picture; use `snap_compare` for colour."""
    picture = snapshot.use_extension(HeroText)

    def compare(app: App[Any]) -> bool:
        return bool(screen_text(app) == picture)

    return compare


@pytest.fixture
def short_dir() -> Iterator[Path]:
    """A folder whose path is short enough for UNIX sockets."""
    path = Path(tempfile.mkdtemp(prefix="h", dir="/tmp"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest begin first, so that at the end no worker is alone with one of them."""
    weights = Counter[Path]()
    for item in items:
        weights[item.path] += SLOW if item.get_closest_marker("slow") else 1
    places = {path: place for place, (path, _) in enumerate(weights.most_common())}
    items.sort(key=lambda item: places[item.path])


def pytest_collection_finish() -> None:
    """Thousands of tests stay in memory: looking through them for garbage took a third of the whole run."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    textual_gate.mend()


@pytest.fixture(scope="session", autouse=True)
def collected_cockpits() -> Iterator[None]:
    """A cockpit keeps what start-up made from the collector; here that would be each of a thousand cockpits."""
    with mock.patch.object(gc, "freeze"):
        yield
