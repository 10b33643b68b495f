"""Has the world moved away from what the model was tested on? Evidently's drift report.

Small tables go to Evidently row by row. Large ones go as counts, which give the same distances
(`evidently_counts`); where a test needs rows, a large table is sampled with a stated error.
"""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from yupana.core.errors import TerminalError
from yupana.monitoring import counts, evidently_counts

if TYPE_CHECKING:
    import pandas as pd

MOST = 20_000
"""Rows that Evidently is given as they are."""

# Evidently looks only at the size of the reference to choose between a test and a distance; a
# distance over 0.1 is chance alone with a few dozen answers. We look at the smaller of the two.
MANY = 1000
ALPHA = 0.05
_SEED = 0


@dataclass(frozen=True)
class Found:
    """What a comparison found.

    Attributes:
        compared, drifted, empty: names of columns; empty ones have no value on one side.
        threshold: p-value below which, or distance from which on, a column has drifted.
        scores: p-value or distance by column.
        how: `rows`, `sample` or `counts`.
        error: the most by which a score can differ from that of all rows; a distribution's own
            error (DKW, 95 %) where a sample was drawn; 0 by rows.
        evidently: Evidently's own result.
    """

    compared: list[str]
    drifted: list[str]
    empty: list[str]
    threshold: float
    scores: dict[str, float | None]
    how: str
    error: float
    evidently: dict[str, Any]

    @property
    def share(self) -> float:
        return round(len(self.drifted) / len(self.compared), 4)


def compare(
    reference: Any, current: Any, numbers: list[str], texts: list[str], page: Path
) -> Found:
    """Compare two tables column by column, and write Evidently's page.

    Args:
        reference, current: pyarrow Tables or Datasets.
        numbers, texts: the columns to compare, by kind.
        page: where the HTML goes.

    Raises:
        TerminalError: no column has values on both sides.
    """
    sizes = [reference_rows, current_rows] = [_rows(each) for each in (reference, current)]
    page.parent.mkdir(parents=True, exist_ok=True)
    if min(sizes) > MANY and max(sizes) > MOST:
        sides = [counts.read(reference), counts.read(current)]
        return _by_counts(sides, numbers, texts, page)
    names = [*numbers, *texts]
    frames = [_frame(reference, names, reference_rows), _frame(current, names, current_rows)]
    return _by_rows(frames[0], frames[1], numbers, texts, page, drawn=max(sizes) > MOST)


def dkw(rows: int) -> float:
    """By how much a sample's distribution differs from all rows' at the most, in 19 of 20 draws.

    Dvoretzky, Kiefer, Wolfowitz with Massart's constant (1990, Annals of Probability 18:1269).
    """
    return float(np.sqrt(np.log(2 / ALPHA) / (2 * rows)))


def threshold_of(tested: bool, comparisons: int) -> float:
    """From where on a column has drifted, when so many comparisons are made at once."""
    # Divided by the comparisons: without any drift, one report in twenty shows some.
    return ALPHA / comparisons if tested else evidently_counts.DISTANCE


def _rows(table: Any) -> int:
    import pyarrow as pa

    return len(table) if isinstance(table, pa.Table) else int(table.count_rows())


def _frame(table: Any, names: list[str], rows: int) -> pd.DataFrame:
    """The rows of a table, or `MOST` of them drawn at random, alike at every call."""
    import pyarrow.dataset as ds

    made = table if isinstance(table, ds.Dataset) else ds.dataset(table)
    if rows > MOST:
        picks = np.sort(np.random.default_rng(_SEED).choice(rows, MOST, replace=False))
        found: pd.DataFrame = made.take(picks, columns=names).to_pandas()
    else:
        found = made.to_table(columns=names).to_pandas()
    return found


def _by_rows(
    reference: pd.DataFrame, current: pd.DataFrame, numbers: list[str], texts: list[str],
    page: Path, *, drawn: bool,
) -> Found:  # fmt: skip
    """Evidently on the rows."""
    from evidently.presets import DataDriftPreset

    # Evidently stops on a column without values, so those are told apart.
    there = reference.notna().any() & current.notna().any()
    compared = [c for c in (*numbers, *texts) if there[c]]
    _some(compared, there.index)
    tested = min(len(reference), len(current)) <= MANY
    threshold = threshold_of(tested, len(compared))
    preset = DataDriftPreset(
        num_method="ks" if tested else "wasserstein",
        cat_method="chisquare" if tested else "jensenshannon",
        num_threshold=threshold,
        cat_threshold=threshold,
    )
    kept = [c for c in numbers if c in compared]
    told = _run(preset, reference[compared], current[compared], kept, page)
    scores = _scores(told)
    drifted = [c for c in compared if (s := scores[c]) is not None and (s < threshold) is tested]
    error = dkw(MOST) if drawn else 0.0
    how = "sample" if drawn else "rows"
    empty = [c for c in there.index if c not in compared]
    return Found(compared, drifted, empty, threshold, scores, how, error, told)


def _by_counts(
    sides: list[counts.Read], numbers: list[str], texts: list[str], page: Path
) -> Found:  # fmt: skip
    """Evidently on small tables with the distributions of the large ones."""
    from evidently.presets import DataDriftPreset

    found, scored = evidently_counts.score(sides[0], sides[1], numbers, texts)
    compared = list(scored)
    _some(compared, list(found))
    reference, current, off = evidently_counts.tables(found, scored)
    preset = DataDriftPreset(
        per_column_method={c: s.method for c, s in scored.items()},
        threshold=evidently_counts.DISTANCE,
    )
    kept = [c for c in numbers if c in compared]
    told = _run(preset, reference, current, kept, page)
    told["made_from"] = {
        "rows": len(reference),
        "off": {c: round(o, 6) for c, o in off.items()},
    }
    return Found(
        compared,
        [c for c, s in scored.items() if s.drifted],
        [c for c in found if c not in scored],
        evidently_counts.DISTANCE,
        {c: s.score for c, s in scored.items()},
        "counts",
        max(s.error for s in scored.values()),
        told,
    )  # fmt: skip


def _some(compared: list[str], asked: Any) -> None:
    if not compared:
        raise TerminalError(
            "No column has values both in the test window and in the answers.",
            where=f"columns {', '.join(asked)}",
            fix="Compare the names in the logged features with those of reference.parquet.",
        )


def _run(
    preset: Any, reference: pd.DataFrame, current: pd.DataFrame, numbers: list[str], page: Path
) -> dict[str, Any]:
    from evidently import DataDefinition, Dataset, Report

    kinds = DataDefinition(
        numerical_columns=numbers,
        categorical_columns=[c for c in reference.columns if c not in numbers],
    )
    with warnings.catch_warnings():
        # Constant columns and new categories make numpy warn of divisions by zero.
        warnings.simplefilter("ignore")
        run = Report([preset]).run(
            Dataset.from_pandas(current, kinds), Dataset.from_pandas(reference, kinds)
        )
        run.save_html(str(page))
        # A constant column has the p-value NaN, which is not JSON: null, and not drifted.
        told: dict[str, Any] = json.loads(run.json(), parse_constant=lambda _: None)
    return told


def _scores(told: dict[str, Any]) -> dict[str, float | None]:
    metrics = told["metrics"]
    return {m["config"]["column"]: m["value"] for m in metrics if "column" in m["config"]}
