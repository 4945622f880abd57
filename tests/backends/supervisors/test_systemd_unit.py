"""Unit files: what systemd reads out of one is exactly what the definition says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.model.errors import HeroError
from backends.supervisors.base import ProcessSpec
from backends.supervisors.systemd_unit import UnitNames, program_of, secrets_text, unit_text
from tests.backends.supervisors.systemd_rules import Unit, read, valid, variables

PLAIN = ProcessSpec("web", ("/bin/run",), Path("/w"), {}, Path("/l"))
NAMES = UnitNames()
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0")).filter(valid)
HARD = TEXT | st.text(st.sampled_from("\"'\\%$;#{}[]= \t\n\r\x01\x1bx41né\u2028-@:+!"), max_size=30)
VARIABLE = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,10}", fullmatch=True)


def read_unless_refused(spec: ProcessSpec) -> Unit | None:
    """The unit of `spec` as systemd reads it; None where it is not written at all."""
    try:
        return read(unit_text(spec, NAMES, {}))
    except HeroError:
        return None


@given(argv=st.lists(HARD, max_size=5), env=st.dictionaries(VARIABLE, HARD, max_size=5))
def test_systemd_reads_the_very_arguments_and_variables(argv: list[str], env: dict[str, str]) -> None:
    unit = read(unit_text(replace(PLAIN, argv=("/bin/run", *argv), env=env), NAMES, {"HERO_SERVICE": "web"}))
    assert unit.command() == ("/bin/run", ["/bin/run", *argv])
    assert unit.environment() == {"HERO_SERVICE": "web"} | env


@given(secrets=st.dictionaries(VARIABLE, HARD, max_size=5))
def test_secrets_are_read_from_their_own_file_and_stand_nowhere_else(secrets: dict[str, str]) -> None:
    spec = replace(PLAIN, secret_env=secrets)
    assert variables(secrets_text(spec)) == secrets
    without = unit_text(replace(spec, secret_env=dict.fromkeys(secrets, "other")), NAMES, {}, secrets)
    assert unit_text(spec, NAMES, {}, secrets) == without
    unit = read(without)
    assert unit.values.get(("Service", "EnvironmentFile")) == (["%t/hero_slot/slot-web.env"] if secrets else None)
    assert (("Unit", "ConditionPathExists") in unit.values) == bool(secrets)
    assert not secrets.keys() & set(unit.one("Service", "UnsetEnvironment").split())


@given(HARD.filter(lambda text: "\0" not in text))
def test_a_folder_arrives_as_it_is_or_is_refused(name: str) -> None:
    spec = replace(PLAIN, cwd=Path("/w") / name.lstrip("/"))
    if unit := read_unless_refused(spec):
        assert unit.one("Service", "WorkingDirectory").replace("%%", "%") == str(spec.cwd)


@given(HARD.filter(bool))
def test_a_program_arrives_as_it_is_or_is_refused(name: str) -> None:
    spec = replace(PLAIN, argv=(f"/opt/{name}",))
    if unit := read_unless_refused(spec):
        assert unit.command()[0] == f"/opt/{name}"


@pytest.mark.parametrize("text", ["\ud800", "\ufdd0", "\uffff", "\U0001fffe"])
@pytest.mark.parametrize("where", ["argv", "env", "cwd"])
def test_what_is_no_unicode_text_is_refused(text: str, where: str) -> None:
    change: dict[str, Any] = {"argv": ("/bin/run", text), "env": {"A": text}, "cwd": Path("/") / text}
    with pytest.raises(HeroError, match="no Unicode") as error:
        unit_text(replace(PLAIN, **{where: change[where]}), NAMES, {})
    assert error.value.code == "usage"


@pytest.mark.parametrize("name", ["1A", "A-B", "A B", "ä", "A\nExecStart"])
def test_a_variable_that_systemd_cannot_set_is_refused(name: str) -> None:
    with pytest.raises(HeroError, match="variable"):
        unit_text(replace(PLAIN, env={name: ""}), NAMES, {})


def test_a_line_that_systemd_would_not_read_is_refused() -> None:
    with pytest.raises(HeroError, match="longer"):
        unit_text(replace(PLAIN, env={"A": "x" * (1 << 20)}), NAMES, {})


def test_what_the_manager_hands_down_is_taken_away_but_for_what_is_set() -> None:
    inherited = ["PATH", "ANTHROPIC_API_KEY", "A", "strange name", "LD_PRELOAD"]
    unit = read(unit_text(replace(PLAIN, env={"A": "1"}), NAMES, {"PATH": "/bin"}, inherited))
    unset = unit.one("Service", "UnsetEnvironment").split()
    assert {"ANTHROPIC_API_KEY", "LD_PRELOAD", "INVOCATION_ID", "XDG_RUNTIME_DIR"} <= set(unset)
    assert not {"PATH", "A", "strange", "name"} & set(unset)


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        ({"restart": "always"}, {"Restart=always"}),
        (
            {"restart": "on-failure"},
            {"Restart=on-failure", "RestartForceExitStatus=SIGHUP SIGINT SIGTERM SIGPIPE"},
        ),
        ({"restart": "never"}, {"Restart=no"}),
        ({"stop_timeout": 0.0}, {"TimeoutStopSec=1ms"}),
        ({"stop_timeout": 2.5}, {"TimeoutStopSec=2500ms"}),
        ({"memory_max": 2 << 30}, {"MemoryMax=2147483648"}),
    ],
)
def test_the_policies_are_in_the_unit(change: dict[str, Any], lines: set[str]) -> None:
    assert lines <= set(unit_text(replace(PLAIN, **change), NAMES, {}).splitlines())


def test_only_what_may_fail_is_forced_to_restart_and_only_what_is_limited_has_a_limit() -> None:
    text = unit_text(replace(PLAIN, restart="never"), NAMES, {})
    assert "RestartForceExitStatus" not in text
    assert "MemoryMax" not in text


def test_a_program_is_found_on_its_path_or_from_its_folder(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "run"
    program.parent.mkdir()
    program.touch(mode=0o755)
    spec = replace(PLAIN, cwd=tmp_path, argv=("run",))
    assert program_of(spec, {"PATH": f"/nowhere:{program.parent}"}) == str(program)
    assert program_of(spec, {"PATH": "bin"}) == str(program)
    assert program_of(spec, {"PATH": "/nowhere"}) == "/nonexistent/run"
    assert program_of(replace(spec, argv=("bin/run",)), {}) == str(program)
    with pytest.raises(HeroError, match="folder"):
        program_of(replace(spec, argv=("bin/",)), {})


@given(st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,20}", fullmatch=True))
def test_a_name_comes_back_from_its_unit(name: str) -> None:
    unit = NAMES.unit(name)
    assert "@" not in unit
    assert NAMES.name(unit) == name
    assert NAMES.identifier(name) + ".service" == unit


@pytest.mark.parametrize(
    "unit", ["web.service", "slot-web.socket", "slot-.service", "slot-a@b.service", "slot-ä.service"]
)
def test_other_units_are_nobodys(unit: str) -> None:
    assert NAMES.name(unit) is None


def test_a_unit_is_what_it_was() -> None:
    spec = replace(PLAIN, argv=("/bin/run", "--at", "100%"), env={"TOKEN": 'a"b'}, memory_max=1 << 20)
    assert unit_text(spec, NAMES, {"PATH": "/bin"}).splitlines() == [
        "# Written by Hero Team Box for the process web; its next start writes it anew.",
        "[Unit]",
        "Description=web (Hero Team Box)",
        "X-HeroSlot=web",
        "After=hero_slotd.service",
        "StartLimitIntervalSec=17500ms",
        "StartLimitBurst=5",
        "",
        "[Service]",
        "Type=exec",
        'ExecStart=:@"/bin/run" "/bin/run" "--at" "100%%"',
        "WorkingDirectory=/w",
        'Environment="PATH=/bin"',
        'Environment="TOKEN=a\\"b"',
        "UnsetEnvironment=DBUS_SESSION_BUS_ADDRESS INVOCATION_ID JOURNAL_STREAM LISTEN_FDNAMES LISTEN_FDS"
        " LISTEN_PID LOGNAME MAINPID MANAGERPID MEMORY_PRESSURE_WATCH MEMORY_PRESSURE_WRITE NOTIFY_SOCKET SHELL"
        " SYSTEMD_EXEC_PID XDG_RUNTIME_DIR",
        "Restart=on-failure",
        "RestartSec=500ms",
        "RestartPreventExitStatus=200 203",
        "KillMode=control-group",
        "KillSignal=SIGTERM",
        "SendSIGKILL=yes",
        "TimeoutStopSec=10000ms",
        "RestartForceExitStatus=SIGHUP SIGINT SIGTERM SIGPIPE",
        "StandardInput=null",
        "StandardOutput=journal",
        "StandardError=inherit",
        "SyslogIdentifier=slot-web",
        "SyslogLevelPrefix=no",
        "MemoryMax=1048576",
        "",
        "[Install]",
        "WantedBy=default.target",
    ]
