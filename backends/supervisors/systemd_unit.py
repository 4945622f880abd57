"""From the definition of a process to the text of its systemd user unit, which means exactly that and no more."""

from __future__ import annotations

import math
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from backends.model.errors import HeroError
from backends.supervisors.base import ProcessSpec, checked_name

MARKER = "X-HeroSlot"
"""The key (systemd ignores `X-…`) that tells our units from those that a user wrote; its value is the name."""

SECRETS = "hero_slot"
"""Folder in the user's runtime folder (which is memory, and his alone) for files of secret variables."""

QUICK_EXIT = 3.0
"""Seconds; as under supervisord, a process that ends sooner counts as one that does not come up."""
RESTART_DELAY = 0.5
"""Seconds before an automatic restart; systemd 252 knows no growing delay."""
STARTS = 5
"""Starts that end quickly, the first one included, after which a process is given up."""

CHDIR_FAILED, EXEC_FAILED = 200, 203
"""Exit statuses by which systemd tells that the process did not come to be."""

_POLICY = {"always": "always", "on-failure": "on-failure", "never": "no"}
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MISSING = Path("/nonexistent")
_LINE_LIMIT = 1024 * 1024 - 1
_UNSAFE_IN_PROGRAM = re.compile("[\x00-\x1f\x7f'\"\\\\]")
_UNSAFE_IN_FOLDER = re.compile("[\x00-\x1f\x7f]")
_ESCAPED = re.compile('[\x01-\x1f\x7f"\\\\%]')
_SHELL = re.compile(r'(["\\`$])')
_BACKSLASH = r"\\\1"
_NO_CHARACTER = re.compile("[\ud800-\udfff\ufdd0-\ufdef]")
_PROVIDED = (
    *("DBUS_SESSION_BUS_ADDRESS", "INVOCATION_ID", "JOURNAL_STREAM", "LISTEN_FDNAMES", "LISTEN_FDS", "LISTEN_PID"),
    *("LOGNAME", "MAINPID", "MANAGERPID", "MEMORY_PRESSURE_WATCH", "MEMORY_PRESSURE_WRITE", "NOTIFY_SOCKET"),
    *("SHELL", "SYSTEMD_EXEC_PID", "XDG_RUNTIME_DIR"),
)
"""What systemd gives its services by itself and supervisord would not."""


@dataclass(frozen=True)
class UnitNames:
    """How processes are called as units: `<prefix><name>.service`, with `@` escaped as systemd does it."""

    prefix: str = "slot-"

    def unit(self, name: str) -> str:
        """The unit of the process `name`. HeroError(usage) for what cannot name a process."""
        return f"{self.prefix}{checked_name(name)}.service".replace("@", r"\x40")

    def name(self, unit: str) -> str | None:
        """The process that `unit` runs; None if it cannot be one of ours."""
        if not (unit.startswith(self.prefix) and unit.endswith(".service")):
            return None
        name = unit[len(self.prefix) : -len(".service")].replace(r"\x40", "@")
        try:
            return name if self.unit(name) == unit else None
        except HeroError:
            return None

    def secrets(self, name: str) -> str:
        """The name of the file of its secret variables."""
        return f"{self.prefix}{checked_name(name)}.env"

    def identifier(self, name: str) -> str:
        """What its lines in the journal are called by: `slot-web`."""
        return self.unit(name).removesuffix(".service")


def unit_text(
    spec: ProcessSpec, names: UnitNames, environment: Mapping[str, str], inherited: Iterable[str] = ()
) -> str:
    """The unit file of `spec`.

    `environment` is what the process gets besides `spec.env`; `inherited` are the names of variables that the
    user manager would hand down, which are taken away. HeroError(usage) for what a unit cannot carry.
    `spec.secret_env` is not in it: see `secrets_text`.
    """
    variables = {**environment, **spec.env}
    unset = sorted(
        {*_PROVIDED, *filter(_VARIABLE.fullmatch, inherited)} - variables.keys() - spec.secret_env.keys()
    )
    program = program_of(spec, variables)
    secrets = f"%t/{SECRETS}/{names.secrets(spec.name)}" if spec.secret_env else ""
    lines = [
        f"# Written by Hero Team Box for the process {spec.name}; its next start writes it anew.",
        "[Unit]",
        f"Description={spec.name} (Hero Team Box)",
        f"{MARKER}={spec.name}",
        # At a boot that daemon makes the folders for sockets first, which a boot has taken.
        "After=hero_slotd.service",
        f"StartLimitIntervalSec={_milliseconds(STARTS * (QUICK_EXIT + RESTART_DELAY))}",
        f"StartLimitBurst={STARTS}",
        # After a boot there is no such file until the slot's daemon has written it.
        *([f"ConditionPathExists={secrets}"] if secrets else []),
        "",
        "[Service]",
        "Type=exec",
        # `:` leaves every `$` alone, `@` has the second word be argv[0].
        "ExecStart=:@" + " ".join(_quoted(_carried(spec, word)) for word in (program, *spec.argv)),
        f"WorkingDirectory={_folder(spec)}",
        *(f"Environment={_quoted(_assignment(spec, key, value))}" for key, value in variables.items()),
        *([f"EnvironmentFile={secrets}"] if secrets else []),
        f"UnsetEnvironment={' '.join(unset)}",
        *_ends(spec),
        "StandardInput=null",
        "StandardOutput=journal",
        "StandardError=inherit",
        f"SyslogIdentifier={names.identifier(spec.name)}",
        "SyslogLevelPrefix=no",
        *([f"MemoryMax={spec.memory_max}"] if spec.memory_max is not None else []),
        "",
        "[Install]",
        "WantedBy=default.target",
        "",
    ]
    if max(len(line.encode()) for line in lines) > _LINE_LIMIT:
        raise _refused(spec, "its command or a variable is longer than systemd reads (1 MiB)")
    return "\n".join(lines)


