"""What a starting cockpit and the resident one say to each other, over a socket of this user's alone; stdlib only.

A message is a length and texts; the first text is its kind. Terminals travel with it as open files.
"""

# pathlib would take a third of the time that a start has
# ruff: noqa: PTH102, PTH109, PTH118, PTH120

from __future__ import annotations

import _socket  # what `socket` puts around it, names for four hundred numbers above all, takes a tenth of a start
import os
import stat
import sys

Connection = _socket.socket
_LENGTH = 4
_NUMBER = 4
"""Bytes of a number, as C has it."""
_LIMIT = 4 * 1024 * 1024
_MOST_FILES = 8
_NAME = "cockpit-{:08x}.sock"
_PRIME = 4_294_967_291

KEPT = frozenset({"COLORTERM", "HOME", "LANG", "LOGNAME", "NO_COLOR", "TERM", "TZ", "USER", "ESCDELAY"})
_KEPT_PREFIXES = ("HERO_", "LC_", "PYTHON", "TEXTUAL_", "XDG_CONFIG", "XDG_DATA", "XDG_STATE")
_PRESENT = ("MOSH_KEY", "SSH_CLIENT", "SSH_CONNECTION", "SSH_TTY", "TMUX")
_FIXED_PREFIXES = ("PYTHON", "TEXTUAL_")


def socket_path() -> str:
    """Where the resident cockpit of this user and installation listens; "" where no folder is private enough."""
    folder = _folder()
    installed = os.fsencode(f"{sys.executable}\0{os.path.dirname(os.path.dirname(__file__))}")
    return os.path.join(folder, _NAME.format(int.from_bytes(installed, "big") % _PRIME)) if folder else ""


def _folder() -> str:
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    bases = [os.path.join(runtime, "hero")] if runtime.startswith("/") and is_private(runtime) else []
    for folder in (*bases, f"/tmp/hero-{os.geteuid()}"):  # noqa: S108  # made or verified to be ours
        try:
            os.mkdir(folder, 0o700)
        except FileExistsError:
            pass
        except OSError:
            continue
        if is_private(folder):
            return folder
    return ""


def is_private(folder: str) -> bool:
    """Whether it is a real folder that only this user can enter."""
    try:
        found = os.lstat(folder)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077


def unconnected() -> Connection:
    """A socket that can be connected to `socket_path`."""
    return Connection(_socket.AF_UNIX)


def is_ours(connection: Connection) -> bool:
    """Whether the other side runs as this user: nobody else gets a terminal of ours, or ours to draw on theirs."""
    peer = connection.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 3 * _NUMBER)
    return int.from_bytes(peer[_NUMBER : 2 * _NUMBER], sys.byteorder) == os.geteuid()


def send(connection: Connection, *texts: str, files: tuple[int, ...] = ()) -> None:
    """Send a message. Raises OSError."""
    body = b"\0".join(os.fsencode(text) for text in texts)
    message = len(body).to_bytes(_LENGTH, "big") + body
    rights = b"".join(file.to_bytes(_NUMBER, sys.byteorder) for file in files)
    sent = connection.sendmsg([message], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, rights)] if files else [])
    if sent < len(message):
        connection.sendall(message[sent:])


def receive(connection: Connection) -> tuple[list[str], list[int]]:
    """The next message and the files with it; no texts once the other side has gone. Raises OSError."""
    head, besides, _, _ = connection.recvmsg(_LENGTH, _socket.CMSG_LEN(_MOST_FILES * _NUMBER))
    files = [
        file
        for level, kind, data in besides
        if (level, kind) == (_socket.SOL_SOCKET, _socket.SCM_RIGHTS)
        for file in _numbers(data)
    ]
    for file in files:
        os.set_inheritable(file, False)
    head += _exactly(connection, _LENGTH - len(head)) if head else b""
    if len(head) < _LENGTH:
        return [], files
    length = int.from_bytes(head, "big")
    if length > _LIMIT:
        raise OSError("the message is too long")
    body = _exactly(connection, length)
    return ([os.fsdecode(text) for text in body.split(b"\0")] if len(body) == length else []), files


def _numbers(data: bytes) -> list[int]:
    whole = len(data) // _NUMBER * _NUMBER
    return [int.from_bytes(data[at : at + _NUMBER], sys.byteorder) for at in range(0, whole, _NUMBER)]


def _exactly(connection: Connection, length: int) -> bytes:
    """So many bytes, or fewer where the other side has gone."""
    data = b""
    while len(data) < length and (more := connection.recv(length - len(data))):
        data += more
    return data


class Start:
    """How a cockpit was started: what its arguments, folder, terminal and environment were."""

    def __init__(self, texts: list[str]):
        self.texts = texts
        self.folder, self.encoding, self.umask, self.size, count = texts[:5]
        self.arguments = texts[5 : 5 + int(count)]
        self.environment = dict(one.partition("=")[::2] for one in texts[5 + int(count) :])

    @classmethod
    def of_this_process(cls, arguments: list[str]) -> Start:
        """The one that is happening. Raises OSError in a folder that has gone."""
        mask = os.umask(0o077)
        os.umask(mask)
        try:
            size = "{}x{}".format(*os.get_terminal_size())
        except OSError:
            size = "120x40"
        encoding = getattr(sys.stdout, "encoding", "utf-8")
        variables = [f"{name}={value}" for name, value in os.environ.items()]
        return cls([os.getcwd(), encoding, str(mask), size, str(len(arguments)), *arguments, *variables])

    @property
    def key(self) -> tuple[object, ...]:
        """Two starts with the same key make the same cockpit, but for its size."""
        variables = self.environment
        kept = sorted(one for one in variables.items() if one[0] in KEPT or one[0].startswith(_KEPT_PREFIXES))
        present = [name for name in _PRESENT if variables.get(name)]
        return (self.folder, self.encoding, self.umask, self.arguments, kept, present)

    @property
    def fixed(self) -> tuple[object, ...]:
        """What Python and Textual look at while they are imported: a process cannot change it any more."""
        variables = self.environment
        kept = sorted(one for one in variables.items() if one[0].startswith(_FIXED_PREFIXES))
        iterm = "iTerm" in variables.get("TERM_PROGRAM", "") + variables.get("LC_TERMINAL", "")
        return (kept, variables.get("HOME"), variables.get("ESCDELAY"), iterm)
