"""The plan: empty once it is carried out, in order, and never about anybody who is not ours."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.model.team_files import Limits
from backends.system_box import TEAM_GROUP
from backends.team.actions import (
    Action,
    ArchiveHome,
    ChangeRole,
    CreateAccount,
    EndSessions,
    LockAccount,
    MakeHome,
    RemoveHome,
    RestoreHome,
    SeedManifest,
    SetGroups,
    SetKeys,
    UnlockAccount,
)
from backends.team.plan import notes, plan, refusals
from backends.team.values import Account, Actual, ActualUser, Desired, Record, Wanted
from tests.backends.team.machines import GROUPS, after

KEY = "ssh-ed25519 AAAA alice@laptop"
LOGINS = ("integration", "alice", "bob", "carol")


def wanted(login: str = "alice", **fields: object) -> Wanted:
    made = Wanted(login, login.title(), "developer", keys=(KEY,), manifest="schema = 1\n")
    return replace(made, **fields)  # type: ignore[arg-type]


def team(*users: Wanted, stopped: frozenset[str] = frozenset(), managed: tuple[str, ...] = ("docker",)) -> Desired:
    return Desired(True, {one.login: one for one in users}, stopped, frozenset({TEAM_GROUP, *managed}))


def machine(**users: ActualUser) -> Actual:
    return Actual(users=users, groups=GROUPS)


def here(desired: Desired, actual: Actual | None = None) -> Actual:
    """A machine on which everything of `desired` is done."""
    actual = actual or machine()
    return after(plan(desired, actual), desired, actual)


def kinds(actions: tuple[Action, ...], login: str = "") -> list[str]:
    return [one.kind for one in actions if not login or one.user == login]


def test_a_new_user_gets_everything_and_the_slots_daemon_last() -> None:
    actions = plan(team(wanted(secrets="org/alice_secrets")), machine())
    assert kinds(actions) == [
        "create_account",
        "set_groups",
        "make_home",
        "seed_manifest",
        "set_keys",
        "make_sockets",
        "enable_linger",
        "make_secrets_repository",
    ]
    assert actions[0] == CreateAccount("alice", 20_000, "Alice", "developer", "/bin/bash")


def test_the_integration_slot_comes_first_and_removals_last() -> None:
    before = here(team(wanted("aaron"), wanted("zoe")))
    actions = plan(team(wanted("zoe"), wanted("bob"), wanted("integration")), before)
    users = list(dict.fromkeys(one.user for one in actions))
    assert users == ["integration", "bob", "aaron"]


def test_without_a_team_file_nothing_at_all_is_planned() -> None:
    assert plan(Desired(users={"alice": wanted()}), here(team(wanted("bob")))) == ()


def test_a_stopped_file_changes_nothing_of_its_user() -> None:
    before = here(team(wanted("alice"), wanted("bob")))
    assert plan(team(wanted("bob"), stopped=frozenset({"alice"})), before) == ()


@pytest.mark.parametrize("uid", [0, 33, 1000, 20_000])
def test_an_account_that_we_did_not_make_is_never_touched(uid: int) -> None:
    actual = machine(alice=ActualUser(account=Account(uid)))
    actual = replace(actual, taken=frozenset({uid}))
    desired = team(wanted("alice"), wanted("bob"))
    assert {one.user for one in plan(desired, actual)} == {"bob"}
    assert f"uid {uid}" in refusals(desired, actual)["alice"]
    assert plan(team(wanted("bob")), here(team(wanted("bob")), actual)) == ()


def test_an_account_whose_uid_became_another_one_is_not_touched_even_to_remove_it() -> None:
    before = here(team(wanted()))
    record = before.user("alice").record
    assert record
    changed = replace(before.user("alice"), account=Account(1000))
    actual = replace(before, users={"alice": changed})
    for desired in (team(wanted()), team()):
        assert plan(desired, actual) == ()
        assert "1000" in refusals(desired, actual)["alice"]


def test_a_uid_of_the_table_that_somebody_else_has_stops_the_user() -> None:
    actual = replace(machine(alice=ActualUser(record=Record(uid=20_005))), owners={20_005: "mallory"})
    assert plan(team(wanted()), actual) == ()
    assert "mallory" in refusals(team(wanted()), actual)["alice"]


def test_a_foreign_group_or_home_of_the_users_name_stops_the_user() -> None:
    actual = replace(machine(), groups={**GROUPS, "alice": 1234})
    assert plan(team(wanted()), actual) == ()
    assert "1234" in refusals(team(wanted()), actual)["alice"]
    actual = machine(alice=ActualUser(home="foreign"))
    assert plan(team(wanted()), actual) == ()


def test_a_uid_is_never_given_to_a_second_login() -> None:
    gone = here(team(), here(team(wanted("alice"))))
    first = next(one for one in plan(team(wanted("bob")), gone) if isinstance(one, CreateAccount))
    assert first.uid == 20_001
    back = next(
        one
        for one in plan(
            team(wanted("alice")),
            replace(gone, users={"alice": replace(gone.user("alice"), account=None)}, owners={}),
        )
        if isinstance(one, CreateAccount)
    )
    assert back.uid == 20_000


def test_numbers_that_run_out_stop_only_those_who_get_none() -> None:
    actual = replace(machine(), uids=range(20_000, 20_001))
    desired = team(wanted("alice"), wanted("integration"))
    assert {one.user for one in plan(desired, actual)} == {"integration"}
    assert "taken" in refusals(desired, actual)["alice"]
    assert plan(desired, here(desired, actual)) == ()


def test_groups_that_root_gave_are_kept_and_ours_follow_the_repo() -> None:
    desired = team(wanted(groups=frozenset({TEAM_GROUP, "docker"})))
    before = here(desired)
    account = before.user("alice").account
    assert account
    by_root = replace(account, groups=account.groups | {"audio"})
    actual = replace(before, users={"alice": replace(before.user("alice"), account=by_root)})
    assert plan(desired, actual) == ()
    assert plan(team(wanted()), actual) == (SetGroups("alice", (), ("docker",)),)
    assert plan(team(wanted(), managed=()), actual) == (SetGroups("alice", (), ("docker",)),)


@pytest.mark.parametrize("group", ["root", "shadow", "nowhere"])
def test_a_group_as_good_as_root_or_missing_is_told_and_the_rest_done(group: str) -> None:
    actual = replace(machine(), groups={**GROUPS, "shadow": 42})
    desired = team(wanted(groups=frozenset({TEAM_GROUP, group})), managed=(group,))
    assert SetGroups("alice", (TEAM_GROUP,), ()) in plan(desired, actual)
    assert group in notes(desired, actual)[0]
    assert plan(desired, here(desired, actual)) == ()


def test_a_changed_role_is_noted_and_the_manifest_left_alone() -> None:
    before = here(team(wanted()))
    assert plan(team(wanted(role="lead")), before) == (ChangeRole("alice", "developer", "lead"),)


def test_a_template_that_cannot_be_used_delays_only_the_manifest() -> None:
    without = here(team(wanted(manifest=None)))
    assert plan(team(wanted(manifest=None)), without) == ()
    assert plan(team(wanted()), without) == (SeedManifest("alice", "developer"),)


def test_keys_or_policy_that_change_are_written_again() -> None:
    before = here(team(wanted()))
    assert plan(team(wanted(keys=())), before) == (SetKeys("alice", 0, False),)
    assert plan(team(wanted(strict=True)), before) == (SetKeys("alice", 1, True),)


def test_somebody_who_leaves_is_locked_archived_and_only_then_removed() -> None:
    before = here(team(wanted(limits=Limits(tasks=100))))
    actions = plan(team(), before)
    assert actions == (
        LockAccount("alice"),
        EndSessions("alice", 20_000),
        ArchiveHome("alice"),
        RemoveHome("alice", 20_000),
    )
    gone = after(actions, team(), before)
    assert plan(team(), gone) == ()


def test_most_of_the_team_at_once_is_not_removed_and_steps_of_half_are() -> None:
    names = ("integration", *(f"user{number}" for number in range(5)))
    everybody = team(*(wanted(name) for name in names))
    actual = here(everybody)
    for left in (names[:1], names[:2]):
        few = team(*(wanted(name) for name in left))
        assert plan(few, actual) == ()
        told = refusals(few, actual)
        assert set(told) == set(names) - set(left)
        assert "people have no file any more" in told["user4"]
    half = team(*(wanted(name) for name in names[:3]))
    assert {one.user for one in plan(half, actual)} == set(names[3:])
    assert refusals(half, actual) == {}
    alone = here(team(wanted("alice"), wanted("bob")))
    assert {one.user for one in plan(team(), alone)} == {"alice", "bob"}


def test_somebody_who_comes_back_gets_the_home_before_the_account_is_unlocked() -> None:
    gone = here(team(), here(team(wanted())))
    actions = plan(team(wanted()), gone)
    assert actions[0] == RestoreHome("alice", "alice.tar.zst")
    assert kinds(actions).index("unlock_account") > 0
    assert SeedManifest("alice", "developer") not in actions
    assert plan(team(wanted()), after(actions, team(wanted()), gone)) == ()


def test_somebody_who_comes_back_without_an_archive_begins_anew_and_it_is_told() -> None:
    gone = here(team(), here(team(wanted())))
    lost = replace(gone, users={"alice": replace(gone.user("alice"), archive_there=False)})
    actions = plan(team(wanted()), lost)
    assert MakeHome("alice", True) in actions
    assert SeedManifest("alice", "developer") in actions
    assert "alice.tar.zst" in notes(team(wanted()), lost)[0]


@pytest.mark.parametrize("done", range(4))
def test_a_removal_that_was_cut_off_goes_on_or_is_taken_back(done: int) -> None:
    before = here(team(wanted()))
    half = after(plan(team(), before)[:done], team(), before)
    assert plan(team(), here(team(), half)) == ()
    back = plan(team(wanted()), half)
    assert not any(isinstance(one, RestoreHome | RemoveHome | ArchiveHome) for one in back)
    assert any(isinstance(one, UnlockAccount) for one in back) == (done > 0)


def test_a_home_that_appears_after_an_archive_is_nobodys_to_remove() -> None:
    gone = here(team(), here(team(wanted())))
    again = replace(gone, users={"alice": replace(gone.user("alice"), home="there")})
    assert plan(team(), again) == ()
    assert "alice" in refusals(team(), again)


def test_somebody_who_was_restored_by_hand_stays() -> None:
    before = here(team(wanted()))
    record = before.user("alice").record
    assert record
    kept = replace(before.user("alice"), record=record.model_copy(update={"kept": True}))
    assert plan(team(), replace(before, users={"alice": kept})) == ()


def test_an_account_on_a_new_machine_has_the_uid_that_the_table_knows() -> None:
    table = machine(alice=ActualUser(record=Record(uid=20_007, role="developer", seeded=True)))
    actions = plan(team(wanted()), table)
    assert isinstance(actions[0], CreateAccount)
    assert actions[0].uid == 20_007
    assert SeedManifest("alice", "developer") in actions


def test_every_action_has_a_sentence_and_json() -> None:
    desired = team(wanted(secrets="o/a", limits=Limits(memory=1 << 30, cpu="50%")), wanted("integration"))
    told = [one.told() for one in (*plan(desired, machine()), *plan(team(), here(desired)))]
    assert all(one.sentence and one.user for one in told)
    assert "MemoryMax" in str([one.model_dump_json() for one in told])
    assert all("user" not in one.detail for one in told)


users = st.builds(
    wanted,
    st.sampled_from(LOGINS),
    role=st.sampled_from(("developer", "lead")),
    groups=st.sets(st.sampled_from(("docker", "hero", "nowhere"))).map(
        lambda names: frozenset({TEAM_GROUP, *names})
    ),
    keys=st.sampled_from(((), (KEY,), (KEY, KEY + "2"))),
    strict=st.booleans(),
    limits=st.sampled_from((Limits(), Limits(tasks=100), Limits(memory=1 << 30, cpu="10%"))),
    manifest=st.sampled_from((None, "schema = 1\n")),
    secrets=st.sampled_from(("", "org/x_secrets")),
)
teams = st.builds(
    lambda found, stopped, managed, usable: Desired(
        usable,
        {one.login: one for one in found if one.login not in stopped},
        frozenset(stopped),
        frozenset({TEAM_GROUP, *managed}),
    ),
    st.lists(users, max_size=4),
    st.sets(st.sampled_from(LOGINS), max_size=1),
    st.sets(st.sampled_from(("docker", "hero"))),
    st.just(True) | st.booleans(),
)


@given(st.lists(teams, min_size=1, max_size=5), st.data())
def test_whatever_the_team_was_a_second_run_plans_nothing(history: list[Desired], data: st.DataObject) -> None:
    actual = machine()
    numbers: dict[str, int] = {}
    for desired in history:
        actions = plan(desired, actual)
        cut = data.draw(st.integers(0, len(actions)))
        actual = after(actions[:cut], desired, actual)  # killed here
        actions = plan(desired, actual)
        assert not {one.user for one in actions} & desired.stopped
        actual = after(actions, desired, actual)
        assert plan(desired, actual) == ()
        for login, user in actual.users.items():
            assert user.record
            assert numbers.setdefault(login, user.record.uid) == user.record.uid
    assert len(set(numbers.values())) == len(numbers)
