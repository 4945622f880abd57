"""`a 2 PROMPT` to the first API request, against `claude PROMPT` by hand in a tmux window of its own.

Run: python -m benchmarks.agent_start [--rounds N]. HERO_CLAUDE names the program, else it is looked for. Makes a
small box with an org key in a temporary folder, with a stand-in for the API. Rounds are interleaved; a ratio is
the median over rounds of (ours / by hand in that round).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from backends.claude.session import QUIET
from tests.acceptance.agent_box import KEY, agent_box, end_agents
from tests.acceptance.small_box import SmallBox
from tests.messages_api.server import MessagesApi

TARGET = 1.3
PROMPT = "Say hello."


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    program = os.environ.get("HERO_CLAUDE", "claude")
    with tempfile.TemporaryDirectory(prefix="ha", dir="/tmp") as home, MessagesApi() as api:
        os.environ["HOME"] = home
        with agent_box(api, Path(home)) as box:
            # Its worktree is made now, and everybody who is needed runs.
            place = Path(box.call("agent.start", {"service": "hero_web"})["agent"]["worktree"])
            end_agents(box)
            _measure(box, api, place, Path(home), program, rounds)


def _measure(box: SmallBox, api: MessagesApi, place: Path, home: Path, program: str, rounds: int) -> None:
    ours, bare = [], []
    for number in range(rounds + 1):
        by_hand = _by_hand(api, place, home, program)
        agent = _ours(box, api, place)
        if number:
            ours.append(agent)
            bare.append(by_hand)
        end_agents(box)
    ratios = [a / b for a, b in zip(ours, bare, strict=True)]
    print(f"{'claude, by hand':24}{median(bare) * 1000:>10.0f} ms")
    print(f"{'a 2':24}{median(ours) * 1000:>10.0f} ms")
    print(f"a 2 against claude by hand: {median(ratios):.2f}, to reach: ≤ {TARGET:g}")


def _ours(box: SmallBox, api: MessagesApi, place: Path) -> float:
    before = len(api.messages)
    words = ["import sys; from hero_tui.cli import agent_main; sys.exit(agent_main(sys.argv[1:]))", "2", PROMPT]
    environment = {**os.environ, "HERO_BOX": str(box.root), "HERO_SLOT": box.user}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # compiled modules are kept where the programs are installed
    begun = time.perf_counter()
    command = subprocess.Popen(
        [sys.executable, "-c", *words], cwd=place, env=environment, stdout=subprocess.DEVNULL
    )
    api.wait(before + 1)
    taken = time.perf_counter() - begun
    command.wait()
    return taken


def _by_hand(api: MessagesApi, place: Path, home: Path, program: str) -> float:
    config = home / "by-hand"
    config.mkdir(exist_ok=True)
    trusted = {
        "hasCompletedOnboarding": True,
        "projects": {str(place.resolve()): {"hasTrustDialogAccepted": True}},
    }
    (config / ".claude.json").write_text(json.dumps(trusted))
    before = len(api.messages)
    settings = {
        **QUIET,
        "CLAUDE_CONFIG_DIR": str(config),
        "ANTHROPIC_BASE_URL": api.url,
        "ANTHROPIC_AUTH_TOKEN": KEY,
    }
    tmux = ["tmux", "-S", str(home / "tmux.sock"), "-f", "/dev/null"]
    begun = time.perf_counter()
    words = ["--permission-mode", "default", "--model", "opus", "--effort", "medium", "--", PROMPT]
    shape = ["-x", "200", "-y", "50", "-c", str(place)]
    subprocess.run(
        [*tmux, "new-session", "-d", *shape, "--", program, *words], check=True, env=os.environ | settings
    )
    api.wait(before + 1)
    taken = time.perf_counter() - begun
    subprocess.run([*tmux, "kill-server"], check=True)
    return taken


if __name__ == "__main__":
    main()
