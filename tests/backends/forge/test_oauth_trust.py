"""People sign in by a forge whose certificate only this machine trusts, whatever proxy the environment names."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from backends.forge.oauth import ForgeOAuth
from backends.model.errors import HeroError
from tests.messages_api.logins import certificate, shown

ANSWER = b'{"error": "unauthorized_client", "error_description": "no such code"}'
HEAD = f"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: {len(ANSWER)}\r\n\r\n"


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(HEAD.encode() + ANSWER)
    await writer.drain()
    writer.close()


async def test_the_machines_authorities_are_asked_and_no_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = certificate(tmp_path, "IP:127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(made))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=shown(made)) as server:
        port = server.sockets[0].getsockname()[1]
        assert await ForgeOAuth(f"https://127.0.0.1:{port}", "client").standing() == "known"


async def test_a_forge_that_nobody_vouches_for_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = certificate(tmp_path, "IP:127.0.0.1")
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=shown(made)) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(HeroError, match="cannot be asked"):
            await ForgeOAuth(f"https://127.0.0.1:{port}", "client").standing()
