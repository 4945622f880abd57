"""The command line on a small real box: real daemons, git, archives and processes; a working day in order."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from backends.client.blocking import call_slot, connect_box, connect_slot
from backends.client.locate import Where
from tests.acceptance.small_box import DEADLINE, SmallBox, small_box

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
HEAVY = ("asyncio", "pydantic", "rich", "textual", "logging")


def lives_in(home: Path) -> bool:
    """Whether a process runs that was started with a path in `home`."""
    return any(str(home) in " ".join(one.info["cmdline"] or ()) for one in psutil.process_iter(["cmdline"]))


def removed(folder: Path) -> bool:
    """Whether `folder` is gone, after one more attempt."""
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


def all_healthy(line: CommandLine) -> bool:
    return all(one["health"] == "healthy" for one in line.answers("status")["services"])


class CommandLine:
    """`hero_dev` on one box, as a process of its own."""

    def __init__(self, box: SmallBox):
        self.box = box
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("HERO_")}
        self.environment |= {"COLUMNS": "100"}

    def argv(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "hero_tui.cli", "--box", str(self.box.root), "--slot", "alice", *words]

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.argv(*words),
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def says(self, *words: str, code: int = 0) -> str:
        """What it prints, both streams, once it has ended with `code`."""
        done = self(*words)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    def answers(self, *words: str, code: int = 0) -> Any:
        done = self(*words, "--json")
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)

    def begin(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.argv(*words),
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def on_a_terminal(self, *words: str) -> str:
        """What it writes to a terminal of its own."""
        ours, theirs = pty.openpty()
        environment = {**self.environment, "TERM": "xterm-256color"}
        process = subprocess.Popen(
            self.argv(*words), cwd=ROOT, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        written = b""
        while chunk := _read(ours):
            written += chunk
        process.wait(DEADLINE)
        os.close(ours)
        return written.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # the other end is closed
        return b""


@pytest.fixture(scope="module")
def hero_dev() -> Iterator[CommandLine]:
    with small_box() as box:
        line = CommandLine(box)
        assert "is down" in line.says("box", "status", code=5)
        assert "2 of 2 online: alice, integration" in line.says("box", "up")
        line.says("start")
        yield line


@pytest.fixture
def slow_build(hero_dev: CommandLine) -> Iterator[None]:
    """hero_web is built in its worktree, which takes as long as nobody stops it."""
    hero_dev.says("switch", "hero_web", "development", "--from", "build")
    description = hero_dev.box.slot.worktree("hero_web", "development") / "hero_service.toml"
    text = description.read_text()
    description.write_text(text.replace('"python3 build.py"', '"echo it begins; sleep 600"'))
    yield
    description.write_text(text)
    hero_dev.says("switch", "hero_web", "development", "--from", "release")


def test_a_status_tells_every_binding(hero_dev: CommandLine) -> None:
    text = hero_dev.says("status")
    assert text.startswith("alice on small · developer · 3 services: 3 healthy")
    cells = hero_dev.answers("status")["services"]
    assert {one["service"]: one["health"] for one in cells} == dict.fromkeys(
        ("hero_web", "hero_db", "hero_api"), "healthy"
    )
    assert all(len(one["hash"]) == 40 and one["drift"] == "current" for one in cells)
    fleet = hero_dev.says("status", "--all")
    assert all(user in fleet for user in ("alice", "integration"))
    assert {slot["slot"] for slot in hero_dev.answers("status", "--all")["slots"]} == {"alice", "integration"}


def test_what_is_so_already_is_nothing_to_do(hero_dev: CommandLine) -> None:
    assert "nothing to do" in hero_dev.says("start", code=3)
    assert "nothing to do" in hero_dev.says("pull", code=3)
    assert hero_dev.answers("start", "--plan", code=3)["plans"][0]["nothing_to_do"]
    assert "is up" in hero_dev.says("box", "up", code=3)


def test_a_plan_is_told_and_nothing_is_done(hero_dev: CommandLine) -> None:
    before = hero_dev.box.cell("hero_web")["pid"]
    text = hero_dev.says("switch", "hero_web", "development_mik", "--plan")
    assert "restart   hero_web" in text
    plan = hero_dev.answers("switch", "hero_web", "development_mik", "--plan")["plans"][0]
    assert not plan["compiles"]
    assert plan["tag"].startswith("development_mik-")
    assert hero_dev.box.cell("hero_web")["pid"] == before


def test_a_switch_runs_the_published_archive_and_back_returns(hero_dev: CommandLine) -> None:
    told = hero_dev.says("switch", "hero_web", "development_mik")
    assert "hero_web runs development_mik" in told
    assert "switch hero_web development_mik: health check\n" in told
    assert hero_dev.box.ask("hero_web") == {"page": "mik"} | hero_dev.box.ask("hero_web")
    assert "runs already" in hero_dev.says("switch", "hero_web", "development_mik", code=3)
    operation = hero_dev.answers("switch", "hero_web", "--back")
    assert (operation["state"], operation["result"]["branch"]) == ("succeeded", "development")
    assert hero_dev("switch", "hero_web", "development_mik", "-q").stdout == ""
    assert hero_dev("switch", "hero_web", "--back", "-q").stderr == ""


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("switch", "hero_wep", "development"), "`hero_web`"),
        (("switch", "hero_web", "developmint"), "`development`"),
        (("switch", "hero_web", "--hash", "00000000"), ""),
        (("install", "hero_web", "--tag", "development-00000000"), ""),
        (("logs", "hero_wep"), "`hero_web`"),
        (("peek", "alize"), "`alice`"),
        (("peek", "alice", "hero_wep"), "`hero_web`"),
        (("releases", "hero_wep"), "`hero_web`"),
        (("releases", "hero_web", "developmint"), "`development`"),
        (("restart", "hero_wep"), "`hero_web`"),
        (("status", "--slot", "alize"), "`alice`"),
        (("cancel", "ffff"), "Nothing runs"),
        (("logs", "--build", "../x"), ""),
    ],
)
def test_what_nobody_knows_is_a_sentence_with_the_nearest_name(
    hero_dev: CommandLine, words: tuple[str, ...], meant: str
) -> None:
    assert meant in hero_dev.says(*words, code=2)
    assert hero_dev.answers(*words, code=2)["error"]["message"]


def test_a_version_that_does_not_get_healthy_is_undone_and_that_is_told(hero_dev: CommandLine) -> None:
    hero_dev.says("switch", "hero_web", "does_not_build", "--from", "build", code=1)
    told = hero_dev.says("switch", "hero_web", "does_not_build", "--from", "build", code=1)
    assert "hero_web runs development" in told
    error = hero_dev.answers("switch", "hero_web", "does_not_build", "--from", "build", code=1)
    assert error["error"]["code"] == "build_failed"
    assert error["operation"]["state"] == "failed"
    build = error["operation"]["result"]["log"].rpartition("/")[2].removesuffix(".log")
    assert "error" in hero_dev.says("logs", "--build", build)


def test_ctrl_c_cancels_the_operation_and_says_what_runs(hero_dev: CommandLine, slow_build: None) -> None:
    process = hero_dev.begin("rebuild", "hero_web")
    assert process.stderr is not None
    while "build" not in process.stderr.readline().partition(":")[2]:
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=DEADLINE)
    assert process.returncode == 1
    assert "Cancelled; what ran before runs on." in told
    assert "hero_web runs development" in told
    assert "Traceback" not in told


def test_another_terminal_sees_an_operation_and_cancels_it(hero_dev: CommandLine, slow_build: None) -> None:
    process = hero_dev.begin("rebuild", "hero_web", "--json")
    hero_dev.box.until(lambda: _running(hero_dev), "the build")
    assert "rebuild hero_web" in hero_dev.says("operations")
    assert "busy" in hero_dev.answers("restart", "hero_web", code=1)["error"]["code"]
    assert "Cancelled: rebuild hero_web" in hero_dev.says("cancel", _running(hero_dev)[0])
    told, _ = process.communicate(timeout=DEADLINE)
    assert process.returncode == 1
    assert json.loads(told)["error"]["code"] == "cancelled"


def test_a_daemon_that_is_killed_meanwhile_is_started_again_and_says_how_it_ended(
    hero_dev: CommandLine, slow_build: None
) -> None:
    process = hero_dev.begin("rebuild", "hero_web")
    assert process.stderr is not None
    while "build" not in process.stderr.readline().partition(":")[2]:
        assert process.poll() is None
    for daemon in psutil.process_iter(["cmdline"]):
        words = daemon.info["cmdline"] or []
        if "hero_tui.slotd" in words and str(hero_dev.box.root) in words and words[-1] == "alice":
            daemon.kill()
    _, told = process.communicate(timeout=DEADLINE)
    assert process.returncode == 1
    assert "the slot's daemon was killed" in told


def _running(hero_dev: CommandLine) -> list[str]:
    found = hero_dev.answers("operations")["operations"]
    return [one["id"] for one in found if one["state"] == "running" and one["phase"] == "it begins"]


def test_logs_are_merged_filtered_and_followed(hero_dev: CommandLine) -> None:
    text = hero_dev.says("logs", "hero_web", "hero_db", "-n", "50")
    assert {line.split()[0] for line in text.splitlines()} == {"hero_web", "hero_db"}
    lines = [json.loads(line) for line in hero_dev("logs", "--grep", "listens", "--json").stdout.splitlines()]
    assert lines
    assert all("listens" in line["text"] for line in lines)
    process = hero_dev.begin("logs", "hero_web", "-f", "-n", "1")
    assert process.stdout is not None
    process.stdout.readline()
    hero_dev.says("restart", "hero_web")
    while "listens" not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=DEADLINE)
    assert process.returncode == 0


def test_a_peek_shows_a_teammates_slot_and_its_logs(hero_dev: CommandLine) -> None:
    assert "read-only" in hero_dev.says("peek", "integration").splitlines()[0]
    assert hero_dev.answers("peek", "integration")["slot"] == "integration"
    assert "  branch     development" in hero_dev.says("peek", "alice", "hero_web").splitlines()
    assert "listens" in hero_dev.says("peek", "alice", "hero_web", "--logs", "-n", "50")


def test_releases_and_audit_are_listed(hero_dev: CommandLine) -> None:
    tags = [one["tag"] for one in hero_dev.answers("releases", "hero_web", "development")["releases"]]
    assert len(tags) == 2
    assert all(tag in hero_dev.says("releases", "hero_web") for tag in tags)
    assert "start" in hero_dev.says("audit")
    assert all(one["kind"].startswith("audit.") for one in hero_dev.answers("audit", "--limit", "3")["events"])


def test_a_manifest_that_does_not_parse_is_told_with_its_place(hero_dev: CommandLine) -> None:
    manifest = hero_dev.box.slot.manifest
    good = manifest.read_text()
    manifest.write_text(good.replace("branch =", "brnch =", 1))
    try:
        hero_dev.box.until(lambda: hero_dev.box.call("slot.status")["problems"], "the problem")
        told = hero_dev.says("status")
        assert "dev_manifest.toml:" in told
        assert "`branch`" in told
        error = hero_dev.answers("switch", "hero_web", "development_mik", code=1)["error"]
        assert error["code"] == "invalid_file"
        assert manifest.read_text() == good.replace("branch =", "brnch =", 1)
    finally:
        manifest.write_text(good)
        hero_dev.box.until(lambda: not hero_dev.box.call("slot.status")["problems"], "the end of the problem")


def test_bindings_come_and_go(hero_dev: CommandLine) -> None:
    assert "no longer bound" in hero_dev.says("unbind", "hero_api")
    assert "`hero_dev bind hero_api` adds it" in hero_dev.says("restart", "hero_api", code=2)
    assert "hero_api is stopped" in hero_dev.says("bind", "hero_api", "--no-enabled")
    assert "hero_api runs development" in hero_dev.says("bind", "hero_api", "--enabled")
    assert "hero_api runs development" in hero_dev.says("install", "hero_api", "--reset", "--download")


def test_a_slot_without_a_manifest_and_without_compilers_installs_by_the_old_name(
    hero_dev: CommandLine, tmp_path: Path
) -> None:
    for program in ("env", "git", "sh"):
        (tmp_path / program).symlink_to(shutil.which(program) or "")
    (tmp_path / "python3").symlink_to(Path(sys.executable).resolve())
    fresh = Where(hero_dev.box.where.box, "fresh")
    fresh.box.slot("fresh").root.mkdir(parents=True)
    bare = CommandLine(hero_dev.box)
    bare.environment |= {"PATH": str(tmp_path)}
    try:
        told = bare.says("--slot", "fresh", "service_web", "install", "--download", "--reset")
        assert "`service_web install` is `hero_dev install hero_web` now" in told
        assert "hero_web runs development" in told
        assert 'service = "hero_web"' in fresh.slot().manifest.read_text()
        assert "healthy" in bare.says("--slot", "fresh", "service_web", "status")
    finally:
        call_slot(fresh, "slot.down", {"services": True})
        hero_dev.box.until(lambda: not lives_in(fresh.box.homes / "fresh"), "the end of the slot")
        # Who has no argv any more may still have something to write.
        hero_dev.box.until(lambda: removed(fresh.box.homes / "fresh"), "an empty place")


def test_the_queue_is_listed_and_a_build_is_submitted_and_shown(hero_dev: CommandLine) -> None:
    hero_dev.says("switch", "hero_web", "development", "--from", "build")
    hero_dev.says("build", "submit", "hero_web", "--wait")
    newest = hero_dev.answers("builds", "hero_web")["builds"][0]
    assert newest["id"] in hero_dev.says("builds")
    assert newest["reason"] in hero_dev.says("build", "show", newest["id"])
    assert "hero_web" in hero_dev.says("build", "submit", "hero_wep", code=2)
    hero_dev.says("switch", "hero_web", "development", "--from", "release")


def test_a_terminal_gets_colours_and_one_progress_line_that_goes_away(hero_dev: CommandLine) -> None:
    shown = hero_dev.on_a_terminal("switch", "hero_web", "development_mik")
    assert "\rswitch hero_web" in shown
    assert "\r\x1b[K" in shown
    assert shown.rstrip().splitlines()[-1].startswith("  \x1b[2m`hero_dev switch hero_web --back`")
    assert "\x1b[32m●" in hero_dev.on_a_terminal("status")
    assert "\x1b" not in hero_dev.on_a_terminal("status", "--no-color")
    hero_dev.says("switch", "hero_web", "--back")


@pytest.mark.parametrize("words", [("status",), ("status", "--all"), ("switch", "hero_web", "development")])
def test_a_verb_loads_nothing_heavy_from_start_to_end(hero_dev: CommandLine, words: tuple[str, ...]) -> None:
    argv = hero_dev.argv(*words)
    argv[1:1] = ["-X", "importtime"]
    done = subprocess.run(argv, cwd=ROOT, env=hero_dev.environment, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 3)
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "argparse" in loaded
    assert not loaded & set(HEAVY)


@pytest.fixture
def guest(hero_dev: CommandLine) -> Iterator[Where]:
    """A slot that the team does not know; the box is up again afterwards, as it was."""
    where = Where(hero_dev.box.where.box, "guest")
    home = where.box.homes / "guest"
    where.box.slot("guest").root.mkdir(parents=True)
    assert "hero_web runs" in hero_dev.says("--slot", "guest", "install", "hero_web")
    yield where
    hero_dev("box", "down")
    shutil.rmtree(home)
    hero_dev.says("box", "up")
    hero_dev.box.until(lambda: all_healthy(hero_dev), "the slot as it was")


def daemon_of(slot: Where) -> psutil.Process:
    with connect_slot(slot) as client:
        return psutil.Process(client.call("rpc.ping")["pid"])


def test_down_ends_what_a_slot_runs_that_the_team_does_not_know(hero_dev: CommandLine, guest: Where) -> None:
    daemon_of(guest).kill()
    assert lives_in(guest.box.homes / "guest")
    hero_dev.says("box", "down")
    hero_dev.box.until(lambda: not lives_in(guest.box.homes / "guest"), "the end of what it ran")


def test_down_ends_what_a_slot_runs_whose_daemon_dies_before_it_answers(
    hero_dev: CommandLine, guest: Where
) -> None:
    daemon = daemon_of(guest)
    daemon.suspend()
    with connect_box(guest) as client:
        client.call("events.subscribe")
        down = hero_dev.begin("box", "down")
        assert any(note.params.get("kind") == "audit.box.down" for note in client.notifications(timeout=DEADLINE))
    daemon.kill()
    assert "its services too" in down.communicate(timeout=DEADLINE)[0]
    hero_dev.box.until(lambda: not lives_in(guest.box.homes / "guest"), "the end of what it ran")


def test_down_ends_everything_and_once_is_enough(hero_dev: CommandLine) -> None:
    services = [one["pid"] for one in hero_dev.answers("status")["services"]]
    assert all(psutil.pid_exists(pid) for pid in services)
    assert "services run on" in hero_dev.says("box", "down", "--keep-services")
    assert all(psutil.pid_exists(pid) for pid in services)
    assert hero_dev.answers("box", "down")["services_stopped"]
    assert not any(psutil.pid_exists(pid) for pid in services)
    assert "down already" in hero_dev.says("box", "down", code=3)
