"""Forecasts that a model never saw the end of, beside what came: the rows that impact is told of.

Two kinds, in one table. The test periods of the split that a version was fitted on, forecast again
from its own files. And the forecasts of that version which `yupana predict` recorded, as soon as
their period is known. Either way a period's count is the truth once `training.COMPLETE` of it is
known, the share at which a model is trained and scored, so that late reports are not errors.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from yupana.config.settings import Settings
from yupana.data.lake import delta
from yupana.tasks.forecast import usecases
from yupana.tasks.forecast.dataset import training_set, vintage
from yupana.tasks.forecast.entities import inward
from yupana.tasks.forecast.impact import alerts
from yupana.tasks.forecast.quantiles import LEVELS, QUANTILES, Forecaster
from yupana.tasks.forecast.scoring import intervals
from yupana.tasks.forecast.scoring.scores import inside, weighted_interval_scores
from yupana.tasks.forecast.usecases import ForecastUseCase
from yupana.tracking.versions import Version, check_whole

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, np.dtype[np.float64]]

KEYS = ["entity", "origin", "horizon"]
TEST, RECORDED = "test", "recorded"


@dataclass(frozen=True)
class Outcomes:
    """What was forecast and what came.

    Attributes:
        rows: a row a district, origin and horizon whose count is known: `entity`, `origin` and
            `week` (days that end them), `horizon`, `source` (`TEST`, `RECORDED`), `observed`,
            `wis` and `baseline_wis` (cases), `inside_50`, `inside_90`, and `alert`: one of
            `alerts.KINDS`, empty at other horizons than the frequency's `lead` and without a
            channel.
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
    definition, split = usecases.load(version.name), version.tags["split"]
    frame = training_set.load(settings, version.name, split)
    test = frame[frame["part"] == "test"].reset_index(drop=True)
    # The one that answers was fitted again on the test part.
    quantiles = definition.load_evaluated(version.folder).quantiles(test, QUANTILES)
    simple, best = _best(definition.baselines(frame), test, _counts(definition, test))
    frequency = definition.frequency
    parts = [
        _rows(definition, test, quantiles, simple.quantiles(test, QUANTILES))
        .assign(source=TEST)
        .merge(
            _lead(test, alerts.of_test(frame, test, quantiles, frequency), frequency.lead),
            how="left", on=KEYS,
        )
    ]
    refs = [version.ref, split]
    if later := _recorded(settings, version, definition, simple, day):
        parts.append(later[0])
        refs.append(later[1])
    rows = pd.concat(parts, ignore_index=True).drop_duplicates(KEYS, keep="last")
    rows = rows.assign(alert=rows["alert"].fillna("")).sort_values(KEYS, ignore_index=True)
    return Outcomes(rows, frame, best, tuple(refs), _same(version, quantiles))


def _counts(definition: ForecastUseCase, rows: pd.DataFrame) -> Array:
    return rows[[f"target_{h}" for h in definition.horizons]].to_numpy(dtype=float)


def _best(baselines: dict[str, Forecaster], test: pd.DataFrame, counts: Array) -> Any:
    import numpy as np

    finite = ~np.isnan(counts)
    wis = {}
    for name, simple in baselines.items():
        quantiles = simple.quantiles(test, QUANTILES)[finite]
        wis[name] = float(weighted_interval_scores(counts[finite], quantiles).mean())
    best = min(wis, key=lambda name: (wis[name], name))
    return baselines[best], best


