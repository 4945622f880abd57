"""A fresh machine becomes a team's box, keeps neighbours apart, follows the team repo, comes back from nothing."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.another_uid import AGENT, CALLS, calls_as, tools_as
from tests.acceptance.real_agents import (
    ORG_KEY,
    SECRET,
    agent_of,
    asked_for,
    begin_api,
    begin_session,
    process_of,
    says_and_hears,
)
from tests.acceptance.real_box import PEOPLE, RealBox, make_keys, real_box, team_files, user
from tests.acceptance.small_box import SERVICES
from tests.acceptance.team_forge import TeamForge, team_forge
from tests.forgejo_server.gitea import needs_gitea
from tests.lab.fixtures import lab
from tests.lab.labs import Lab

__all__ = ["lab"]

pytestmark = [pytest.mark.slow, needs_gitea]

SLOT_SECONDS = 60.0
"""Within which a merged file gives a working slot (the issue's promise; the benchmark measures it)."""


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    folder = tmp_path_factory.mktemp("keys")
    return folder, make_keys(folder, *PEOPLE, "sara", "stranger")


@pytest.fixture(scope="module")
def forge(lab: Lab, keys: tuple[Path, dict[str, str]]) -> TeamForge:
    made = team_forge(lab, {})
    for name in (*PEOPLE, "sara"):
        made.person(name)
    for path, text in team_files(keys[1], made.url).items():
        made.commit(path, text, f"Begin {path}")
    return made


@pytest.fixture(scope="module")
def box(lab: Lab, forge: TeamForge, keys: tuple[Path, dict[str, str]], claude_or_none: Path | None) -> RealBox:
    """The box, with everybody's services running."""
    made = real_box(lab, forge, keys[0], claude=claude_or_none)
    checked = made.machine.run(["/srv/hero/deploy/bootstrap.sh", "--team", made.team, "--check"]).stdout
    assert "make the system user hero" in checked
    assert not made.machine.run(["id", "hero"], check=False).stdout, "--check changes nothing"
    made.bootstrap()
    for name in (*PEOPLE, "integration"):
        made.wait(lambda name=name: made.healthy(name), f"healthy services of {name}", 180)  # type: ignore[misc]
    return made


def test_the_bootstrap_finds_nothing_to_do_the_second_time(box: RealBox) -> None:
    told = box.bootstrap()
    lines = [line for line in told.splitlines() if not line.startswith("in all")]
    assert lines
    assert all(line.endswith("done before") for line in lines), told


def test_people_log_in_by_their_keys_and_by_nothing_else(box: RealBox) -> None:
    assert box.machine.ssh("alice", box.keys / "alice", ["id", "-un"]).stdout.strip() == "alice"
    assert box.machine.ssh("alice", box.keys / "bob", ["true"], check=False).returncode
    assert box.machine.ssh("alice", box.keys / "stranger", ["true"], check=False).returncode
    offered = box.machine.ssh(
        "alice", box.keys / "stranger", ["true"], options=["-o", "PreferredAuthentications=password"], check=False
    )
    assert "password" not in offered.stderr.partition("Permission denied")[2]


def test_mosh_works_too(box: RealBox) -> None:
    laptop = box.forge.machine
    laptop.put(box.keys / "alice", "/var/tmp/alice")
    laptop.run(["chmod", "600", "/var/tmp/alice"])
    ssh = "ssh -i /var/tmp/alice -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
    mosh = "stty rows 24 cols 80; " + shlex.join(
        ["mosh", f"--ssh={ssh}", f"alice@{box.machine.ip}", "--", "touch", "over-mosh"]
    )
    told = laptop.run(["script", "-qec", mosh, "/dev/null"], env={"TERM": "xterm", "LANG": "C.UTF-8"}, check=False)
    done = box.machine.run(["ls", "over-mosh"], user="alice", check=False)
    assert done.stdout == "over-mosh\n", told.stdout


def test_services_run_under_the_users_own_systemd_and_outlive_the_login(box: RealBox) -> None:
    told = box.machine.ssh("alice", box.keys / "alice", ["systemctl", "--user", "is-active", "slot-hero_web"])
    assert told.stdout.strip() == "active"
    pid = box.cells("alice")["hero_web"]["pid"]
    owner = box.machine.run(["stat", "-c", "%U", f"/proc/{pid}"]).stdout.strip()
    assert owner == "alice"
    assert box.machine.run(["loginctl", "show-user", "alice", "-p", "Linger"]).stdout.strip() == "Linger=yes"


def test_a_service_answers_at_its_address(box: RealBox) -> None:
    box.wait(lambda: box.get("/alice/web/").startswith("200"), "an answer at /alice/web/")
    url = box.cells("alice")["hero_web"]["url"]
    assert url.endswith("/alice/web/")
    assert box.get("/bob/../alice/web/").startswith("400")
    assert box.get("/alice/..%2fbob/web/").startswith("400")
    assert box.get("/nobody/web/").startswith("404")


def test_a_teammate_is_peeked_at_and_never_touched(box: RealBox) -> None:
    seen = json.loads(box.dev("bob", "peek", "alice", "--json").stdout)
    assert {cell["service"] for cell in seen["services"]} == {one.name for one in SERVICES}
    assert box.dev("bob", "peek", "alice", "hero_web", "--logs").stdout
    refused = box.dev("bob", "--slot", "alice", "restart", "hero_web", check=False)
    assert refused.returncode
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    "tried",
    [
        "cat /home/alice/hero/cfg/dev_manifest.toml",
        "ls /home/alice",
        "touch /home/alice/x",
        "ls /run/hero/slots/alice",
        "cat /var/lib/hero/secrets/forge_token",
        "cat /var/lib/hero/team_sync/state.json",
        "ls /var/lib/hero-broker",
        "cat /var/lib/hero/var/events.sqlite",
        "cat /proc/$PID/environ",
        "cat /proc/$PID/cmdline",
        "kill -0 $PID",
        "systemctl status $PID | grep -q python",
        "busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager"
        " GetUnitProcesses s user@$UID_OF_ALICE.service",
        "journalctl -q _UID=$UID_OF_ALICE -n 1 | grep .",
        "curl -fsS --unix-socket /run/hero/slots/alice/hero_web/web.sock http://x/",
        "curl -fsS --unix-socket /run/hero/slots/alice/hero_slot/rpc.sock http://x/",
        "tmux -S /tmp/tmux-$UID_OF_ALICE/default list-sessions",
        "systemctl stop hero_boxd",
        "systemctl --user -M alice@ list-units",
        "hero_dev team restore alice",
    ],
)
def test_another_user_cannot(box: RealBox, tried: str) -> None:
    pid = box.cells("alice")["hero_web"]["pid"]
    uid = box.machine.run(["id", "-u", "alice"]).stdout.strip()
    words = tried.replace("$PID", str(pid)).replace("$UID_OF_ALICE", uid)
    done = box.machine.run(["bash", "-c", f"set -o pipefail; {words}"], user="bob", check=False)
    assert done.returncode, f"{shlex.quote(words)} worked:\n{done.stdout}"


