"""The disk that a home takes: measured by each maintenance, told ahead by the dry run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from command import Notices

from yupana.config.settings import Settings
from yupana.lineage import events
from yupana.orchestration import disk
from yupana.orchestration.maintain import maintain

NOW = datetime(2026, 6, 1, tzinfo=UTC)
MIB = 2**20


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path)
    fill(settings, "lake/published/cases", 10)
    fill(settings, "members/a", 5)
    return settings


def fill(settings: Settings, folder: str, mib: int) -> None:
    path = settings.home / folder
    path.mkdir(parents=True, exist_ok=True)
    number = len(list(path.iterdir()))
    (path / f"part-{number}").write_bytes(b"\0" * (mib * MIB))


def by_folder(settings: Settings, now: datetime) -> dict[str, disk.Growth]:
    return {g.folder: g for g in disk.forecast(settings, now)}


def test_the_pace_is_that_between_two_maintenances(home: Settings) -> None:
    maintain(home, "all", Notices(), now=NOW)
    fill(home, "lake/published/cases", 4)
    fill(home, "reports", 2)
    later = NOW + timedelta(weeks=2)
    growth = by_folder(home, later)
    assert growth["lake/published"].a_week == 2 * MIB
    assert growth["lake/published"].in_a_year == (14 + 104) * MIB
    assert growth["reports"].a_week == MIB and growth["members"].a_week == 0
    whole = growth.pop(disk.TOTAL)
    assert whole.bytes == sum(g.bytes for g in growth.values())
    notices = Notices()
    maintain(home, "all", notices, dry_run=True, now=later)
    assert any("disk lake/published: 14.0 MiB, +2.0 MiB a week" in line for line in notices.lines)
    assert "weeks at this pace" in notices.lines[-1]


def test_without_an_older_measurement_no_pace_is_made_up(home: Settings) -> None:
    maintain(home, "all", Notices(), now=NOW)
    assert {g.a_week for g in disk.forecast(home, NOW + timedelta(days=5))} == {None}
    notices = Notices()
    maintain(home, "all", notices, dry_run=True, now=NOW + timedelta(days=5))
    assert "measurement 6 days old" in notices.lines[-1]
    # What was measured half a year ago says little of today.
    assert {g.a_week for g in disk.forecast(home, NOW + timedelta(days=200))} == {None}


def test_a_maintenance_again_measures_no_more(home: Settings) -> None:
    for hours in (0, 1, 24 * 5):
        maintain(home, "all", Notices(), now=NOW + timedelta(hours=hours))
    maintain(home, "all", Notices(), dry_run=True, now=NOW + timedelta(weeks=3))
    assert len(list(events.done(home.events, disk.STEP, disk.SUBJECT))) == 1


def test_a_home_that_shrinks_is_told_as_such(home: Settings) -> None:
    disk.keep(home, NOW)
    (home.home / "members/a/part-0").unlink()
    (home.home / "lake/published/cases/part-0").unlink()
    notices = Notices()
    disk.say(home, NOW + timedelta(weeks=1), notices)
    assert notices.lines[-1].endswith("the home does not grow")
    assert by_folder(home, NOW + timedelta(weeks=1))["members"].in_a_year == 0
