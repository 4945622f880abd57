"""Builds of real checkouts by real commands: what comes out, what goes wrong, and that no process is left."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Awaitable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from backends.model.errors import HeroError
from backends.model.paths import SlotPaths
from backends.model.provenance import from_json
from backends.model.service import ServiceDescription
from backends.model.tomlfile import parse
from backends.slot import build_run, processes
from backends.slot.build_log import BuildLog
from backends.slot.build_run import marked
from backends.slot.build_shelf import LOGS_KEPT, RESULTS_KEPT
from backends.slot.builder import BUILD_MARK, Builder, BuildRequest, Built
from tests.backends.slot.origins import IDENTITY, run

DEADLINE = 60.0
GOOD = "mkdir -p out && echo '#!/bin/sh' > out/hero_x && echo built"


def description(command: str, artifact: str = "out/hero_x", timeout: str = "60s") -> str:
    return f"""schema = 1
name = "hero_x"
[build]
command = '''{command}'''
artifacts = ["{artifact}"]
platform = "linux-any"
env = {{ FLAVOUR = "vanilla" }}
timeout = "{timeout}"
[run]
command = ["bin/{Path(artifact).name}"]
"""


@dataclass
class Bench:
    """A checkout whose build command each test writes, and the builder of a slot."""

    folder: Path
    paths: SlotPaths
    builder: Builder
    told: list[tuple[str, int, int | None]] = field(default_factory=list)
    number: int = 0

    @property
    def tree(self) -> Path:
        return self.folder / "tree"

    def write(self, command: str, **options: str) -> None:
        """Commit a description with this build command."""
        (self.tree / "hero_service.toml").write_text(description(command, **options))
        (self.tree / ".gitignore").write_text("out/\n*.pid\n")
        run(self.tree, "add", "--all")
        run(self.tree, "commit", "-q", "--allow-empty", "-m", "Change the build")

    def request(self, **changes: object) -> BuildRequest:
        self.number += 1
        text = (self.tree / "hero_service.toml").read_text()
        request = BuildRequest(
            id=f"hero_x-{self.number}",
            service="hero_x",
            repo="lhumina/hero_x",
            branch="development",
            commit=run(self.tree, "rev-parse", "HEAD"),
            worktree=self.tree,
            description=parse(ServiceDescription, text, "hero_service.toml"),
        )
        return replace(request, **changes)  # type: ignore[arg-type]

    async def build(
        self, command: str | None = None, *, cancel: asyncio.Event | None = None, **changes: object
    ) -> Built:
        if command is not None:
            self.write(command)
        request = self.request(**changes)
        return await self.builder.build(request, on_progress=lambda *told: self.told.append(told), cancel=cancel)

    def left(self) -> list[int]:
        """Processes of any build of this slot that live."""
        return processes.find(marked("HERO_BUILD_SLOT", str(self.paths.root)))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    paths = SlotPaths(tmp_path / "home with ünï" / "hero")
    made = Bench(tmp_path, paths, Builder(paths))
    made.tree.mkdir()
    run(made.tree, "init", "-q", "-b", "development")
    return made


async def failure(work: Awaitable[object]) -> HeroError:
    with pytest.raises(HeroError) as error:
        async with asyncio.timeout(DEADLINE):
            await work
    return error.value


async def until_there(path: Path) -> str:
    async with asyncio.timeout(DEADLINE):
        while not (path.exists() and path.read_text()):
            await asyncio.sleep(0.01)
    return path.read_text()


async def test_a_build_makes_an_archive_of_its_artifacts(bench: Bench) -> None:
    built = await bench.build(GOOD)
    with tarfile.open(built.archive) as archive:
        assert {"bin/hero_x", "hero_service.toml", "provenance.json"} <= set(archive.getnames())
    assert built.archive.name == "hero_x-linux-any.tar.gz"
    assert built.archive.is_relative_to(bench.paths.var / "builds" / "hero_x-1")
    assert from_json((built.payload_dir / "provenance.json").read_text()) == built.provenance
    assert built.provenance.started.isoformat() == "2026-11-20T10:00:00+00:00"
    assert built.version == built.provenance.commit == run(bench.tree, "rev-parse", "HEAD")
    assert (built.dirty, built.publishable, built.size) == (False, True, built.archive.stat().st_size)
    assert "built" in built.log.read_text()
    assert built.log == bench.paths.build_log / "hero_x-1.log"


async def test_the_same_commit_gives_the_same_bytes(bench: Bench) -> None:
    first = await bench.build(GOOD)
    second = await bench.build()
    assert first.archive != second.archive
    assert first.archive.read_bytes() == second.archive.read_bytes()


async def test_progress_is_the_last_line_that_was_printed(bench: Bench) -> None:
    await bench.build(f"printf '\\033[31mone\\033[0m\\n'; printf 'a\\rb\\rtwo\\n'; {GOOD}")
    phases = [phase for phase, _, _ in bench.told]
    assert phases.index("built") < phases.index("pack")
    assert phases[-1] == "pack"
    assert not any("\x1b" in phase for phase in phases)


async def test_the_environment_is_clean_and_tells_what_is_built(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "sesame")
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    built = await bench.build(f"env; test -t 0 && echo tty; cat; {GOOD}")
    log = built.log.read_text()
    seen = dict(line.split("=", 1) for line in log.splitlines() if "=" in line and not line.startswith(("=", "$")))
    assert "SECRET_TOKEN" not in seen
    assert "GIT_DIR" not in seen
    assert (seen["TERM"], seen["FLAVOUR"], seen["HERO_SERVICE"]) == ("dumb", "vanilla", "hero_x")
    assert (seen["HERO_BRANCH"], seen["HERO_COMMIT"]) == ("development", built.version)
    assert seen["PATH"] == os.environ["PATH"]
    assert seen["SOURCE_DATE_EPOCH"] == "1795168800"
    assert "\ntty\n" not in log


async def test_a_failed_build_tells_its_exit_and_last_lines(bench: Bench) -> None:
    error = await failure(bench.build("echo compiling; echo 'error: no such crate' >&2; exit 7"))
    assert error.code == "build_failed"
    assert "exit 7" in error.message
    assert error.message.endswith("  compiling\n  error: no such crate")
    assert error.data["exit_code"] == 7
    log = Path(error.data["log"])
    assert str(log) in error.hint
    assert "== exit 7 ·" in log.read_text()
    assert not (bench.paths.var / "builds" / "hero_x-1").exists()


async def test_a_build_that_dies_by_a_signal_tells_which(bench: Bench) -> None:
    error = await failure(bench.build("kill -11 $$"))
    assert "signal 11" in error.message
    assert "memory" not in error.message


@pytest.mark.parametrize(
    "how",
    [
        "kill -9 $$",
        "sh -c 'kill -9 $$'",
        "sh -c 'kill -9 $$'; exit 1",
        "echo 'error: could not compile (signal: 9, SIGKILL: kill)'; exit 101",
        "echo 'cc: fatal error: Killed signal terminated program cc1plus'; exit 1",
    ],
)
async def test_a_build_that_the_kernel_killed_tells_of_the_memory(bench: Bench, how: str) -> None:
    error = await failure(bench.build(f"echo compiling; {how}"))
    assert error.code == "build_failed"
    assert "probably the machine ran out of memory" in error.message
    assert "CARGO_BUILD_JOBS" in error.hint
    assert str(error.data["log"]) in error.hint
    if "exit" not in how:
        assert "was killed (signal 9)" in error.message
    assert bench.left() == []


async def test_a_build_that_gets_no_memory_tells_so(bench: Bench) -> None:
    grow = f"{sys.executable} -c 'b = bytearray(1 << 40)'"
    error = await failure(bench.build(f"ulimit -v 500000; {grow}"))
    assert "probably the machine ran out of memory" in error.message
    assert "failed (exit 1)" in error.message


async def test_an_attempt_that_was_cut_off_makes_way_for_the_next_one(bench: Bench) -> None:
    built = await bench.build(GOOD)
    again = await bench.build(id="hero_x-1", again=True)
    assert (again.archive, again.sha256) == (built.archive, built.sha256)
    assert (await failure(bench.build(id="hero_x-1"))).code == "conflict"


async def test_a_build_tells_how_long_compiling_and_packing_took(bench: Bench) -> None:
    built = await bench.build(GOOD)
    assert 0 < built.packing < built.seconds


async def test_a_build_that_hangs_is_ended_at_its_time(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_run, "GRACE", 0.1)
    bench.write("trap '' TERM; echo waiting; sleep 1000 & sleep 1000", timeout="300ms")
    error = await failure(bench.build())
    assert error.code == "timeout"
    assert "0.3 seconds" in error.message
    assert bench.left() == []


FORKS = (
    "echo $$ > a.pid; sleep 1000 & echo $! > b.pid;"
    "setsid sh -c 'echo $$ > c.pid; exec sleep 1000' &"
    "setsid sh -c '(setsid sleep 1000 & echo $! > d.pid) &' &"
    "(trap '' TERM HUP INT; sleep 1000) &"
    "while ! test -s c.pid -a -s d.pid; do sleep 0.01; done; echo ready > ready.pid;"
)


@pytest.mark.parametrize("ending", ["wait", f"{GOOD}", "exit 1"])
async def test_no_process_of_a_build_outlives_it(bench: Bench, ending: str) -> None:
    cancel = asyncio.Event()
    task = asyncio.create_task(bench.build(FORKS + ending, cancel=cancel))
    await until_there(bench.tree / "ready.pid")
    if ending == "wait":
        cancel.set()
        assert (await failure(task)).code == "cancelled"
    elif ending == "exit 1":
        assert (await failure(task)).code == "build_failed"
    else:
        async with asyncio.timeout(DEADLINE):
            await task
    assert bench.left() == []
    for name in "abcd":
        pid = int((bench.tree / f"{name}.pid").read_text())
        assert processes.environment_of(pid).get(BUILD_MARK.encode()) is None


async def test_a_cancel_before_the_start_starts_nothing(bench: Bench) -> None:
    cancel = asyncio.Event()
    cancel.set()
    assert (await failure(bench.build("touch out; echo x > started.pid", cancel=cancel))).code == "cancelled"
    assert not (bench.tree / "started.pid").exists()
    assert not bench.paths.build_log.exists()


async def test_a_cancel_after_the_end_changes_nothing(bench: Bench) -> None:
    cancel = asyncio.Event()
    built = await bench.build(GOOD, cancel=cancel)
    cancel.set()
    assert built.archive.is_file()


async def test_a_cancel_while_packing_leaves_no_result(bench: Bench) -> None:
    cancel = asyncio.Event()
    bench.write(GOOD)

    def told(phase: str, done: int, total: int | None) -> None:
        if phase == "pack":
            cancel.set()

    error = await failure(bench.builder.build(bench.request(), on_progress=told, cancel=cancel))
    assert error.code == "cancelled"
    assert list((bench.paths.var / "builds").iterdir()) == []


async def test_a_cancelled_task_ends_the_build_before_it_ends_itself(bench: Bench) -> None:
    task = asyncio.create_task(bench.build(FORKS + "wait"))
    await until_there(bench.tree / "ready.pid")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert bench.left() == []


async def test_a_flood_of_output_fills_neither_disk_nor_memory(bench: Bench) -> None:
    text = "echo first line; yes 'a line of the flood, of some length' | head -c 200000000; echo last line;"
    code = (
        "import asyncio, resource, sys; from pathlib import Path; from tests.backends.slot.test_builder import *\n"
        "async def main():\n"
        "    paths = SlotPaths(Path(sys.argv[1]) / 'hero')\n"
        "    bench = Bench(Path(sys.argv[1]), paths, Builder(paths))\n"
        "    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "    built = await bench.build()\n"
        "    print(built.log, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
        "asyncio.run(main())"
    )
    bench.write(text + GOOD)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(bench.folder), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    log, grown = out.decode().rsplit(" ", 1)
    assert int(grown) < 40 * 1024
    content = Path(log).read_bytes()
    assert len(content) < 65 * 1024 * 1024
    assert b"\nfirst line\n" in content[:500]
    assert content[-100:].count(b"last line\nbuilt\n") == 1
    assert b"bytes of output left out" in content


async def test_invalid_utf8_and_escapes_stay_in_the_log_and_out_of_the_error(bench: Bench) -> None:
    error = await failure(bench.build(r"printf 'bad \377\376 \033]0;evil\007\033[2Jtext\n'; exit 1"))
    assert "bad \ufffd\ufffd text" in error.message
    assert "\x1b" not in str(error)
    assert b"bad \xff\xfe \x1b]0;evil\x07\x1b[2Jtext\n" in Path(error.data["log"]).read_bytes()


async def test_a_missing_artifact_is_named_with_what_the_build_said(bench: Bench) -> None:
    error = await failure(bench.build("echo skipping everything"))
    assert error.code == "build_failed"
    assert "'out/hero_x' was not made" in error.message
    assert "skipping everything" in error.message
    assert error.data["exit_code"] == 0


async def test_an_artifact_that_leads_out_of_the_tree_is_refused(bench: Bench) -> None:
    (bench.folder / "secret").write_text("sesame")
    error = await failure(bench.build("mkdir -p out; ln -sf ../../secret out/hero_x"))
    assert (error.code, "leads out of the worktree" in error.message) == ("build_failed", True)
    assert not list(bench.paths.var.rglob("*.tar.gz"))


async def test_a_worktree_that_is_gone_is_told(bench: Bench) -> None:
    bench.write(GOOD)
    gone = bench.request(worktree=bench.folder / "gone")
    error = await failure(bench.builder.build(gone, on_progress=lambda *_: None))
    assert (error.code, "gone" in error.message) == ("not_found", True)


async def test_a_service_without_a_build_is_told(bench: Bench) -> None:
    bench.write(GOOD)
    run_only = bench.request().description.model_copy(update={"build": None})
    assert "no [build]" in (await failure(bench.build(description=run_only))).message


async def test_a_log_folder_that_cannot_be_made_is_told(bench: Bench) -> None:
    bench.paths.log.parent.mkdir(parents=True)
    bench.paths.log.write_text("in the way")
    error = await failure(bench.build(f"echo x > ran.pid; {GOOD}"))
    assert error.code == "failed"
    assert not (bench.tree / "ran.pid").exists()


def test_a_log_that_cannot_be_written_any_more_does_not_stop_the_build() -> None:
    log = BuildLog(Path("/dev/full"), limit=100, tail=50)
    for number in range(1000):
        log.write(b"line %d\n" % number)
    log.close("end")
    assert log.failure is not None
    assert log.last_lines(2) == ["line 998", "line 999"]


@pytest.mark.parametrize("size", [0, 1, 49, 50, 51, 99, 100, 101, 5000])
def test_a_log_keeps_its_head_and_its_tail(tmp_path: Path, size: int) -> None:
    log = BuildLog(tmp_path / "log", "head\n", limit=100, tail=50)
    output = bytes(ord("a") + n % 26 for n in range(size))
    for start in range(0, size, 7):
        log.write(output[start : start + 7])
    log.close("foot")
    content = (tmp_path / "log").read_bytes().removeprefix(b"head\n").removesuffix(b"foot")
    assert content.startswith(output[:50])
    assert content.endswith(output[-50:] if size else b"")
    assert (b"left out" in content) == (size > 107)
    assert content == output or b"left out" in content


@pytest.mark.parametrize("name", ["../x", "", ".x", "a/b", "x\n", "-x"])
async def test_an_id_that_is_no_plain_name_is_refused(bench: Bench, name: str) -> None:
    assert (await failure(bench.build(GOOD, id=name))).code == "usage"


async def test_a_build_from_a_dirty_tree_is_another_version_and_never_published(bench: Bench) -> None:
    clean = await bench.build(GOOD)
    (bench.tree / "hero_service.toml").write_text(description(f"{GOOD} && echo more >> out/hero_x"))
    dirty = await bench.build(dirty=True)
    again = await bench.build(dirty=True)
    assert (dirty.dirty, dirty.publishable) == (True, False)
    assert dirty.version[:8] != clean.version[:8]
    assert dirty.version == again.version
    assert dirty.provenance.commit == clean.provenance.commit
    assert len(dirty.version) == 40


async def test_a_tree_that_changes_while_it_is_built_makes_the_build_dirty(bench: Bench) -> None:
    built = await bench.build(f"{GOOD}; echo >> hero_service.toml")
    assert not built.publishable


async def test_old_logs_and_results_of_a_service_go(bench: Bench) -> None:
    other = bench.paths.build_log / "other-1.log"
    other.parent.mkdir(parents=True)
    other.write_text("== hero_other · x ==\n")
    bench.write(GOOD)
    for _ in range(LOGS_KEPT + 3):
        await bench.build()
    logs = {path.stem for path in bench.paths.build_log.glob("hero_x-*.log")}
    assert logs == {f"hero_x-{n}" for n in range(4, LOGS_KEPT + 4)}
    assert len(list((bench.paths.var / "builds").iterdir())) == RESULTS_KEPT
    assert other.is_file()
    bench.builder.discard(f"hero_x-{LOGS_KEPT + 3}")
    assert len(list((bench.paths.var / "builds").iterdir())) == RESULTS_KEPT - 1


async def test_two_builds_at_once_do_not_end_each_others_processes(bench: Bench) -> None:
    bench.write(f"echo $$ > $HERO_BUILD_ID.pid; while ! test -e go.pid; do sleep 0.01; done; {GOOD}")
    both = [asyncio.create_task(bench.build()) for _ in range(2)]
    for number in (1, 2):
        await until_there(bench.tree / f"hero_x-{number}.pid")
    assert await bench.builder.end_leftovers() == 0
    assert not any(task.done() for task in both)
    (bench.tree / "go.pid").touch()
    async with asyncio.timeout(DEADLINE):
        built = await asyncio.gather(*both)
    assert built[0].sha256 == built[1].sha256


KILLED = """
import asyncio, sys
from pathlib import Path
from tests.backends.slot.test_builder import Bench, Builder, SlotPaths
paths = SlotPaths(Path(sys.argv[1]))
asyncio.run(Bench(Path(sys.argv[2]), paths, Builder(paths)).build())
"""


async def test_what_a_killed_daemon_left_of_a_build_is_found_and_ended(bench: Bench) -> None:
    bench.write(FORKS + "wait")
    daemon = subprocess.Popen([sys.executable, "-c", KILLED, str(bench.paths.root), str(bench.folder)])
    try:
        await until_there(bench.tree / "ready.pid")
    finally:
        daemon.send_signal(signal.SIGKILL)
        daemon.wait()
    assert bench.left() != []
    stranger = subprocess.Popen(["sleep", "1000"], env={**os.environ, BUILD_MARK: "hero_x-1"})
    try:
        assert await bench.builder.end_leftovers() > 0
        assert bench.left() == []
        assert stranger.poll() is None
        assert list((bench.paths.var / "builds").iterdir()) == []
        assert await bench.builder.end_leftovers() == 0
    finally:
        stranger.kill()
        stranger.wait()


async def test_a_build_leaves_no_descriptor(bench: Bench) -> None:
    await bench.build(GOOD)
    before = len(list(Path("/proc/self/fd").iterdir()))
    await bench.build()
    with contextlib.suppress(HeroError):
        await bench.build("exit 1")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def command(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hero_tui.builder", *args],
        capture_output=True,
        text=True,
        env={**os.environ, **IDENTITY},
        check=False,
    )


def test_hero_builder_builds_a_checkout_outside_of_any_slot(bench: Bench) -> None:
    bench.write(GOOD)
    run(bench.tree, "remote", "add", "origin", "ssh://git@forge.example/lhumina/hero_x.git")
    done = command("--worktree", str(bench.tree), "--out", str(bench.folder / "made"))
    assert done.returncode == 0, done.stderr
    digest, path = done.stdout.strip().split("  ")
    assert path == str(bench.folder / "made" / "hero_x-linux-any.tar.gz")
    with tarfile.open(path) as archive:
        member = archive.extractfile("provenance.json")
        assert member is not None
        assert from_json(member.read().decode()).repo == "lhumina/hero_x"
    assert len(digest) == 64


def test_hero_builder_refuses_a_dirty_checkout_and_keeps_the_log_of_a_failure(bench: Bench) -> None:
    bench.write("echo oops; exit 3")
    failed = command("--worktree", str(bench.tree), "--out", str(bench.folder / "made"))
    assert (failed.returncode, failed.stdout) == (1, "")
    assert "exit 3" in failed.stderr
    (log,) = (bench.folder / "made").glob("*.log")
    assert "oops" in log.read_text()
    assert str(log) in failed.stderr
    (bench.tree / "new").touch()
    dirty = command("--worktree", str(bench.tree), "--out", str(bench.folder))
    assert "uncommitted changes" in dirty.stderr
    assert "Traceback" not in dirty.stderr + failed.stderr
