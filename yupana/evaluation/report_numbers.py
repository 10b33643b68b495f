"""What the backtest's page says, counted from its rows and its report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from yupana.core import disclosure
from yupana.core.errors import TerminalError
from yupana.core.forecast import LEVELS, QUANTILES
from yupana.data.codes import place
from yupana.evaluation import calibration
from yupana.evaluation.backtest import KEYS
from yupana.evaluation.scores import weighted_interval_scores

if TYPE_CHECKING:
    import pandas as pd

Array = npt.NDArray[np.float64]

_NEEDED = {*KEYS, *LEVELS, "observed"}
BAND = 0.03
"""How far a tenth of the PIT may be from 0.10 and still be called calibrated."""


def load(rows_path: Path, report: dict[str, Any]) -> pd.DataFrame:
    """The rows whose week is known, with `week` (Saturday that ends it), `year`, `wis`.

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
    if absent := sorted(_NEEDED - set(rows.columns)):
        raise TerminalError(
            f"The backtest rows lack columns: {', '.join(absent)}.",
            where=str(rows_path),
            fix="Write them with `yupana backtest`.",
        )
    rows = rows[rows["observed"].notna()].reset_index(drop=True)
    if strange := sorted({report["final"], *report["baselines"]} - set(rows["model"])):
        raise TerminalError(
            f"The report names models without rows: {', '.join(strange)}.",
            where=str(rows_path),
            fix="Give the report and the rows of the same backtest.",
        )
    rows["origin"], rows["ubigeo"] = pd.to_datetime(rows["origin"]), rows["ubigeo"].astype(str)
    rows["week"] = rows["origin"] + pd.to_timedelta(7 * rows["horizon"].astype(int), unit="D")
    rows["year"] = rows["origin"].dt.year
    rows["wis"] = weighted_interval_scores(
        rows["observed"].to_numpy(dtype=float), rows[list(LEVELS)].to_numpy(dtype=float)
    )
    return rows


def scores(report: dict[str, Any], series: str) -> dict[str, dict[str, Any]]:
    """The report's scores of a series, by model, best first."""
    found = {s["model"]: s for s in report["scores"] if s["series"] == series}
    return dict(sorted(found.items(), key=lambda pair: pair[1]["wis"]))


def best_baseline(report: dict[str, Any], series: str) -> str:
    """The baseline with the lowest score of a series."""
    return next(m for m in scores(report, series) if m in report["baselines"])


def change(scores: dict[str, dict[str, Any]], final: str, other: str) -> float:
    """Change of the score in % where `final` takes the place of `other`: below 0 is better."""
    against = float(scores[other]["wis"])
    return 100 * (float(scores[final]["wis"]) / against - 1) if against else 0.0


def shown(rows: pd.DataFrame, final: str) -> dict[str, dict[pd.Timestamp, float | None]]:
    """Observed cases by place and week, None where a small cell would be told.

    The districts of a week are parts of the department's total, so that a small one may hide
    another with it.
    """
    mine = rows[rows["model"] == final].drop_duplicates(["series", "ubigeo", "week"])
    found: dict[str, dict[pd.Timestamp, float | None]] = {u: {} for u in mine["ubigeo"].unique()}
    for _, part in mine.groupby(["series", "week"]):
        counts = part["observed"].round().astype(int).tolist()
        week = part["week"].iloc[0]
        for ubigeo, count in zip(part["ubigeo"], disclosure.hide(counts), strict=True):
            found[ubigeo][week] = count
    return found


def largest(rows: pd.DataFrame, final: str, most: int) -> tuple[list[str], list[str]]:
    """Districts with most cases, and all others: those past `most` or with too few cases."""
    mine = rows[(rows["model"] == final) & (rows["series"] == "district")]
    cases = mine.drop_duplicates(["ubigeo", "week"]).groupby("ubigeo")["observed"].sum()
    chosen, _ = disclosure.largest({str(u): round(n) for u, n in cases.items()}, most)
    first = [u for u, _ in chosen]
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
    seen = [float(((tail <= pit) & (pit <= 1 - tail)).mean()) for tail in tails]
    return [round(1 - 2 * tail, 3) for tail in tails], seen


def label(ubigeo: str, among: list[str]) -> str:
    """The name; with the code where another of `among` has the same one."""
    name = place(ubigeo)
    same = [u for u in among if place(u) == name]
    return name if len(same) == 1 else f"{name} ({ubigeo})"
