"""The verbs of `hero_dev`: which module carries out which, and what each does in a line."""

from __future__ import annotations

VERBS: dict[str, tuple[str, str]] = {
    "status": ("status", "what my slot runs, or one service of it; --all: the whole fleet"),
    "switch": ("switch", "run another branch, release or commit of a service, or go back"),
    "bind": ("bind", "add a service to the slot, or change how it is bound"),
    "unbind": ("bind", "stop a service and drop its binding; worktrees and data stay"),
    "rebuild": ("rebuild", "build a service's worktree and run it; --publish: for others too"),
    "pull": ("pull", "the newest release of each service that is bound to releases"),
    "start": ("running", "start services, or the whole slot"),
    "stop": ("running", "stop services, or the whole slot"),
    "restart": ("running", "restart services, or the whole slot"),
    "fork": ("fork", "make my own branch of a service on the forge, and bind it"),
    "sync": ("sync", "fetch repositories, make sure that worktrees exist; touches no work"),
    "peek": ("peek", "look into a teammate's slot, read-only"),
    "logs": ("logs", "what services said, merged by time; -f follows"),
    "builds": ("builds", "the box's build queue, and what went through it"),
    "build": ("build", "queue a build, cancel one, look at one or at its log"),
    "releases": ("releases", "published archives of a service, newest first; --compare two"),
    "gates": ("gates", "whether each service's trunk builds, has its archives, and runs healthy"),
    "install": ("install", "install and run a published archive, bound or not"),
    "operations": ("operations", "what runs in the slot, and how what ran ended"),
    "cancel": ("operations", "stop a running operation cleanly"),
    "secrets": ("secrets", "the private secrets repository: sync, edit, push; never prints one"),
    "login": ("login", "what a login does: the first steps, then the tmux session with the cockpit"),
    "doctor": ("doctor", "what is wrong here, why it matters and what mends it; --fix mends what it may"),
    "audit": ("audit", "who changed what, newest first"),
    "hooks": ("hooks", "the forge's webhooks of this box: their state, install, rotate"),
    "box": ("box", "a rootless box: make one, its daemons up, down, status"),
    "team": ("team", "the team repo into accounts: plan, apply, status, restore, accept"),
    "aliases": ("aliases", "make the old names, service_<svc>, lead here"),
    "completion": ("completion", "print what makes bash, zsh or fish complete hero_dev"),
}
"""Verb → the module under `hero_tui.verbs` and the sentence for `--help`."""
