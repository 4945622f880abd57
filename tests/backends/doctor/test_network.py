"""The forge, its clock, tokens and certificates, against servers that answer well, badly or never."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path

import pytest

from backends.doctor import forge, router
from backends.doctor.forge import Echo, judge_echo
from tests.backends.doctor.contexts import context_in, found_by

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(answer: Serve, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server on loopback; its port."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def saying(status: str, date: str) -> Serve:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {status}\r\nDate: {date}\r\nContent-Length: 2\r\n\r\n{{}}".encode())
        await writer.drain()

    return answer


async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def test_a_forge_that_answers_is_well_and_agrees_on_the_time(tmp_path: Path) -> None:
    async with serving(saying("200 OK", formatdate(usegmt=True))) as port:
        found = await found_by(
            forge.CHECKS, "forge.reachable", context_in(tmp_path, forge=f"http://127.0.0.1:{port}")
        )
    assert [one.state for one in found if one.part == "clock"] == ["ok"]
    assert found[0].state in ("ok", "warn"), "a busy machine may be slow"


async def test_a_clock_that_is_off_is_told(tmp_path: Path) -> None:
    async with serving(saying("200 OK", formatdate(time.time() - 4000, usegmt=True))) as port:
        found = await found_by(
            forge.CHECKS, "forge.reachable", context_in(tmp_path, forge=f"http://127.0.0.1:{port}")
        )
    (clock,) = (one for one in found if one.part == "clock")
    assert clock.state == "bad"
    assert "ahead of the forge's" in clock.what


async def test_a_forge_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forge, "_PATIENCE", 0.1)
    async with serving(silent) as port:
        found = await found_by(
            forge.CHECKS, "forge.reachable", context_in(tmp_path, forge=f"http://127.0.0.1:{port}")
        )
    assert [one.state for one in found] == ["bad", "skipped"]
    assert "no answer within 0.1 s" in found[0].what


async def test_a_forge_that_is_not_there_is_bad(tmp_path: Path) -> None:
    async with serving(silent) as port:
        pass
    found = await found_by(forge.CHECKS, "forge.reachable", context_in(tmp_path, forge=f"http://127.0.0.1:{port}"))
    assert found[0].state == "bad"
    assert "cannot be reached" in found[0].what


@pytest.mark.parametrize(
    ("status", "seconds", "state"),
    [(200, 0.1, "ok"), (403, 0.1, "ok"), (200, 1.5, "warn"), (404, 0.1, "bad"), (502, 0.1, "bad")],
)
def test_an_answer_of_the_forge_is_judged(status: int, seconds: float, state: str) -> None:
    assert judge_echo("https://git.example", Echo(status, "", 0.0, 0.0, seconds)).state == state


async def test_a_folder_is_a_forge_while_it_can_be_read(tmp_path: Path) -> None:
    context = context_in(tmp_path)
    assert [one.state for one in await found_by(forge.CHECKS, "forge.reachable", context)] == ["bad"]
    context.box.forge.mkdir()
    assert [one.state for one in await found_by(forge.CHECKS, "forge.reachable", context)] == ["ok"]


async def test_a_token_that_others_can_read_is_closed_and_never_shown(tmp_path: Path) -> None:
    context = context_in(tmp_path, forge="http://127.0.0.1:9")
    path = context.slot.forge_token
    path.parent.mkdir(parents=True)
    path.write_text("not-a-secret-0123456789\n")
    path.chmod(0o644)
    (found,) = await found_by(forge.CHECKS, "forge.slot_token", context)
    assert found.state == "bad"
    assert "not-a-secret" not in repr(found)
    assert found.repair
    await found.repair()
    assert path.stat().st_mode & 0o777 == 0o600


async def test_a_token_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    context = context_in(tmp_path, forge="http://127.0.0.1:9")
    path = context.slot.forge_token
    path.parent.mkdir(parents=True)
    (tmp_path / "other").write_text("x")
    path.symlink_to(tmp_path / "other")
    (found,) = await found_by(forge.CHECKS, "forge.slot_token", context)
    assert (found.state, found.repair) == ("bad", None)


async def test_a_token_that_the_forge_does_not_know_is_bad(tmp_path: Path) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = b'{"message": "invalid username, password or token"}'
        head = f"HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        writer.write(head.encode() + b"Connection: close\r\n\r\n" + body)
        await writer.drain()

    async with serving(refuse) as port:
        context = context_in(tmp_path, forge=f"http://127.0.0.1:{port}")
        context.box.forge_token.parent.mkdir()
        context.box.forge_token.write_text("not-a-secret-0123456789\n")
        context.box.forge_token.chmod(0o600)
        found = await found_by(forge.CHECKS, "forge.token", context)
    assert [one.state for one in found] == ["bad"]
    assert "not-a-secret" not in repr(found)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """What a server shows that signed its own certificate, for a hundred days."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "100",
        "-subj",
        "/CN=box.example",
    ]
    files = [
        "-keyout",
        str(folder / "key"),
        "-out",
        str(folder / "cert"),
        "-addext",
        "subjectAltName=DNS:box.example",
    ]
    subprocess.run([*command, *files], check=True, capture_output=True)
    shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shown.load_cert_chain(folder / "cert", folder / "key")
    return shown


async def test_the_end_of_a_certificate_is_read_though_nobody_trusts_it(certificate: ssl.SSLContext) -> None:
    async with serving(silent, certificate) as port:
        ends, why = await router.certificate("127.0.0.1", port, "box.example")
    assert 99 < (ends - time.time()) / router.DAYS < 101
    assert "self-signed" in why or "self signed" in why


async def test_a_router_that_shows_no_certificate_is_bad(tmp_path: Path) -> None:
    context = context_in(tmp_path, system=True)
    assert context.file
    async with serving(silent) as port:
        url = f"https://box.example:{port}"
        file = context.file.model_copy(update={"edge": context.file.edge.model_copy(update={"url": url})})
    (found,) = await found_by(router.CHECKS, "router.certificate", replace(context, file=file))
    assert found.state == "bad"
    assert "Nobody shows a certificate for box.example" in found.what
