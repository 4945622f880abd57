"""Logs that journald keeps, read through a stand-in for `journalctl`; the supervisor tests have the real one."""

from __future__ import annotations

import asyncio
import os
from contextlib import aclosing
from pathlib import Path

import pytest

from backends.model.errors import HeroError
from backends.model.state import LogLine
from backends.slot.journal_export import Entry
from backends.slot.logs import follow, tail
from backends.supervisors.base import JournalUnit
from tests.backends.slot.test_journal_export import exported

UNIT = JournalUnit("slot-web.service")
DEADLINE = 20.0
START = 1795168800.0


class Journal:
    """A `journalctl` that gives what the test says, newest first where asked for, and keeps its arguments."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.script = folder / "journalctl"
        self.write([])
        self.follows([])
        self.ends("exec sleep 1000")

    def ends(self, command: str) -> None:
        """What it does after it has given everything that is followed."""
        self.script.write_text(
            f"""#!/bin/sh
cd {self.folder}
echo "$@" >> arguments
echo $$ >> pids
case "$*" in *--follow*) cat follow; {command};; *) cat tail;; esac
"""
        )
        self.script.chmod(0o755)

    def write(self, messages: list[bytes]) -> None:
        """What is there already; one a second."""
        entries = [Entry(f"c{number}", START + number, text) for number, text in enumerate(messages)]
        self._put("tail", entries[::-1])

    def follows(self, messages: list[bytes]) -> None:
        """What comes later."""
        self._put("follow", [Entry(f"d{n}", START + 100 + n, text) for n, text in enumerate(messages)])

    def _put(self, name: str, entries: list[Entry]) -> None:
        (self.folder / name).write_bytes(b"".join(exported(one, binary=True) for one in entries))

    def arguments(self) -> list[str]:
        """Of each call."""
        return (self.folder / "arguments").read_text().splitlines()

    def running(self) -> list[int]:
        """The pids of those that have not ended."""
        pids = map(int, (self.folder / "pids").read_text().split())
        return [pid for pid in pids if Path(f"/proc/{pid}/cmdline").exists()]


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Journal:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return Journal(folder)


def texts(lines: list[LogLine]) -> list[str]:
    return [line.text for line in lines]


async def test_the_last_lines_come_oldest_first_with_their_times(journal: Journal) -> None:
    journal.write([b"one", b"two\nthree", b"four"])
    lines = await tail([("web", UNIT)], lines=3)
    assert [(line.source, line.text, line.time) for line in lines] == [
        ("web", "two", START + 1),
        ("web", "three", START + 1),
        ("web", "four", START + 2),
    ]
    assert await tail([("web", UNIT)], lines=0) == []


async def test_it_asks_for_what_the_processes_of_the_unit_wrote(journal: Journal) -> None:
    await tail([("web", UNIT)], lines=7, since=START)
    (asked,) = journal.arguments()
    own = f"_UID={os.getuid()}"
    assert asked.endswith(
        f"_SYSTEMD_USER_UNIT=slot-web.service {own} + SYSLOG_IDENTIFIER=slot-web _TRANSPORT=stdout {own}"
    )
    assert "--lines=7" in asked
    assert f"--since=@{START:.6f}" in asked


async def test_a_search_reads_on_until_it_has_found_enough(journal: Journal) -> None:
    journal.write([b"needle %d" % n if n % 500 == 0 else b"hay %d" % n for n in range(2000)])
    assert texts(await tail([("web", UNIT)], lines=2, grep=r"^needle \d+$")) == ["needle 1000", "needle 1500"]
    assert "--lines" not in journal.arguments()[0]
    assert texts(await tail([("web", UNIT)], since=START + 1999)) == ["hay 1999"]


async def test_hostile_bytes_and_long_lines_are_shown_as_those_of_files(journal: Journal) -> None:
    journal.write([b"\x1b[2J\x1b[31mred\x1b[0m\x07", b"\xff\xfe\x00", b"10%\r100%", b"x" * 20000, b""])
    assert texts(await tail([("web", UNIT)])) == [
        "\x1b[31mred\x1b[0m\ufffd",
        "\ufffd\ufffd\ufffd",
        "100%",
        "x" * 8192 + "…",
        "",
    ]


async def test_files_and_journals_are_merged_by_time(journal: Journal, tmp_path: Path) -> None:
    journal.write([b"j0", b"j1", b"j2"])
    log = tmp_path / "a.log"
    log.write_text(f"{START + 0.5} f0\n{START + 1.5} f1\n")
    lines = await tail([("web", UNIT), ("a", log)])
    assert [text[-2:] for text in texts(lines)] == ["j0", "f0", "j1", "f1", "j2"]


async def test_following_goes_on_right_behind_the_tail(journal: Journal, tmp_path: Path) -> None:
    journal.write([b"one", b"two"])
    journal.follows([b"three", b"no", b"four"])
    log = tmp_path / "a.log"
    log.touch()
    told: list[str] = []
    async with (
        asyncio.timeout(DEADLINE),
        aclosing(follow([("web", UNIT), ("a", log)], lines=1, grep="o|three|five")) as batches,
    ):
        async for lines in batches:
            told += texts(lines)
            if "four" in told and "five" not in told:
                log.write_text("five\n")
            if "five" in told:
                break
    assert told == ["two", "three", "no", "four", "five"]
    assert "--after-cursor=c1" in journal.arguments()[-1]
    assert journal.running() == []


async def test_an_empty_journal_is_followed_from_its_beginning(journal: Journal) -> None:
    journal.follows([b"one"])
    async with asyncio.timeout(DEADLINE), aclosing(follow([("web", UNIT)])) as batches:
        assert texts(await anext(batches)) == ["one"]
    assert "--after-cursor" not in journal.arguments()[-1]


async def test_a_journalctl_that_ends_is_started_again_behind_what_was_read(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backends.slot.journal_logs.AGAIN", (0.0, 0.0))
    journal.follows([b"one"])
    journal.ends("exit 0")
    async with asyncio.timeout(DEADLINE), aclosing(follow([("web", UNIT)])) as batches:
        await anext(batches)
        with pytest.raises(HeroError, match="cannot follow"):
            while True:
                await anext(batches)
    assert "--after-cursor=d0" in journal.arguments()[-1]


async def test_a_journal_that_cannot_be_read_says_why(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backends.slot.journal_logs.AGAIN", (0.0,))
    journal.script.write_text("#!/bin/sh\nprintf 'No \\033[31mpermission' >&2; exit 1\n")
    with pytest.raises(HeroError, match=r"cannot be read: No permission\."):
        await tail([("web", UNIT)])
    with pytest.raises(HeroError, match="permission"):
        await anext(follow([("web", UNIT)]))
    journal.script.write_text("#!/bin/sh\nexit 1\n")
    assert await tail([("web", UNIT)]) == []


async def test_without_journalctl_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HeroError, match="journalctl"):
        await tail([("web", UNIT)])


async def test_a_slow_reader_holds_journalctl_and_loses_nothing(journal: Journal) -> None:
    count = 50_000
    journal.follows([b"line %d" % number for number in range(count)])
    told: list[str] = []
    async with asyncio.timeout(DEADLINE), aclosing(follow([("web", UNIT)])) as batches:
        while len(told) < count:
            told += texts(await anext(batches))
    assert told == [f"line {number}" for number in range(count)]


async def test_a_cancelled_reader_ends_its_process(journal: Journal) -> None:
    journal.script.write_text(journal.script.read_text().replace("cat tail", "exec sleep 1000"))
    task = asyncio.create_task(tail([("web", UNIT)]))
    while not (journal.folder / "pids").exists() or not journal.running():
        await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert journal.running() == []
