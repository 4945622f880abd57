"""Texts of slots: nothing that steers a terminal gets through."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from backends.box.harmless import harmless, harmless_line
from backends.model.box_calls import ReportParams
from backends.model.state import LogLine
from backends.model.text import safe_text
from tests.backends.box.events import audit, event

TEXTS = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("\x1b[]m;\x07\u202e\x9b"))


@given(TEXTS, TEXTS)
def test_every_text_of_a_report_is_safe_afterwards(subject: str, value: str) -> None:
    told = event("audit.x", subject, deep=[{value: value}])
    (found,) = harmless(ReportParams(slot="alice", events=(told,))).events
    assert found.subject == safe_text(subject)
    assert found.data == {"deep": [{safe_text(value): safe_text(value)}]}


def test_a_report_without_anything_bad_is_passed_as_it_is() -> None:
    report = ReportParams(slot="alice", events=(audit('släsh / and "quotes"\n'),))
    assert harmless(report) is report


@given(TEXTS)
def test_a_log_line_keeps_its_colours_and_nothing_else(text: str) -> None:
    shown = harmless_line(LogLine(source=text, text=f"\x1b[1;31m{text}\x1b[0m")).text
    assert shown.startswith("\x1b[1;31m")
    assert shown.endswith("\x1b[0m")
    plain = re.sub("\x1b\\[[0-9;:]*m", "", shown)
    assert plain == safe_text(plain)
    assert "\n" not in plain
