"""Standard input as a pipe gives it to a verb that runs in this process."""

from __future__ import annotations

import io

import pytest


def on_standard_input(monkeypatch: pytest.MonkeyPatch, text: str | bytes) -> None:
    """Have `text` on standard input, whatever the locale would make of its bytes."""
    raw = text if isinstance(text, bytes) else text.encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw), encoding="ascii"))
