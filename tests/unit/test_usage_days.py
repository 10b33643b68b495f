"""A day of the statistics of use is sealed when it is over, and late counts are added to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from yupana.config.settings import Settings
from yupana.core.progress import Silent
from yupana.database.engine import engine
from yupana.ledger import check, entries
from yupana.ledger.fault import Fault
from yupana.predictions import usage, usage_days
from yupana.predictions.usage import ENTITIES, REQUESTS


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def count(home: Settings, days: int, entity: str = "160101") -> None:
    """A request of some days ago, written now."""
    writer = usage.Writer(home.platform_db)
    caller = usage.Caller("k1", "A", "agency", "outbreak@1", (entity,))
    time = (datetime.now(UTC) - timedelta(days=days)).timestamp()
    writer.add(usage.Request(time, caller, "outbreak:forecast", 200, 3.0))
    writer.close()


def faults(home: Settings) -> list[Fault]:
    return check.live(home, Silent()).faults


def tamper(home: Settings, table: str) -> None:
    with engine(home.platform_db).begin() as connection:
        connection.exec_driver_sql(f"UPDATE {table} SET n = n + 1")


@pytest.mark.parametrize("table", ["request_counts", "entity_counts"])
def test_a_day_of_use_is_sealed_when_it_is_over(home: Settings, table: str) -> None:
    count(home, 0)
    tamper(home, table)
    assert faults(home) == [], "it is not over: verify lists it as not looked at"
    tomorrow = datetime.now(UTC) + timedelta(days=1, minutes=11)
    with engine(home.platform_db).begin() as connection:
        sealed = usage_days.close(connection, (REQUESTS, ENTITIES), tomorrow)
        entries.write(connection, sealed, datetime.now(UTC))
    assert faults(home) == []
    tamper(home, table)
    today = datetime.now(UTC).date().isoformat()
    assert [(f.what, f.place, f.key) for f in faults(home)] == [("changed", table, today)]


def test_counts_that_come_late_are_added_to_a_sealed_day(home: Settings) -> None:
    for entity in ("160101", "160102", "160101"):
        count(home, 3, entity)
        assert faults(home) == []
    count(home, 5)
    assert faults(home) == [], "nor is a day before it forged"


def test_late_counts_do_not_cover_up_what_was_tampered_with(home: Settings) -> None:
    count(home, 3)
    tamper(home, "request_counts")
    count(home, 3)
    count(home, 0)
    assert [(f.what, f.place) for f in faults(home)] == [("changed", "request_counts")]


def test_a_day_that_nobody_counted_is_found(home: Settings) -> None:
    count(home, 3)
    with engine(home.platform_db).begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO request_counts SELECT '2020-01-01', key_id, agency, model, scope, status, "
            "latency, n FROM request_counts"
        )
    assert [(f.what, f.key) for f in faults(home)] == [("inserted", "2020-01-01")]


def test_what_is_deleted_by_its_age_is_recorded(home: Settings) -> None:
    count(home, 3)
    count(home, 0)
    removed = usage.forget(home.platform_db, datetime.now(UTC).date())
    assert removed["request_counts"] == 1 and faults(home) == []
