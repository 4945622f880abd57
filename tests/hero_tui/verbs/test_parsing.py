"""Command lines as people write them, right and wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backends.model.errors import CODES, HeroError
from hero_tui.cli import agent_main, main
from hero_tui.verbs import VERBS, parsing
from hero_tui.verbs.exits import exit_code

RPC_PAGE = Path(__file__).parents[3] / "docs" / "rpc.md"


def parsed(*words: str) -> dict[str, object]:
    return vars(parsing.parse(parsing.split(list(words))))


def refused(*words: str) -> HeroError:
    with pytest.raises(HeroError) as caught:
        parsed(*words)
    assert caught.value.code == "usage"
    return caught.value


@pytest.mark.parametrize(
    "words",
    [
        ("--slot", "mik", "--json", "switch", "hero_db", "development", "--from", "build"),
        ("switch", "hero_db", "development", "--from", "build", "--slot", "mik", "--json"),
        ("switch", "--from=build", "hero_db", "--json", "development", "--slot=mik"),
        ("--slot=mik", "switch", "hero_db", "--from", "build", "development", "--json"),
    ],
)
def test_options_stand_before_after_and_between(words: tuple[str, ...]) -> None:
    found = parsed(*words)
    assert (found["verb"], found["service"], found["branch"]) == ("switch", "hero_db", "development")
    assert (found["source"], found["slot"], found["json"]) == ("build", "mik", True)


def test_services_may_stand_around_options() -> None:
    assert parsed("logs", "hero_db", "-f", "hero_router")["services"] == ["hero_db", "hero_router"]


def test_a_value_that_is_a_verb_is_not_taken_for_one() -> None:
    line = parsing.split(["--slot", "status", "logs"])
    assert line.verb == "logs"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_and_takes_the_global_options(verb: str) -> None:
    text = parsing.parser_of(verb).format_help()
    assert all(option in text for option in ("--json", "--slot", "--box", "--quiet", "--no-color"))


def test_an_unknown_verb_gets_the_nearest() -> None:
    assert "Did you mean `switch`?" in refused("swtich", "hero_db").hint


def test_an_unknown_option_gets_the_nearest() -> None:
    assert "Did you mean `--follow`" in refused("logs", "--folow").hint


def test_an_unknown_choice_gets_the_nearest() -> None:
    assert "did you mean `release`?" in refused("switch", "hero_db", "--from", "relase").message


def test_a_shortened_option_is_refused_because_it_could_mean_another_tomorrow() -> None:
    assert "--sin" in refused("logs", "--sin", "10m").message


def test_a_missing_word_is_named() -> None:
    assert "SERVICE" in refused("switch").message


def test_a_word_too_many_is_named() -> None:
    assert "'c'" in refused("switch", "a", "b", "c").message


def test_a_time_that_is_none_says_what_one_looks_like() -> None:
    assert "10m" in refused("logs", "--since", "yesterday").message
    assert parsed("logs", "--since", "2026-11-20T10:00+00:00")["since"] == 1795168800.0


def test_tag_and_branch_exclude_each_other() -> None:
    assert "--tag" in refused("install", "a", "--branch", "b", "--tag", "c").message


def test_errors_map_to_exit_codes_as_the_page_of_calls_says() -> None:
    rows = RPC_PAGE.read_text().partition("\n## Errors\n")[2].splitlines()
    for code in CODES:
        row = next(line for line in rows if line.startswith(f"| `{code}` |"))
        assert exit_code(code) == int(row.split("|")[3])


@pytest.mark.parametrize(
    ("words", "code"),
    [([], 2), (["--bogus"], 2), (["--slot", "alice"], 2), (["swich"], 2), (["init"], 2), (["--help"], 0)],
)
def test_bad_lines_end_with_the_code_for_usage(
    words: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == code
    told = capsys.readouterr()
    assert (told.out if code == 0 else told.err).strip()
    assert "Traceback" not in told.err


def test_an_error_under_json_is_json_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["swich", "--json"]) == 2
    told = capsys.readouterr()
    error = json.loads(told.out)["error"]
    assert (error["code"], error["message"]) == ("usage", "There is no verb 'swich'.")
    assert told.err == ""


def test_a_switch_to_nothing_asks_what_is_meant(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["switch", "hero_router"]) == 2
    assert "Name a branch, --from, --hash or --back" in capsys.readouterr().err
    assert main(["switch", "hero_router", "x", "--back"]) == 2


def test_a_box_that_is_none_is_said_to_be_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--box", str(tmp_path), "status"]) == 2
    assert "is not a box" in capsys.readouterr().err


def test_a_number_behind_a_is_the_effort(capsys: pytest.CaptureFixture[str]) -> None:
    assert agent_main(["9", "--box", "/nowhere"]) == 2
    assert "not a box" in capsys.readouterr().err
    assert agent_main(["2", "--until", "make", "go"]) == 2
    assert "--until ends a loop" in capsys.readouterr().err
