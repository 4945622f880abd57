"""What box.toml says of the reconciler."""

from __future__ import annotations

import pytest

from backends.model.boxfile import BoxFile, TeamSync
from backends.model.tomlfile import InvalidFile, parse

TEXT = 'schema = 1\nname = "x"\nkind = "system"\ncreated = 2026-11-21T10:00:00Z\n'


def test_the_reconciler_has_settings_of_its_own() -> None:
    assert parse(BoxFile, TEXT, "box.toml").team_sync == TeamSync()
    more = (
        '[team_sync]\ninterval = "1m"\nbranch = "main"\nsigners = "/etc/hero/signers"\nrequire_protection = true\n'
    )
    found = parse(BoxFile, TEXT + more, "box.toml").team_sync
    assert found == TeamSync(interval=60.0, branch="main", signers="/etc/hero/signers", require_protection=True)


@pytest.mark.parametrize(
    "line", ['interval = "1s"', 'signers = "keys"', 'branch = "a..b"', "require_protection = 1"]
)
def test_a_setting_that_cannot_be_is_told_at_its_line(line: str) -> None:
    with pytest.raises(InvalidFile) as caught:
        parse(BoxFile, f"{TEXT}[team_sync]\n{line}\n", "box.toml")
    assert [problem.line for problem in caught.value.problems] == [6]


def test_a_time_that_has_no_place_in_utc_is_a_flaw_of_the_file() -> None:
    with pytest.raises(InvalidFile, match="too far away"):
        parse(BoxFile, TEXT.replace("2026-11-21T10:00:00Z", "0001-01-01T00:00:00+14:00"), "box.toml")
