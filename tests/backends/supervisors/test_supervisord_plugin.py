"""Readers of the event socket that do not read."""

from __future__ import annotations

import socket

from backends.supervisors.supervisord_plugin import BUFFER_LIMIT, EventReader


def test_a_reader_that_lags_too_far_behind_is_dropped() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        reader = EventReader(ours)
        message = {"name": "x" * 10_000}
        for _ in range(BUFFER_LIMIT // 10_000 * 2):
            reader.push(message)
        assert ours.fileno() == -1


def test_a_reader_that_went_away_does_no_harm() -> None:
    ours, theirs = socket.socketpair()
    theirs.close()
    reader = EventReader(ours)
    reader.push({"name": "web"})
    reader.push({"name": "web"})
    assert ours.fileno() == -1
