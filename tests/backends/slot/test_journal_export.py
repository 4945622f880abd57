"""journald's export format, in whatever pieces it comes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from backends.slot.journal_export import VALUE_LIMIT, Entry, ExportParser


def exported(entry: Entry, *, binary: bool) -> bytes:
    """`entry` as journalctl writes it; what is no plain text must be `binary`."""
    head = f"__CURSOR={entry.cursor}\n__REALTIME_TIMESTAMP={round(entry.time * 1e6)}\n_BOOT_ID=0\n".encode()
    size = len(entry.message).to_bytes(8, "little")
    value = b"MESSAGE\n" + size + entry.message if binary else b"MESSAGE=" + entry.message
    return head + value + b"\n\n"


def parsed(data: bytes, pieces: list[int]) -> list[Entry]:
    parser, found = ExportParser(), []
    for size in pieces:
        found += parser.feed(data[:size])
        data = data[size:]
    return found + parser.feed(data)


MESSAGES = st.lists(st.binary(max_size=40), max_size=8)


@given(MESSAGES, st.lists(st.integers(0, 60), max_size=20), st.booleans())
def test_entries_come_whole_in_whatever_pieces_they_are_read(
    messages: list[bytes], pieces: list[int], plain: bool
) -> None:
    entries = [Entry(f"s=1;i={number}", 1795168800.0 + number, text) for number, text in enumerate(messages)]
    data = b"".join(exported(one, binary=not plain or b"\n" in one.message) for one in entries)
    assert parsed(data, pieces) == entries


@given(st.binary(max_size=200), st.lists(st.integers(0, 60), max_size=20))
def test_no_bytes_can_upset_it(data: bytes, pieces: list[int]) -> None:
    parsed(data, pieces)


def test_of_a_huge_message_only_the_beginning_is_kept() -> None:
    parser = ExportParser()
    count = 3 * VALUE_LIMIT
    for binary in (True, False):
        data = exported(Entry("s=1", 5.0, b"x" * count), binary=binary) + exported(
            Entry("s=2", 6.0, b"y"), binary=False
        )
        found = []
        for at in range(0, len(data), 1000):
            found += parser.feed(data[at : at + 1000])
            assert len(parser._buffer) <= VALUE_LIMIT + 1000
        assert [(one.cursor, one.message[-1:]) for one in found] == [("s=1", b"x"), ("s=2", b"y")]
        assert VALUE_LIMIT - 10 < len(found[0].message) <= VALUE_LIMIT


def test_a_message_that_is_given_twice_counts_once_and_an_entry_without_one_is_empty() -> None:
    data = b"__CURSOR=a\nMESSAGE=one\nMESSAGE=two\n\n__CURSOR=b\n__REALTIME_TIMESTAMP=x\n\nMESSAGE=no cursor\n\n\n"
    assert parsed(data, []) == [Entry("a", 0.0, b"one"), Entry("b", 0.0, b"")]
