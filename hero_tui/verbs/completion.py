"""Shell completion: the snippet that turns it on, and names asked of daemons that run; none is ever started."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from backends.client.locate import Where, boxes_folder, locate
from backends.model.errors import HeroError
from backends.rpc.sync_client import SyncClient
from hero_tui.verbs import VERBS
from hero_tui.verbs.box import ACTIONS as BOX_ACTIONS
from hero_tui.verbs.build import ACTIONS as BUILD_ACTIONS
from hero_tui.verbs.builds import STATES
from hero_tui.verbs.exits import DONE
from hero_tui.verbs.hooks import ACTIONS as HOOK_ACTIONS
from hero_tui.verbs.parsing import add_globals, one_of, verb_module
from hero_tui.verbs.secrets import ACTIONS as SECRETS_ACTIONS
from hero_tui.verbs.session import Session
from hero_tui.verbs.whole_fleet import CATALOGUE_ALONE

SHELLS = ("bash", "zsh", "fish")
ASK_SECONDS = 0.4
"""How long a person who pressed the tab key waits for a daemon at most."""

Completer = Callable[..., Iterable[str]]


def configure(_: str, parser: argparse.ArgumentParser) -> None:
    """Add the verb's own options."""
    parser.add_argument("shell", metavar="bash|zsh|fish", type=one_of(*SHELLS))


def run(session: Session, asked: argparse.Namespace) -> int:
    """Print the snippet."""
    from argcomplete.shell_integration import shellcode

    snippet = shellcode(["hero_dev"], shell=asked.shell)
    if session.json:
        session.answer({"shell": asked.shell, "snippet": snippet})
    else:
        session.show(snippet.strip("\n").splitlines())
    return DONE


def complete() -> None:
    """Answer the shell that asks through argcomplete's environment, and exit."""
    import argcomplete
    from argcomplete.completers import SuppressCompleter

    # File names are no answer to any of our arguments; options are offered once a dash is there.
    argcomplete.autocomplete(tree(), always_complete_options=False, default_completer=SuppressCompleter())


def tree() -> argparse.ArgumentParser:
    """The whole command line as one parser, each argument with what completes it."""
    parser = argparse.ArgumentParser(prog="hero_dev", allow_abbrev=False)
    add_globals(parser)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB")
    parsers = [parser]
    for verb, (module, summary) in VERBS.items():
        one = verbs.add_parser(verb, help=summary, allow_abbrev=False)
        verb_module(module).configure(verb, one)
        add_globals(one, default=argparse.SUPPRESS)
        parsers.append(one)
    for one in parsers:
        for action in one._actions:
            completer = _COMPLETERS.get(action.dest)
            if completer is not None:
                action.completer = completer  # type: ignore[attr-defined]  # argcomplete looks for it
    return parser


def services(parsed_args: argparse.Namespace, **_: object) -> list[str]:
    """The slot's services; all of the catalogue where the verb takes those that are not bound, too."""
    where = _where(parsed_args)
    if where is None:
        return []
    if getattr(parsed_args, "verb", "") in ("bind", "install", "releases", "gates", "fork"):
        fleet = _ask(where.box.rpc_socket, "fleet.snapshot", CATALOGUE_ALONE)
        return [entry["name"] for entry in fleet.get("catalogue", ())]
    user = getattr(parsed_args, "user", "") or where.user
    status = _ask(where.box.slot(user).rpc_socket, "slot.status", {"fresh": False}) if user else {}
    return [one["service"] for one in status.get("services", ())]


def branches(parsed_args: argparse.Namespace, **_: object) -> list[str]:
    """The branches of the service that is named."""
    where, service = _where(parsed_args), _service_of(parsed_args)
    if where is None or not where.user or not service:
        return []
    params = {"service": service, "kind": "branches", "limit": 200}
    found = _ask(where.box.slot(where.user).rpc_socket, "slot.candidates", params)
    return [one["branch"] for one in found.get("items", ())]


