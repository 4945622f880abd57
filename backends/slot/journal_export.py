"""journald's export format, as it comes in pieces: exact bytes of any kind and length, within bounded memory."""

from __future__ import annotations

from dataclasses import dataclass

VALUE_LIMIT = 64 * 1024
"""Bytes of one field's value that are kept; the rest is passed over."""


@dataclass(frozen=True)
class Entry:
    """One entry of a journal."""

    cursor: str
    """Names the entry's place for `journalctl --after-cursor`."""
    time: float
    """When journald received it, in seconds since the epoch."""
    message: bytes
    """The beginning of what was written, at most VALUE_LIMIT bytes; it may have several lines."""


class ExportParser:
    """Takes the bytes of `journalctl -o export` as they come, gives the entries that are complete.

    A field is `NAME=value` and a newline, or, where the value is no plain text, `NAME` and a newline, the value's
    length in eight bytes (little-endian), the value and a newline. An empty line ends an entry.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._fields: dict[bytes, bytes] = {}
        self._binary: bytes | None = None
        """The field whose binary value is being read."""
        self._left = -1
        """Bytes of that value and its newline that are still to come; -1 while its length is."""
        self._value = bytearray()

    def feed(self, chunk: bytes) -> list[Entry]:
        """The entries that `chunk` completes."""
        self._buffer += chunk
        entries: list[Entry] = []
        while self._take_binary() if self._binary is not None else self._take_line(entries):
            pass
        return entries

    def _take_line(self, entries: list[Entry]) -> bool:
        """Take one line off the buffer; False if it is not there yet."""
        end = self._buffer.find(b"\n")
        if end < 0:
            if len(self._buffer) > VALUE_LIMIT:
                del self._buffer[VALUE_LIMIT:]
            return False
        line = bytes(self._buffer[: min(end, VALUE_LIMIT)])
        del self._buffer[: end + 1]
        name, is_text, value = line.partition(b"=")
        if not line:
            entries += self._entry()
        elif is_text:
            self._fields.setdefault(name, value)
        else:
            self._binary, self._left = name, -1
            self._value.clear()
        return True

    def _take_binary(self) -> bool:
        if self._left < 0:
            if len(self._buffer) < 8:
                return False
            self._left = int.from_bytes(self._buffer[:8], "little") + 1
            del self._buffer[:8]
        taken = min(self._left, len(self._buffer))
        wanted = max(0, min(taken, VALUE_LIMIT - len(self._value), self._left - 1))
        self._value += self._buffer[:wanted]
        del self._buffer[:taken]
        self._left -= taken
        if self._left:
            return False
        assert self._binary is not None
        self._fields.setdefault(self._binary, bytes(self._value))
        self._binary = None
        return True

    def _entry(self) -> list[Entry]:
        fields, self._fields = self._fields, {}
        cursor = fields.get(b"__CURSOR")
        if cursor is None:
            return []
        try:
            microseconds = int(fields.get(b"__REALTIME_TIMESTAMP", b"0"))
        except ValueError:
            microseconds = 0
        return [Entry(cursor.decode(errors="replace"), microseconds / 1e6, fields.get(b"MESSAGE", b""))]
