"""The modules of a start in one file: to find and read five hundred of them takes a third of a start's time.

It has what is in the `__pycache__` folders, and holds as long as that does: each module's code while its source
is the one that it was made from, all of it while Python and the folders of `sys.path` are the same. What does not
hold is imported as ever, and the file is made anew once the cockpit stands.
"""

# pathlib would take a tenth of the time that this saves
# ruff: noqa: PTH100, PTH103, PTH104, PTH108, PTH109, PTH111, PTH116, PTH118, PTH120, PTH123, PTH208
# marshal reads what this user's own process wrote, from a file that nobody else can write to
# ruff: noqa: S302

from __future__ import annotations

import contextlib
import dataclasses
import marshal
import mmap
import os
import re
import stat
import sys
import zlib
from importlib import import_module
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import MAGIC_NUMBER, spec_from_file_location
from typing import TYPE_CHECKING, Any, NamedTuple, cast

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType, ModuleType

_sre, _compiler, _parser = map(import_module, ("_sre", "re._compiler", "re._parser"))
_compiled = _compiler.compile
_RE_IS_KNOWN = sys.version_info < (3, 14)
"""What `_parts_of` does is what the compilers of 3.11 to 3.13 do; of any other Python nothing is changed."""

_HEAD = 16
"""Bytes before the code in a `.pyc`: magic, flags, time and length of the source."""
_FORMAT = 1

Entry = tuple[str, bool, int, int, int, int]
"""A module's source, whether it is a package, the source's time and length; where the code begins and ends."""


class _Loader(SourceFileLoader):
    """Any other loader of a source file, but that the code is here already."""

    def __init__(self, name: str, path: str, code: memoryview) -> None:
        super().__init__(name, path)
        self._code: memoryview | None = code

    def get_code(self, fullname: str) -> CodeType | None:
        """The module's code; asked for again, that of its own file."""
        code, self._code = self._code, None
        if code is not None:
            with contextlib.suppress(EOFError, ValueError, TypeError):
                return cast("CodeType", marshal.loads(code))
        return super().get_code(fullname)


class Made(NamedTuple):
    """What data classes' methods compile to, by their text; what a pattern is made of, by it and its flags."""

    methods: dict[str, bytes]
    patterns: dict[tuple[str | bytes, int], tuple[Any, ...]]


def _parts_of(pattern: str | bytes, flags: int) -> tuple[Any, ...]:
    """All but the pattern that Python makes a pattern of; as its own compiler does."""
    parsed = _parser.parse(pattern, flags)
    code = [int(one) for one in _compiler._code(parsed, flags)]
    names, count = dict(parsed.state.groupdict), parsed.state.groups
    by_number = {number: name for name, number in names.items()}
    return (flags | parsed.state.flags, code, count - 1, names, tuple(by_number.get(one) for one in range(count)))