def tags(parsed_args: argparse.Namespace, **_: object) -> list[str]:
    """The release tags of the service that is named."""
    return [one["tag"] for one in _releases(parsed_args)]


def hashes(parsed_args: argparse.Namespace, **_: object) -> list[str]:
    """The published commits of the service that is named."""
    return [one["commit"][:8] for one in _releases(parsed_args)]


def build_ids(parsed_args: argparse.Namespace, **_: object) -> list[str]:
    """The builds that the box knows, the ones that run first; those that can be cancelled for `build cancel`."""
    where = _where(parsed_args)
    if where is None:
        return []
    states = ["running", "queued"] if getattr(parsed_args, "action", "") == "cancel" else []
    found = _ask(where.box.rpc_socket, "build.list", {"limit": 100, "states": states})
    return [one["id"] for one in found.get("builds", ())]


def subjects(parsed_args: argparse.Namespace, **_: object) -> list[str]:
    """What `build ACTION` is about: a service to submit, else a build."""
    return (services if getattr(parsed_args, "action", "") == "submit" else build_ids)(parsed_args)


def hook_words(parsed_args: argparse.Namespace, **_: object) -> list[str]:
    """What to do with webhooks, and the repositories of the catalogue."""
    where = _where(parsed_args)
    fleet = _ask(where.box.rpc_socket, "fleet.snapshot", CATALOGUE_ALONE) if where else {}
    repos = [entry["repo"] for entry in fleet.get("catalogue", ())]
    return [*(() if getattr(parsed_args, "hooks", None) else HOOK_ACTIONS), *repos]


def actions(parsed_args: argparse.Namespace, **_: object) -> tuple[str, ...]:
    """What a verb with several does."""
    known = {"box": BOX_ACTIONS, "build": BUILD_ACTIONS, "secrets": SECRETS_ACTIONS}
    return known.get(getattr(parsed_args, "verb", ""), ())


def users(parsed_args: argparse.Namespace, **_: object) -> list[str]:
    """Everybody who has a slot."""
    where = _where(parsed_args)
    return where.users() if where else []


def boxes(**_: object) -> list[str]:
    """The named boxes of this user."""
    return sorted(path.parent.name for path in boxes_folder().glob("*/box.toml"))


def _releases(parsed_args: argparse.Namespace) -> list[dict[str, Any]]:
    where, service = _where(parsed_args), getattr(parsed_args, "service", "")
    if where is None or not service:
        return []
    return list(_ask(where.box.rpc_socket, "release.list", {"service": service, "limit": 100}).get("releases", ()))


def _service_of(parsed_args: argparse.Namespace) -> str:
    """The service that the line names: in `build submit`, where it might be another thing, too."""
    return getattr(parsed_args, "service", "") or getattr(parsed_args, "subject", "") or ""


def _choices(*names: str) -> Completer:
    return lambda **_: names


def _where(parsed_args: argparse.Namespace) -> Where | None:
    try:
        return locate(getattr(parsed_args, "box", "") or "", getattr(parsed_args, "slot", "") or "")
    except HeroError:
        return None


def _ask(socket: Path, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
    """The answer of a daemon that runs and answers soon; else nothing."""
    try:
        with SyncClient(socket, timeout=ASK_SECONDS) as client:
            return dict(client.call(method, params))
    except HeroError:
        return {}


_COMPLETERS: dict[str, Completer] = {
    "service": services,
    "services": services,
    "branch": branches,
    "tag": tags,
    "hash": hashes,
    "user": users,
    "slot": users,
    "box": boxes,
    "source": _choices("release", "build", "hash"),
    "action": actions,
    "subject": subjects,
    "before": build_ids,
    "build": build_ids,
    "hooks": hook_words,
    "compare": tags,
    "state": _choices(*STATES),
    "shell": _choices(*SHELLS),
}
