"""Forecasts that a model never saw the end of, beside what came: the rows that impact is told of.

Two kinds, in one table. The test weeks of the split that a version was fitted on, forecast again
from its own files. And the forecasts of that version which `yupana predict` recorded, as soon as
their week is known. Either way a week's count is the truth once `training.COMPLETE` of it is
known, the share at which a model is trained and scored, so that late reports are not errors.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from types import ModuleType
from typing import TYPE_CHECKING, Any

from yupana.config.settings import Settings
from yupana.core import usecase
from yupana.core.forecast import LEVELS, QUANTILES, Forecaster
from yupana.data import delta
from yupana.evaluation import reproduce
from yupana.evaluation.impact import alerts
from yupana.evaluation.scores import inside, weighted_interval_scores
from yupana.features import as_known, training
from yupana.features.given import WEEK
from yupana.tracking import intervals
from yupana.tracking.versions import Version, check_whole

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, np.dtype[np.float64]]

KEYS = ["ubigeo", "origin", "horizon"]
TEST, RECORDED = "test", "recorded"


@dataclass(frozen=True)
class Outcomes:
    """What was forecast and what came.

    Attributes:
        rows: a row a district, origin and horizon whose count is known: `ubigeo`, `origin` and
            `week` (days that end them), `horizon`, `source` (`TEST`, `RECORDED`), `observed`,
            `wis` and `baseline_wis` (cases), `inside_50`, `inside_90`, and `alert`: one of
            `alerts.KINDS`, empty at other horizons than `alerts.LEAD` and without a channel.
        frame: the split, a row a district and origin, with `part`.
        baseline: the one with the lowest WIS on the test rows.
        refs: what the rows rest on.
        same: whether the test forecasts are, bit by bit, those that the evaluation scored.
    """

    rows: pd.DataFrame
    frame: pd.DataFrame
    baseline: str
    refs: tuple[str, ...]
    same: bool


def read(settings: Settings, version: Version, day: date) -> Outcomes:
    """The rows of a version, from what is known on a day.

    Raises:
        TerminalError: its files are not those of its fit.
        UsageError: its split is no longer there, or the version was deleted.
    """
    import pandas as pd

    check_whole(version)
    room, split = usecase.load("models", version.name), version.tags["split"]
    frame = training.load(settings, version.name, split)
    test = frame[frame["part"] == "test"].reset_index(drop=True)
    told = room.load(version.folder).quantiles(test, QUANTILES)
    simple, best = _best(room.baselines(frame), test, _seen(room, test))
    made = [
        _rows(room, test, told, simple.quantiles(test, QUANTILES))
        .assign(source=TEST)
        .merge(_lead(test, alerts.of_test(frame, test, told)), how="left", on=KEYS)
    ]
    refs = [version.ref, split]
    if later := _recorded(settings, version, room, simple, day):
        made.append(later[0])
        refs.append(later[1])
    rows = pd.concat(made, ignore_index=True).drop_duplicates(KEYS, keep="last")
    rows = rows.assign(alert=rows["alert"].fillna("")).sort_values(KEYS, ignore_index=True)
    return Outcomes(rows, frame, best, tuple(refs), _same(version, told))


def _seen(room: ModuleType, rows: pd.DataFrame) -> Array:
    return rows[[f"target_{h}" for h in room.HORIZONS]].to_numpy(dtype=float)


def _best(baselines: dict[str, Forecaster], test: pd.DataFrame, seen: Array) -> Any:
    import numpy as np

    known = ~np.isnan(seen)
    told = {name: m.quantiles(test, QUANTILES)[known] for name, m in baselines.items()}
    wis = {n: float(weighted_interval_scores(seen[known], t).mean()) for n, t in told.items()}
    best = min(wis, key=lambda name: (wis[name], name))
    return baselines[best], best


def _rows(room: ModuleType, rows: pd.DataFrame, told: Array, simple: Array) -> pd.DataFrame:
    """Score the rows whose count is known.

    Args:
        rows: `ubigeo`, `event_timestamp` and targets, one an origin.
        told: the model's quantiles, shape (rows, horizons, levels); `simple` the baseline's.
    """
    import numpy as np
    import pandas as pd

    seen = _seen(room, rows)
    row, at = np.nonzero(~np.isnan(seen))
    observed, mine = seen[row, at], told[row, at]
    origin, ahead = alerts.days_of(rows).to_numpy()[row], np.asarray(room.HORIZONS)[at]
    return pd.DataFrame(
        {
            "ubigeo": rows["ubigeo"].astype(str).to_numpy()[row],
            "origin": origin,
            "horizon": ahead,
            "week": origin + pd.to_timedelta(7 * ahead, unit="D").to_numpy(),
            "observed": observed,
            "wis": weighted_interval_scores(observed, mine),
            "baseline_wis": weighted_interval_scores(observed, simple[row, at]),
            **{name: inside(observed, mine, *ends) for name, ends in intervals.INSIDE.items()},
        }
    )


def _lead(rows: pd.DataFrame, kinds: list[str]) -> pd.DataFrame:
    told = rows.assign(origin=alerts.days_of(rows), horizon=alerts.LEAD, alert=kinds)
    found: pd.DataFrame = told[[*KEYS, "alert"]].astype({"ubigeo": str})
    return found


def _recorded(
    settings: Settings, version: Version, room: ModuleType, simple: Forecaster, day: date
) -> tuple[pd.DataFrame, str] | None:
    """Rows of the version's recorded forecasts, and the table's reference; None without any."""
    import pandas as pd
    import polars as pl

    table = settings.table("forecasts", version.name)
    if not delta.exists(table):
        return None
    number = delta.version_of(table)
    told = delta.read(table, number).filter(pl.col("model") == version.ref)
    weekly = usecase.load("feature_repo", f"{version.name}_weekly")
    known = as_known.known(settings, weekly, day)
    last = known.tables[weekly.REPORTED][WEEK].max()
    if told.is_empty() or not isinstance(last, date) or last <= told["origin"].min():  # type: ignore[operator]
        return None
    given = weekly.weekly_features(known.tables).to_pandas()
    rows = training.with_targets(given).assign(origin=lambda r: alerts.days_of(r))
    table_rows = told.sort("ubigeo", "origin", "horizon").to_pandas()
    table_rows["origin"] = pd.to_datetime(table_rows["origin"])
    first = table_rows[table_rows["horizon"] == min(room.HORIZONS)][["ubigeo", "origin"]]
    # Districts and origins of the recorded forecasts, in the order of their quantiles.
    rows = first.merge(rows, how="left", on=["ubigeo", "origin"]).assign(
        event_timestamp=lambda r: r["origin"].dt.tz_localize("UTC")
    )
    there = rows["cases_lag_0"].notna().to_numpy()
    quantiles = table_rows[list(LEVELS)].to_numpy().reshape(len(rows), -1, len(LEVELS))[there]
    rows = rows[there].reset_index(drop=True)
    lead = table_rows[table_rows["horizon"] == alerts.LEAD][there].reset_index(drop=True)
    made = _rows(room, rows, quantiles, simple.quantiles(rows, QUANTILES)).assign(source=RECORDED)
    kinds = alerts.of_recorded(lead, rows[f"target_{alerts.LEAD}"])
    return (
        made.merge(_lead(rows, kinds), how="left", on=KEYS),
        f"delta:forecasts/{version.name}@{number}",
    )


def _same(version: Version, told: Array) -> bool:
    path = version.folder / reproduce.FORECASTS
    kept = json.loads(path.read_text())["sha256"] if path.exists() else ""
    return bool(kept == reproduce.forecast_sha256(told))
