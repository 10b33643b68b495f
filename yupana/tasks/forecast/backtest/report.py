"""The scores of a backtest: in all, by horizon, district and season, and their calibration."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from yupana.tasks.forecast.backtest import alerts
from yupana.tasks.forecast.backtest.alerts import AlertReport
from yupana.tasks.forecast.backtest.by_department import DepartmentScores
from yupana.tasks.forecast.backtest.missed import Missed
from yupana.tasks.forecast.entities import ENTITY, outward
from yupana.tasks.forecast.quantiles import LEVELS
from yupana.tasks.forecast.scoring import calibration
from yupana.tasks.forecast.scoring.scores import score

if TYPE_CHECKING:
    import pandas as pd

COVERAGES = ("50", "90", "95")


Scores = list[dict[str, Any]]


@dataclass(frozen=True)
class Tables:
    """Scores, every model on the same counts.

    Attributes:
        scores: `model`, `series`, `wis` and `mae` in cases, `wis_log` on log1p cases, `coverage`
            by percent, `n` counts.
        by_horizon: the same by `horizon`, periods ahead.
        by_season: by `season`, the origin's calendar year.
        by_district: by the use case's key.
        pit: by model and series, `deciles` (shares, 0.1 each when calibrated) and `coverage` of
            the randomised transform.
        alerts: None where no row has a channel.
    """

    scores: Scores
    by_horizon: Scores
    by_season: Scores
    by_district: Scores
    pit: Scores
    alerts: AlertReport | None


@dataclass(frozen=True)
class BacktestReport:
    """A backtest: its fields in the order of the report's JSON; those of `Tables` as they are.

    Attributes:
        final, baselines, members: names of models.
        frequency: `week` or `month`.
        trained_on: department, or the country, whose districts the model learned from.
        districts: with a case before the first origin.
        origins: days, ISO 8601.
        source: references of what was read.
        left_out_rows: of the source, that are of no place or period.
        missed: alerts of the final model, of the newest two years; small counts are hidden.
        by_department: of the country's backtest alone.
    """

    scores: Scores
    final: str
    baselines: list[str]
    members: list[str]
    seconds: float
    frequency: str
    department: str
    trained_on: str
    districts: int
    origins: list[str]
    source: list[str]
    left_out_rows: int
    by_horizon: Scores
    by_season: Scores
    by_district: Scores
    pit: Scores
    alerts: AlertReport | None
    missed: list[Missed] = field(default_factory=list)
    by_department: list[DepartmentScores] = field(default_factory=list)

    def content(self) -> dict[str, Any]:
        """What is written; of one department there is nothing by department."""
        content = asdict(self)
        if not self.by_department:
            del content["by_department"]
        return content


def tables(rows: pd.DataFrame, key: str, *, lead: int, seed: int) -> Tables:
    """Scores of the rows of `vintages.forecasts`, of their alerts where `channels.beside` was.

    Args:
        key: of the use case: the column of `by_district`.
        lead: periods ahead that alert lists are of.
        seed: of the randomised transform.
    """
    season = rows.assign(season=rows["origin"].map(lambda day: day.year))
    districts = outward(rows[rows["series"] == "district"], key)
    entity = key if ENTITY not in districts else ENTITY
    return Tables(
        scores=_by(rows, []),
        by_horizon=_by(rows, ["horizon"]),
        by_season=_by(season, ["season"]),
        by_district=_by(districts, [entity]),
        pit=_pit(rows, seed),
        alerts=alerts.report(rows, lead),
    )


def _by(rows: pd.DataFrame, more: list[str]) -> Scores:
    keys = ["model", "series", *more]
    lines = []
    for key, group in rows.groupby(keys, sort=True):
        observed = group[["observed"]].to_numpy(dtype=float)
        scores = score(observed, group[list(LEVELS)].to_numpy(dtype=float)[:, None, :])
        lines.append(
            {
                **{name: _plain(value) for name, value in zip(keys, key, strict=True)},
                **{name: scores[name] for name in ("wis", "wis_log", "mae")},
                "coverage": {c: scores[f"coverage_{c}"] for c in COVERAGES},
                "n": scores["counts"],
            }
        )
    return lines


def _pit(rows: pd.DataFrame, seed: int) -> Scores:
    lines = []
    for (model, series), group in rows.groupby(["model", "series"], sort=True):
        values = calibration.randomised_pit(
            group["observed"].to_numpy(dtype=float),
            group[list(LEVELS)].to_numpy(dtype=float),
            seed=seed,
        )
        lines.append(
            {
                "model": model,
                "series": series,
                "deciles": calibration.deciles(values),
                "coverage": calibration.central_shares(values),
                "n": len(values),
            }
        )
    return lines


def _plain(value: Any) -> Any:
    """A number of Python's own, for JSON."""
    return value.item() if hasattr(value, "item") else value
