"""Has the world moved away from what the model was tested on? Evidently's drift report.

Evidently holds the rows of both tables in pandas and copies them for each column, so that it is
given at most `MOST` rows a side: of a larger table a sample, alike at every call. A column that the
sample leaves undecided is scored once more on all rows, by Evidently's own distance.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from yupana.core.errors import TerminalError

if TYPE_CHECKING:
    import pandas as pd

MOST = 20_000
"""Rows that Evidently is given."""

# Evidently looks only at the size of the reference to choose between a test and a distance; a
# distance over 0.1 is chance alone with a few dozen answers. We look at the smaller of the two.
MANY = 1000
ALPHA = 0.05
DISTANCE = 0.1
"""From this distance on a column has drifted: Evidently's own threshold of both distances."""

_SEED = 0
_LEAST_DEVIATION = 0.001


@dataclass(frozen=True)
class Comparison:
    """Two tables compared column by column.

    Attributes:
        compared, drifted, empty: names of columns; empty ones have no value on one side.
        threshold: p-value below which, or distance from which on, a column has drifted.
        scores: p-value or distance by column.
        how: `rows` or `sample`.
        error: 0 by rows. Of a sample, by how much a distance differs from that of all rows on
            average at the most, in the largest of the columns; where tests were made, by how
            much its distribution differs (DKW, in 19 of 20 draws).
        exact: columns that were scored on all rows after the sample.
        evidently: Evidently's own result, of the sample.
    """

    compared: list[str]
    drifted: list[str]
    empty: list[str]
    threshold: float
    scores: dict[str, float | None]
    how: str
    error: float
    exact: list[str]
    evidently: dict[str, Any]

    @property
    def share(self) -> float:
        return round(len(self.drifted) / len(self.compared), 4)


def compare(
    reference: Any, current: Any, numbers: list[str], texts: list[str], page: Path
) -> Comparison:
    """Compare two tables column by column, and write Evidently's page.

    Args:
        reference, current: pyarrow Tables or Datasets.
        numbers, texts: the columns to compare, by kind; NaN and infinity count as missing.
        page: where the HTML goes.

    Raises:
        TerminalError: no column has values on both sides.
    """
    sizes = [_rows(table) for table in (reference, current)]
    sides = [_frame(table, numbers, texts) for table in (reference, current)]
    # Evidently stops on a column without values, so those are told apart.
    there = sides[0].notna().any() & sides[1].notna().any()
    columns = [c for c in (*numbers, *texts) if there[c]]
    if not columns:
        raise TerminalError(
            "No column has values both in the test window and in the answers.",
            where=f"columns {', '.join(there.index)}",
            fix="Compare the names in the logged features with those of reference.parquet.",
        )
    tested = min(sizes) <= MANY
    threshold = threshold_of(tested, len(columns))
    numeric = [c for c in numbers if c in columns]
    evidently = _evidently(sides, columns, numeric, tested, threshold, page)
    metrics = evidently["metrics"]
    scores = {m["config"]["column"]: m["value"] for m in metrics if "column" in m["config"]}
    errors = _errors(sides, sizes, numeric, columns, tested)
    exact = [] if tested else [c for c in columns if _is_undecided(scores[c], errors[c])]
    for column in exact:
        whole = [_values(table, column) for table in (reference, current)]
        scores[column] = score(whole[0], whole[1], number=column in numbers, tested=False)
    return Comparison(
        compared=columns,
        drifted=[c for c in columns if (s := scores[c]) is not None and (s < threshold) is tested],
        empty=[c for c in there.index if c not in columns],
        threshold=threshold,
        scores=scores,
        how="sample" if max(sizes) > MOST else "rows",
        error=max(errors.values()),
        exact=exact,
        evidently=evidently,
    )


