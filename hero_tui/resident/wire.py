"""What a starting cockpit and the resident one say to each other, over a socket of this user's alone; stdlib only.

A message is a length and texts; the first text is its kind. Terminals travel with it as open files.
"""

# pathlib would take a third of the time that a start has
# ruff: noqa: PTH102, PTH109, PTH118, PTH120

from __future__ import annotations

import os
import socket
import stat
import struct
import sys
import zlib

_LENGTH = struct.Struct("!I")
_LIMIT = 4 * 1024 * 1024
_MOST_FILES = 8
_NAME = "cockpit-{:08x}.sock"

KEPT = frozenset({"COLORTERM", "HOME", "LANG", "LOGNAME", "NO_COLOR", "TERM", "TZ", "USER", "ESCDELAY"})
_KEPT_PREFIXES = ("HERO_", "LC_", "PYTHON", "TEXTUAL_", "XDG_CONFIG", "XDG_DATA", "XDG_STATE")
_PRESENT = ("MOSH_KEY", "SSH_CLIENT", "SSH_CONNECTION", "SSH_TTY", "TMUX")
_FIXED_PREFIXES = ("PYTHON", "TEXTUAL_")


def socket_path() -> str:
    """Where the resident cockpit of this user and installation listens; "" where no folder is private enough."""
    folder = _folder()
    installed = f"{sys.executable}\0{os.path.dirname(os.path.dirname(__file__))}"
    return os.path.join(folder, _NAME.format(zlib.crc32(installed.encode()))) if folder else ""


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


def is_ours(connection: socket.socket) -> bool:
    """Whether the other side runs as this user: nobody else gets a terminal of ours, or ours to draw on theirs."""
    peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return bool(struct.unpack("3i", peer)[1] == os.geteuid())


def send(connection: socket.socket, *texts: str, files: tuple[int, ...] = ()) -> None:
    """Send a message. Raises OSError."""
    body = b"\0".join(os.fsencode(text) for text in texts)
    message = _LENGTH.pack(len(body)) + body
    sent = socket.send_fds(connection, [message], list(files)) if files else connection.send(message)
    if sent < len(message):
        connection.sendall(message[sent:])


def receive(connection: socket.socket) -> tuple[list[str], list[int]]:
    """The next message and the files with it; no texts once the other side has gone. Raises OSError."""
    head, files, _, _ = socket.recv_fds(connection, _LENGTH.size, _MOST_FILES)
    for file in files:
        os.set_inheritable(file, False)
    head += _exactly(connection, _LENGTH.size - len(head)) if head else b""
    if len(head) < _LENGTH.size:
        return [], files
    (length,) = _LENGTH.unpack(head)
    if length > _LIMIT:
        raise OSError("the message is too long")
    body = _exactly(connection, length)
    return ([os.fsdecode(text) for text in body.split(b"\0")] if len(body) == length else []), files


def _exactly(connection: socket.socket, length: int) -> bytes:
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
