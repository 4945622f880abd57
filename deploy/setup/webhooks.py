"""The step that has the forge tell the box of pushes, so that a merged file takes seconds and not minutes."""

from __future__ import annotations

import json
import sys
import time

from deploy.setup.machine import run, succeeds
from deploy.setup.places import CURRENT
from deploy.setup.step import Step, Stopped

_TO_INSTALL = ("missing", "outdated", "inactive")
_PATIENCE = 15.0
"""Seconds for the box's daemon to hear from the reconciler which repositories there are."""


def webhooks() -> Step:
    """A hook on each repository that the box follows. Without them it looks every five minutes by itself, so what
    the forge refuses is told and stops nothing."""
    return Step("webhooks", _missing, _install, lasting=False)


def _missing() -> list[str]:
    if not succeeds("systemctl", "is-active", "--quiet", "hero_boxd.service"):
        return ["have the forge tell the box of pushes"]
    hooks = _status()
    for hook in hooks:
        if hook["state"] == "error":
            print(f"webhooks: {hook['repo']}: {hook['detail']}", file=sys.stderr)
    return [f"install the webhook of {hook['repo']}" for hook in hooks if hook["state"] in _TO_INSTALL]


def _status() -> list[dict[str, str]]:
    deadline = time.monotonic() + _PATIENCE
    while True:
        hooks: list[dict[str, str]] = json.loads(_hooks("status"))["hooks"]
        if len(hooks) > 1 or time.monotonic() > deadline:
            return hooks
        time.sleep(0.2)


def _install() -> None:
    try:
        _hooks("install")
    except Stopped as stopped:
        print(f"webhooks: {stopped}", file=sys.stderr)


def _hooks(verb: str) -> str:
    return run(str(CURRENT / ".venv" / "bin" / "hero_dev"), "hooks", verb, "--json")