class Image:
    """A finder of modules. `holds` is False once it turned out to lack something that is there.

    It has two things more that Python makes anew in each process, which takes as long as to find the modules: the
    methods of data classes, which are put together as text and compiled, and the patterns that modules have.
    """

    def __init__(self, data: memoryview, entries: dict[str, Entry], made: Made | None = None) -> None:
        self._data = data
        self._entries = entries
        self._known = made or Made({}, {})
        self.used = Made({}, {})
        self.holds = bool(entries)

    def run(self, text: str, names: dict[str, Any], into: dict[str, Any]) -> None:
        """Does in `dataclasses` what `exec` does there."""
        code = self._known.methods.get(text)
        if code is None:
            self.holds = False
            code = marshal.dumps(compile(text, "<string>", "exec", dont_inherit=True))
        self.used.methods[text] = code
        exec(marshal.loads(code), names, into)  # noqa: S102  # as there

    def pattern(self, pattern: Any, flags: int = 0) -> Any:
        """Does in `re` what its compiler does there."""
        if type(pattern) not in (str, bytes) or flags & re.DEBUG:
            return _compiled(pattern, flags)
        parts = self._known.patterns.get((pattern, flags))
        if parts is None:
            self.holds = False
            parts = _parts_of(pattern, flags)
        self.used.patterns[pattern, flags] = parts
        return _sre.compile(pattern, *parts)

    def find_spec(self, name: str, path: object = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """See `importlib.abc.MetaPathFinder`."""
        entry = self._entries.get(name)
        if entry is None:
            return None
        file, package, changed, length, begin, end = entry
        try:
            found = os.stat(file)
        except OSError:
            found = None
        if found is None or (int(found.st_mtime) & 0xFFFFFFFF, found.st_size) != (changed, length):
            self.holds = False
            return None
        folders = [os.path.dirname(file)] if package else None
        loader = _Loader(name, file, self._data[begin:end])
        return spec_from_file_location(name, file, loader=loader, submodule_search_locations=folders)

    @property
    def names(self) -> frozenset[str]:
        """The modules in it."""
        return frozenset(self._entries)


_used: list[Image] = []


def use() -> None:
    """Have what is imported from now on come from the file, as far as it holds."""
    image = _read(_path())
    _used.append(image)
    sys.meta_path.insert(0, image)
    dataclasses.exec = image.run  # type: ignore[attr-defined]  # a name of the module's own hides the built-in one
    if _RE_IS_KNOWN:
        _compiler.compile = image.pattern  # type: ignore[attr-defined]


def renew() -> None:
    """Leave Python as it was, and make the file anew where this start had to look elsewhere.

    Blocks for a tenth of a second. Only a process that began with the file knows what it lacks: in any other,
    nothing happens.
    """
    if not _used:
        return
    image, path = _used.pop(), _path()
    sys.meta_path.remove(image)
    del dataclasses.exec  # type: ignore[attr-defined]
    _compiler.compile = _compiled  # type: ignore[attr-defined]
    found = dict(_modules())
    if not path or sys.dont_write_bytecode or (image.holds and found.keys() <= image.names):
        return
    with contextlib.suppress(OSError):
        _write(path, found, image.used)


def _path() -> str:
    """Where it is: in this user's cache; "" where there is none."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not base.startswith("/"):
        home = os.path.expanduser("~")
        base = os.path.join(home, ".cache") if _is_mine(home) else ""
    installed = f"{sys.executable}\0{os.path.dirname(os.path.dirname(os.path.abspath(__file__)))}"
    return os.path.join(base, "hero", f"start-{zlib.crc32(installed.encode()):08x}.image") if base else ""


def _is_mine(folder: str) -> bool:
    """Whether it is this user's; root in somebody else's home leaves nothing there."""
    try:
        return folder.startswith("/") and os.stat(folder).st_uid == os.geteuid()
    except OSError:
        return False


def _ground() -> tuple[object, ...]:
    """What all of it hangs on: this Python, where it looks for modules, and what those folders have."""
    folders = [folder or os.getcwd() for folder in sys.path]
    return (_FORMAT, sys.version, sys.flags.optimize, *folders, *map(_names_in, folders))


def _names_in(folder: str) -> int:
    """A sum of what is in a folder and may be imported: with another name in it, another module may be meant."""
    try:
        names = [name for name in os.listdir(folder) if "." not in name or name.endswith((".py", ".so"))]
    except OSError:
        return 0
    return zlib.crc32("\0".join(sorted(names)).encode(errors="surrogateescape"))


def _read(path: str) -> Image:
    """What the file has; nothing where it is not this user's alone, or of another Python."""
    nothing = Image(memoryview(b""), {})
    if not path:
        return nothing
    try:
        folder = os.stat(os.path.dirname(path))
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return nothing
    try:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode) or any(
            one.st_uid != os.geteuid() or one.st_mode & 0o022 for one in (folder, found)
        ):
            return nothing
        data = memoryview(mmap.mmap(file, 0, prot=mmap.PROT_READ))
        length = int.from_bytes(data[:8], "little")
        ground, entries, *made = marshal.loads(data[8 : 8 + length])
        return Image(data[8 + length :], entries, Made(*made)) if ground == _ground() else nothing
    except (OSError, ValueError, EOFError, TypeError):
        return nothing
    finally:
        os.close(file)


def _modules() -> Iterator[tuple[str, tuple[str, bool, str]]]:
    """Source, whether it is a package, and compiled file of each module that was loaded from files."""
    for name, module in sys.modules.copy().items():
        spec = getattr(module, "__spec__", None)
        if spec is None or spec.name != name or not isinstance(spec.loader, SourceFileLoader):
            continue
        if spec.origin and spec.cached:
            yield name, (spec.origin, spec.submodule_search_locations is not None, spec.cached)


def _write(path: str, modules: dict[str, tuple[str, bool, str]], made: Made) -> None:
    entries: dict[str, Entry] = {}
    codes = []
    begin = 0
    for name, (source, package, compiled) in modules.items():
        try:
            with open(compiled, "rb") as file:
                data = file.read()
        except OSError:
            continue
        if data[:8] != MAGIC_NUMBER + bytes(4):
            continue  # of another Python, or one that is not judged by the source's time
        changed, length = (int.from_bytes(data[at : at + 4], "little") for at in (8, 12))
        codes.append(data[_HEAD:])
        entries[name] = (source, package, changed, length, begin, begin + len(codes[-1]))
        begin += len(codes[-1])
    index = marshal.dumps((_ground(), entries, *made))  # type: ignore[arg-type]  # of numbers and texts all through
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    beside = f"{path}.{os.getpid()}"
    file_number = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        with open(file_number, "wb") as file:
            file.writelines((len(index).to_bytes(8, "little"), index, *codes))
            file.flush()
            os.fsync(file_number)
        os.rename(beside, path)
    except OSError:
        os.unlink(beside)
        raise
