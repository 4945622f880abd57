"""What is wanted beside what there is: where a plan acts lines differ, and once it is done none do."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from backends.model.team_files import Limits
from backends.team.differing import differences
from backends.team.plan import plan
from backends.team.values import Account, ActualUser, Desired
from tests.backends.team.machines import after
from tests.backends.team.test_plan import here, machine, team, teams, wanted


def texts(desired: Desired, **users: ActualUser) -> dict[str, list[str]]:
    """By user the lines of which one side alone has them, as a diff would show them."""
    return {
        one.user: [f"-{line}" for line in one.there if line not in one.wanted]
        + [f"+{line}" for line in one.wanted if line not in one.there]
        for one in differences(desired, machine(**users))
    }


@given(st.lists(teams, min_size=1, max_size=4), st.data())
def test_whoever_a_plan_is_about_differs_and_does_not_once_it_is_done(
    history: list[Desired], data: st.DataObject
) -> None:
    actual = machine()
    for desired in history:
        actions = plan(desired, actual)
        actual = after(actions[: data.draw(st.integers(0, len(actions)))], desired, actual)
        acting = {one.user for one in plan(desired, actual)}
        found = differences(desired, actual)
        assert acting <= {one.user for one in found if not one.why}
        actual = after(plan(desired, actual), desired, actual)
        assert [one.user for one in differences(desired, actual) if not one.why] == []


def test_a_limit_and_a_group_are_told_in_the_words_of_the_machine() -> None:
    before = here(team(wanted(), managed=("docker",)))
    desired = team(
        wanted(limits=Limits(tasks=500), groups=frozenset({"hero-team", "docker"})), managed=("docker",)
    )
    assert texts(desired, **before.users) == {"alice": ["+group: docker", "+limit: TasksMax=500"]}


def test_keys_are_told_by_their_fingerprint_and_never_whole() -> None:
    from tests.hero_tui.teams import key_of

    desired = team(wanted(keys=(key_of("alice"),)))
    found = texts(desired, **here(team(wanted(keys=()))).users)["alice"]
    assert any(line.startswith("+key: SHA256:") and line.endswith(" alice@laptop") for line in found)
    assert not any("AAAA" in line for line in found)


def test_whoever_is_refused_says_why() -> None:
    found = differences(team(wanted()), machine(alice=ActualUser(account=Account(1004))))
    assert [(one.user, "did not make" in one.why) for one in found] == [("alice", True)]


def test_without_a_team_file_nothing_is_compared() -> None:
    assert differences(Desired(), machine()) == ()
