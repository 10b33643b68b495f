"""The baselines on made-up panels: what they must keep, and that they are no straw men."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import pytest

from yupana.tasks.forecast.model.autoregression import Autoregression
from yupana.tasks.forecast.model.last_value import LastValue
from yupana.tasks.forecast.model.seasonal import Seasonal
from yupana.tasks.forecast.quantiles import QUANTILES, Forecaster
from yupana.tasks.forecast.scoring.scores import score

HORIZONS = range(1, 9)
DISTRICTS = {"160101": 40.0, "160102": 8.0, "160201": 1.0, "160301": 0.0}
Fit = Callable[[pd.DataFrame, Sequence[int]], Forecaster]


def panel(weeks: int = 330, persistence: float = 0.9, seed: int = 5) -> pd.DataFrame:
    """Counts whose log mean is a season and an autoregressive part; a row an origin week."""
    rng = np.random.default_rng(seed)
    days = pd.date_range("2012-01-07 23:59:59", periods=weeks, freq="7D", tz="UTC")
    season = np.sin(2 * np.pi * days.dayofyear.to_numpy() / 365.25)
    frames = []
    for entity, mean in DISTRICTS.items():
        part = np.zeros(weeks)
        for t in range(1, weeks):
            part[t] = persistence * part[t - 1] + rng.normal(0, 0.3)
        counts = pd.Series(rng.poisson(mean * np.exp(0.8 * season + part)).astype(float))
        frame = pd.DataFrame({"entity": entity, "event_timestamp": days})
        for lag in range(12):
            frame[f"cases_lag_{lag}"] = counts.shift(lag)
        for h in HORIZONS:
            frame[f"target_{h}"] = counts.shift(-h)
        frames.append(frame.iloc[11:])
    return pd.concat(frames, ignore_index=True)


def split(rows: pd.DataFrame, weeks: int = 60) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows with every target known before the last weeks, and those weeks' rows."""
    times = sorted(rows["event_timestamp"].unique())
    early = rows[rows["event_timestamp"] <= times[-weeks - 8]]
    return early.copy(), rows[rows["event_timestamp"] > times[-weeks]].reset_index(drop=True)


def targets(rows: pd.DataFrame) -> np.ndarray:
    return rows[[f"target_{h}" for h in HORIZONS]].to_numpy(dtype=float)


@pytest.fixture(scope="module")
def parts() -> tuple[pd.DataFrame, pd.DataFrame]:
    return split(panel())


