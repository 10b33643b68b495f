"""The scores of a country's backtest by department: where the model is better, and where not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from yupana.core import disclosure
from yupana.data.national import areas as national
from yupana.data.national.places import place
from yupana.tasks.forecast.frequency import Frequency
from yupana.tasks.forecast.model.areas import DEPARTMENT, codes
from yupana.tasks.forecast.quantiles import LEVELS
from yupana.tasks.forecast.scoring import calibration
from yupana.tasks.forecast.scoring.scores import score

if TYPE_CHECKING:
    import pandas as pd

FEWEST = 100
"""Counts above zero from which on a ratio of scores says something: an outbreak or two decide
it below."""

BESIDE = ("ar", "last_value")
"""Baselines that tables show, the best first; the others stand in the report."""

Scores = Mapping[str, float]
Ratios = Mapping[str, float | None]


@dataclass(frozen=True)
class DepartmentScores:
    """Scores of one department, every model on the same counts.

    Attributes:
        department: its code; empty for the country, whose sums are those of its departments.
        name: as INEI writes it.
        districts: that are forecast.
        counts: of districts that were scored, one an origin and horizon.
        above_zero: periods of districts with a case among them, each once; None where these are
            so few that they are hidden.
        enough: `FEWEST` or more of them.
        wis, wis_log: by model, of the districts, in cases and on log1p cases.
        ratios, log_ratios: the final model's over a baseline's; None where that is 0.
        inside_90: share of the counts inside the final model's central 90 %, by the randomised
            transform.
        sums_wis: by model, of the department's sums, in cases.
        best_baseline: the one with the lowest of them; empty where the final model has no sums.
        sums_ratio: the final model's over it.
    """

    department: str
    name: str
    districts: int
    counts: int
    above_zero: int | None
    enough: bool
    wis: Scores
    wis_log: Scores
    ratios: Ratios
    log_ratios: Ratios
    inside_90: float
    sums_wis: Scores
    best_baseline: str
    sums_ratio: float | None

    def facts(self, final: str) -> dict[str, Any]:
        """What an event keeps of them."""
        others = beside(self.ratios)
        return {
            "department": self.name,
            "districts": self.districts,
            "counts": self.counts,
            "enough": self.enough,
            "wis": self.wis[final],
            "ratios": {b: self.ratios[b] for b in others},
            "log_ratios": {b: self.log_ratios[b] for b in others},
            "inside_90": self.inside_90,
            "sums_ratio": self.sums_ratio,
        }


def beside(baselines: Iterable[str]) -> list[str]:
    """Those of `BESIDE` that there are; all, where none of them is."""
    there = list(baselines)
    return [b for b in BESIDE if b in there] or there


def of(
    rows: pd.DataFrame, final: str, baselines: Sequence[str], frequency: Frequency, seed: int
) -> list[DepartmentScores]:
    """The country's scores, then those of each department by its code.

    Args:
        rows: of `vintages.forecasts`.
        seed: of the randomised transform.
    """
    groups = rows.groupby(codes(rows, DEPARTMENT), sort=True)
    parts = [("", rows), *((str(code), part) for code, part in groups)]
    whole, *departments = (
        _department(name, part, final, baselines, frequency, seed) for name, part in parts
    )
    # The country's number is the sum of theirs: a small one may hide another with it.
    shown = [
        count
        for each in ([whole], departments)
        for count in disclosure.hide([one.above_zero or 0 for one in each])
    ]
    return [
        replace(one, above_zero=count)
        for one, count in zip([whole, *departments], shown, strict=True)
    ]


def _department(
    code: str, rows: pd.DataFrame, final: str, baselines: Sequence[str], frequency: Frequency,
    seed: int,
) -> DepartmentScores:  # fmt: skip
    districts, sums = (rows[rows["series"] == name] for name in ("district", "department"))
    own = districts[districts["model"] == final]
    above_zero = _above_zero(own, frequency)
    scores, sums_wis = _scores(districts), {m: s["wis"] for m, s in _scores(sums).items()}
    wis, wis_log = ({m: s[name] for m, s in scores.items()} for name in ("wis", "wis_log"))
    rivals = [b for b in baselines if b in sums_wis] if final in sums_wis else []
    best = min(rivals, key=lambda b: sums_wis[b], default="")
    return DepartmentScores(
        department=code,
        name=place(code) if code else national.COUNTRY,
        districts=own["entity"].nunique(),
        counts=len(own),
        above_zero=above_zero,
        enough=above_zero >= FEWEST,
        wis=wis,
        wis_log=wis_log,
        ratios={b: _ratio(wis[final], wis[b]) for b in baselines},
        log_ratios={b: _ratio(wis_log[final], wis_log[b]) for b in baselines},
        inside_90=_inside_90(own, seed),
        sums_wis=sums_wis,
        best_baseline=best,
        sums_ratio=_ratio(sums_wis[final], sums_wis[best]) if best else None,
    )


def _above_zero(rows: pd.DataFrame, frequency: Frequency) -> int:
    """Counts with a case; one that several origins forecast is one."""
    keys = rows.loc[rows["observed"] > 0, ["entity", "origin", "horizon"]]
    pairs = keys.itertuples(index=False)
    return len({(entity, frequency.ahead(day, int(periods))) for entity, day, periods in pairs})


def _scores(rows: pd.DataFrame) -> dict[str, dict[str, float]]:
    """By model."""
    return {
        str(model): score(
            part[["observed"]].to_numpy(dtype=float),
            part[list(LEVELS)].to_numpy(dtype=float)[:, None, :],
        )
        for model, part in rows.groupby("model", sort=True)
    }


def _ratio(mine: float, other: float) -> float | None:
    return mine / other if other else None


def _inside_90(rows: pd.DataFrame, seed: int) -> float:
    values = calibration.randomised_pit(
        rows["observed"].to_numpy(dtype=float), rows[list(LEVELS)].to_numpy(dtype=float), seed=seed
    )
    return calibration.central_shares(values)["90"]
