"""One person of the team in full, the last reconcile, a plan, a diff: as lines to read; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from backends.model.names import BadValue
from backends.model.problems import Problem
from backends.model.ssh_keys import parse_ssh_key
from backends.model.team_calls import TeamAction, TeamRun
from backends.model.team_files import Limits, TeamConfig, UserFile
from screens.team_view import TeamLook
from screens.widgets.cells import ago
from screens.widgets.celltext import clean, duration
from screens.widgets.glyphs import UNICODE, Glyphs
from screens.widgets.team_cells import WORDS, sign_of
from screens.widgets.team_diff import named
from screens.widgets.team_model import NEEDY, State, TeamRow, summary
from screens.widgets.textpane import Line

_LONG = 900
_LABEL = 10
_WHY: dict[State, str] = {
    "problem": "The file cannot be used; nothing changes for this user until it can.",
    "failed": "The last reconcile could not do all of it; it tries again by itself.",
    "new": "The file is there; the account is not made yet.",
    "kept": "Restored by hand: stays, whatever the team repo says.",
    "leaving": "Nobody's file wants this account any more; what is in the home is archived before it goes.",
    "archived": "The home is in an archive on the box; the login keeps its uid.",
    "disabled": "The file says enabled = false.",
    "unlisted": "There is a slot of this name, and no file in the team repo.",
}


def person_lines(row: TeamRow, look: TeamLook, now: datetime, glyphs: Glyphs = UNICODE) -> list[Line]:
    """What the file says, what there is, what is wrong."""
    lines: list[Line] = [_head(row, glyphs)]
    sentence = _WHY.get(row.state, "")
    if row.state == "new" and not look.reconciled:
        sentence = "The file is there; a rootless box makes no slot from it by itself."
    if sentence:
        lines.append(((sentence, "warn" if row.state in NEEDY else "quiet"),))
    lines += [(), *_problem_lines(row.problems, look, glyphs)]
    if row.file:
        lines += [*_file_lines(row.name, row.file, look.repo.team), ()]
    if row.known:
        lines += [*_known_lines(row), ()]
    if row.file:
        lines += [*_key_lines(row.file), ()]
    last = look.status.last if look.status else None
    if row.actions and last:
        lines.append(((f"last reconcile {_ago(last.started_at, now)}", "quiet"),))
        lines += action_lines(row.actions, glyphs)
    return _trimmed(lines)


def _head(row: TeamRow, glyphs: Glyphs) -> Line:
    who = row.file.full_name if row.file else ""
    parts = [(f"{sign_of(row.state, glyphs)} ", _style(row.state)), (clean(row.name), "title")]
    parts += [(f"  {clean(who)}", "text")] if who else []
    return (*parts, (f"  {WORDS.get(row.state, row.state)}", _style(row.state)))


def _style(state: State) -> str:
    if state in ("problem", "failed", "stopped"):
        return "bad"
    return "warn" if state in NEEDY else "good" if state in ("here", "well", "kept") else "quiet"


def _labelled(label: str, text: str, style: str = "text") -> Line:
    return ((label.ljust(_LABEL), "label"), (clean(text, _LONG), style))


def _file_lines(login: str, file: UserFile, team: TeamConfig | None) -> Iterator[Line]:
    admin = team is not None and login in team.admins
    yield _labelled("role", f"{file.role}{', an admin of the team' if admin else ''}")
    if file.groups:
        yield _labelled("groups", ", ".join(file.groups))
    suffix = file.branch_suffix if file.branch_suffix is not None else login
    yield _labelled("branches", f"…_{suffix}, of {file.forge_user or login} on the forge")
    if limits := _limits(file.limits.over(team.limits) if team else file.limits):
        yield _labelled("limits", limits)
    org = file.claude_org_key
    yield _labelled("claude", ", ".join(org.names) if org and org.enabled else "no key of the org")
    hidden = [what for what, shown in (("logs", file.peek.logs), ("agents", file.peek.agents)) if shown == "none"]
    yield _labelled("peek", f"hides {' and '.join(hidden)}" if hidden else "teammates see logs and agents")
    yield _labelled("file", f"users/{login}.toml", "quiet")


def _limits(limits: Limits) -> str:
    parts = [f"memory {_size(limits.memory)}"] if limits.memory is not None else []
    parts += [f"cpu {limits.cpu}"] if limits.cpu is not None else []
    parts += [f"{limits.tasks} tasks"] if limits.tasks is not None else []
    return " · ".join(parts)


def _size(count: int) -> str:
    """As people write it in the file: by 1024."""
    return f"{count / 2**30:.3g} GiB" if count >= 2**30 else f"{count / 2**20:.4g} MiB"


def _known_lines(row: TeamRow) -> Iterator[Line]:
    known = row.known
    assert known
    yield _labelled("account", f"uid {known.uid}, {known.phase}")
    if row.file and known.role and known.role != row.file.role:
        yield _labelled("", f"made as {known.role}", "warn")
    if known.secrets:
        yield _labelled("secrets", known.secrets)
    if known.archive:
        yield _labelled("archive", known.archive)


def fingerprints(file: UserFile) -> Iterator[tuple[str, str]]:
    """Of each key its fingerprint, and its type and comment."""
    for line in file.ssh_keys:
        try:
            key = parse_ssh_key(line)
        except BadValue:
            continue  # such a file is among the problems
        yield key.fingerprint, f"{key.kind} {key.comment}".strip()


def copied(rows: Iterable[TeamRow]) -> dict[str, str]:
    """What can be copied of several people, a line each; of keys each with whose it is."""
    people = list(rows)
    keys = [(row.name, key) for row in people if row.file for key, _ in fingerprints(row.file)]
    return {
        "names": "\n".join(row.name for row in people),
        "fingerprints": "\n".join(f"{name} {key}" for name, key in keys),
        "files": "\n".join(row.path for row in people),
        "what": "\n".join(f"{row.name}: {row.what}" for row in people if row.what),
    }


def _key_lines(file: UserFile) -> Iterator[Line]:
    shown = list(fingerprints(file))
    if not shown:
        yield _labelled("keys", "none: nobody can log in", "warn")
    for number, (fingerprint, about) in enumerate(shown):
        yield _labelled("keys" if not number else "", fingerprint)
        yield _labelled("", about, "quiet")


def _problem_lines(problems: Sequence[Problem], look: TeamLook, glyphs: Glyphs) -> Iterator[Line]:
    """Where, what was found, what was expected, and the lines around."""
    for problem in problems:
        yield ((f"{glyphs.build['failed']} ", "bad"), (clean(str(problem), _LONG), "text"))
        excerpt: Mapping[int, str] = look.excerpts.get(problem.file, {})
        near = [number for number in excerpt if abs(number - problem.line) <= 2] if problem.line else []
        for number in near:
            here = number == problem.line
            sign = glyphs.cursor if here else " "
            text = clean(excerpt[number], 200)
            yield ((f"{sign}{number:>4}  ", "bad" if here else "label"), (text, "strong" if here else "quiet"))
        yield ()


def file_lines(row: TeamRow, look: TeamLook, glyphs: Glyphs = UNICODE) -> list[Line]:
    """A file of the team's that cannot be used, or in which something is wrong."""
    stopped = row.name in look.repo.stopped
    why = "What was in force before it stays so." if stopped else "The rest of it is in force."
    return _trimmed([_head(row, glyphs), ((why, "quiet"),), (), *_problem_lines(row.problems, look, glyphs)])