def _rows(
    definition: ForecastUseCase, rows: pd.DataFrame, quantiles: Array, simple: Array
) -> pd.DataFrame:
    """Score the rows whose count is known.

    Args:
        rows: `entity`, `event_timestamp` and targets, one an origin.
        quantiles: the model's, shape (rows, horizons, levels); `simple` the baseline's.
    """
    import numpy as np
    import pandas as pd

    counts = _counts(definition, rows)
    row, at = np.nonzero(~np.isnan(counts))
    observed, mine = counts[row, at], quantiles[row, at]
    origin, ahead = alerts.days_of(rows).to_numpy()[row], np.asarray(definition.horizons)[at]
    return pd.DataFrame(
        {
            "entity": rows["entity"].astype(str).to_numpy()[row],
            "origin": origin,
            "horizon": ahead,
            "week": _ends(definition, origin, ahead),
            "observed": observed,
            "wis": weighted_interval_scores(observed, mine),
            "baseline_wis": weighted_interval_scores(observed, simple[row, at]),
            **{name: inside(observed, mine, *ends) for name, ends in intervals.INSIDE.items()},
        }
    )


def _ends(definition: ForecastUseCase, origins: Any, ahead: Any) -> pd.Series[Any]:
    """The days that end the periods so many after these origins."""
    import pandas as pd

    days = pd.Series(origins)
    ends = days.copy()
    for horizon in definition.horizons:
        mine = ahead == horizon
        ends[mine] = days[mine] + definition.frequency.offset(horizon)
    return ends


def _lead(rows: pd.DataFrame, kinds: list[str], horizon: int) -> pd.DataFrame:
    lead = rows.assign(origin=alerts.days_of(rows), horizon=horizon, alert=kinds)
    columns: pd.DataFrame = lead[[*KEYS, "alert"]].astype({"entity": str})
    return columns


def _recorded(
    settings: Settings, version: Version, definition: ForecastUseCase, simple: Forecaster, day: date
) -> tuple[pd.DataFrame, str] | None:
    """Rows of the version's recorded forecasts, and the table's reference; None without any."""
    import pandas as pd
    import polars as pl

    table = settings.table("forecasts", version.name)
    if not delta.exists(table):
        return None
    number = delta.version_of(table)
    mine = delta.read(table, number).filter(pl.col("model") == version.ref)
    recorded = inward(mine, definition.spec.entity.key)
    sources = vintage.on_day(settings, definition, day)
    last = sources.tables[definition.counted][definition.frequency.column].max()
    if recorded.is_empty() or not isinstance(last, date) or last <= recorded["origin"].min():  # type: ignore[operator]
        return None
    features = definition.features(sources.tables).to_pandas()
    rows = training_set.with_targets(features, definition.options.horizons)
    rows = rows.assign(origin=lambda r: alerts.days_of(r))
    table_rows = recorded.sort("entity", "origin", "horizon").to_pandas()
    table_rows["origin"] = pd.to_datetime(table_rows["origin"])
    first = table_rows[table_rows["horizon"] == min(definition.horizons)][["entity", "origin"]]
    # Districts and origins of the recorded forecasts, in the order of their quantiles.
    rows = first.merge(rows, how="left", on=["entity", "origin"]).assign(
        event_timestamp=lambda r: r["origin"].dt.tz_localize("UTC")
    )
    there = rows["cases_lag_0"].notna().to_numpy()
    quantiles = table_rows[list(LEVELS)].to_numpy().reshape(len(rows), -1, len(LEVELS))[there]
    rows = rows[there].reset_index(drop=True)
    horizon = definition.frequency.lead
    lead = table_rows[table_rows["horizon"] == horizon][there].reset_index(drop=True)
    scored = _rows(
        definition, rows, quantiles, simple.quantiles(rows, QUANTILES)).assign(source=RECORDED
    )
    kinds = alerts.of_recorded(lead, rows[f"target_{horizon}"])
    return (
        scored.merge(_lead(rows, kinds, horizon), how="left", on=KEYS),
        f"delta:forecasts/{version.name}@{number}",
    )


def _same(version: Version, quantiles: Array) -> bool:
    path = version.folder / intervals.FORECASTS
    evaluated = json.loads(path.read_text())["sha256"] if path.exists() else ""
    return bool(evaluated == intervals.forecast_sha256(quantiles))
