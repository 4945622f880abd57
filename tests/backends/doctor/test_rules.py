"""The rules that need no machine: disks, clocks, units, tmux, locales, limits, versions, certificates, backups."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.doctor import tmux
from backends.doctor.box_state import judge_backup, judge_reconciler, just_started
from backends.doctor.clock import moment_of, skew, skew_state
from backends.doctor.disks import GIB, Room, inode_state, space_state
from backends.doctor.limits import not_in_force
from backends.doctor.router import judge_days, variables
from backends.doctor.systemctl import Unit, fault_of, parse_show, unit_of
from backends.doctor.terminal import encoding_of, is_utf8
from backends.doctor.versions import outdated, parse_version
from backends.doctor.worktrees import last_commit, parse_list
from backends.model.team_files import Limits

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
RUNNING = Unit("hero_boxd.service", True, "active", "running", "enabled", "success", "0", 0, 5000.0)


@pytest.mark.parametrize(
    ("free", "total", "state"),
    [
        (50 * GIB, 100 * GIB, "ok"),
        (500 * GIB, 10_000 * GIB, "ok"),
        (9 * GIB, 100 * GIB, "warn"),
        (GIB // 2, 100 * GIB, "bad"),
        (GIB // 2, GIB, "ok"),
        (GIB // 100, GIB, "bad"),
    ],
)
def test_room_is_judged_by_what_is_left_and_by_its_share(free: int, total: int, state: str) -> None:
    assert space_state(Room(total, free)) == state


@given(st.integers(0, 2**60), st.integers(0, 2**60), st.integers(0, 2**60))
def test_more_room_is_never_worse(total: int, one: int, other: int) -> None:
    order = ["bad", "warn", "ok"]
    less, more = sorted((one, other))
    assert order.index(space_state(Room(total, less))) <= order.index(space_state(Room(total, more)))
    assert order.index(inode_state(Room(1, 1, total, less))) <= order.index(inode_state(Room(1, 1, total, more)))


def test_a_file_system_without_a_number_of_inodes_has_enough() -> None:
    assert inode_state(Room(GIB, GIB)) == "ok"


@given(st.floats(0, 4e9), st.floats(0, 30), st.floats(-1e5, 1e5))
def test_what_the_length_of_the_question_explains_is_no_skew(asked: float, took: float, off: float) -> None:
    theirs = asked + took / 2 - off
    if not 0 <= theirs < 4e9:
        return
    header = format_datetime(datetime.fromtimestamp(int(theirs), UTC), usegmt=True)
    found = skew(header, asked, asked + took)
    assert found is not None
    assert abs(found - off) <= took / 2 + 1.001
    if abs(off) <= took / 2:
        assert found == 0.0 or abs(found) < 1.001


@given(st.text())
def test_any_text_is_a_date_or_none(text: str) -> None:
    assert moment_of(text) is None or isinstance(moment_of(text), float)


def test_a_clock_is_judged_by_how_far_off_it_is_either_way() -> None:
    assert [skew_state(seconds) for seconds in (0, -2, 4, -30, 61, -4000)] == [
        "ok",
        "ok",
        "warn",
        "warn",
        "bad",
        "bad",
    ]


def test_units_are_read_from_what_systemctl_shows() -> None:
    text = (
        "Id=a.service\nLoadState=loaded\nActiveState=active\nNRestarts=2\nExecMainStartTimestampMonotonic=5000000\n"
        "\nId=b.service\nActiveState=failed\nResult=exit-code\nExecMainStatus=3\nEnvironment=A=1\n"
    )
    first, second = (unit_of(block, 65.0) for block in parse_show(text))
    assert (first.name, first.loaded, first.restarts, first.up_for) == ("a.service", True, 2, 60.0)
    assert (second.name, second.loaded, second.up_for) == ("b.service", False, None)


@given(st.text())
def test_any_text_is_read_as_units(text: str) -> None:
    for block in parse_show(text):
        fault_of(unit_of(block, 1.0))


@pytest.mark.parametrize(
    ("change", "bad", "fault"),
    [
        ({}, False, ""),
        ({"loaded": False}, True, "is not installed"),
        ({"sub": "auto-restart", "restarts": 9}, True, "keeps falling: it was started again 9 times (success)"),
        (
            {"active": "failed", "result": "exit-code", "status": "3"},
            True,
            "has failed (exit-code, exit status 3)",
        ),
        ({"active": "inactive"}, True, "does not run"),
        ({"restarts": 2, "up_for": 30.0}, False, "fell 2 times and runs again, for 30 s now"),
        ({"restarts": 2}, False, ""),
        ({"enabled": "disabled"}, True, "is disabled: the next boot does not start it"),
    ],
)
def test_what_is_wrong_with_a_unit(change: dict[str, object], bad: bool, fault: str) -> None:
    unit = Unit(**{**RUNNING.__dict__, **change})
    assert fault_of(unit) == (bad, fault)


def test_a_daemon_that_is_older_than_the_software_is_outdated() -> None:
    assert outdated([RUNNING], 10_000.0, 16_000.0) == []
    assert outdated([RUNNING], 12_000.0, 16_000.0) == ["hero_boxd"]


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("git version 2.39.5\n", (2, 39, 5)),
        ("v2.6.2 h1:abc=\n", (2, 6, 2)),
        ("systemd 252 (252.39-1~deb12u2)\n+PAM", (252,)),
        ("2.6.2\n", (2, 6, 2)),
        ("", ()),
        ("no number\n3", ()),
    ],
)
def test_versions_are_found_in_what_programs_say(text: str, version: tuple[int, ...]) -> None:
    assert parse_version(text) == version


@pytest.mark.parametrize(
    ("text", "version"),
    [("tmux 3.3a", (3, 3)), ("tmux next-3.6", (3, 6)), ("tmux master", None), ("tmux 3.10", (3, 10)), ("", None)],
)
def test_the_version_of_tmux_is_read(text: str, version: tuple[int, int] | None) -> None:
    assert tmux.parse_version(text) == version


def test_the_options_of_tmux_are_read_with_their_arrays() -> None:
    text = 'escape-time 500\nset-clipboard external\nterminal-overrides\nterminal-features[0] "a*:RGB"\n'
    options = tmux.parse_options(text + "terminal-features[3] screen*:title\nuser-keys\n")
    assert tmux.milliseconds(options) == 500
    assert options["terminal-features"] == ["a*:RGB", "screen*:title"]
    assert options["terminal-overrides"] == []


@given(st.text(), st.text())
def test_any_text_is_read_as_options_and_clients(options: str, clients: str) -> None:
    found = tmux.without_true_colour(tmux.parse_options(options), tmux.parse_clients(clients))
    assert "\n" not in tmux.colour_feature(found)


@pytest.mark.parametrize(
    ("features", "overrides", "clients", "lacking"),
    [
        ([], [], [], ["*"]),
        (["xterm*:title"], [], [], ["*"]),
        (["xterm*:title,*256col*:RGB"], [], [], []),
        (["xterm*:RGB"], [], ["xterm-256color title"], []),
        ([], ["*256col*:Tc"], ["xterm-256color title"], []),
        ([], [], ["xterm-256color title,RGB"], []),
        (["xterm*:RGB"], [], ["alacritty title", "xterm-kitty title"], ["alacritty"]),
    ],
)
def test_who_gets_no_true_colour(
    features: list[str], overrides: list[str], clients: list[str], lacking: list[str]
) -> None:
    options = {"terminal-features": features, "terminal-overrides": overrides}
    assert tmux.without_true_colour(options, tmux.parse_clients("\n".join(clients))) == lacking


def test_true_colour_is_asked_for_just_the_terminals_that_lack_it() -> None:
    assert tmux.colour_feature(["*"]) == ",*256col*:RGB"
    assert tmux.colour_feature(["xterm-kitty", "alacritty"]) == ",alacritty:RGB,xterm-kitty:RGB"
    assert tmux.colour_feature(["linux", "x'; kill"]) == ""


@pytest.mark.parametrize(
    ("environment", "setting", "utf8"),
    [
        ({"LANG": "C.UTF-8"}, "LANG=C.UTF-8", True),
        ({"LANG": "de_DE.utf8@euro"}, "LANG=de_DE.utf8@euro", True),
        ({"LANG": "C.UTF-8", "LC_ALL": "C"}, "LC_ALL=C", False),
        ({"LANG": "en_US.ISO-8859-1", "LC_CTYPE": "en_US.UTF-8"}, "LC_CTYPE=en_US.UTF-8", True),
        ({}, "LANG=", False),
    ],
)
def test_the_locale_that_counts(environment: dict[str, str], setting: str, utf8: bool) -> None:
    assert encoding_of(environment) == setting
    assert is_utf8(setting) is utf8


def test_limits_that_the_users_slice_does_not_have_are_named() -> None:
    limits = Limits(memory=1 << 30, cpu="400%", tasks=4096)
    holding = {"MemoryMax": str(1 << 30), "CPUQuotaPerSecUSec": "4s", "TasksMax": "4096"}
    assert not_in_force(limits, holding) == []
    assert not_in_force(limits, {}) == ["memory", "cpu", "tasks"]
    assert not_in_force(limits, {**holding, "MemoryMax": "infinity"}) == ["memory"]
    assert not_in_force(Limits(), {}) == []


def test_worktrees_are_read_from_gits_list() -> None:
    text = (
        "worktree /c.git\nbare\n\nworktree /w/a b\nHEAD 1111111111111111111111111111111111111111\n"
        "branch refs/heads/x/y\n\nworktree /w/gone\nHEAD 0000000000000000000000000000000000000000\n"
        "branch refs/heads/z\nprunable gitdir file points to non-existent location\n\n"
    )
    first, second = parse_list(text)
    assert (str(first.path), first.branch, first.commit[:4], first.prunable) == ("/w/a b", "x/y", "1111", False)
    assert (second.branch, second.commit, second.prunable) == ("z", "", True)


@given(st.text())
def test_any_text_is_read_as_worktrees_and_as_a_reflog(text: str) -> None:
    parse_list(text)
    assert set(last_commit(text)) <= set("0123456789abcdef")


def test_the_last_commit_of_a_reflog_is_the_newest_that_is_one() -> None:
    a, b, none = "a" * 40, "b" * 40, "0" * 40
    assert last_commit(f"{none} {a} Mik\n{a} {b} Mik\tx\n{b} {none} Mik\n") == b
    assert last_commit("") == ""


@pytest.mark.parametrize(
    ("days", "why", "state"),
    [(60, "", "ok"), (20, "", "warn"), (6, "", "bad"), (-1, "", "bad"), (60, "self-signed", "warn")],
)
def test_a_certificate_is_judged_by_its_days(days: float, why: str, state: str) -> None:
    assert judge_days("box.example", days, why).state == state


def test_the_variables_of_a_unit_are_read() -> None:
    assert variables('A=1 "B=two words" C=x=y') == {"A": "1", "B": "two words", "C": "x=y"}
    assert variables('A="') == {}


def test_a_backup_is_judged_by_its_age() -> None:
    for stamp, state in (
        ("", "warn"),
        ("no date", "warn"),
        ((NOON - timedelta(days=1)).isoformat(), "ok"),
        ((NOON - timedelta(days=9)).isoformat(), "warn"),
        ("2026-11-20T08:00:00", "ok"),
    ):
        assert judge_backup(stamp, NOON, "").state == state, stamp


def test_the_reconcilers_last_run_is_judged() -> None:
    failed = {"sentence": "make alice's home", "ok": False, "error": "in the way"}
    assert judge_reconciler({"commit": "abc"}, "")[0].state == "ok"
    assert judge_reconciler({"last": {"stopped": "the history was rewritten"}}, "")[0].state == "bad"
    (found,) = judge_reconciler({"last": {"actions": [failed, {"ok": True}]}}, "")
    assert found.state == "warn"
    assert "make alice's home" in found.what


def test_slots_may_be_on_their_way_to_a_daemon_that_has_just_started() -> None:
    assert just_started({"started_at": (NOON - timedelta(seconds=3)).isoformat()}, NOON)
    assert not just_started({"started_at": (NOON - timedelta(hours=3)).isoformat()}, NOON)
    assert not just_started({}, NOON)
