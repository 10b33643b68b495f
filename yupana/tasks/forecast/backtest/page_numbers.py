"""What the backtest's page says, counted from its rows and its report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from yupana.core import disclosure
from yupana.core.errors import TerminalError
from yupana.data.national.areas import total
from yupana.data.national.places import place
from yupana.tasks.forecast.backtest.vintages import KEYS
from yupana.tasks.forecast.entities import ENTITY, inward
from yupana.tasks.forecast.frequency import FREQUENCIES
from yupana.tasks.forecast.quantiles import LEVELS, QUANTILES
from yupana.tasks.forecast.scoring import calibration
from yupana.tasks.forecast.scoring.scores import weighted_interval_scores

if TYPE_CHECKING:
    import pandas as pd

    from yupana.tasks.forecast.backtest.report import BacktestReport

Array = npt.NDArray[np.float64]

_NEEDED = {*KEYS, *LEVELS, "observed"}


def load(rows_path: Path, report: BacktestReport, key: str) -> pd.DataFrame:
    """The rows whose period is known, with `week` (the day that ends it), `year`, `wis`.

    Raises:
        TerminalError: the file is absent or lacks columns, nothing is known, or the report
            names a model that has no rows.
    """
    import pandas as pd

    try:
        rows = pd.read_parquet(rows_path)
    except FileNotFoundError as error:
        raise TerminalError(
            "There are no backtest rows.", where=str(rows_path), fix="Run the backtest first."
        ) from error
    # A key that another column has already stands as `ENTITY`, see `entities.outward`.
    columns = _NEEDED if ENTITY in rows else {*_NEEDED, key} - {ENTITY}
    if absent := sorted(columns - set(rows.columns)):
        raise TerminalError(
            f"The backtest rows lack columns: {', '.join(absent)}.",
            where=str(rows_path),
            fix="Write them with `yupana backtest`.",
        )
    rows = inward(rows, key)
    rows = rows[rows["observed"].notna()].reset_index(drop=True)
    if strange := sorted({report.final, *report.baselines} - set(rows["model"])):
        raise TerminalError(
            f"The report names models without rows: {', '.join(strange)}.",
            where=str(rows_path),
            fix="Give the report and the rows of the same backtest.",
        )
    rows["origin"], rows["entity"] = pd.to_datetime(rows["origin"]), rows["entity"].astype(str)
    ahead = FREQUENCIES[report.frequency].ahead
    days = zip(rows["origin"].dt.date, rows["horizon"].astype(int), strict=True)
    rows["week"] = pd.to_datetime([ahead(day, horizon) for day, horizon in days])
    rows["year"] = rows["origin"].dt.year
    rows["wis"] = weighted_interval_scores(
        rows["observed"].to_numpy(dtype=float), rows[list(LEVELS)].to_numpy(dtype=float)
    )
    return rows


def scores(report: BacktestReport, series: str) -> dict[str, dict[str, Any]]:
    """The report's scores of a series, by model, best first."""
    by_model = {s["model"]: s for s in report.scores if s["series"] == series}
    return dict(sorted(by_model.items(), key=lambda pair: pair[1]["wis"]))


def best_baseline(report: BacktestReport, series: str) -> str:
    """The baseline with the lowest score of a series."""
    return next(m for m in scores(report, series) if m in report.baselines)


def change(scores: dict[str, dict[str, Any]], final: str, other: str) -> float:
    """Change of the score in % where `final` takes the place of `other`: below 0 is better."""
    against = float(scores[other]["wis"])
    return 100 * (float(scores[final]["wis"]) / against - 1) if against else 0.0


def visible_counts(rows: pd.DataFrame, final: str) -> dict[str, dict[pd.Timestamp, float | None]]:
    """Observed cases by place and week, None where a small cell would be told.

    The districts of a week are parts of their department's total, so that a small one may hide
    another with it; departments are parts of the country's.
    """
    mine = rows[rows["model"] == final].drop_duplicates(["series", "entity", "week"])
    entities = mine["entity"].unique()
    counts_of: dict[str, dict[pd.Timestamp, float | None]] = {u: {} for u in entities}
    for _, part in mine.groupby(["series", "week"]):
        counts = part["observed"].round().astype(int).tolist()
        week, places = part["week"].iloc[0], part["entity"].tolist()
        shown = disclosure.hide_within(counts, [total(entity) for entity in places])
        for entity, count in zip(places, shown, strict=True):
            counts_of[entity][week] = count
    return counts_of


def largest(
    rows: pd.DataFrame, final: str, most: int, series: str = "district"
) -> tuple[list[str], list[str]]:
    """Places with most cases, and all others: those past `most` or with too few cases."""
    mine = rows[(rows["model"] == final) & (rows["series"] == series)]
    cases = mine.drop_duplicates(["entity", "week"]).groupby("entity")["observed"].sum()
    places, _ = disclosure.largest({str(u): round(n) for u, n in cases.items()}, most)
    first = [u for u, _ in places]
    return first, sorted(set(map(str, cases.index)) - set(first))


def mean_wis(rows: pd.DataFrame, by: str, models: list[str]) -> pd.DataFrame:
    """Mean score by model (columns, in the order given) and `by` (index)."""
    table = rows.pivot_table(index=by, columns="model", values="wis", aggfunc="mean")
    return table[[m for m in models if m in table]]


def pit(rows: pd.DataFrame, seed: int) -> Array:
    """The randomised probability integral transform of one model's rows."""
    forecast = rows[list(LEVELS)].to_numpy(dtype=float)
    return calibration.randomised_pit(rows["observed"].to_numpy(dtype=float), forecast, seed=seed)


def coverages(pit: Array) -> tuple[list[float], list[float]]:
    """Nominal and observed coverage of the eleven central intervals, shares."""
    tails = [level for level in QUANTILES if level < 0.5][::-1]
    shares = [float(((tail <= pit) & (pit <= 1 - tail)).mean()) for tail in tails]
    return [round(1 - 2 * tail, 3) for tail in tails], shares


def label(entity: str, among: list[str]) -> str:
    """The name; with the code where another of `among` has the same one."""
    name = place(entity)
    same = [u for u in among if place(u) == name]
    return name if len(same) == 1 else f"{name} ({entity})"
