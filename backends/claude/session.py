"""The command line and environment of one session: the credential that was resolved, and no other."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from backends.claude.private import write_private
from backends.claude.prompt import as_prompt, is_long
from backends.claude.renewal import LOGIN_FOLDER
from backends.claude.seed import Planted
from backends.claude.settings import OTHERS_TOOLS
from backends.claude.transcript import is_spoken, put_aside
from backends.claude.unsetting import CREDENTIALS
from backends.model.agent_calls import AgentLaunch
from backends.model.agents import Effort, Mode
from backends.model.broker_calls import ClaudeKey
from backends.model.claude import NOBODY_PAYS, CredentialKind
from backends.model.errors import HeroError
from backends.model.text import safe_line

UNSET = (*CREDENTIALS, "MAX_THINKING_TOKENS", "IS_SANDBOX")
"""Variables that could add a credential or another payer, lead elsewhere, or overrule mode, model and effort."""

QUIET = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_TELEMETRY": "1",
    "DISABLE_ERROR_REPORTING": "1",
    # Else the window has no scrollback, and a preview shows nothing of what was.
    "CLAUDE_CODE_DISABLE_ALTERNATE_SCREEN": "1",
    # Its own background sessions would run past our list of agents.
    "CLAUDE_CODE_DISABLE_AGENT_VIEW": "1",
}
"""What every session gets: it contacts nobody but who answers its requests."""

DEFAULT_MODEL = "opus"
_LOOPBACK = "127.0.0.1,localhost,::1"
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/\[\]-]{0,99}")


@dataclass(frozen=True)
class SessionRequest:
    """A session to be started, or with `resume` to be gone on with.

    `session` is a UUID. With kind `org`, `key` is what the broker gave. `foreign`: the prompt is not the words of
    the person whose agent it is. `base_url` leads a personal login elsewhere; tests do that.
    """

    program: Path
    planted: Planted
    worktree: Path
    home: Path
    session: str
    name: str
    effort: Effort
    credential: CredentialKind
    key: ClaudeKey | None = None
    model: str = DEFAULT_MODEL
    mode: Mode = "default"
    prompt: str = ""
    foreign: bool = False
    resume: bool = False
    instructions: str = ""
    base_url: str = ""
    env: Mapping[str, str] = field(default_factory=dict)


def launch(request: SessionRequest, environment: Mapping[str, str]) -> AgentLaunch:
    """What the launcher in the agent's window becomes. `environment` is the daemon's own. Raises HeroError.

    Writes a prompt that is too long for a command line into the agent's folder: blocks.
    """
    env = {**QUIET, "CLAUDE_CONFIG_DIR": str(request.planted.config), **request.env}
    secret, variable, base_url = "", "", request.base_url
    if request.credential == "personal":
        env[LOGIN_FOLDER] = str(request.home / ".claude")
    elif request.credential == "org" and request.key is not None:
        kind = "OAUTH_TOKEN" if request.key.oauth else "API_KEY"
        secret, variable = request.key.secret, f"CLAUDE_CODE_{kind}_FILE_DESCRIPTOR"
        base_url = request.key.base_url or base_url
    else:
        raise HeroError("denied", "Nobody pays for this session.", hint=NOBODY_PAYS)
    if base_url:
        env |= {"ANTHROPIC_BASE_URL": base_url, **_past_proxies(environment)}
    return AgentLaunch(
        argv=tuple(_argv(request)),
        cwd=str(request.worktree),
        env=env,
        unset=UNSET,
        secret=secret,
        variable=variable,
    )


def checked_model(model: str) -> str:
    """`model`, or the default for "". Raises HeroError `usage` where it is no model's name."""
    if model and not _MODEL.fullmatch(model):
        raise HeroError(
            "usage",
            f"{safe_line(model, 60)!r} is no model's name.",
            hint="Like opus, sonnet, haiku, or a full name.",
        )
    return model or DEFAULT_MODEL


def has_conversation(planted: Planted, session: str) -> bool:
    """Whether there is something to resume: the program keeps nothing of a session that was never asked."""
    return is_spoken(planted.config, session)


def made_way(planted: Planted, session: str) -> bool:
    """Whether there is something to resume; else nothing is left that keeps the session from beginning anew.

    Blocks. Raises HeroError.
    """
    if has_conversation(planted, session):
        return True
    put_aside(planted.config, session)
    return False


def _argv(request: SessionRequest) -> list[str]:
    argv = [
        str(request.program),
        "--permission-mode",
        request.mode,
        "--model",
        checked_model(request.model),
        "--effort",
        request.effort,
        # A project's own settings and servers may run commands; they do not, unasked.
        "--setting-sources",
        "user",
        "--settings",
        str(request.planted.settings),
        "--strict-mcp-config",
        f"--mcp-config={request.planted.servers}",
        f"--disallowedTools={','.join(OTHERS_TOOLS)}",
        "--resume" if request.resume else "--session-id",
        request.session,
        f"--name={safe_line(request.name, 100)}",
    ]
    if request.instructions:
        argv.append(f"--append-system-prompt={request.instructions}")
    if prompt := _prompt(request):
        argv += ["--", prompt]
    return argv


def _prompt(request: SessionRequest) -> str:
    prompt = as_prompt(request.prompt, foreign=request.foreign)
    if not is_long(prompt):
        return prompt
    path = request.planted.prompts / f"{secrets.token_hex(8)}.md"
    write_private(path, prompt.encode())
    return f"Your task is in the file {path}: read all of it, then do what it says."


def _past_proxies(environment: Mapping[str, str]) -> dict[str, str]:
    """The broker's relay is on this machine, and no proxy is to see what goes there."""
    given = environment.get("NO_PROXY") or environment.get("no_proxy") or ""
    told = f"{given},{_LOOPBACK}" if given else _LOOPBACK
    return {"NO_PROXY": told, "no_proxy": told}
