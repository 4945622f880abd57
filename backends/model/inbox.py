"""Questions and messages between people and agents."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from backends.model.frozen import Frozen

ItemState = Literal["open", "submitted", "answered", "cancelled", "expired", "delivered"]


class Approval(Frozen):
    """What waits for a person. `action` is a name of policy.toml and `rule` the glob that decided (none: no rule
    names it); `subject` is what it is done to, which is typed to allow a `high` one. A `medium` one is done after
    `hold` seconds unless somebody denies it."""

    action: str
    subject: str
    radius: Literal["medium", "high"]
    rule: str
    hold: float = 0.0


class InboxItem(Frozen):
    """One question or message. `sender` and `to` are a login, or `<slot>/<agent>`.

    A `question` waits for `to` to answer; a `permission` is a dialog in an agent's own terminal (`waiting` is its
    id), whose answer is `submitted` until the agent has gone on; an `approval` is what an agent wants done in its
    slot, `text` its plan, `submitted` once it is allowed and until it is done (`outcome`); a `message` waits for
    nothing. `choice` is the number of the option that was chosen, from 1.
    """

    id: str = Field(max_length=40)
    kind: Literal["question", "permission", "approval", "message"]
    sender: str
    to: str
    text: str
    options: tuple[str, ...] = ()
    free_text: bool = Field(default=True, description="An answer in the answerer's own words is taken.")
    state: ItemState = "open"
    asked_at: AwareDatetime
    expires_at: AwareDatetime | None = None
    read_at: AwareDatetime | None = None
    answered_at: AwareDatetime | None = None
    answered_by: str = ""
    answer: str = ""
    choice: int = 0
    waiting: str = ""
    approval: Approval | None = None
    outcome: str = Field(default="", description="What came of an approved action.")
    problem: str = Field(default="", description="Why an answer that was submitted did not arrive.")

    @property
    def as_message(self) -> str:
        """How an agent reads it: each line quoted, so that no text can pretend to be somebody else's."""
        quoted = "\n".join(f"> {line}" for line in self.text.splitlines())
        return f"Message {self.id} from {self.sender}:\n{quoted}"
