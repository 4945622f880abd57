"""Tools by which an agent asks and tells; none waits: an answer comes as a message of its own."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from backends.model.durations import parse_seconds
from hero_tui.mcp_server.arguments import Arguments, Name
from hero_tui.mcp_server.desk import Desk

Text = Annotated[str, Field(min_length=1, max_length=20_000)]
Option = Annotated[str, Field(min_length=1, max_length=200)]


class AskOperator(Arguments):
    question: Text = Field(description="The question, with all that a person needs to decide it.")
    options: tuple[Option, ...] = Field(default=(), max_length=10, description="Answers to choose from.")
    ttl: str = Field(default="", max_length=20, description='Time to answer, like "30m"; default: any.')
    to: Name = Field(default="", description="A teammate's login, or @admins; default: whose slot this is.")


class CancelQuestion(Arguments):
    id: Annotated[str, Field(max_length=40)] = Field(description="What ask_operator returned.")


class Tell(Arguments):
    to: Name = Field(description="A teammate's login, @admins, or an agent like alice/3.")
    text: Text


def ask_operator(desk: Desk, asked: AskOperator) -> str:
    """Ask a person; the id of the question. Raises HeroError."""
    ttl = parse_seconds(asked.ttl) if asked.ttl else 0.0
    params = {"text": asked.question, "options": asked.options, "to": asked.to, "ttl": ttl}
    item = desk.box("question.ask", params | _self(desk))
    when = f"; it ends at {item['expires_at']}" if item["expires_at"] else ""
    return f"Question {item['id']} is asked of {item['to']}{when}. The answer will come as a message; go on."


def cancel_question(desk: Desk, asked: CancelQuestion) -> str:
    """Take a question back. Raises HeroError."""
    item = desk.box("question.cancel", {"id": asked.id} | _self(desk))
    return f"Question {item['id']} is taken back."


def tell(desk: Desk, asked: Tell) -> str:
    """Send a message. Raises HeroError."""
    item = desk.box("message.send", {"to": asked.to, "text": asked.text} | _self(desk))
    return f"Message {item['id']} waits for {item['to']}."


def _self(desk: Desk) -> dict[str, str]:
    return {"agent": desk.agent, "user": desk.where.user}
