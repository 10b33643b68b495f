"""What an agency was answered: page by page, its own alone, and where the database's part ends."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from answers import NOON, prediction, record
from command import yupana as command
from platform_db import postgres

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.core.progress import Silent
from yupana.database.engine import engine, unchecked
from yupana.predictions import agency_answers, archive, export, log_writer
from yupana.predictions.agency_answers import Selection

DAY = 86_400.0
ALL = Selection()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as (url, _):
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    if request.param == "sqlite":
        return Settings(home=tmp_path)
    url = request.getfixturevalue("server")
    with unchecked(url).begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    engine.cache_clear()
    return Settings(home=tmp_path, platform_url=url)


def answered(
    home: Settings, days: float, agency: str = "A", entity: str = "160101", kind: str = "answer",
    use_case: str = "outbreak", many: int = 1,
) -> list[str]:  # fmt: skip
    """Some answers of one moment, so many days after noon of the first day; their ids."""
    content = prediction(entity, use_case=use_case)
    group = [record(content, NOON + days * DAY, kind=kind, agency=agency) for _ in range(many)]
    log_writer.record(home.platform_db, group)
    return [one.prediction_id for one in group]


def pages(home: Settings, selection: Selection, limit: int) -> list[list[str]]:
    """The ids of each page."""
    after, result = "", []
    while True:
        page = agency_answers.page(
            home.platform_db, "outbreak", "A", selection, after=after, limit=limit
        )
        result.append([answer.prediction_id for answer in page.answers])
        if not (after := page.after):
            return result


def test_pages_tell_each_answer_of_the_agency_once_newest_first(home: Settings) -> None:
    first = answered(home, 0, many=3)
    answered(home, 0.5, agency="B")
    answered(home, 0.5, use_case="cholera")
    answered(home, 0.5, kind="shadow")
    (what_if,) = answered(home, 1, kind="simulation")
    last = answered(home, 2, many=3)
    expected = [*last[::-1], what_if, *first[::-1]]
    for limit in (1, 2, 3, 7, 50):
        assert [i for page in pages(home, ALL, limit) for i in page] == expected, limit
    page = agency_answers.page(home.platform_db, "outbreak", "A", ALL, after="", limit=4)
    # What comes meanwhile, also late from a spool, moves nothing on the pages that follow.
    answered(home, 3)
    answered(home, 1.5)
    rest = agency_answers.page(home.platform_db, "outbreak", "A", ALL, after=page.after, limit=4)
    assert [one.prediction_id for one in rest.answers] == first[::-1] and not rest.after


def test_days_and_an_entity_select(home: Settings) -> None:
    for day in range(4):
        answered(home, day, entity="160101" if day % 2 else "160201")
    noon = datetime.fromtimestamp(NOON, UTC)
    since, until = noon + timedelta(days=1), noon + timedelta(days=3)
    page = agency_answers.page(
        home.platform_db, "outbreak", "A", Selection(since, until), after="", limit=9
    )
    assert [(one.time - noon).days for one in page.answers] == [2, 1]
    (only,) = agency_answers.page(
        home.platform_db, "outbreak", "A", Selection(since, until, "160201"), after="", limit=9
    ).answers
    assert (only.entity, only.kind, only.model_version) == ("160201", "answer", "3")
    assert only.parameters == {"as_of": "2022-01-05", "horizon": 8}
    assert only.prediction_key == prediction("160201").key


def test_a_rare_entity_is_found_behind_many_others(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agency_answers, "_WINDOW", 4)
    (oldest,) = answered(home, 0, entity="160201")
    answered(home, 1, many=9)
    listed = pages(home, Selection(entity="160201"), 2)
    assert [i for page in listed for i in page] == [oldest] and len(listed) > 1


def test_the_place_of_another_agency_is_none(home: Settings) -> None:
    (other,) = answered(home, 0, agency="B")
    for after in (other, "0" * 32):
        with pytest.raises(UsageError, match="no page after that answer"):
            agency_answers.page(home.platform_db, "outbreak", "A", ALL, after=after, limit=1)


def test_a_page_is_read_by_the_index_and_not_sorted(tmp_path: Path) -> None:
    home = Settings(home=tmp_path)
    (first,) = answered(home, 0)
    statements: list[tuple[str, Any]] = []
    database = engine(home.platform_db)
    listen = sa.event.listens_for(database, "before_cursor_execute")
    listen(lambda *arguments: statements.append((arguments[2], arguments[3])))
    agency_answers.page(home.platform_db, "outbreak", "A", ALL, after=first, limit=2)
    query, parameters = next(s for s in statements if "prediction_key" in s[0])
    with database.connect() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", parameters).all()
    plan = "\n".join(str(row[-1]) for row in rows)
    window = plan.split("SCAN")[0]
    assert "INDEX prediction_records_by_agency (agency=? AND time<?)" in window, plan
    assert "TEMP B-TREE" not in window, plan


def test_what_has_moved_to_the_lake_is_told_and_handed_over_as_a_file(
    home: Settings, tmp_path: Path
) -> None:
    assert agency_answers.archived_through(home.platform_db, "outbreak") == ""
    ids = answered(home, 0)
    answered(home, 0, agency="B")
    ids += answered(home, 5)
    export.export(home, "outbreak", Silent())
    noon = datetime.fromtimestamp(NOON, UTC)
    assert archive.forget(home, "outbreak", noon + timedelta(days=1)) == 2
    assert pages(home, ALL, 9) == [ids[1:]]
    today = datetime.now(UTC).date().isoformat()
    # A group's day is that of its event: these were recorded late, now.
    assert agency_answers.archived_through(home.platform_db, "outbreak") == today
    file = tmp_path / "answers.csv"
    words = ("agency-answers", "outbreak", "--agency", "A", "--out", str(file))
    assert command(home, *words, "--json").json()["rows"] == 2
    rows = list(csv.DictReader(file.open(encoding="utf-8")))
    assert sorted(row["prediction_id"] for row in rows) == sorted(ids)
    assert '"median": 1.5' in rows[0]["payload"]
    until = noon.date().isoformat()
    assert command(home, *words, "--until", until, "--json").json()["rows"] == 1
    assert command(home, "agency-answers", "malaria", *words[2:]).code == 1
