"""The bootstrap installs Claude Code whole and checked or not at all, and goes on without it where it must."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deploy.setup import claude as step
from deploy.setup.step import Stopped, take, tell

PROGRAM = f"#!/bin/sh\necho '{step.VERSION} (Claude Code)'\n".encode()


def archive(*members: tuple[str, bytes], link: str = "") -> bytes:
    """An npm archive of these files, or of one link."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        if link:
            info = tarfile.TarInfo("package/claude")
            info.type, info.linkname = tarfile.SYMTYPE, link
            tar.addfile(info)
    return packed.getvalue()


GOOD = archive(("package/package.json", b"{}"), ("package/claude", PROGRAM))


class Registry:
    """An npm registry on this machine that has one package; `tells` is what it says of that."""

    def __init__(self) -> None:
        self.content = GOOD
        self.asked: list[str] = []
        self.tells: bytes | None = None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"registry": self}))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    registry: Registry

    def do_GET(self) -> None:
        self.registry.asked.append(self.path)
        tarball = f"{self.registry.url}/file.tgz"
        told = self.registry.tells or json.dumps({"dist": {"tarball": tarball}}).encode()
        body = self.registry.content if self.path == "/file.tgz" else told
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: what was asked is kept."""


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    found = Registry()
    monkeypatch.setenv("npm_config_registry", f"{found.url}/")
    yield found
    found.close()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine's folders below `tmp_path`; the good archive is the one that is expected."""
    monkeypatch.setattr(step, "FOLDER", tmp_path / "opt" / "claude-code")
    monkeypatch.setattr(step, "LINK", tmp_path / "bin" / "claude")
    monkeypatch.setitem(step.INTEGRITY, step.platform(), base64.b64encode(hashlib.sha512(GOOD).digest()).decode())
    return tmp_path


def installed(place: Path) -> bool:
    program = place / "opt" / "claude-code" / step.VERSION / "claude"
    return (place / "bin" / "claude").resolve() == program and step.is_whole(program)


def leftovers(place: Path) -> list[str]:
    folder = place / "opt" / "claude-code" / step.VERSION
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def test_it_is_fetched_checked_linked_and_then_there_is_nothing_to_do(place: Path, registry: Registry) -> None:
    assert tell([step.claude()]) == 2
    take([step.claude()])
    assert installed(place)
    assert leftovers(place) == ["claude"]
    assert (place / "bin" / "claude").stat().st_mode & 0o777 == 0o755
    assert tell([step.claude()]) == 0
    count = len(registry.asked)
    take([step.claude()])
    assert len(registry.asked) == count


def test_an_archive_with_another_digest_is_never_installed(
    place: Path, registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    registry.content = archive(("package/claude", PROGRAM + b"# changed\n"))
    take([step.claude()])
    assert not installed(place)
    assert leftovers(place) == []
    assert "its sha512 is another" in capsys.readouterr().err


@pytest.mark.parametrize(
    "content", [GOOD[: len(GOOD) // 2], b"", b"not an archive"], ids=["half", "nothing", "other"]
)
def test_a_truncated_download_is_never_installed(place: Path, registry: Registry, content: bytes) -> None:
    registry.content = content
    take([step.claude()])
    assert leftovers(place) == []


@pytest.mark.parametrize(
    "content",
    [archive(("package/other", b"x")), archive(link="/etc/passwd"), archive(link="../../../x"), b"not an archive"],
    ids=["without it", "a link to a file", "a link out", "other"],
)
def test_an_archive_without_the_program_is_refused_even_with_its_digest(place: Path, content: bytes) -> None:
    file = place / "file.tgz"
    file.write_bytes(content)
    digest = base64.b64encode(hashlib.sha512(content).digest()).decode()
    with pytest.raises(Stopped, match="the archive"):
        step.install(file, place / "claude", {step.platform(): digest})
    assert not (place / "claude").exists()


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "", "file:///etc"])
def test_without_a_registry_the_box_is_set_up_all_the_same_and_told_so(
    place: Path, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("npm_config_registry", url)
    monkeypatch.delenv("NPM_CONFIG_REGISTRY", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    take([step.claude()])
    assert not installed(place)
    told = capsys.readouterr().err
    assert "Claude Code was not installed" in told
    assert f"npm pack @anthropic-ai/claude-code-{step.platform()}@{step.VERSION}" in told


@pytest.mark.parametrize("told", [b"<html>", b"[]", b'{"dist": {"tarball": "file:///etc/passwd"}}'])
def test_a_registry_that_speaks_otherwise_is_told(
    place: Path, registry: Registry, told: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    registry.tells = told
    take([step.claude()])
    assert not installed(place)
    assert "was not installed" in capsys.readouterr().err


def test_a_given_archive_needs_no_registry_and_has_to_be_right(place: Path) -> None:
    file = place / "claude.tgz"
    file.write_bytes(GOOD + b"\0")
    with pytest.raises(Stopped, match="sha512"):
        take([step.claude(str(file))])
    file.write_bytes(GOOD)
    take([step.claude(str(file))])
    assert installed(place)


def test_it_can_be_left_out(place: Path) -> None:
    assert tell([step.claude(step.NONE)]) == 0
    take([step.claude(step.NONE)])
    assert leftovers(place) == []


@pytest.mark.parametrize("is_link", [True, False])
def test_a_program_that_somebody_else_installed_stays(place: Path, registry: Registry, is_link: bool) -> None:
    link = place / "bin" / "claude"
    link.parent.mkdir()
    if is_link:
        link.symlink_to("/usr/lib/node_modules/claude")
    else:
        link.write_bytes(PROGRAM)
    take([step.claude()])
    assert leftovers(place) == ["claude"]
    assert link.is_symlink() is is_link
    assert tell([step.claude()]) == 0


def test_an_older_version_of_ours_is_replaced_in_the_link(place: Path, registry: Registry) -> None:
    link = place / "bin" / "claude"
    link.parent.mkdir()
    link.symlink_to(place / "opt" / "claude-code" / "2.0.0" / "claude")
    take([step.claude()])
    assert installed(place)


def test_the_registry_is_the_one_that_npm_knows(tmp_path: Path) -> None:
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho http://mirror.example/npm/\n")
    npm.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    assert step.registry({"PATH": path}) == "http://mirror.example/npm"
    assert step.registry({"PATH": path, "NPM_CONFIG_REGISTRY": "http://other.example"}) == "http://other.example"
    assert step.registry({"PATH": "/nowhere"}) == ""