def test_nobody_acts_as_somebody_elses_agent(box: RealBox) -> None:
    (asked,) = calls_as(box, "alice", ("question.ask", {"agent": "9", "text": "May I?"}))
    item = asked["result"]
    assert (item["sender"], item["to"]) == (AGENT, "alice")
    for_alice = (("question.answer", {"id": item["id"], "text": "yes"}), ("question.cancel", {"id": item["id"]}))
    tried = (*CALLS, *for_alice)
    for (method, params), answer in zip(tried, calls_as(box, "bob", *tried), strict=True):
        assert answer.get("error", {}).get("data", {}).get("code") == "denied", (method, params, answer)
    approval = {"action": "slot.switch", "subject": "hero_web"}
    proposed = {"agent": "9", "text": "switch hero_web", "waiting": "act-1", "approval": approval}
    (refused,) = calls_as(box, "alice", ("question.ask", proposed))
    assert refused["error"]["data"]["code"] == "denied", "only her slot's daemon proposes"
    tools: tuple[tuple[str, dict[str, Any]], ...] = (
        ("status", {}),
        ("switch", {"service": "hero_web", "branch": "development_mik"}),
        ("tell", {"to": "carol", "text": "As alice's agent."}),
        ("ask_operator", {"question": "As alice's agent?"}),
    )
    for answer in tools_as(box, "bob", *tools):
        assert answer.get("error") or answer["result"]["isError"], answer
    told = json.loads(box.dev("carol", "inbox", "--json").stdout)["items"]
    assert [one for one in told if one["sender"].startswith(("alice", "bob"))] == []
    mine = json.loads(box.dev("alice", "inbox", "--json").stdout)["items"]
    assert [(one["id"], one["state"]) for one in mine if one["sender"] == AGENT] == [(item["id"], "open")]
    box.dev("alice", "answer", item["id"], "no")


