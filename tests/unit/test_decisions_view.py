"""A service counts of the ledger what came since its last look, and misses nothing of what it saw
and needs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.database.engine import engine
from yupana.gate import decisions
from yupana.ledger import entries, writer
from yupana.ledger.entries import Entry

NAME = "outbreak"


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path)
    writer.append(settings, [Entry("access", f"raw:{n}") for n in range(300)])
    decide(settings, "suspend")
    writer.append(settings, [Entry("access", "after")])
    return settings


@pytest.fixture
def minute(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Lets a minute pass."""
    clock = [0.0]
    monkeypatch.setattr(decisions, "time", SimpleNamespace(monotonic=lambda: clock[0]))

    def go_on() -> None:
        clock[0] += 60

    return go_on


def decide(settings: Settings, kind: str) -> None:
    facts = {"reason_es": "Prueba.", "reason_en": "A test."}
    decisions.write(settings, kind, NAME, facts, accounts=("os:ana",), now=datetime.now(UTC))


def tampered(settings: Settings, *statements: str) -> None:
    with engine(settings.platform_db).begin() as connection:
        for what in ("update", "delete", "replace"):
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS ledger_no_{what}")
        for statement in statements:
            connection.exec_driver_sql(statement)


def test_only_later_events_are_counted(home: Settings, minute: Callable[[], None]) -> None:
    counted: list[Any] = []

    def hear(_: Any, __: Any, statement: str, values: Any, *___: Any) -> None:
        if "count(*)" in statement and "ledger.seq >" in statement:
            counted.append(values)

    sa.event.listen(engine(home.platform_db), "before_cursor_execute", hear)
    assert decisions.cached(home, NAME)[1] == ""
    last = counted[-1][-1]
    writer.append(home, [Entry("access", "new"), Entry("access", "newer")])
    minute()
    assert decisions.cached(home, NAME)[1] == ""
    assert last > 300 and counted == [(0, last), (last, last + 2)]


@pytest.mark.parametrize(
    ("statement", "what"),
    [("DELETE FROM ledger WHERE kind = 'suspend'", "a decision that was there is gone"),
     ("DELETE FROM ledger WHERE seq = (SELECT max(seq) FROM ledger)", "this service saw, is gone"),
     ("DELETE FROM ledger WHERE subject = 'new'", "1 of 2 events after event")],
)  # fmt: skip
def test_what_a_service_saw_and_needs_is_missed(
    home: Settings, minute: Callable[[], None], statement: str, what: str
) -> None:
    for path in (home.home / "ledger").glob("witness*"):
        path.unlink()
    assert decisions.cached(home, NAME)[1] == ""
    if "new" in statement:
        # Without a checkpoint, which would show it, too.
        entries.record(home, [Entry("access", "new"), Entry("access", "newer")], datetime.now(UTC))
    tampered(home, statement)
    minute()
    assert what in decisions.cached(home, NAME)[1]
    minute()
    assert what in decisions.cached(home, NAME)[1], "it is told until it is put right"


def test_a_decision_in_the_place_of_another_is_missed(
    home: Settings, minute: Callable[[], None]
) -> None:
    assert len(decisions.cached(home, NAME)[0]) == 1
    tampered(home, "DELETE FROM ledger WHERE kind = 'suspend'")
    decide(home, "resume")
    records, wrong = decisions.cached(home, NAME)
    assert len(records) == 1 and "gone or another" in wrong