def secrets_text(spec: ProcessSpec) -> str:
    """The file of the secret variables of `spec`; empty where it has none. HeroError(usage) as `unit_text`."""
    pairs = [_assignment(spec, key, value).split("=", 1) for key, value in spec.secret_env.items()]
    return "".join(f'{key}="{_SHELL.sub(_BACKSLASH, value)}"\n' for key, value in pairs)


def _ends(spec: ProcessSpec) -> list[str]:
    lines = [
        f"Restart={_POLICY[spec.restart]}",
        f"RestartSec={_milliseconds(RESTART_DELAY)}",
        # A program that is not there will not be there half a second later.
        f"RestartPreventExitStatus={CHDIR_FAILED} {EXEC_FAILED}",
        "KillMode=control-group",
        "KillSignal=SIGTERM",
        "SendSIGKILL=yes",
        f"TimeoutStopSec={_milliseconds(spec.stop_timeout)}",
    ]
    if spec.restart == "on-failure":
        # systemd takes these for a clean end, whoever sent them; after a stop none of them restarts anything.
        lines.append("RestartForceExitStatus=SIGHUP SIGINT SIGTERM SIGPIPE")
    return lines


def program_of(spec: ProcessSpec, variables: Mapping[str, str]) -> str:
    """The absolute path of the program: from the PATH among `variables`, or from the folder of `spec`.

    One that PATH does not have gets a path that leads nowhere. HeroError(usage) for one that systemd refuses.
    """
    word = spec.argv[0]
    if "/" in word:
        program = os.path.join(spec.cwd, word)  # noqa: PTH118 - a Path would tidy `..` away
    else:
        path = os.pathsep.join(
            os.path.join(spec.cwd, folder)  # noqa: PTH118
            for folder in variables.get("PATH", os.defpath).split(os.pathsep)
        )
        program = shutil.which(word, path=path) or str(_MISSING / word)
    if _UNSAFE_IN_PROGRAM.search(program):
        raise _refused(spec, "systemd takes no program whose path has quotes, backslashes or control characters")
    if program.endswith("/"):
        raise _refused(spec, f"{word!r} names a folder")
    return program


def _folder(spec: ProcessSpec) -> str:
    folder = _carried(spec, str(spec.cwd))
    if _UNSAFE_IN_FOLDER.search(folder) or folder != folder.rstrip(" ") or folder.endswith("\\"):
        raise _refused(spec, "systemd takes no folder with control characters or with a blank or `\\` at its end")
    return folder.replace("%", "%%")


def _assignment(spec: ProcessSpec, key: str, value: str) -> str:
    if not _VARIABLE.fullmatch(key):
        raise _refused(spec, f"systemd can set no variable that is called {key!r}")
    return _carried(spec, f"{key}={value}")


def _carried(spec: ProcessSpec, text: str) -> str:
    """`text` if a unit file can carry it: systemd drops lines that are not valid Unicode text in its eyes."""
    if _NO_CHARACTER.search(text) or any(ord(char) & 0xFFFE == 0xFFFE for char in text):
        raise _refused(spec, "a character that is no Unicode text stands in its command, environment or folder")
    return text


def _quoted(text: str) -> str:
    """`text` as one word that systemd unquotes, unescapes and expands to exactly `text`."""
    return f'"{_ESCAPED.sub(_escape, text)}"'


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    if char == "%":
        return "%%"
    return f"\\{char}" if char in '"\\' else f"\\x{ord(char):02x}"


def _milliseconds(seconds: float) -> str:
    return f"{max(1, math.ceil(seconds * 1000))}ms"  # 0 would mean for ever


def _refused(spec: ProcessSpec, why: str) -> HeroError:
    return HeroError("usage", f"The process `{spec.name}` cannot be run by systemd: {why}.")