def reconciler_lines(row: TeamRow, look: TeamLook, now: datetime, glyphs: Glyphs = UNICODE) -> list[Line]:
    """What is in force, how the last reconcile went, what is wrong."""
    lines: list[Line] = [_head(row, glyphs), ()]
    status = look.status
    if not look.reconciled:
        lines += [
            (("This box is rootless: nothing makes accounts from its team repo, so there is no plan.", "text"),),
            (("What is shown is the team repo as the box has read it, and the slots that there are.", "quiet"),),
            (),
            _labelled("commit", look.commit[:12] or "none yet"),
        ]
        return lines
    if status is None:
        return [
            *lines,
            ((clean(look.trouble, _LONG), "bad"),),
            (),
            (_AS_ROOT, ("systemctl status hero_team_sync", "key")),
        ]
    lines.append(_labelled("repo", f"{status.repo}{f' on {status.branch}' if status.branch else ''}"))
    lines.append(_labelled("in force", status.commit[:12] or "nothing yet"))
    if status.candidate:
        lines.append(_labelled("seen", f"{status.candidate[:12]}, which is not in force", "warn"))
    lines.append(_labelled("looks", f"on a push, and every {duration(status.interval)}"))
    if status.running:
        lines.append(_labelled("now", "a reconcile is going"))
    if status.last:
        lines += [(), *run_lines(status.last, now, glyphs=glyphs)]
    return lines


_AS_ROOT = ("As root: ", "label")


def run_lines(
    run: TeamRun, now: datetime, *, planned: bool = False, users: Collection[str] = (), glyphs: Glyphs = UNICODE
) -> list[Line]:
    """A reconcile, or with `planned` what one would do; of these `users` only, where some are named."""
    if run.stopped:
        head: Line = ((f"{glyphs.build['failed']} nothing {'would be' if planned else 'was'} applied: ", "bad"),)
        return [(*head, (clean(run.stopped, _LONG), "text"))]
    moved = f" (in force: {run.moved_from[:8]})" if run.moved_from and planned else ""
    own = [one for one in run.actions if not users or one.user in users]
    if planned:
        told = f"would follow {run.commit[:8]}{moved}: {_count(run.actions)}"
    else:
        told = f"last reconcile {_ago(run.started_at, now)}: {summary(run)}, {run.seconds:.1f} s"
    lines: list[Line] = [((told, "strong"),), *action_lines(own, glyphs)]
    if users and not own:
        lines.append(((f"Nothing for {named(users)}.", "quiet"),))
    if others := sorted({one.user for one in run.actions if one not in own}):
        lines.append(((f"Something for: {', '.join(clean(one) for one in others)}.", "quiet"),))
    problems = [((f"{glyphs.health['unhealthy']} ", "warn"), (clean(one, _LONG), "text")) for one in run.problems]
    return [*lines, *([()] if problems else []), *problems]


def _count(actions: Sequence[TeamAction]) -> str:
    return f"{len(actions)} action{'' if len(actions) == 1 else 's'}" if actions else "nothing to do"


def action_lines(actions: Iterable[TeamAction], glyphs: Glyphs = UNICODE) -> list[Line]:
    """What is done, was done, or could not be, and why."""
    lines: list[Line] = []
    for one in actions:
        sign, style = {
            True: (glyphs.build["succeeded"], "good"),
            False: (glyphs.build["failed"], "bad"),
            None: (glyphs.unbound, "quiet"),
        }[one.ok]
        error = (((f": {clean(one.error, _LONG)}", "bad"),)) if one.error else ()
        lines.append(((f"{sign} ", style), (clean(one.sentence, _LONG), "text"), *error))
    return lines


def _ago(started_at: str, now: datetime) -> str:
    try:
        return ago(datetime.fromisoformat(started_at), now)
    except (ValueError, TypeError):
        return "once"


def _trimmed(lines: list[Line]) -> list[Line]:
    while lines and not lines[-1]:
        lines.pop()
    return lines
