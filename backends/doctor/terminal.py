"""Whether the terminal carries what the cockpit draws: tmux and its options, colours, UTF-8."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence

from backends.doctor import tmux
from backends.doctor.asking import Answer, ask
from backends.doctor.context import Context
from backends.doctor.found import Check, Found, Repair, listed, passed_over, well
from backends.model.errors import HeroError

_ELSEWHERE = "this is not the terminal of the slot's user"
_POOR = {"", "dumb", "unknown", "linux", "vt100", "vt220", "ansi", "xterm", "screen"}
"""TERMs of few colours."""


def encoding_of(environment: Mapping[str, str]) -> str:
    """The locale that decides how characters are written, and the variable that says so: `LANG=C`."""
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        if value := environment.get(name, ""):
            return f"{name}={value}"
    return "LANG="


def is_utf8(setting: str) -> bool:
    """Whether such a locale writes UTF-8."""
    codeset = setting.partition("=")[2].partition("@")[0].rpartition(".")[2]
    return codeset.lower().replace("-", "") == "utf8"


async def _locale(context: Context) -> Sequence[Found]:
    if not context.at_terminal:
        return [passed_over(_ELSEWHERE)]
    setting = encoding_of(context.environment)
    if is_utf8(setting):
        return [well(f"{setting} writes UTF-8.")]
    return [
        Found(
            "warn",
            f"{setting} writes no UTF-8.",
            "Signs and lines are drawn as question marks, and mosh does not start at all.",
            "export LANG=C.UTF-8 (in ~/.profile; for everybody: /etc/default/locale)",
        )
    ]


async def _colours(context: Context) -> Sequence[Found]:
    if not context.at_terminal:
        return [passed_over(_ELSEWHERE)]
    if not os.isatty(1):
        return [passed_over("this is no terminal")]
    term, said = context.environment.get("TERM", ""), context.environment.get("COLORTERM", "")
    if term in _POOR:
        mend = "set -g default-terminal tmux-256color (in ~/.tmux.conf)"
        mend = mend if context.environment.get("TMUX") else "export TERM=xterm-256color"
        return [Found("warn", f"TERM is {term or 'not set'}.", "Programs then draw in few colours.", mend)]
    if said not in ("truecolor", "24bit"):
        what = f"TERM is {term}, but COLORTERM does not say `truecolor`."
        why = "The cockpit then takes the nearest of 256 colours."
        return [Found("warn", what, why, "export COLORTERM=truecolor (if the terminal can)")]
    return [well(f"TERM is {term}, in 24-bit colours.")]


async def _version(context: Context) -> Sequence[Found]:
    answer = await ask("tmux", "-V", env=context.environment)
    mend = f"{context.as_root}apt-get install tmux"
    if answer.missing:
        state = "bad" if context.system else "warn"
        return [Found(state, "There is no tmux.", "Sessions end with the connection without it.", mend)]  # type: ignore[arg-type]
    found = tmux.parse_version(answer.out)
    if found is None:
        return [passed_over(f"tmux says `{answer.out.strip()}`, which is no version")]
    least = ".".join(map(str, tmux.LEAST))
    if found < tmux.LEAST:
        why = "Older ones know no terminal-features, so neither colours nor the clipboard can be set right."
        return [Found("warn", f"{answer.out.strip()} is older than {least}.", why, mend)]
    return [well(f"{answer.out.strip()}.")]


async def _options(context: Context) -> Sequence[Found]:
    shown = await _tmux(context, "show-options", "-s")
    if shown.code:
        return [passed_over("no tmux server of this user runs; its options are looked at once one does")]
    clients = await _tmux(context, "list-clients", "-F", "#{client_termname} #{client_termfeatures}")
    options = tmux.parse_options(shown.out)
    return [
        _escape_time(context, options),
        _clipboard(context, options),
        _true_colour(context, tmux.without_true_colour(options, tmux.parse_clients(clients.out))),
    ]


def _escape_time(context: Context, options: dict[str, list[str]]) -> Found:
    names = {"title": "tmux escape-time", "part": "escape_time"}
    waits = tmux.milliseconds(options)
    if waits is None:
        return passed_over("tmux does not tell its escape-time", **names)
    if waits <= tmux.LONGEST_ESCAPE:
        return well(f"tmux waits {waits} ms after escape.", **names)
    return Found(
        "warn",
        f"tmux waits {waits} ms after each escape key.",
        "The cockpit hears escape that much later, and takes alt-keys for two.",
        f"tmux set -s escape-time {tmux.ESCAPE} (and that line, without `tmux`, in ~/.tmux.conf)",
        repair=_set(context, "-s", "escape-time", tmux.ESCAPE),
        **names,
    )


def _clipboard(context: Context, options: dict[str, list[str]]) -> Found:
    names = {"title": "tmux set-clipboard", "part": "set_clipboard"}
    value = next(iter(options.get("set-clipboard", ())), "")
    if value == "on":
        return well("tmux passes the clipboard on.", **names)
    return Found(
        "warn",
        f"tmux's set-clipboard is {value or 'not set'}.",
        "What the cockpit copies (OSC 52) does not reach your clipboard.",
        "tmux set -s set-clipboard on (and that line, without `tmux`, in ~/.tmux.conf)",
        repair=_set(context, "-s", "set-clipboard", "on"),
        **names,
    )


def _true_colour(context: Context, terms: list[str]) -> Found:
    names = {"title": "tmux true colour", "part": "true_colour"}
    if not terms:
        return well("tmux draws in 24-bit colours.", **names)
    who = "no terminal is told to have them" if terms == ["*"] else f"not for {listed(sorted(set(terms)))}"
    feature = tmux.colour_feature(terms)
    mend = f"tmux set -as terminal-features '{feature}' (and that line, without `tmux`, in ~/.tmux.conf)"
    return Found(
        "warn",
        f"tmux does not draw in 24-bit colours: {who}.",
        "Colours of the cockpit's themes come out coarse.",
        mend if feature else "use a terminal that has them",
        repair=_set(context, "-as", "terminal-features", feature) if feature else None,
        **names,
    )


def _set(context: Context, flags: str, option: str, value: str) -> Repair:
    async def mend() -> str:
        answer = await _tmux(context, "set-option", flags, option, value)
        if answer.code:
            raise HeroError("failed", f"tmux: {answer.complaint}.")
        line = f"set {flags} {option} {shlex.quote(value)}"
        again = " (detach and attach again to see it)" if flags == "-as" else ""
        return f"Set in the running tmux{again}; for the next one, put this line in ~/.tmux.conf: {line}"

    return mend


async def _tmux(context: Context, *words: str) -> Answer:
    return await ask("tmux", *words, env=context.environment)


CHECKS = (
    Check("terminal.locale", "characters", _locale, scope="slot"),
    Check("terminal.colours", "colours", _colours, scope="slot"),
    Check("terminal.tmux", "tmux", _version),
    Check("terminal.tmux_options", "tmux options", _options, scope="slot"),
)
