"""The part of the backtest's page on alerts: the report's numbers, and no hidden one."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from test_backtest_report import page_of, planted, report_of, text

from yupana.tasks.forecast.backtest import alerts_section
from yupana.tasks.forecast.backtest.missed import Missed

LATE = Missed(
    "district", "160113", "2020-01-04", "2020-02-01", 31, 6.0, 3.0, 12.0, 0.17, "beyond",
    "De 6 a 31 casos en 4 semanas.", "From 6 to 31 cases in 4 weeks.",
)  # fmt: skip
HIDDEN = replace(
    LATE, observed=None, limit=None, median=None, probability=None, upper=None, entity="160112"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("alerts")
    rows = planted().assign(channel_high=50.0, channel_rate=0.2)
    page_of(rows, folder, missed=[LATE, HIDDEN])
    return folder / "out"


def test_the_page_says_how_good_the_alerts_were(folder: Path) -> None:
    page = text((folder / "backtest.html").read_text("utf-8"))
    report = report_of(planted().assign(channel_high=50.0, channel_rate=0.2))
    assert report.alerts is not None
    skills = report.alerts.skills("pool", "district")
    best = max(s for h, s in skills.items() if h and s is not None)
    assert f"{100 * best:.0f} % del error" in page
    error = report.alerts.reliable("pool", "district")[0].expected_error
    assert f"hay {100 * error:.1f} puntos en promedio" in page
    for at in report.alerts.decisions("pool", "district"):
        numbers = f"{at.miss_cost:g} {at.threshold:.2f} {at.hits} {at.missed} {at.false_alarms}"
        assert numbers in page
    for name in ("alert-reliability", "alert-skill", "alert-value"):
        assert (folder / f"{name}.png").stat().st_size > 1000


def test_each_missed_alert_has_a_line_and_hidden_numbers_are_marked(folder: Path) -> None:
    page = (folder / "backtest.html").read_text("utf-8")
    rows = [text(row) for row in re.findall(r"<tr>.*?</tr>", page, re.S) if "2020-02-01" in row]
    assert len(rows) == 2
    assert "31 6 3 12 0.17 De 6 a 31 casos" in rows[0]
    assert rows[1].count("oculto") == 5 and "0.17" not in rows[1]
    assert "2: subió más de lo que admitía" in text(page)


def test_the_worst_bin_stands_on_the_page() -> None:
    rows = planted().assign(channel_high=50.0, channel_rate=0.2)
    # What was forecast as sure comes in none of many.
    many = pd.concat([rows] * 30).assign(observed=0.0)
    section = alerts_section.section(report_of(many), "district")
    assert section is not None
    assert "no se puede confiar" in section.reliable.es
    assert "100 % was told and 0 % came" in section.reliable.en
    assert "no siempre" in section.skill.es.lower()


def test_without_channels_there_is_no_part_on_alerts() -> None:
    assert alerts_section.section(report_of(planted()), "district") is None
