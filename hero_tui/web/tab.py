"""The program in a browser's tab: the cockpit, read-only, and without what would write on the box."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from backends.client.locate import Where, is_system
from backends.model.errors import HeroError
from backends.model.paths import BoxPaths
from hero_tui.app import HeroApp
from hero_tui.deep_link import Link, check_link

WITHHELD = frozenset({"logs.save", "logs.pager", "logs.editor"})
"""Actions that only look, but write files on the box or run programs there."""


class TabApp(HeroApp):
    """The cockpit of somebody who is not on the box."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """As ever, and nothing that is withheld."""
        if action == "act" and parameters[0] in WITHHELD:
            return False
        return super().check_action(action, parameters)

    async def action_act(self, id: str) -> None:
        """Do an action of the table, also one that was chosen from the palette."""
        if id in WITHHELD:
            self.desk.tell("That is for the cockpit on the box; here, copy what you need.", failed=True)
            return
        await super().action_act(id)


def main(arguments: list[str]) -> int:
    """Show the cockpit until the tab is closed; the exit code."""
    options = _parser().parse_args(arguments)
    from hero_tui.opening import make_app

    try:
        link = check_link(Link(options.screen, options.link_slot, options.link_service))
        app = make_app(
            where_of(options.box, options.user), read_only=True, link=link, kind=TabApp, settings=options.settings
        )
    except HeroError as error:
        print(f"hero_webd: {error}", file=sys.stderr)
        return 1
    return app.run(mouse=True) or app.return_code or 0


def where_of(box: Path, user: str) -> Where:
    """The box, and as one's own the slot of this person on a rootless one; elsewhere all slots are peeks."""
    where = Where(BoxPaths(box))
    own = user if not is_system(where.box) and user in where.users() else ""
    return Where(where.box, own)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hero_tui.web.tab", allow_abbrev=False)
    parser.add_argument("--box", type=Path, required=True)
    parser.add_argument("--user", required=True)
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--screen", default="fleet")
    parser.add_argument("--link-slot", default="")
    parser.add_argument("--link-service", default="")
    return parser


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(main(sys.argv[1:]))
