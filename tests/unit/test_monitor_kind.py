"""The monitor and the site of a kind that is no forecast: they ask five things of it, no more."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from yupana.config.settings import Settings
from yupana.core import usecase
from yupana.core.errors import UsageError
from yupana.core.spec import Spec
from yupana.lineage import events
from yupana.monitoring import alerts, drift, kind, run, slices
from yupana.monitoring.answers import Measures
from yupana.monitoring.check import Check
from yupana.monitoring.site import impact
from yupana.monitoring.site.parts import Answer, SiteRequest
from yupana.predictions import lake_table

LAST = date(2024, 3, 31)
EMPTY = "monitoring/site/parts.html"
"""A template that shows nothing by itself."""


class Letters:
    """Letters that are sorted by a model: it is scored by how many it put right."""

    def inputs(self, settings: Settings, use_case: str, day: date) -> kind.Inputs:
        return kind.Inputs(None, ("delta:published/letters@1",), hindsight=False)

    def observe(self, settings: Settings, use_case: str, run: kind.Run) -> kind.Observation:
        check = Check("accuracy", "", "", LAST, 0.4, 0.8, "alarm", "warning", "Acierta poco.",
                     "It is seldom right.", "docs/runbooks.md#accuracy", "performance")  # fmt: skip
        return kind.Observation(
            period=LAST, columns=("length",), measures=Measures(("confidence",), confidence),
            groups=lambda rows: {"agency": {e: e[:1] for e in rows["entity"]}}, checks=(check,),
            performance={"n": 50}, unfinished=(), vintage_periods=1, scores=(("accuracy", "", ""),),
        )  # fmt: skip

    def labels(self, spec: Spec) -> kind.Labels:
        return kind.Labels(entities=("cartas", "letters"))

    def performance(self, scored: Mapping[str, Any], spec: Spec) -> kind.Section:
        return kind.Section(EMPTY, {"scored": scored})

    def impact(self, report: Mapping[str, Any], spec: Spec) -> kind.Section:
        return kind.Section(EMPTY, {}, Answer("no", f"Peor: {report['worst']}.", "Worse."))


def confidence(payloads: pl.Series) -> pl.DataFrame:
    return pl.DataFrame({"confidence": payloads.str.json_path_match("$.p").cast(pl.Float64)})


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A use case whose kind is the one above."""
    monkeypatch.setattr(usecase, "task", lambda name: Letters())
    settings = Settings(home=tmp_path / "home")
    settings.reports.joinpath("outbreak").mkdir(parents=True)
    return settings


def answered(settings: Settings, rows: int) -> None:
    """Answers in the lake, as the export writes them, of two agencies."""
    schema = dict.fromkeys(lake_table.schema().names, pl.String)
    facts = {
        "prediction_key": [str(n) for n in range(rows)], "kind": "answer", "model_version": "1",
        lake_table.ENTITY: [f"{'ab'[n % 2]}{n}" for n in range(rows)],
        "features": [f'{{"length": {900 + n}}}' for n in range(rows)],
        lake_table.PAYLOAD: [f'{{"p": 0.{n % 10}}}' for n in range(rows)],
    }  # fmt: skip
    table = pl.DataFrame(facts).with_columns(data_as_of=pl.lit(LAST))
    absent = [pl.lit(None, kind).alias(n) for n, kind in schema.items() if n not in table.columns]
    path = settings.table(lake_table.ZONE, "outbreak")
    path.parent.mkdir(parents=True)
    table.with_columns(absent).write_delta(str(path))


def test_drift_groups_alerts_and_the_page_are_there_for_it(home: Settings, tmp_path: Path) -> None:
    answered(home, 60)
    key = kind.spec.load("outbreak").entity.key
    pl.DataFrame({key: [f"{'ab'[n % 2]}{n}" for n in range(60)], "length": range(60),
                  "confidence": [n % 10 / 10 for n in range(60)]}
                 ).write_parquet(tmp_path / "reference.parquet")  # fmt: skip
    request = kind.Run("aa11", "model:outbreak@1", tmp_path, 8, LAST, True, ("model:outbreak@1",))
    task, now = kind.of("outbreak"), datetime(2024, 4, 1, tzinfo=UTC)
    summary = run.run(home, "outbreak", request, lambda r: task.observe(home, "outbreak", r), now,
                    lambda _: None)  # fmt: skip
    assert summary.drift.whole.drifted == ["length"]
    assert summary.drift.whole.compared == ["length", "confidence"]
    report = json.loads(Path(summary.json).read_text())
    groups = {(s["by"], s["of"]): s for s in report["drift"]["slices"]}
    assert groups["agency", "a"]["drifted"] == ["length"] and groups["agency", "a"]["enough"]
    assert groups[slices.BY_PERIOD, "before"]["enough"] is False
    assert {a.check for a in alerts.open(home.platform_db, "outbreak")} >= {"accuracy"}
    page = Path(summary.html).read_text()
    assert "Período que terminó el 2024-03-31" in page and "igual lista de cartas" in page
    assert "agency" in page and "WIS" not in page and "distrito" not in page


def test_what_was_predicted_in_batch_and_nobody_asked_for_is_compared(
    home: Settings, tmp_path: Path
) -> None:
    key = kind.spec.load("outbreak").entity.key
    names = [f"{'ab'[n % 2]}{n}" for n in range(60)]
    numbers = {"length": range(60), "confidence": [n % 10 / 10 for n in range(60)]}
    pl.DataFrame({key: names, **numbers}).write_parquet(tmp_path / "reference.parquet")
    batch = pl.DataFrame({"entity": names, **numbers}).with_columns(
        period=pl.lit(LAST), model=pl.lit("1"), times=pl.lit(1, pl.UInt32)
    )
    request = drift.Request(
        tmp_path / "reference.parquet", key, ["length"], Measures(("confidence",), confidence),
        lambda rows: {}, LAST, 8, tmp_path / "page.html", batch,
    )  # fmt: skip
    alone = drift.compare(home, "outbreak", request, lambda _: None)
    assert (alone.rows_current, alone.answers) == (60, 60) and alone.whole.drifted == []
    answered(home, 40)
    both = drift.compare(home, "outbreak", request, lambda _: None)
    assert both.rows_current == 60, "whatever was asked for is not counted twice"
    assert both.whole.drifted == ["length"]


def test_the_sites_impact_page_is_filled_by_the_kind(home: Settings) -> None:
    report = {"id": "ab12", "model": "model:outbreak@1", "rests_on": [], "worst": "agency b",
              "period": {"from": "2024-01-01", "to": "2024-03-31"}}  # fmt: skip
    path = home.reports / "outbreak" / "impact-ab12.json"
    path.write_text(json.dumps(report))
    events.append(home, "impact", "outbreak", status="done", files=[path])
    page = impact.page(SiteRequest(home, "outbreak", LAST))
    assert page.answer == Answer("no", "Peor: agency b.", "Worse.")
    assert page.values["section"] == EMPTY and page.basis[0].ref == "report:outbreak/impact-ab12"


def test_a_kind_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(UsageError, match="no kind of use cases called 'horoscope'") as refused:
        usecase.task("horoscope")
    assert "forecast" in refused.value.fix