def test_a_stopped_service_has_a_page_that_says_how_it_is_started(box: RealBox) -> None:
    box.dev("bob", "stop", "hero_web")
    page = box.get("/bob/web/")
    assert page.startswith("503")
    assert "hero_dev start hero_web" in page
    box.dev("bob", "start", "hero_web")
    box.wait(lambda: box.get("/bob/web/").startswith("200"), "bob's page")


def test_a_merged_file_gives_a_working_slot(box: RealBox, keys: tuple[Path, dict[str, str]]) -> None:
    box.forge.commit("users/sara.toml", user("Sara", keys[1]["sara"], pays=ORG_KEY), "Welcome sara")
    box.wait(lambda: "sara" in box.machine.run(["getent", "passwd"]).stdout, "an account, by the forge's webhook")
    box.wait(lambda: box.healthy("sara"), "healthy services of sara", SLOT_SECONDS)
    assert box.machine.ssh("sara", box.keys / "sara", ["hero_dev", "status"]).stdout
    assert "nothing to do" in box.dev("carol", "team", "plan").stdout


def test_who_has_no_login_gets_a_working_agent_from_the_merged_file_alone(
    box: RealBox, claude_program: Path
) -> None:
    begin_api(box)
    box.machine.run(["hero_dev", "claude", "keys", "set", ORG_KEY], user="carol", input=SECRET)
    told = json.loads(box.dev("sara", "claude", "status", "--json").stdout)
    assert told["resolution"]["credential"] == {"kind": "org", "key": ORG_KEY}
    begin_session(box, "sara")
    box.machine.ssh("sara", box.keys / "sara", ["a", "2", "--service", "hero_web", "say", "hello"])
    box.wait(lambda: agent_of(box, "sara")["state"] == "idle", "the end of the agent's turn")
    (request,) = asked_for(box, "say hello")
    assert (request["key"], request["body"]["output_config"]["effort"]) == (SECRET, "medium")
    agent = agent_of(box, "sara")
    assert (agent["last_line"], agent["why"], agent["credential"]) == ("At your service.", "done", "org-key-2")


def test_an_agents_credential_and_terminal_are_out_of_everybodys_reach(box: RealBox, claude_program: Path) -> None:
    agent = agent_of(box, "sara")
    told = box.machine.run(["sh", "-c", "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ; journalctl -q --no-pager"])
    assert SECRET not in told.stdout
    places = box.machine.run(
        ["grep", "-rlFf", "-", "/home", "/run", "/var/lib", "/var/log", "/etc", "/tmp"], input=SECRET, check=False
    ).stdout
    assert [place for place in places.splitlines() if not place.startswith("/var/lib/hero-broker/")] == []
    uid = box.machine.run(["id", "-u", "sara"]).stdout.strip()
    for tried in (
        f"cat /proc/{agent['pid']}/environ",
        f"ls /run/user/{uid}",
        f"tmux -S /run/user/{uid}/tmux-{uid}/default ls",
        "cat /home/sara/hero/var/agents/1/log.jsonl",
        "ls /var/lib/hero-broker",
    ):
        assert box.machine.run(["sh", "-c", tried], user="bob", check=False).returncode, tried
    denied = box.machine.run(["hero_dev", "claude", "keys", "list"], user="bob", check=False)
    assert denied.returncode
    assert "say hello" in box.dev("bob", "agent-log", "sara/1").stdout


def test_an_agent_outlives_the_login_and_a_restart_of_every_daemon(box: RealBox, claude_program: Path) -> None:
    begun = process_of(box, "sara")
    sessions = ["loginctl", "show-user", "sara", "--property=Sessions", "--value"]
    box.wait(lambda: not box.machine.run(sessions).stdout.strip(), "sara's logout")
    group = box.machine.run(["cat", f"/proc/{begun[0]}/cgroup"]).stdout
    assert "/user@" in group, "of the user's manager, not of a login"
    box.machine.run(["systemctl", "restart", "hero_team_sync", "hero_boxd", "hero_aibroker"])
    box.machine.run(["systemctl", "--user", "restart", "hero_slotd"], user="sara")
    box.wait(lambda: agent_of(box, "sara")["state"] == "idle", "the agent, listed")
    assert process_of(box, "sara") == begun
    request = says_and_hears(box, "sara", "go on then")
    assert request["key"] == SECRET
    assert "say hello" in json.dumps(request["body"]["messages"])
    assert (process_of(box, "sara"), agent_of(box, "sara")["turns"]) == (begun, 2)


