"""The time of an answer: clocks that were set back, differ, or were edited."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from recorders import ids_of, record, writing

from yupana.config.settings import Settings
from yupana.core.progress import Silent
from yupana.database.engine import engine
from yupana.ledger import entries, writer
from yupana.ledger.entries import Entry
from yupana.predictions import digest, log_writer, prediction_log
from yupana.predictions.prediction_log import CLOCK_SECONDS
from yupana.predictions.recorder import LogAwayError
from yupana.trace import audit


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'platform.db'}"


def _ahead(tmp_path: Path, url: str, hours: float) -> None:
    """Let the ledger's newest event be of a moment before or after this machine's clock."""
    now = datetime.now(UTC) + timedelta(hours=hours)
    writer.append(Settings(home=tmp_path, platform_url=url), [Entry("access", "x")], now=now)


def test_no_answer_is_dated_by_a_clock_that_was_set_back(
    url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What the machine takes for now, the ledger has seen a day later already."""
    _ahead(tmp_path, url, 24)
    with writing(url, tmp_path) as recorder, pytest.raises(LogAwayError):
        asyncio.run(recorder.record([record()]))
    assert ids_of(url) == [] and "clock is not that of the ledger" in caplog.text
    assert entries.newest(url, "predictions") is None


def test_some_minutes_between_two_clocks_stop_nothing(url: str, tmp_path: Path) -> None:
    _ahead(tmp_path, url, CLOCK_SECONDS / 3600 - 0.02)
    with writing(url, tmp_path) as recorder:
        asyncio.run(recorder.record([record()]))
    assert len(ids_of(url)) == 1 and audit.verify(Settings(home=tmp_path), Silent()).ok


def test_an_answer_with_another_time_than_its_event_is_found(url: str, tmp_path: Path) -> None:
    """As a service would have left it that did not look at the clock."""
    settings, yesterday = Settings(home=tmp_path), time.time() - 86_400
    log_writer.record(url, [record(time=yesterday)])
    assert audit.verify(settings, Silent()).ok, "its event says that it waited"
    rows = [log_writer.record_row(record(time=yesterday))]
    facts = log_writer._seal(rows, [digest.row_text(rows[0])], 2, late=False)
    names = [column.name for column in prediction_log.RECORDS.columns if column.name != "seq"]
    with engine(url).begin() as connection:
        values = {"seq": 2, **dict(zip(names, rows[0], strict=True))}
        connection.execute(sa.insert(prediction_log.RECORDS), [values])
        entries.write(connection, [Entry("predictions", "outbreak", facts)], datetime.now(UTC))
    report = audit.verify(settings, Silent())
    assert not report.ok and [f.what for f in report.faults] == ["clock"], report
