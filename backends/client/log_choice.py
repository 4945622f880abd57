"""Files that a person names to have them shown as logs: each looked at first, and called by a name of its own."""

from __future__ import annotations

import os
import resource
import shlex
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path

from backends.client.log_files import rotations
from backends.model.errors import HeroError, nearest
from backends.model.text import safe_line

MOST = 64
"""Files that are shown together; each has a thread that looks through it."""
_OTHER_FILES = 200
"""What else may be open: the terminal, modules, the kernel's watches, and rotations to come."""
_LOOK = 8192
_SHORT = 60
_PACKED = {
    b"\x1f\x8b": ("gzip", "zcat"),
    b"BZh": ("bzip2", "bzcat"),
    b"\xfd7zXZ\x00": ("xz", "xzcat"),
    b"\x28\xb5\x2f\xfd": ("zstd", "zstdcat"),
    b"LPKSHHRH": ("systemd-journald", "journalctl --file"),
}
"""How files begin that another program makes lines of."""


def chosen_logs(paths: Iterable[Path]) -> dict[str, Path]:
    """The logs to show, by the names of their sources; one that is named twice, or as a rotation, is there once.

    Raises HeroError for the first one that cannot be shown, and where all of them are empty.
    """
    wanted = list(dict.fromkeys(_absolute(path) for path in paths))
    if len(wanted) > MOST:
        raise HeroError("usage", f"{len(wanted)} files are too many: {MOST} are shown together at most.")
    found: dict[tuple[int, int], Path] = {}
    for path in wanted:
        status = _look_at(path)
        found.setdefault((status.st_dev, status.st_ino), path)
    older = {rotation for path in found.values() for rotation in list(rotations(path))[1:]}
    kept = [path for path in found.values() if path not in older]
    if kept and not any(file.stat().st_size for path in kept for file in rotations(path)):
        many = len(kept) > 1
        told = f"All {len(kept)} files are empty." if many else f"{_shown(kept[0])} is empty."
        hint = "" if many else f"`tail -F {_quoted(kept[0])} | hero_tui --log -` waits for what comes."
        raise HeroError("failed", told, hint=hint)
    return dict(zip(source_names(kept), kept, strict=True))


def allow_open(paths: Iterable[Path]) -> None:
    """Have this process be allowed to open the logs and their rotations. Raises HeroError where it may not be."""
    files = sum(1 for path in paths for _ in rotations(path))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = files + _OTHER_FILES
    if soft == resource.RLIM_INFINITY or wanted <= soft:
        return
    if hard != resource.RLIM_INFINITY and wanted > hard:
        told = f"With their rotations these are {files} files, and only {hard} may be open at once."
        raise HeroError("failed", told, hint="Name fewer, or raise the limit: `ulimit -Hn`.")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def source_names(paths: Sequence[Path]) -> list[str]:
    """What each file is called: its name, with as much of its folder as tells them apart."""
    for depth in range(1, max((len(path.parts) for path in paths), default=1)):
        names = ["/".join(path.parts[-depth:]).removesuffix(".log") or path.name for path in paths]
        if len(set(names)) == len(names):
            return [safe_line(name, _SHORT) for name in names]
    return [safe_line(str(path)) for path in paths]


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path.expanduser()))  # noqa: PTH100 - a link may be made to lead elsewhere later


def _look_at(path: Path) -> os.stat_result:
    """What the file is. Raises HeroError with why it cannot be shown."""
    shown = _shown(path)
    try:
        status = path.stat()
        if stat.S_ISREG(status.st_mode):
            _look_into(path, shown)
    except (FileNotFoundError, NotADirectoryError):
        raise HeroError("not_found", f"{shown} is not there.", hint=_meant(path)) from None
    except PermissionError:
        hint = f"`ls -l {_quoted(path)}` tells whose it is."
        raise HeroError("denied", f"{shown} may not be read by you.", hint=hint) from None
    except OSError as error:
        raise HeroError("failed", f"{shown} cannot be read: {error.strerror}.") from None
    if stat.S_ISDIR(status.st_mode):
        hint = f"Name files in it: `hero_tui --log {_quoted(path)}/*.log`."
        raise HeroError("usage", f"{shown} is a folder.", hint=hint)
    if not stat.S_ISREG(status.st_mode):
        is_pipe, is_socket = stat.S_ISFIFO(status.st_mode), stat.S_ISSOCK(status.st_mode)
        kind = "a pipe" if is_pipe else "a socket" if is_socket else "a device"
        hint = "" if is_socket else f"`cat {_quoted(path)} | hero_tui --log -` shows what comes."
        raise HeroError("usage", f"{shown} is {kind}, which keeps nothing.", hint=hint)
    return status


def _look_into(path: Path, shown: str) -> None:
    """Raises HeroError where there are no lines in it."""
    with path.open("rb") as file:
        begin = file.read(_LOOK)
        file.seek(max(0, os.fstat(file.fileno()).st_size - _LOOK))
        end = file.read(_LOOK)
    for magic, (name, program) in _PACKED.items():
        if begin.startswith(magic):
            hint = f"`{program} {_quoted(path)} | hero_tui --log -` shows what is in it."
            raise HeroError("usage", f"{shown} is packed by {name}, and no text.", hint=hint)
    # A log that was cut off under a program that goes on writing begins with NULs; it does not end with some.
    if b"\0" in begin and b"\0" in end:
        hint = f"`strings {_quoted(path)} | hero_tui --log -` shows the text in it."
        raise HeroError("usage", f"{shown} is binary, and no text.", hint=hint)


def _meant(path: Path) -> str:
    try:
        close = nearest(path.name, [one.name for one in path.parent.iterdir()], 1)
    except OSError:
        return f"{_shown(path.parent)} is no folder that you may look into."
    if close:
        return f"Did you mean {_shown(path.with_name(close[0]))}?"
    return f"`ls {_quoted(path.parent)}` shows what is there."


def _quoted(path: Path) -> str:
    return shlex.quote(_shown(path))


def _shown(path: Path) -> str:
    """As a person reads it, and as short as it can be given."""
    here = Path.cwd()
    return safe_line(str(path.relative_to(here) if path.is_relative_to(here) else path), 200)