@pytest.mark.parametrize("fit", [LastValue, Seasonal, Autoregression])
def test_baselines_keep_what_every_forecaster_keeps(
    fit: Fit, parts: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    train, test = parts
    fitted = fit(train, HORIZONS)
    answer = fitted.quantiles(test, QUANTILES)
    assert answer.shape == (len(test), 8, 23)
    assert np.isfinite(answer).all() and (answer >= 0).all()
    assert (np.diff(answer, axis=2) >= 0).all()
    order = np.random.default_rng(0).permutation(len(test))
    assert (fitted.quantiles(test.iloc[order], QUANTILES) == answer[order]).all()
    assert (fitted.quantiles(test.iloc[[7]], QUANTILES)[0] == answer[7]).all()


@pytest.mark.parametrize("fit", [LastValue, Seasonal, Autoregression])
def test_a_district_never_seen_gets_the_pooled_forecast(
    fit: Fit, parts: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    train, test = parts
    fitted = fit(train, HORIZONS)
    assert fitted.knows("160101") and not fitted.knows("250101") and not fitted.knows("")
    one, other = (
        fitted.quantiles(test.head(9).assign(entity=u), QUANTILES) for u in ("250101", "010101")
    )
    assert (one == other).all()
    assert np.isfinite(one).all()


@pytest.mark.parametrize("fit", [LastValue, Autoregression])
def test_targets_that_are_not_known_yet_teach_nothing(
    fit: Fit, parts: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    train, test = parts
    past = train.copy()
    hidden = [f"target_{h}" for h in HORIZONS]
    past.loc[past["event_timestamp"] > "2014-06-01", hidden] = np.nan
    changed = train.copy()
    changed.loc[changed["event_timestamp"] > "2014-06-01", hidden] = 1e6
    first, whole, other = (
        fit(frame, HORIZONS).quantiles(test, QUANTILES) for frame in (past, train, changed)
    )
    assert np.isfinite(first).all()
    assert (first != whole).any() and (other > whole).any()
    assert first.max() < 1e5
    middle = QUANTILES.index(0.5)
    assert first[:, :, middle].mean() > 0.6 * whole[:, :, middle].mean()


def test_more_recent_cases_give_a_higher_autoregressive_forecast(
    parts: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    train, test = parts
    row = test[test["entity"] == "160101"].head(1)
    more = row.assign(**{f"cases_lag_{k}": row[f"cases_lag_{k}"] * 4 for k in range(12)})
    fitted = Autoregression(train, HORIZONS)
    few, many = (fitted.quantiles(r, (0.5,))[0, :, 0] for r in (row, more))
    assert (many > few).all()


def test_the_autoregression_is_the_baseline_that_hurts(
    parts: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    train, test = parts
    observed = targets(test)
    wis = {
        fit.__name__: score(observed, fit(train, HORIZONS).quantiles(test, QUANTILES))["wis"]
        for fit in (LastValue, Seasonal, Autoregression)
    }
    assert wis["Autoregression"] < 0.95 * min(wis["LastValue"], wis["Seasonal"])


def test_its_intervals_hold_at_every_level_of_forecast() -> None:
    train, test = split(panel(weeks=700), weeks=200)
    quantiles = Autoregression(train, HORIZONS).quantiles(test, QUANTILES)
    observed = targets(test)
    for entity in ("160101", "160102"):
        rows = (test["entity"] == entity).to_numpy()
        inside = score(observed[rows], quantiles[rows])["coverage_90"]
        assert 0.8 < inside < 0.97


def test_the_season_is_that_of_the_target_week_not_of_the_origin() -> None:
    train, test = split(panel(weeks=500, persistence=0.0))
    big = test[test["entity"] == "160101"]
    middle = Seasonal(train, HORIZONS).quantiles(big, (0.5,))[:, :, 0]
    days = [(big["event_timestamp"] + pd.Timedelta(weeks=h)).dt.dayofyear for h in HORIZONS]
    for h, day in enumerate(days):
        truth = 40 * np.exp(0.8 * np.sin(2 * np.pi * day.to_numpy() / 365.25))
        assert np.abs(middle[:, h] / truth - 1).mean() < 0.15


def test_seasonal_intervals_follow_the_dispersion_of_past_years() -> None:
    rng = np.random.default_rng(2)
    rows = panel(weeks=900)
    rows["cases_lag_0"] = rng.negative_binomial(2, 2 / 22, len(rows)).astype(float)
    fitted = Seasonal(rows, HORIZONS)
    quantiles = fitted.quantiles(rows.tail(53), QUANTILES).mean(axis=(0, 1))
    sample = np.quantile(rng.negative_binomial(2, 2 / 22, 100_000), QUANTILES)
    assert quantiles[QUANTILES.index(0.95)] == pytest.approx(
        sample[QUANTILES.index(0.95)], rel=0.15
    )
    assert quantiles[QUANTILES.index(0.05)] == pytest.approx(sample[QUANTILES.index(0.05)], abs=1)


def test_a_district_without_a_case_is_not_told_as_certain(
    parts: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    train, test = parts
    assert train.loc[train["entity"] == "160301", "cases_lag_0"].sum() == 0
    empty = test[test["entity"] == "160301"]
    quantiles = Seasonal(train, HORIZONS).quantiles(empty, (0.5, 0.99, 0.9999))
    assert (quantiles[:, :, :2] == 0).all() and (quantiles[:, :, 2] > 0).all()
