"""A slot as `hero_dev status` prints it."""

from __future__ import annotations

import pytest

from hero_tui.render.detail import detail_lines
from hero_tui.render.signs import ASCII
from hero_tui.render.status import status_lines
from hero_tui.render.terminal import Terminal
from hero_tui.render.text import cells
from tests.hero_tui.render.replies import SECONDS, ago, crashed, data, failed_build, service, slot

WIDE = Terminal(200)


def shown(*services: object, terminal: Terminal = WIDE, peeked: bool = False, **fields: object) -> str:
    status = data(slot(*services, **fields))  # type: ignore[arg-type]
    return "\n".join(status_lines(status, terminal, SECONDS, peeked=peeked))


def test_a_service_is_one_line_with_its_binding_its_drift_and_its_health() -> None:
    line = shown(service()).splitlines()[3]
    told = "hero_router development 1c487cb1 release = current ● healthy 12m"
    assert " ".join(line.split()) == f"{told} /box/home/alice/hero/var/sockets/hero_router/web.sock"


def test_the_header_counts_the_services_by_their_health() -> None:
    assert shown(service(), crashed()).startswith("alice on demo · developer · 2 services: 1 healthy, 1 crashed\n")


def test_a_crash_is_told_with_its_reason_and_its_last_words() -> None:
    note = shown(crashed()).splitlines()[-1]
    expected = "✖ hero_voice  crashed 12s ago · exit 101 · restarted 2 times · last said: frame of 0 samples"
    assert note == expected


def test_what_is_simply_well_has_no_note() -> None:
    assert len(shown(service()).splitlines()) == 4


def test_drift_is_told_with_its_reason() -> None:
    text = shown(service(drift="behind", drift_reason="development-77 is newer"))
    assert "↓ behind" in text
    assert text.endswith("↓ hero_router  behind: development-77 is newer")


def test_a_failed_build_is_told_with_where_its_output_is() -> None:
    text = shown(service(build=failed_build("hero_router")))
    assert "✗ failed 3m" in text
    assert text.endswith("The build failed: exit 1. `hero_dev logs --build hero_router-12`")


def test_a_running_operation_shows_in_the_cell_and_below() -> None:
    running = {
        "id": "1",
        "kind": "switch",
        "title": "switch hero_router x",
        "phase": "unpack",
        "started_at": ago(1),
    }
    text = shown(service(operation=running))
    assert "↻ healthy" in text
    assert text.endswith("hero_router  switch hero_router x: unpack")


def test_an_empty_slot_says_what_to_do() -> None:
    assert "`hero_dev bind SERVICE` adds one" in shown()
    assert "hero_dev bind" not in shown(peeked=True)


def test_a_manifest_that_does_not_parse_is_told_with_its_place() -> None:
    problem = "dev_manifest.toml:3:5: unknown key `brnch`; did you mean `branch`?"
    assert f"▲ {problem}" in shown(service(), problems=(problem,))


def test_a_slot_whose_daemon_is_away_says_how_old_its_news_is() -> None:
    assert "≈ The slot's daemon is away; this is what it told 0s ago." in shown(service(), online=False)


def test_a_peek_says_that_it_is_read_only() -> None:
    assert "read-only" in shown(service(), peeked=True).splitlines()[0]


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120])
def test_no_line_wraps_in_a_narrow_terminal(width: int) -> None:
    services = (service(), crashed(), service("hero_slides", branch="development_with_a_long_name"))
    text = shown(*services, terminal=Terminal(width), problems=("a problem that takes more than one line " * 3,))
    assert max(cells(line) for line in text.splitlines()) <= width


def test_forty_columns_still_show_service_branch_and_health() -> None:
    line = shown(service(branch="development_mik"), terminal=Terminal(40)).splitlines()[-1]
    assert "hero_router" in line
    assert "_mik" in line
    assert "●" in line


def test_signs_are_ascii_where_nothing_else_can_be_shown() -> None:
    text = shown(service(), crashed(drift="modified"), terminal=Terminal(120, signs=ASCII))
    assert text.isascii()


def test_colours_are_there_only_when_asked_for() -> None:
    assert "\x1b[32m● healthy\x1b[0m" in shown(service(), terminal=Terminal(200, colour=True))
    assert "\x1b" not in shown(service())


def test_what_a_teammate_named_a_branch_reaches_no_terminal_as_it_is() -> None:
    text = shown(service(branch="x\x1b[2J\x1b]0;owned\x07y"), crashed(last_log="\x1b[31mred\x9b5n"))
    assert not set(text) & set("\x1b\x07\x9b")


def test_all_that_is_known_of_a_service_is_told_without_empty_facts() -> None:
    lines = detail_lines(data(crashed(tag="development-1c487cb1")), WIDE, SECONDS)
    assert lines[0] == "hero_voice"
    assert "  health     ✖ crashed for 12s (exit 101)" in lines
    assert "  release    development-1c487cb1" in lines
    assert not [line for line in lines if line.startswith("  url")]


URL = "https://box.hero.example/alice/router/"


def test_a_service_with_a_url_shows_it_whole_and_no_socket() -> None:
    for width in (200, 80):
        text = shown(service(url=URL), crashed(branch="development_alice"), terminal=Terminal(width))
        assert URL in text
        assert "URL" in text.splitlines()[2]
    assert "hero_router/web.sock" not in text


def test_where_a_url_does_not_fit_whole_it_is_not_shown_at_all() -> None:
    assert "https" not in shown(service(url=URL), terminal=Terminal(50))