def test_an_agent_comes_back_from_a_reboot_with_its_conversation(box: RealBox, claude_program: Path) -> None:
    before, boot = agent_of(box, "sara"), box.boot_id()
    box.machine.stop()
    box.machine.boot()
    assert box.boot_id() != boot
    box.wait(lambda: agent_of(box, "sara")["state"] == "idle", "the agent, back by itself")
    back = agent_of(box, "sara")
    kept = ("id", "session", "worktree", "credential", "model", "effort", "turns")
    assert {name: back[name] for name in kept} == {name: before[name] for name in kept}
    free = box.machine.run(["grep", "NoNewPrivs", f"/proc/{back['pid']}/status"]).stdout
    assert free.split()[1] == "0", "not confined as the slot's daemon is, which had it begun"
    words = box.machine.run(["cat", f"/proc/{back['pid']}/cmdline"]).stdout.split("\0")
    assert words[words.index("--resume") + 1] == before["session"]
    request = says_and_hears(box, "sara", "after the reboot")
    assert request["key"] == SECRET
    assert all(said in json.dumps(request["body"]["messages"]) for said in ("say hello", "go on then"))


def test_a_bad_file_changes_nothing_and_says_why_everywhere(box: RealBox) -> None:
    before = box.machine.run(["getent", "passwd"]).stdout
    box.forge.commit("users/mallory.toml", 'schema = 1\nfull_name = "M"\nrole = "developr"\n', "A typing error")
    box.dev("carol", "team", "apply", check=False)
    assert box.machine.run(["getent", "passwd"]).stdout == before
    for words in (("team", "status"), ("box", "status")):
        told = box.dev("bob", *words, check=False)
        assert "users/mallory.toml" in told.stdout + told.stderr, words
    box.forge.commit("users/mallory.toml", None, "Gone again")
    box.dev("carol", "team", "apply", check=False)


def test_every_daemon_and_every_service_comes_back_after_a_kill(box: RealBox) -> None:
    before = {name: cell["pid"] for name, cell in box.cells("alice").items()}
    box.machine.run(["pkill", "-KILL", "-f", "hero_tui[.](boxd|slotd|team_syncd)"], check=False)
    for pid in before.values():
        box.machine.run(["kill", "-KILL", str(pid)], check=False)
    box.wait(lambda: box.healthy("alice"), "alice's services", 90)
    after = {name: cell["pid"] for name, cell in box.cells("alice").items()}
    assert not set(before.values()) & set(after.values())
    box.wait(lambda: box.dev("alice", "team", "status", check=False).returncode in (0, 3), "the reconciler")


def test_everything_is_back_after_a_power_failure(box: RealBox) -> None:
    box.machine.kill()
    box.machine.boot()
    for name in ("alice", "integration"):
        box.wait(lambda name=name: box.healthy(name), f"{name}'s services", 120)  # type: ignore[misc]
    hidden = box.machine.run(["ps", "-eo", "user="], user="bob").stdout.split()
    assert set(hidden) == {"bob"}


def test_an_agent_comes_back_from_a_power_failure_too(box: RealBox, claude_program: Path) -> None:
    box.wait(lambda: agent_of(box, "sara")["state"] == "idle", "the agent, back by itself")
    request = says_and_hears(box, "sara", "after the power failure")
    assert (request["key"], "say hello" in json.dumps(request["body"]["messages"])) == (SECRET, True)


def test_an_assignment_that_is_taken_back_stops_a_running_session(
    box: RealBox, keys: tuple[Path, dict[str, str]], claude_program: Path
) -> None:
    box.forge.commit("users/sara.toml", user("Sara", keys[1]["sara"]), "Sara pays herself")
    box.wait(
        lambda: '"not_assigned"' in box.dev("sara", "claude", "status", "--json", check=False).stdout,
        "the merge in force",
    )
    box.dev("sara", "agent-send", "1", "and again")
    box.wait(lambda: agent_of(box, "sara")["why"] == "auth", "the refusal")
    refused = box.machine.run(["a", "2", "--service", "hero_web", "hello"], user="sara", check=False)
    assert "org key" in refused.stderr


