"""Actions that wait for a person in the box's daemon: who may propose, who hears of it, what a kill has lost."""

from __future__ import annotations

from tests.backends.box.conftest import MadeBox, eventually
from tests.backends.box.inbox.agents_slot import AgentsSlot
from tests.backends.box.inbox.test_on_a_box import refused

ACTION = {"agent": "3", "text": "switch", "waiting": "act-1"}
SWITCH = {"action": "slot.switch", "subject": "hero_web"}


async def test_policy_says_how_far_an_action_reaches_whatever_the_slot_says(box: MadeBox) -> None:
    box.boxd()
    alice = AgentsSlot(box)
    link = await alice.come()
    client = await box.client()
    item = await link.call("question.ask", {**ACTION, "approval": SWITCH})
    assert (item["kind"], item["to"], item["approval"]["radius"]) == ("approval", "alice", "high")
    error = await refused(client, "question.ask", **ACTION, approval=SWITCH, user="alice")
    assert "Only the daemon of alice's slot" in error.message
    assert (await refused(client, "question.standing", user="alice")).code == "denied"
    allowed = await client.call(
        "question.answer", {"id": item["id"], "user": "alice", "choice": 1, "confirm": "hero_web"}
    )
    assert allowed["state"] == "submitted"

    async def handed() -> bool:
        return bool(alice.decided)

    await eventually(handed)
    assert alice.decided == [{"agent": "3", "waiting": "act-1", "item": item["id"], "by": "alice"}]
    audit = (await client.call("audit.list", {"limit": 10}))["events"]
    assert [event["data"]["title"] for event in audit] == [
        "allow slot.switch hero_web of alice/3",
        "propose slot.switch hero_web of alice/3",
    ]
    await alice.leave()


async def test_an_answer_that_a_killed_slot_has_lost_is_handed_to_its_dialog_once_more(box: MadeBox) -> None:
    box.boxd()
    alice = AgentsSlot(box, dialogs={"w1"})
    link = await alice.come()
    dialog = {"agent": "3", "text": "Bash: rm", "waiting": "w1"}
    item = await link.call("question.ask", dialog)
    client = await box.client()
    await client.call("question.answer", {"user": "alice", "id": item["id"], "text": "yes"})

    async def handed(times: int) -> bool:
        return len(alice.answers) == times

    await eventually(lambda: handed(1))
    alice.dialogs.add("w1")
    link = await alice.come()
    await link.call("question.standing", {"waiting": ["w1"]})
    assert (await link.call("question.ask", dialog))["id"] == item["id"]
    await eventually(lambda: handed(2))
    await alice.leave()
