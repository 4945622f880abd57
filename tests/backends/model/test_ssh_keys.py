"""SSH keys of the team repo: real ones pass, everything else is refused."""

from __future__ import annotations

import base64
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.model.names import BadValue
from backends.model.ssh_keys import parse_ssh_key


def wire(*fields: bytes) -> str:
    return base64.b64encode(b"".join(len(one).to_bytes(4, "big") + one for one in fields)).decode()


ED25519 = "ssh-ed25519 " + wire(b"ssh-ed25519", bytes(32))


def test_a_key_has_a_type_a_blob_and_perhaps_a_comment() -> None:
    key = parse_ssh_key(f"{ED25519} sara@my laptop")
    assert (key.kind, key.comment, key.line) == ("ssh-ed25519", "sara@my laptop", ED25519)
    assert parse_ssh_key(ED25519).comment == ""


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="ssh-keygen is not installed")
@pytest.mark.parametrize(
    "kind", [["ed25519"], ["rsa", "-b", "2048"], ["ecdsa", "-b", "256"], ["ecdsa", "-b", "521"]]
)
def test_keys_of_ssh_keygen_are_accepted(kind: list[str], tmp_path: Path) -> None:
    file = tmp_path / "key"
    argv = ["ssh-keygen", "-q", "-N", "", "-C", "a comment", "-f", str(file), "-t", *kind]
    subprocess.run(argv, check=True)
    line = file.with_suffix(".pub").read_text().strip()
    assert parse_ssh_key(line).line == " ".join(line.split()[:2])


@pytest.mark.parametrize("options", ["no-pty", 'command="rm -rf /"', 'from="1.2.3.4",no-pty'])
def test_options_are_refused(options: str) -> None:
    with pytest.raises(BadValue, match="without options"):
        parse_ssh_key(f"{options} {ED25519}")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "ssh-ed25519",
        "ssh-ed25519 !!!!",
        "ssh-dss " + wire(b"ssh-dss", b"p", b"q", b"g", b"y"),
        "ssh-ed25519 " + wire(b"ssh-rsa", bytes(32)),
        "ssh-ed25519 " + wire(b"ssh-ed25519", bytes(31)),
        "ssh-ed25519 " + wire(b"ssh-ed25519", bytes(32), b"more"),
        "sk-ssh-ed25519@openssh.com " + wire(b"sk-ssh-ed25519@openssh.com", bytes(3), b"ssh:"),
        "ssh-rsa " + wire(b"ssh-rsa", b"\1\0\1", b"\x7f" * 128),
        f"{ED25519}\n{ED25519}",
        f"{ED25519} \x1b[2J",
        ED25519[:-8],
        ED25519 + "x" * 9000,
        "-----BEGIN OPENSSH PRIVATE KEY-----",
    ],
)
def test_anything_but_a_strong_key_is_refused(line: str) -> None:
    with pytest.raises(BadValue) as caught:
        parse_ssh_key(line)
    assert caught.value.message.isprintable()


@given(st.binary(max_size=60))
def test_any_blob_is_a_key_or_refused(blob: bytes) -> None:
    with suppress(BadValue):
        assert parse_ssh_key(f"ssh-ed25519 {base64.b64encode(blob).decode()}").kind == "ssh-ed25519"
