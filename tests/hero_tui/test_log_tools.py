"""Which pager and which editor a log is opened in."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.model.errors import HeroError
from hero_tui.log_tools import tool_argv

LOG = Path("/srv/hero_db.log")


@pytest.mark.parametrize(
    ("tool", "environment", "argv"),
    [
        ("pager", {"PAGER": "less -R"}, ["less", "-R", str(LOG)]),
        ("pager", {"PAGER": "'/opt/my pager' -x"}, ["/opt/my pager", "-x", str(LOG)]),
        ("editor", {"EDITOR": "vi", "VISUAL": "code -w"}, ["code", "-w", str(LOG)]),
    ],
)
def test_a_persons_own_is_taken(tool: str, environment: dict[str, str], argv: list[str]) -> None:
    assert tool_argv(LOG, tool, environment) == argv


@pytest.mark.parametrize("pager", ["", "cat"])
def test_without_one_that_shows_pages_the_first_that_is_there_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pager: str
) -> None:
    program = tmp_path / "less"
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert tool_argv(LOG, "pager", {"PAGER": pager}) == ["less", str(LOG)]
    program.unlink()
    with pytest.raises(HeroError, match="No pager"):
        tool_argv(LOG, "pager", {"PAGER": pager})


def test_a_setting_that_is_no_command_is_told() -> None:
    with pytest.raises(HeroError, match="PAGER is no command"):
        tool_argv(LOG, "pager", {"PAGER": "less 'x"})