def score(reference: pd.Series, current: pd.Series, *, number: bool, tested: bool) -> float:
    """Evidently's p-value or distance of two columns without missing values; may be NaN."""
    from evidently.legacy.calculations.stattests import get_stattest
    from evidently.legacy.core import ColumnType

    kind = ColumnType.Numerical if number else ColumnType.Categorical
    test = get_stattest(reference, current, kind, methods(tested)[0 if number else 1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(test(reference, current, kind, ALPHA).drift_score)


def methods(tested: bool) -> tuple[str | None, str | None]:
    """Evidently's method for numbers and for categories; None leaves the choice to it, which for
    so many rows are its distances."""
    return ("ks", "chisquare") if tested else (None, None)


def threshold_of(tested: bool, comparisons: int) -> float:
    """From where on a column has drifted, when so many comparisons are made at once."""
    # Divided by the comparisons: without any drift, one report in twenty shows some.
    return ALPHA / comparisons if tested else DISTANCE


def dkw(rows: int) -> float:
    """By how much a sample's distribution differs from all rows' at the most, in 19 of 20 draws.

    Dvoretzky, Kiefer, Wolfowitz with Massart's constant (1990, Annals of Probability 18:1269).
    """
    return float(np.sqrt(np.log(2 / ALPHA) / (2 * rows)))


def distance_error(sides: Sequence[pd.Series], is_sample: Sequence[bool], number: bool) -> float:
    """By how much a distance of samples differs from that of all rows on average at the most.

    Both distances are metrics, so that it is the sum of each sample's distance from its own
    table. For numbers, in standard deviations of the reference, E W1 ≤ ∫√(F(1-F)) / √n (Bobkov &
    Ledoux 2019, Memoirs of the AMS 1259, theorem 3.2). For k categories the squared
    Jensen-Shannon distance of a draw is (k-1)/8n in expectation (its chi-square approximation).

    Args:
        sides: values of the reference and of the current sample, none missing.
        is_sample: of each side, whether it is one.
    """
    errors = []
    for side in (s for s, d in zip(sides, is_sample, strict=True) if d):
        n = len(side)
        if not number or max(s.nunique() for s in sides) <= _FEW:
            errors.append(np.sqrt((side.nunique() - 1) / (8 * n)))
            continue
        values = np.sort(side.to_numpy(dtype=float))
        below = np.arange(1, n) / n
        spread = (np.sqrt(below * (1 - below)) * np.diff(values)).sum()
        norm = max(float(sides[0].std()), _LEAST_DEVIATION)
        errors.append(spread / np.sqrt(n) / norm)
    return float(sum(errors))


_FEW = 5
"""Numbers with at most so many different values are compared as categories by Evidently."""


def _errors(
    sides: list[pd.DataFrame], sizes: list[int], numbers: list[str], columns: list[str],
    tested: bool,
) -> dict[str, float]:  # fmt: skip
    is_sample = [size > MOST for size in sizes]
    if tested or not any(is_sample):
        return dict.fromkeys(columns, dkw(MOST) if any(is_sample) else 0.0)
    return {
        c: distance_error([side[c].dropna() for side in sides], is_sample, c in numbers)
        for c in columns
    }


def _is_undecided(distance: float | None, error: float) -> bool:
    """Whether the column may lie on the other side of the threshold: an error is one on average
    at the most, and a draw is seldom twice as far off."""
    return bool(error) and distance is not None and abs(distance - DISTANCE) <= 2 * error


def _rows(table: Any) -> int:
    import pyarrow as pa

    return len(table) if isinstance(table, pa.Table) else int(table.count_rows())


def _frame(table: Any, numbers: list[str], texts: list[str]) -> pd.DataFrame:
    """The rows of a table, or `MOST` of them drawn at random, alike at every call."""
    import pyarrow.dataset as ds

    source, rows = table if isinstance(table, ds.Dataset) else ds.dataset(table), _rows(table)
    names = [*numbers, *texts]
    if rows > MOST:
        picks = np.sort(np.random.default_rng(_SEED).choice(rows, MOST, replace=False))
        arrow_table = source.take(picks, columns=names)
    else:
        arrow_table = source.to_table(names)
    frame: pd.DataFrame = arrow_table.to_pandas()
    frame[numbers] = frame[numbers].replace([np.inf, -np.inf], np.nan)
    return frame


def _values(table: Any, column: str) -> pd.Series:
    """All values of one column that are there."""
    import pyarrow.dataset as ds

    source = table if isinstance(table, ds.Dataset) else ds.dataset(table)
    values: pd.Series = source.to_table([column])[column].to_pandas()
    return values.replace([np.inf, -np.inf], np.nan).dropna()


def _evidently(
    sides: list[pd.DataFrame], columns: list[str], numbers: list[str], tested: bool,
    threshold: float, page: Path,
) -> dict[str, Any]:  # fmt: skip
    """Evidently's report as it tells it, and its page."""
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    number, category = methods(tested)
    preset = DataDriftPreset(
        num_method=number, cat_method=category, num_threshold=threshold, cat_threshold=threshold
    )
    kinds = DataDefinition(
        numerical_columns=numbers,
        categorical_columns=[c for c in columns if c not in numbers],
    )
    reference, current = (Dataset.from_pandas(side[columns], kinds) for side in sides)
    page.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        # Constant columns and new categories make numpy warn of divisions by zero.
        warnings.simplefilter("ignore")
        run = Report([preset]).run(current, reference)
        run.save_html(str(page))
        # A constant column has the p-value NaN, which is not JSON: null, and not drifted.
        facts: dict[str, Any] = json.loads(run.json(), parse_constant=lambda _: None)
    return facts