def test_a_secret_reaches_its_service_after_a_boot_too_and_nobody_else(box: RealBox) -> None:
    secret = "not-a-real-secret-4711"
    box.machine.write(
        "/home/bob/hero/secrets/secrets.toml",
        f'schema = 1\n[secrets]\nAPI_TOKEN = "{secret}"\n',
        0o600,
        user="bob",
    )
    edit = 's/^\\[run\\]/[run]\\nenv = { API_TOKEN = "{secret:API_TOKEN}" }/'
    box.machine.run(["sh", "-c", f"sed -i '{edit}' hero/opt/hero_db/*/hero_service.toml"], user="bob")
    box.dev("bob", "restart", "hero_db")
    for _ in range(2):
        pid = box.cells("bob")["hero_db"]["pid"]
        assert secret in box.machine.run(["cat", f"/proc/{pid}/environ"]).stdout
        told = box.machine.run(["sh", "-c", "cat /proc/[0-9]*/cmdline; journalctl -q --no-pager"]).stdout
        assert secret not in told
        search = ["grep", "-rlFf", "-", "/home", "/run", "/var/lib", "/var/log", "/etc", "/tmp"]
        places = box.machine.run(search, input=secret, check=False).stdout.splitlines()
        uid = box.machine.run(["id", "-u", "bob"]).stdout.strip()
        assert set(places) <= {
            "/home/bob/hero/secrets/secrets.toml",
            f"/run/user/{uid}/hero_slot/slot-hero_db.env",
        }
        box.machine.kill()
        box.machine.boot()
        box.wait(lambda: box.healthy("bob"), "bob's services", 120)


def test_who_leaves_is_archived_and_locked_and_can_be_brought_back(box: RealBox) -> None:
    if box.machine.run(["id", "sara"], check=False).returncode:
        pytest.skip("sara's slot was not made: see its own test")
    uid = box.machine.run(["id", "-u", "sara"]).stdout.strip()
    box.machine.run(["sh", "-c", "echo precious > hero/note.txt"], user="sara")
    box.forge.commit("users/sara.toml", None, "Goodbye sara")
    box.dev("carol", "team", "apply")
    assert box.machine.ssh("sara", box.keys / "sara", ["true"], check=False).returncode
    assert not box.machine.run(["pgrep", "-u", uid], check=False).stdout
    assert re.search(r"sara-\S+\.tar\.zst", box.machine.run(["ls", "/var/lib/hero/team_sync/archive"]).stdout)
    box.forge.commit("users/sara.toml", user("Sara", (box.keys / "sara.pub").read_text().strip()), "Welcome back")
    done = box.machine.run(["hero_dev", "team", "restore", "sara"], check=False)
    # The push that brought her back may have done it before us.
    assert not done.returncode or "sara is there." in done.stderr, done.stderr
    note = ["cat", "/home/sara/hero/note.txt"]
    box.wait(lambda: box.machine.run(note, check=False).stdout == "precious\n", "what sara had")
    assert box.machine.run(["id", "-u", "sara"]).stdout.strip() == uid


def test_the_drill(lab: Lab, box: RealBox, tmp_path: Path) -> None:
    """The machine burns down; an empty one and the backup are everybody's box again."""
    box.machine.run(["hero_dev", "box", "backup", "/var/backups/hero.tar.gz"])
    uids = {name: box.machine.run(["id", "-u", name]).stdout for name in (*PEOPLE, "integration")}
    history = box.builds()
    assert history
    box.machine.get("/var/backups/hero.tar.gz", tmp_path / "backup.tar.gz")
    box.machine.remove()

    again = real_box(lab, box.forge, box.keys, "box2")
    again.machine.put(tmp_path / "backup.tar.gz", "/var/backups/hero.tar.gz")
    again.bootstrap("--restore", "/var/backups/hero.tar.gz")
    for name in (*PEOPLE, "integration"):
        again.wait(lambda name=name: again.healthy(name), f"healthy services of {name}", 180)  # type: ignore[misc]
        assert again.machine.run(["id", "-u", name]).stdout == uids[name]
    assert {one["id"] for one in history} <= {one["id"] for one in again.builds()}
