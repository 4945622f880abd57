"""`broker.audited` of a box: who was given which of the org's keys, in the box's audit log too."""

from __future__ import annotations

from tests.backends.box.conftest import MadeBox


async def test_what_the_broker_was_asked_for_is_in_the_boxs_audit_log_and_does_no_harm_there(box: MadeBox) -> None:
    box.boxd()
    client = await box.client()
    line = {"kind": "claude_key.get", "slot": "ORG_CLAUDE_KEY_2", "user": "ali\x1b[2Jce", "ok": True}
    await client.call("broker.audited", {"lines": [line]})
    (event,) = (await client.call("audit.list"))["events"]
    assert (event["kind"], event["subject"]) == ("audit.claude_key.get", "ORG_CLAUDE_KEY_2")
    assert "\x1b" not in event["data"]["user"]
    assert event["data"]["ok"] is True
