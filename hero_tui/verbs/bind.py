"""`hero_dev bind` and `unbind`: what the slot's manifest names."""

from __future__ import annotations

import argparse

from hero_tui.verbs.change import carry_out, tell_plans
from hero_tui.verbs.parsing import add_plan, one_of
from hero_tui.verbs.session import Session

_SWITCHES = (
    ("auto-rebuild", "a push to the branch rebuilds or pulls here"),
    ("publish", "builds of this binding are published"),
    ("enabled", "off: installed, not running"),
)


def configure(verb: str, parser: argparse.ArgumentParser) -> None:
    """Add the verb's own options."""
    parser.add_argument("service", metavar="SERVICE")
    if verb == "bind":
        parser.add_argument("branch", metavar="BRANCH", nargs="?", help="default: the team's trunk")
        parser.add_argument(
            "--from", dest="source", metavar="release|build|hash", type=one_of("release", "build", "hash"),
            help="where the binary comes from (default: release)",
        )  # fmt: skip
        parser.add_argument("--hash", metavar="H", help="the commit, with --from hash")
        parser.add_argument("--repo", metavar="ORG/NAME", help="default: the catalogue's")
        for name, text in _SWITCHES:
            parser.add_argument(f"--{name}", action=argparse.BooleanOptionalAction, default=None, help=text)
    add_plan(parser)


def run(session: Session, asked: argparse.Namespace) -> int:
    """Bind or unbind, or tell the plan. Raises HeroError."""
    if asked.verb == "unbind":
        params = {"service": asked.service}
        return tell_plans(session, "unbind", [params]) if asked.plan else carry_out(session, "slot.unbind", params)
    source = asked.source or ("hash" if asked.hash else None)
    params = {"service": asked.service, "branch": asked.branch, "from": source, "hash": asked.hash}
    if asked.plan:
        return tell_plans(session, "bind", [params])
    more = {"repo": asked.repo, **_switches(asked)}
    return carry_out(session, "slot.bind", {**params, **more})


def _switches(asked: argparse.Namespace) -> dict[str, bool | None]:
    return {"auto_rebuild": asked.auto_rebuild, "publish": asked.publish, "enabled": asked.enabled}
