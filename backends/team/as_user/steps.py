"""Steps in a home that may be full of traps: one name at a time from an open folder, and no link is followed.

Only the standard library is imported here: this runs in a process that has given root up.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator

FILE_LIMIT = 1 << 20
"""Bytes of a file that is read; a longer one is refused."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class Refused(Exception):
    """What is in a home is not what it should be; the sentence says what."""


@contextlib.contextmanager
def home(path: str) -> Iterator[int]:
    """The user's home, opened. Raises Refused where it is a link or somebody else's."""
    try:
        fd = os.open(path, _FOLDER)
    except OSError as error:
        raise Refused(f"{path} cannot be entered: {error.strerror}.") from error
    try:
        _check_owner(fd, path)
        yield fd
    finally:
        os.close(fd)


@contextlib.contextmanager
def folder(parent: int, name: str, shown: str, *, make: bool = True) -> Iterator[int]:
    """The folder `name`, made (0700) where it is missing. Raises Refused for a link, a file, or a foreign one."""
    if make:
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, 0o700, dir_fd=parent)
    try:
        fd = os.open(name, _FOLDER, dir_fd=parent)
    except OSError as error:
        raise Refused(f"{shown} is {_what(parent, name)}, and should be a folder.") from error
    try:
        _check_owner(fd, shown)
        yield fd
    finally:
        os.close(fd)


def read_file(parent: int, name: str, shown: str) -> bytes | None:
    """The bytes of a plain file; None where there is none. Raises Refused for anything else and for a huge one."""
    try:
        fd = os.open(name, _FILE, dir_fd=parent)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Refused(f"{shown} is {_what(parent, name)}, and should be a plain file.") from error
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise Refused(f"{shown} is {_what(parent, name)}, and should be a plain file.")
        _check_owner(fd, shown)
        with os.fdopen(fd, "rb", closefd=False) as file:
            content = file.read(FILE_LIMIT + 1)
    finally:
        os.close(fd)
    if len(content) > FILE_LIMIT:
        raise Refused(f"{shown} has more than {FILE_LIMIT} bytes.")
    return content


def write_file(parent: int, name: str, content: bytes, *, replace: bool = True) -> str:
    """Have `name` hold `content`, whole or not at all, 0600; what `seen` says of it then.

    Without `replace` a name that is there stays as it is. The name is replaced, never what a link of it leads to.
    """
    temporary = f".{name[:100]}.{secrets.token_hex(8)}.tmp"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(temporary, flags, 0o600, dir_fd=parent)
    try:
        with os.fdopen(fd, "wb", closefd=False) as file:
            file.write(content)
        os.fsync(fd)
        if replace:
            os.rename(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
        else:
            with contextlib.suppress(FileExistsError):
                os.link(temporary, name, src_dir_fd=parent, dst_dir_fd=parent, follow_symlinks=False)
            os.unlink(temporary, dir_fd=parent)
        os.fsync(parent)
        return seen(os.fstat(fd))
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=parent)
        raise
    finally:
        os.close(fd)


def link(parent: int, name: str, target: str, shown: str) -> None:
    """Have `name` be a link to `target`. Raises Refused where something else than a link is there."""
    try:
        if os.readlink(name, dir_fd=parent) == target:
            return
    except FileNotFoundError:
        pass
    except OSError as error:
        raise Refused(f"{shown} is {_what(parent, name)}, and should be a link to {target}.") from error
    temporary = f".{name}.{secrets.token_hex(8)}.tmp"
    os.symlink(target, temporary, dir_fd=parent)
    os.rename(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)


def set_aside(parent: int, name: str) -> None:
    """Rename what is in the way, so that nothing reads it under its name any more."""
    with contextlib.suppress(FileNotFoundError):
        os.rename(name, f"{name}.refused-{secrets.token_hex(4)}", src_dir_fd=parent, dst_dir_fd=parent)


def is_there(parent: int, name: str) -> bool:
    """Whether anything has this name, a link that leads nowhere included."""
    try:
        os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def seen(found: os.stat_result) -> str:
    """What changes whenever a file does: nobody but root can set the time of a file's last change."""
    return f"{found.st_dev}:{found.st_ino}:{found.st_size}:{found.st_mtime_ns}:{found.st_ctime_ns}"


def _check_owner(fd: int, shown: str) -> None:
    owner = os.fstat(fd).st_uid
    if owner != os.geteuid():
        raise Refused(f"{shown} belongs to uid {owner}, and should be {os.geteuid()}'s.")


def _what(parent: int, name: str) -> str:
    try:
        mode = os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode
    except OSError as error:
        return f"not to be looked at ({error.strerror})"
    kinds = {stat.S_IFLNK: "a link", stat.S_IFDIR: "a folder", stat.S_IFREG: "a file", stat.S_IFIFO: "a pipe"}
    return kinds.get(stat.S_IFMT(mode), "a socket or device")
