"""What holds for every file of the repository, and what a start of the command line may load."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backends.model.frozen import Frozen
from backends.model.paths import BoxPaths
from backends.model.state import FleetSnapshot, ServiceStatus, SlotStatus

ROOT = Path(__file__).resolve().parent.parent

UNFINISHED = re.compile(r"\b(?:TO[D]O|FIX[M]E|X{3})\b")
MACHINE_PATH = re.compile(r"(?<![\w.~/-])/(?:(?:work|tmp/bash)(?![\w.-])|root/(?!\.ssh/))")
HOST = re.compile(r"https?://([^\s/\"'`<>()\[\]{}|\\]+)")

HOSTS = {
    "cdnjs.cloudflare.com": "the font in Textual's pictures",
    "localhost": "this machine",
    "api.anthropic.com": "the API that Claude Code speaks to",
    "127.0.0.1": "this machine",
    "www.apache.org": "the licence",
    "www.freedesktop.org": "the document type of D-Bus policies",
    "www.textualize.io": "the credit in Textual's pictures",
    "www.w3.org": "namespaces of SVG",
}
"""Hosts that the repository may name and why; a package index is never one of them."""


def tracked() -> list[Path]:
    """Every file that git has or would add."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, capture_output=True, check=True).stdout.decode().split("\0")
    return sorted({ROOT / name for name in names if name and (ROOT / name).is_file()})


def texts() -> list[tuple[Path, str]]:
    """Path below the root and text of each file that is text."""
    found = []
    for path in tracked():
        content = path.read_bytes()
        if b"\0" not in content:
            found.append((path.relative_to(ROOT), content.decode("utf-8", "replace")))
    return found


def places(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path}:{number}: {line.strip()[:120]}"
        for path, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_every_module_begins_with_a_sentence_that_says_why_it_is_there() -> None:
    silent = []
    for path, text in texts():
        if path.suffix == ".py" and text.strip():
            docstring = ast.get_docstring(ast.parse(text), clean=False) or ""
            first = docstring.partition("\n")[0].rstrip()
            if not (text.startswith('"""' + first) and first.endswith((".", ":", "?"))):
                silent.append(str(path))
    assert not silent


def test_no_file_says_that_it_is_unfinished() -> None:
    assert not places(UNFINISHED)


def test_no_file_names_a_folder_of_one_machine() -> None:
    assert not places(MACHINE_PATH)


def test_no_file_names_a_host_that_it_has_no_reason_to_name() -> None:
    strange = []
    for path, text in texts():
        for match in HOST.finditer(text):
            host = match[1].rpartition("@")[2].partition(":")[0].rstrip(".,;")
            made_up = "." not in host or host.endswith((".example", ".invalid", ".test"))
            if not made_up and host not in HOSTS:
                strange.append(f"{path}: {host}")
    assert not strange


def test_every_shell_script_parses() -> None:
    wrong = []
    for path, shell in shell_scripts():
        done = subprocess.run([shell, "-n", str(path)], capture_output=True, text=True, check=False)
        wrong += [done.stderr] if done.returncode else []
    assert not wrong


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_shellcheck_has_nothing_to_say() -> None:
    scripts = [str(path) for path, _ in shell_scripts()]
    done = subprocess.run(["shellcheck", *scripts], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def shell_scripts() -> list[tuple[Path, str]]:
    """Each script and the shell that its first line names."""
    found = []
    for path, text in texts():
        match = re.match(r"#!(?:/usr)?/bin/(?:env )?(sh|dash|bash)\b", text)
        if match or path.suffix == ".sh":
            found.append((ROOT / path, match[1] if match else "sh"))
    assert found
    return found


def test_the_library_loads_no_screen() -> None:
    loaded = modules_after(
        "import importlib, pkgutil, backends\n"
        "for module in pkgutil.walk_packages(backends.__path__, 'backends.'):\n"
        "    importlib.import_module(module.name)\n"
    )
    assert not loaded & {"textual", "rich", "screens", "styles", "hero_tui"}


def test_the_daemons_load_no_screen() -> None:
    loaded = modules_after("import hero_tui.slotd, hero_tui.boxd, backends.slot.daemon, backends.box.daemon")
    assert not loaded & {"textual", "rich", "screens", "styles", "argcomplete"}


def test_the_model_loads_no_other_floor() -> None:
    loaded = modules_after(
        "import importlib, pkgutil, backends.model\n"
        "for module in pkgutil.walk_packages(backends.model.__path__, 'backends.model.'):\n"
        "    importlib.import_module(module.name)\n",
        whole=True,
    )
    ours = {name for name in loaded if name.startswith("backends.") and not name.startswith("backends.model")}
    assert not ours


@pytest.mark.parametrize(
    "words", [["status"], ["status", "--json"], ["status", "--all"], ["status", "--all", "--json"]]
)
def test_a_status_loads_little_more_than_python(words: list[str]) -> None:
    with answering_box() as box:
        line = ["--box", str(box), "--slot", "alice", *words]
        loaded = modules_after(f"from hero_tui.cli import main\nassert main({line!r}) == 0")
    heavy = {"asyncio", "pydantic", "psutil", "rich", "textual", "watchfiles", "supervisor", "sqlite3", "screens"}
    assert not loaded & heavy


@contextmanager
def answering_box() -> Iterator[Path]:
    """A box whose daemons know their state by heart, so that only the client is looked at."""
    root = Path(tempfile.mkdtemp(prefix="h", dir="/tmp"))
    box = BoxPaths(root)
    box.config.write_text("")
    now = datetime.now(UTC)
    cell = ServiceStatus(
        service="hero_books", repo="a/hero_books", branch="development", source="build", since=now
    )
    slot = SlotStatus(box="demo", slot="alice", services=(cell,), seen_at=now)
    fleet = FleetSnapshot(box="demo", seq=1, trunk="development", slots=(slot,), time=now)
    stop = threading.Event()
    daemons = [
        threading.Thread(target=answer, args=(listening(box.slot("alice").rpc_socket), slot, stop)),
        threading.Thread(target=answer, args=(listening(box.rpc_socket), fleet, stop)),
    ]
    for daemon in daemons:
        daemon.start()
    try:
        yield root
    finally:
        stop.set()
        for daemon in daemons:
            daemon.join()
        shutil.rmtree(root)


def listening(path: Path) -> socket.socket:
    path.parent.mkdir(parents=True)
    server = socket.socket(socket.AF_UNIX)
    server.bind(os.fspath(path))
    server.listen()
    server.settimeout(0.05)
    return server


def answer(server: socket.socket, state: Frozen, stop: threading.Event) -> None:
    """Answer every call with `state`."""
    with server:
        while not stop.is_set():
            try:
                client, _ = server.accept()
            except TimeoutError:
                continue
            with client, client.makefile("rwb") as lines:
                for line in lines:
                    reply = {
                        "jsonrpc": "2.0",
                        "id": json.loads(line)["id"],
                        "result": state.model_dump(mode="json"),
                    }
                    lines.write(json.dumps(reply).encode() + b"\n")
                    lines.flush()


def modules_after(program: str, *, whole: bool = False) -> set[str]:
    """What a fresh interpreter has loaded once it has run `program`: packages, or with `whole` every module."""
    shown = f"{program}\nimport sys\nprint('\\n'.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", shown],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {name if whole else name.partition(".")[0] for name in done.stdout.split()}
