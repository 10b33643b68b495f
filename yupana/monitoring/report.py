"""Has the world moved away from what the model was tested on? Evidently's drift report."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.core.hashing import file_sha256, value_sha256
from yupana.data import prediction_table

if TYPE_CHECKING:
    import pandas as pd

FORECAST = "forecast_median_1"
FEWEST = 20
MOST = 20_000
# Evidently looks only at the size of the reference to choose between a test and a distance; a
# distance over 0.1 is chance alone with a few dozen answers. We look at the smaller of the two.
_MANY = 1000
_ALPHA = 0.05
_DISTANCE = 0.1


def monitor(
    settings: Settings,
    use_case: str,
    reference_path: Path,
    columns: list[str],
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Compare the newest answers with the model's test window, column by column.

    They are read in the lake, where `yupana export-predictions` puts them: the last 20,000 of
    those that someone received, without simulations.

    Args:
        reference_path: parquet of the test window, one row a series and week, with `columns`
            and `forecast_median_1` (cases, one week ahead).
        columns: the features to compare; the forecast is compared as well. A feature that is
            equal for all series of a week (the season, a department's sum) counts as drifted
            whenever the answers come from few weeks: leave it out, or read it so.
        say: is told what goes on.

    Returns:
        `ref` (`report:<use case>/<id>`), `html`, `json` (paths as text), `rows_reference`,
        `rows_current`, `models` (the versions that answered), `compared` and `drifted` (column
        names), `share_drifted` (0-1, of the compared), `empty` (columns without any value on
        one side, not compared), `threshold` and `scores` by column (with up to 1000 answers
        p-values, drifted below the threshold; else distances, drifted from it on). The id
        follows from the answers and the reference: the same ones again give the report that
        is there.

    Raises:
        UsageError: there is no reference file.
        TerminalError: fewer than 20 answers, or the reference lacks a column.
    """
    reference = _reference(reference_path, [*columns, FORECAST])
    logged = prediction_table.newest(settings, use_case, MOST)
    if len(logged) < FEWEST:
        raise TerminalError(
            f"{len(logged)} answers are logged for '{use_case}'; drift needs {FEWEST}.",
            where=str(settings.table(prediction_table.ZONE, use_case)),
            fix=f"Ask the endpoint of '{use_case}' for at least {FEWEST - len(logged)} more "
            f"forecasts, and run `yupana export-predictions {use_case}`. Then monitor again.",
        )
    asked = [[r["prediction_id"] for r in logged], file_sha256(reference_path), columns]
    name = value_sha256(asked)[:12]
    page = settings.reports / use_case / f"drift-{name}.html"
    facts = page.with_suffix(".json")
    if facts.exists() and page.exists():
        return {**json.loads(facts.read_text())["summary"], "html": str(page), "json": str(facts)}
    current = _current(logged, reference)
    say(f"comparing {len(current):,} answers with {len(reference):,} rows of the test window")
    summary = {
        "ref": f"report:{use_case}/{name}",
        "html": str(page),
        "json": str(facts),
        "rows_reference": len(reference),
        "rows_current": len(current),
        "models": sorted({str(r["model_version"]) for r in logged}),
    }
    page.parent.mkdir(parents=True, exist_ok=True)
    found, evidently = _compare(reference, current, page)
    summary.update(found)
    # Written last: a report that has its facts is whole.
    facts.write_text(json.dumps({"summary": summary, "evidently": evidently}, indent=1))
    say(
        f"{len(found['drifted'])} of {len(found['compared'])} columns drifted; "
        f"{len(found['empty'])} had no values to compare"
    )
    return summary


def _reference(path: Path, columns: list[str]) -> pd.DataFrame:
    import pandas as pd

    if not path.is_file():
        raise UsageError(
            "The model's test window is not there.",
            where=str(path),
            fix="Train the model again: evaluation writes reference.parquet.",
        )
    frame = pd.read_parquet(path)
    if missing := [c for c in columns if c not in frame]:
        raise TerminalError(
            f"The model's test window lacks the columns {', '.join(missing)}.",
            where=str(path),
            fix="Train the model again with the features that it serves.",
        )
    return frame[columns]


def _current(logged: list[dict[str, Any]], reference: pd.DataFrame) -> pd.DataFrame:
    """The logged answers in the reference's columns and kinds; what is missing is null."""
    import pandas as pd

    rows = [
        {**row["features"],
         FORECAST: next((a["median"] for a in row["answer"] if a["horizon"] == 1), None)}
        for row in logged
    ]  # fmt: skip
    frame = pd.DataFrame(rows).reindex(columns=reference.columns)
    for column in _numbers(reference):
        frame[column] = pd.to_numeric(frame[column], errors="coerce")
    return frame


def _numbers(frame: pd.DataFrame) -> list[str]:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    return [str(c) for c in frame if is_numeric_dtype(frame[c]) and not is_bool_dtype(frame[c])]


def _compare(
    reference: pd.DataFrame, current: pd.DataFrame, page: Path
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Run Evidently, write its page, and say which columns drifted."""
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    # Evidently stops on a column without values, so those are told apart.
    empty = [str(c) for c in reference if reference[c].isna().all() or current[c].isna().all()]
    compared = [str(c) for c in reference if c not in empty]
    if not compared:
        raise TerminalError(
            "No column has values both in the test window and in the answers.",
            where=f"columns {', '.join(empty)}",
            fix="Compare the names in the logged features with those of reference.parquet.",
        )
    numbers = [c for c in _numbers(reference) if c in compared]
    kinds = DataDefinition(
        numerical_columns=numbers,
        categorical_columns=[c for c in compared if c not in numbers],
    )
    tested = min(len(reference), len(current)) <= _MANY
    # Divided by the columns: without any drift, one report in twenty shows some.
    threshold = _ALPHA / len(compared) if tested else _DISTANCE
    preset = DataDriftPreset(
        num_method="ks" if tested else "wasserstein",
        cat_method="chisquare" if tested else "jensenshannon",
        num_threshold=threshold,
        cat_threshold=threshold,
    )
    with warnings.catch_warnings():
        # Constant columns and new categories make numpy warn of divisions by zero.
        warnings.simplefilter("ignore")
        run = Report([preset]).run(
            Dataset.from_pandas(current[compared], kinds),
            Dataset.from_pandas(reference[compared], kinds),
        )
        run.save_html(str(page))
        # A constant column has the p-value NaN, which is not JSON: null, and not drifted.
        evidently: dict[str, Any] = json.loads(run.json(), parse_constant=lambda _: None)
    scores = {
        m["config"]["column"]: m["value"] for m in evidently["metrics"] if "column" in m["config"]
    }
    drifted = [
        c for c in compared
        if scores[c] is not None and (scores[c] < threshold) is tested
    ]  # fmt: skip
    share = round(len(drifted) / len(compared), 4)
    return {
        "compared": compared,
        "drifted": drifted,
        "share_drifted": share,
        "empty": empty,
        "threshold": threshold,
        "scores": scores,
    }, evidently
