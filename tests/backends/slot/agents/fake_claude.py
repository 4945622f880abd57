"""A program at the place of `claude`: it writes the status file, calls the hooks, reads prompts from its terminal.

A prompt's first word says what its turn does; any other prompt is answered with itself.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from backends.claude.hook import keep
from backends.claude.one_call import Refused, ask

SOCKET, AGENT, SESSION, SPOOL = sys.argv[1:5]
FILE = Path(os.environ["CLAUDE_CONFIG_DIR"]) / "sessions" / f"{os.getpid()}.json"
TRANSCRIPT = Path(os.environ["CLAUDE_CONFIG_DIR"]) / "projects" / "x" / f"{SESSION}.jsonl"


def status(doing: str, waiting_for: str = "") -> None:
    started = Path(f"/proc/{os.getpid()}/stat").read_text().rpartition(")")[2].split()[19]
    told = {"pid": os.getpid(), "sessionId": SESSION, "procStart": started, "status": doing}
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(json.dumps(told | ({"waitingFor": waiting_for} if waiting_for else {})))


def hook(event: str, **payload: Any) -> str:
    given = {"hook_event_name": event, **payload}
    told = {"agent": AGENT, "event": event, "payload": given}
    for _ in range(200):
        try:
            return str(ask(SOCKET, "agent.hook", told, seconds=60)["output"])
        except Refused:
            return ""
        except OSError:
            if event != "PermissionRequest":
                keep(SPOOL, event, given)
                return ""
            time.sleep(0.05)
    return ""


def dialog(tool: str, given: dict[str, Any]) -> str:
    status("waiting", "permission prompt")
    said = hook("PermissionRequest", tool_name=tool, tool_input=given)
    status("busy")
    decided = json.loads(said)["hookSpecificOutput"]["decision"] if said else {}
    return json.dumps(decided)


def act(prompt: str) -> str:
    """The answer of one turn."""
    word, _, rest = prompt.partition(" ")
    match word:
        case "ask":
            return dialog("Bash", {"command": rest})
        case "question":
            options = [{"label": "Red"}, {"label": "Blue"}]
            return dialog("AskUserQuestion", {"questions": [{"question": "Which?", "options": options}]})
        case "hold":
            while not Path(rest).exists():
                time.sleep(0.01)
        case "die":
            os._exit(int(rest))
        case "child":
            child = subprocess.Popen(["sleep", "1000"], start_new_session=True)
            return str(child.pid)
        case "count":
            with Path("count").open("a") as out:
                out.write(prompt.splitlines()[0] + "\n")
            return rest or "counted"
    return prompt


def turn(prompt: str) -> None:
    status("busy")
    hook("UserPromptSubmit", prompt=prompt)
    while prompt:
        if prompt.startswith(("fail ", "late ")):
            if prompt.startswith("late "):
                # As the real one, which does not wait for this hook.
                status("idle")
                time.sleep(0.3)
            hook("StopFailure", error=prompt.split()[1], last_assistant_message="API Error: no")
            break
        task = prompt.rpartition("\n\n")[2] if prompt.startswith("Run ") else prompt
        said = hook("Stop", last_assistant_message=act(task))
        decided = json.loads(said) if said else {}
        prompt = decided.get("reason", "") if decided.get("decision") == "block" else ""
    status("idle")


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: leave(143))
    if "--no-file" in sys.argv:
        time.sleep(1000)
    TRANSCRIPT.parent.mkdir(parents=True, exist_ok=True)
    TRANSCRIPT.touch()
    hook("SessionStart", source="resume" if "--resume" in sys.argv else "startup", model="fake")
    status("idle")
    print("\x1b[?2004h> ", end="", flush=True)
    subprocess.run(["stty", "-icanon", "-echo"], check=True)
    for prompt in prompts():
        if prompt.strip() == "/exit":
            leave(0)
        turn(prompt)


def prompts() -> Any:
    """What is pasted, each whole; typed lines as they are."""
    held = ""
    while data := os.read(0, 65536):
        held += data.decode()
        held = held.rpartition("\x15")[2]
        while True:
            begin, end = held.find("\x1b[200~"), held.find("\x1b[201~")
            if begin >= 0 and end > begin and (held[end + 6 :].startswith(("\r", "\n"))):
                prompt, held = held[begin + 6 : end], held[end + 7 :]
            elif begin < 0 and (len(line := held.replace("\r", "\n").split("\n", 1)) == 2):
                prompt, held = line
            else:
                break
            yield prompt


def leave(code: int) -> None:
    FILE.unlink(missing_ok=True)
    os._exit(code)


if __name__ == "__main__":
    main()
