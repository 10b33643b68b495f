"""Bad weeks of a national file, from ingestion to page and answer.

A department that is missing, and a district that falls from tens of cases to none: neither is
read as zero. Released, forecast and asked as an agency does it, by the commands and the service.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import httpx
import numpy as np
import polars as pl
import pytest
import small_service
from candidates import NAME
from weekly_job import CASES, HEADER, Job, weekly_home

from models.outbreak import USE_CASE as outbreak
from yupana.config.settings import Settings
from yupana.data.lake import delta
from yupana.data.national.calendar import epiweek
from yupana.identity.local_key import local_key
from yupana.orchestration import service
from yupana.tasks.forecast.checks import watch
from yupana.tasks.forecast.monitoring import inputs
from yupana.tracking import registry

FIRST, WEEKS = date(2018, 1, 7), 150
PLACES = {
    "160101": ("LORETO,MAYNAS,IQUITOS", 40.0),
    "160301": ("LORETO,LORETO,NAUTA", 12.0),
    "160102": ("LORETO,MAYNAS,ALTO NANAY", 1.0),
    "160108": ("LORETO,MAYNAS,PUNCHANA", 9.0),
    "250101": ("UCAYALI,CORONEL PORTILLO,CALLERIA", 35.0),
    "250105": ("UCAYALI,CORONEL PORTILLO,YARINACOCHA", 6.0),
}
IQUITOS, CALLERIA, YARINACOCHA = "160101", "250101", "250105"
COUNTS = np.random.default_rng(3).poisson(
    np.array([mean for _, mean in PLACES.values()])[:, None], (len(PLACES), WEEKS)
)


def ended(week: int) -> date:
    """The day that ends a week."""
    return FIRST + timedelta(weeks=week, days=6)


def rows(weeks: int, without: dict[str, int] | None = None) -> list[str]:
    """The file of so many weeks; first digits of codes, and how many last weeks they lack."""
    lines = []
    for (ubigeo, (names, _)), counts in zip(PLACES.items(), COUNTS, strict=True):
        lacks = max((n for p, n in (without or {}).items() if ubigeo.startswith(p)), default=0)
        for week in range(weeks - lacks):
            year, number = epiweek(FIRST + timedelta(weeks=week))
            line = f"{names},{year},20,Dengue,{number},Confirmados,1"
            lines += [line] * counts[week]
    return lines


@dataclass
class Desk:
    """The weekly job on such files."""

    job: Job

    def week(self, weeks: int, without: dict[str, int] | None = None) -> dict[str, dict[str, Any]]:
        """Release, features and forecast of a week."""
        path = self.job.folder / f"{weeks}.csv"
        path.write_text("\n".join([HEADER, *rows(weeks, without)]) + "\n", encoding="utf-8")
        day = ended(weeks - 1) + timedelta(days=4)
        ingest = self.job.call("ingest", CASES, "--source", str(path), "--as-of", str(day))
        return {"ingest": ingest, **self.job.after()}

    def features(self) -> pl.DataFrame:
        return delta.read(self.job.lake.table("features", "outbreak_weekly"))

    def forecast(self, ubigeo: str, origin: date) -> pl.DataFrame:
        table = delta.read(self.job.lake.table("forecasts", NAME))
        return table.filter(ubigeo=ubigeo, origin=origin).sort("horizon")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with weekly_home(tmp_path_factory.mktemp("outage"), served=True) as job:
        yield Desk(job)


@pytest.fixture(scope="module")
def weeks(desk: Desk) -> list[dict[str, dict[str, Any]]]:
    """A whole week, then one without Ucayali, then one without it and Iquitos."""
    return [
        desk.week(WEEKS - 2),
        desk.week(WEEKS - 1, {"25": 1}),
        desk.week(WEEKS, {"25": 2, IQUITOS: 1}),
    ]


def test_a_missing_department_is_not_zero(desk: Desk, weeks: list[Any]) -> None:
    newest = desk.features().group_by("ubigeo").agg(pl.max("event_timestamp").dt.date())
    days = dict(newest.iter_rows())
    assert days == {
        **dict.fromkeys(("160301", "160102", "160108"), ended(WEEKS - 1)),
        IQUITOS: ended(WEEKS - 2), CALLERIA: ended(WEEKS - 3), YARINACOCHA: ended(WEEKS - 3),
    }  # fmt: skip
    assert weeks[0]["predict"]["metrics"]["silent"] == {}
    assert weeks[2]["predict"]["metrics"]["silent"] == {IQUITOS: 1, CALLERIA: 2, YARINACOCHA: 2}


def test_the_forecast_starts_from_the_last_known_week(desk: Desk, weeks: list[Any]) -> None:
    known = desk.forecast(CALLERIA, ended(WEEKS - 3))
    now = desk.forecast(CALLERIA, ended(WEEKS - 1))
    assert now["horizon"].to_list() == [1, 2, 3, 4, 5, 6]
    levels = [c for c in now.columns if c.startswith("q0.")]
    assert now.select(levels).equals(known.filter(pl.col("horizon") > 2).select(levels))
    assert now["q0.5"].min() > 15
    one, two = (desk.forecast(u, ended(WEEKS - 1)) for u in (IQUITOS, "160301"))
    assert len(one) == 7 and one["q0.5"].min() > 15 and len(two) == 8
    areas = delta.read(desk.job.lake.table("forecasts", f"{NAME}_areas"))
    whole = areas.filter(area="25", origin=ended(WEEKS - 1)).sort("horizon")
    assert whole["horizon"].to_list() == [1, 2, 3, 4, 5, 6] and whole["q0.5"].min() > 20
    # The neighbour's sum of the department holds what Iquitos reported before.
    beside = desk.features().filter(
        (pl.col("ubigeo") == "160301") & (pl.col("event_timestamp").dt.date() == ended(WEEKS - 1))
    )
    assert beside["department_lag_0"].item() > 35


def test_ingest_and_monitor_say_what_is_missing(desk: Desk, weeks: list[Any]) -> None:
    without = " ".join(weeks[1]["ingest"]["metrics"]["warnings"])
    newest = FIRST + timedelta(weeks=WEEKS - 2)
    assert f"{newest} has no row of department UCAYALI" in without
    assert "province CORONEL PORTILLO" in without and "LORETO" not in without
    alerts = watched(desk.job.lake)
    assert any("dejaron de notificar de golpe" in a and CALLERIA in a for a in alerts), alerts


def watched(lake: Settings) -> list[str]:
    """What the checks of the newest week alarm about, in Spanish."""
    day = ended(WEEKS - 1) + timedelta(days=4)
    snapshot = inputs.read(lake, outbreak, day, f"model:{NAME}@1")
    checks = watch.watch(
        snapshot.features, snapshot.forecasts, snapshot.truth, snapshot.end, definition=outbreak
    )
    return [c.es for c in checks if c.state == "alarm"]


def test_page_says_so(desk: Desk, weeks: list[Any]) -> None:
    page = (desk.job.lake.reports / f"forecast-{NAME}.html").read_text()
    assert "dejaron de notificar de golpe" in page and "stopped reporting all at once" in page
    assert "sin notificación: 2 semanas sin conocer" in page
    assert "no reports: 1 week not known" in page


def test_answers_say_so(desk: Desk, weeks: list[Any]) -> None:
    lake = Settings(home=desk.job.lake.home, serve_port=0)
    small_service.run(lake, "deploy", str(registry.champion(lake, NAME)[1]))
    day = str(ended(WEEKS - 1) + timedelta(days=4))
    with service.running(lake, NAME) as url:
        key = local_key(lake.platform_db, lake.home)
        answer = httpx.post(
            f"{url}/v1/{NAME}/forecast", headers={"Authorization": f"Bearer {key}"},
            json={"as_of": day, "ubigeo": [CALLERIA, IQUITOS, "160301"]}, timeout=60,
        ).json()  # fmt: skip
    by = {p["ubigeo"]: p for p in answer["predictions"]}
    codes = {u: [c["code"] for c in p["caveats"]] for u, p in by.items()}
    assert by[CALLERIA]["data_as_of"] == str(ended(WEEKS - 3))
    assert "silent" in codes[CALLERIA] and "stale_data" in codes[CALLERIA]
    assert "silent" in codes[IQUITOS] and "silent" not in codes["160301"]
    note = next(c for c in by[IQUITOS]["caveats"] if c["code"] == "silent")
    assert "no es cero casos: 1 semana" in note["es"] and "which is not zero cases" in note["en"]
    recorded = desk.forecast(CALLERIA, ended(WEEKS - 1))["q0.5"].to_list()
    assert [w["median"] for w in by[CALLERIA]["weeks"]][2:] == recorded
