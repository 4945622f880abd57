"""`hero_dev switch`: run another branch, release or commit of a service, or go back."""

from __future__ import annotations

import argparse

from backends.model.errors import HeroError
from hero_tui.verbs.parsing import add_plan, one_of
from hero_tui.verbs.session import Session


def configure(_: str, parser: argparse.ArgumentParser) -> None:
    """Add the verb's own options."""
    parser.add_argument("service", metavar="SERVICE")
    parser.add_argument("branch", metavar="BRANCH", nargs="?", help="default: the branch that is bound")
    parser.add_argument(
        "--from", dest="source", metavar="release|build", type=one_of("release", "build", "hash"),
        help="where the binary comes from (default: as it is bound)",
    )  # fmt: skip
    parser.add_argument("--hash", metavar="H", help="pin one published or installed commit")
    parser.add_argument("--back", action="store_true", help="return to what ran before the last switch")
    add_plan(parser)


def run(session: Session, asked: argparse.Namespace) -> int:
    """Switch, or tell the plan. Raises HeroError."""
    named = (asked.branch, asked.source, asked.hash)
    if asked.back and any(named):
        raise HeroError("usage", "--back goes with no other choice of what to run.", hint="Leave one of them out.")
    if not asked.back and not any(named):
        raise HeroError(
            "usage",
            f"What should {asked.service} be switched to?",
            hint=f"Name a branch, --from, --hash or --back; `hero_dev releases {asked.service}` lists releases.",
        )
    from hero_tui.verbs.change import carry_out, tell_plans

    params = {
        "service": asked.service,
        "branch": asked.branch,
        "from": asked.source,
        "hash": asked.hash,
        "back": asked.back,
    }
    return tell_plans(session, "switch", [params]) if asked.plan else carry_out(session, "slot.switch", params)
