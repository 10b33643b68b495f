"""What others wrote: words that are shown to whoever comes next, and JSON of any depth."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from yupana.config.settings import Settings
from yupana.core import foreign_json, reason
from yupana.core.errors import TerminalError, UsageError
from yupana.core.progress import Silent
from yupana.data.publication import releases
from yupana.gate import actions
from yupana.monitoring import alerts
from yupana.tasks.forecast.pages import map_page
from yupana.tracking import facts, shared_models

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SPOILT = "línea\nuno\x1b[31m rojo"


def test_json_is_read_to_a_depth_and_no_further() -> None:
    deepest = "[" * foreign_json.DEEPEST + "]" * foreign_json.DEEPEST
    assert foreign_json.loads(deepest) and foreign_json.loads('{"a": [1, {"b": 2}]}')
    for text in (f"[{deepest}]", "[" * 200_000, '{"a":' * 900 + "1" + "}" * 900):
        with pytest.raises(ValueError, match="nested more than 100 deep"):
            foreign_json.loads(text)


def test_what_a_publisher_nested_without_end_is_refused_in_a_sentence(tmp_path: Path) -> None:
    for name in (shared_models.METADATA, facts.NAME, "map.geojson"):
        (tmp_path / name).write_text("[" * 200_000)
    trust = shared_models.Trust(sha256="0" * 64)
    with pytest.raises(TerminalError, match="nested more than"):
        shared_models.metadata("outbreak", tmp_path / shared_models.METADATA, trust)
    with pytest.raises(TerminalError, match="nested more than"):
        facts.read(tmp_path)
    with pytest.raises(TerminalError, match="boundaries cannot be read"):
        map_page.parts({"160101": 3}, tmp_path / "map.geojson")


def test_a_reason_is_a_line_of_text_that_can_be_seen() -> None:
    assert reason.of_decision("Crecidas en Iquitos — ñandú") == "Crecidas en Iquitos — ñandú"
    for text in (SPOILT, "del derecho\u202eal revés", "dos\u2028líneas", "\ud800 media letra"):
        with pytest.raises(UsageError, match=r"cannot be seen: U\+"):
            reason.plain(text)
    with pytest.raises(UsageError, match="at least 5 characters"):
        reason.of_decision("ok")


def test_every_reason_is_read_in_one_place(lake: Settings) -> None:
    accounts = ("os:ana",)
    with pytest.raises(UsageError, match=r"U\+000A"):
        actions.suspend(lake, actions.Order("outbreak", SPOILT, now=NOW, accounts=accounts))
    with pytest.raises(UsageError, match=r"U\+000A"):
        actions.resume(
            lake,
            actions.Order("outbreak", "corregido", reason_en=SPOILT, now=NOW, accounts=accounts),
        )
    with pytest.raises(UsageError, match=r"U\+000A"):
        alerts.answer(lake, "a", "closed", "os:ana", SPOILT, NOW)
    with pytest.raises(UsageError, match=r"U\+000A"):
        releases.retract(lake, "dengue_linelist", 1, SPOILT, Silent())
    with pytest.raises(UsageError, match=r"U\+000A"):
        releases.restore(lake, "dengue_linelist", 1, SPOILT, Silent(), NOW.date())
