"""The keys of the agents and of the inbox, a part of the one table of keys."""

from __future__ import annotations

from hero_tui.key import Key, Radius

_LOOKING = frozenset({"copy", "open"})
"""What an agent's keys do that changes nothing."""
_LOSING = frozenset({"stop", "compact", "clear"})
"""What ends or forgets a conversation."""
_VERBS = {
    "attach": "agent-attach ID",
    "new": "agent",
    "interrupt": "agent-send ID --interrupt",
    "stop": "agent-stop ID",
    "resume": "agent-resume ID",
    "compact": "agent-send ID --compact",
    "clear": "agent-send ID --clear",
    "open": "agent-log ID -f",
    "reply": "agent-send ID TEXT",
}


def _agent(name: str, keys: str, label: str, help: str, hint: int = 0, context: str = "session") -> Key:
    action, looks = f"screen.agent('{name}')", name in _LOOKING
    radius: Radius = "medium" if name in _LOSING else "low"
    verb = _VERBS.get(name, "")
    return Key(
        f"{context}.{name}", keys, label, context, help, action, hint, radius=radius, read_only=looks, verb=verb
    )


def _option(number: int) -> Key:
    return Key(f"option.{number}", str(number % 10), "choose", "option", f"Choose answer {number}")


AGENT_KEYS: tuple[Key, ...] = (
    _agent("attach", "A", "attach", "Its window in tmux", 20),
    _agent("new", "a", "new", "Start an agent in my slot", 30),
    _agent("interrupt", "I", "interrupt", "Stop what it does now; it waits for words"),
    _agent("stop", "x", "stop", "End the session", 40),
    _agent("resume", "r", "resume", "Go on with a session that has ended", 45),
    _agent("compact", "c", "compact", "Make its context smaller", 50),
    _agent("clear", "C", "new session", "A new conversation in the same window"),
    _agent("copy", "o", "copy", "Copy branch, worktree, session…"),
    _agent("open", "enter,i", "reply", "Its log, what it asks, a line to reply", 1, "agents"),
    Key(
        "agents.filter",
        "/",
        "filter",
        "agents",
        "By words; /!without, /-f letters",
        "screen.agents_filter",
        60,
    ),
    Key(
        "agents.attention",
        "!",
        "waiting",
        "agents",
        "Those that wait or failed",
        "screen.agents_attention",
        65,
    ),
    Key(
        "agents.mark",
        "space",
        "mark",
        "agents",
        "Mark it: stop, copy… are of all marked",
        "screen.agents_mark",
        72,
    ),
    Key("agents.sort", "O", "sort", "agents", "By need, name, longest, cost", "screen.agents_sort", 74),
    Key("agents.mine", ".", "mine", "agents", "Only those of my slot", "screen.agents_mine", 70),
    Key("agents.describe", "d", "details", "agents", "Show or hide what it does", "screen.agents_describe", 80),
    _agent("reply", "enter,i", "reply", "Write to it, or send the answer that is chosen", 1, "agent"),
    _agent("allow", "y", "allow", "Let it do what it asks for", 3, "agent"),
    _agent("deny", "n", "deny", "Do not let it", 4, "agent"),
    Key("said.follow", "f,space", "follow", "said", "Follow the end, or stand still"),
    Key("said.down", "j,down", "down", "said", "A line down"),
    Key("said.up", "k,up", "up", "said", "A line up"),
    Key("said.half_down", "ctrl+d,pagedown", "half page down", "said", "Half a page down"),
    Key("said.half_up", "ctrl+u,pageup", "half page up", "said", "Half a page up"),
    Key("said.top", "g,home", "top", "said", "The oldest entry"),
    Key("said.bottom", "G,end", "bottom", "said", "The newest entry, and follow"),
    *(_option(number) for number in range(1, 11)),
    Key(
        "text.send", "enter", "send", "text", "Send what is written; after a \\ a new line", "", 1, read_only=False
    ),
    Key("text.new_line", "shift+enter,alt+enter", "new line", "text", "Another line"),
    Key("text.leave", "escape", "back", "text", "Back; what is written stays", "", 2),
    Key(
        "form.start",
        "enter",
        "start",
        "form",
        "Start the agent",
        "",
        1,
        read_only=False,
        verb="agent PROMPT",
    ),
    Key("form.cancel", "escape", "close", "form", "Close; the prompt is kept", "", 2),
    Key("choice.next", "right,l,space", "next", "choice", "The next choice"),
    Key("choice.previous", "left,h", "previous", "choice", "The choice before"),
    Key(
        "inbox.answer",
        "enter,i",
        "answer",
        "inbox",
        "Write an answer, or send the one chosen",
        "screen.answer",
        1,
        read_only=False,
        verb="answer ID TEXT",
    ),
    Key(
        "inbox.allow",
        "y",
        "allow",
        "inbox",
        "Let the agent do what it asks for",
        "screen.decide(True)",
        3,
        radius="policy",
        read_only=False,
        verb="answer ID 1",
    ),
    Key(
        "inbox.deny",
        "n",
        "deny",
        "inbox",
        "Do not let it",
        "screen.decide(False)",
        4,
        read_only=False,
        verb="answer ID 2",
    ),
    Key(
        "inbox.read",
        "space",
        "read",
        "inbox",
        "Mark a message as read",
        "screen.read",
        20,
        read_only=False,
        verb="inbox ID",
    ),
    Key("approval.later", "escape,q", "later", "approval", "Decide nothing yet"),
    Key(
        "approval.allow",
        "y",
        "allow",
        "approval",
        "Allow what the plan says; where its radius is high, type the name first",
        radius="policy",
        read_only=False,
        verb="answer ID allow --confirm NAME",
    ),
    Key(
        "approval.deny",
        "n",
        "deny",
        "approval",
        "Deny it",
        read_only=False,
        verb="answer ID deny",
    ),
    Key("approval.read_on", "pagedown,ctrl+d", "read on", "approval", "More of the plan"),
    Key("approval.read_back", "pageup,ctrl+u", "read back", "approval", "What stood before in the plan"),
    Key("approval.words", "i", "deny, and why", "approval", "Deny it, and write why", read_only=False),
    Key("inbox.peek", "p,l", "agent", "inbox", "Look at the agent that asks", "screen.peek_agent", 30),
    Key(
        "inbox.sent", "s", "sent", "inbox", "What I and my agents asked and said, or what came", "screen.sent", 40
    ),
    Key(
        "inbox.take_back",
        "x",
        "take back",
        "inbox",
        "Take a question of mine back",
        "screen.take_back",
        45,
        radius="medium",
        read_only=False,
    ),
    Key(
        "inbox.filter",
        "/",
        "filter",
        "inbox",
        "By words; /!without, /-f letters",
        "screen.inbox_filter",
        60,
    ),
    Key("inbox.open", "!", "open", "inbox", "Only what is open or unread", "screen.only_open", 65),
    Key("inbox.copy", "c", "copy", "inbox", "Copy its text", "screen.inbox_copy", 70),
    Key("inbox.mark", "m", "mark", "inbox", "Mark it: read, copy, take back", "screen.inbox_mark", 75),
    Key("inbox.sort", "O", "sort", "inbox", "Urgent, newest, oldest, by who", "screen.inbox_sort", 85),
)

AGENT_PLACES: dict[str, tuple[str, ...]] = {
    "agents": ("any", "session", "agents", "list"),
    "agent": ("any", "session", "agent", "said"),
    "inbox": ("any", "inbox", "list"),
    "approval": ("approval",),
    "text": ("text",),
    "form": ("form",),
    "choice": ("choice",),
    # Digits are answers only while the question that is shown has so many, and are screens otherwise; they choose,
    # and nothing is sent before Enter.
    "option": ("option",),
}
