"""Notices of webhooks are removed in time, not those that still wait, and the ledger says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.core.progress import Lines, Silent
from yupana.database.engine import engine
from yupana.lineage import events
from yupana.orchestration.maintain import maintain
from yupana.trace import audit
from yupana.webhooks import endpoints, outbox
from yupana.webhooks.tables import NOTICES

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=100)


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    """One notice of each state, all of the same day."""
    settings = Settings(home=tmp_path / "home")
    settings.home.mkdir()
    hook, ended = (
        endpoints.add(settings, agency, "https://agency.example/", ("*",), NOW)[0]
        for agency in ("A", "B")
    )
    for second in range(3):
        outbox.put_test(settings, hook, NOW + timedelta(seconds=second))
    outbox.put_test(settings, ended, NOW)
    endpoints.remove(settings, ended, NOW)
    taken, failed, _ = outbox.due(settings.platform_db, NOW + timedelta(minutes=1))
    outbox.mark(settings, {taken.key: ""}, [taken], NOW)
    outbox.mark(settings, {failed.key: "410"}, [failed], NOW + outbox.GIVE_UP + timedelta(hours=1))
    return settings


def states(settings: Settings) -> list[str]:
    return sorted(row.state for row in outbox.listing(settings.platform_db))


def test_what_ended_goes_after_its_days_and_what_waits_stays(
    home: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert states(home) == ["cancelled", "delivered", "failed", "waiting"]
    soon = maintain(home, "forget", Silent(), now=NOW + timedelta(days=91))
    assert soon.metrics["forget"]["rows"]["webhook_notices"] == 2
    assert states(home) == ["failed", "waiting"], "its last try was three days later"
    for _ in range(2):
        dry = maintain(home, "forget", Lines(), dry_run=True, now=LATER)
        assert dry.metrics["forget"]["rows"]["webhook_notices"] == 1
    assert "would remove 1 of webhook_notices" in capsys.readouterr().err
    assert states(home) == ["failed", "waiting"]
    assert maintain(home, "forget", Silent(), now=LATER).status == "done"
    assert maintain(home, "forget", Silent(), now=LATER).status == "unchanged"
    assert states(home) == ["waiting"]
    rows = [e["facts"]["rows"] for e in events.read(home.events) if e["step"] == "forget"]
    assert rows == [{"webhook_notices": 2}, {"webhook_notices": 1}]
    report = audit.verify(home, Silent())
    assert report.ok, report


def test_a_notice_that_was_changed_before_it_went_is_named(home: Settings) -> None:
    with engine(home.platform_db).begin() as connection:
        mine = NOTICES.c.state == "delivered"
        connection.execute(sa.update(NOTICES).where(mine).values(body="{}"))
    maintain(home, "forget", Silent(), now=LATER)
    (fault,) = audit.verify(home, Silent()).faults
    assert (fault.what, fault.place) == ("changed", "webhook_notices")
