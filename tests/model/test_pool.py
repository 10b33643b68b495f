"""The pool's parts: weights, recalibration, joint sums, regressions, endemic channel."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_panel import panel

from models.outbreak import USE_CASE as outbreak
from yupana.core.errors import TerminalError
from yupana.tasks.forecast import endemic_channel
from yupana.tasks.forecast.backtest.split import known_on
from yupana.tasks.forecast.dataset.cutoff import past_years
from yupana.tasks.forecast.frequency import WEEK
from yupana.tasks.forecast.model import (
    area_regressions,
    areas,
    endemic_epidemic,
    pool,
    recalibration,
    ridge,
    store,
)
from yupana.tasks.forecast.model.area_regressions import AreaRegressions
from yupana.tasks.forecast.model.store import Fitted
from yupana.tasks.forecast.quantiles import QUANTILES, Totals

HORIZONS = tuple(range(1, 9))


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return panel()


@pytest.fixture(scope="module")
def folder(frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("pool")
    outbreak.fit(frame, out, seed=3, say=lambda _: None)
    return out


@pytest.fixture(scope="module")
def fitted(folder: Path) -> Fitted:
    return outbreak.load(folder)


def fits(folder: Path) -> tuple[Path, Path]:
    """The fit that was scored, and the one that answers."""
    return store.evaluated(folder), folder


def test_what_is_scored_has_learned_nothing_after_the_validation_weeks(
    frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory, folder: Path
) -> None:
    changed = frame.copy()
    last = frame.loc[frame["part"] == "validation", "event_timestamp"].max()
    for h in HORIZONS:
        later = changed["event_timestamp"] + pd.Timedelta(weeks=h) > last + pd.Timedelta(weeks=8)
        changed.loc[later, f"target_{h}"] = 9999.0
    out = tmp_path_factory.mktemp("later")
    outbreak.fit(changed, out, seed=3, say=lambda _: None)
    rows = frame.head(8)
    scored, answers = (outbreak.load(path).quantiles(rows, QUANTILES) for path in fits(out))
    same = [outbreak.load(path).quantiles(rows, QUANTILES) for path in fits(folder)]
    np.testing.assert_array_equal(scored, same[0])
    # What answers was fitted again on the weeks that were scored, too.
    assert (answers != same[1]).any()


def test_what_answers_is_what_the_same_procedure_gives_once_the_test_weeks_are_past(
    frame: pd.DataFrame, tmp_path: Path, folder: Path
) -> None:
    """The model that answers, beside one of which all was fitted anew on the newest weeks, as a
    backtest fits it: their forecasts differ less than the seeds of one of them."""
    rows = known_on(frame, frame["event_timestamp"].max().date(), HORIZONS)
    for seed in (3, 4):
        outbreak.fit(rows, tmp_path / str(seed), seed=seed, say=lambda _: None)
    newest = frame.groupby("entity").tail(4)
    answers, again, other = (
        outbreak.load(path).quantiles(newest, QUANTILES)
        for path in (folder, tmp_path / "3", tmp_path / "4")
    )
    near, seeds = (np.abs(one - again).sum() / again.sum() for one in (answers, other))
    assert near < max(0.1, 2 * seeds)


def test_past_years_are_forecast_from_before_them(frame: pd.DataFrame) -> None:
    last = frame["event_timestamp"].max() - pd.Timedelta(weeks=8)
    years = list(past_years(frame, last, HORIZONS, 200))
    assert len(years) == 3
    for known, origins in years:
        first = origins["event_timestamp"].min()
        assert known["event_timestamp"].max() < first
        for h in HORIZONS:
            days = known.loc[known[f"target_{h}"].notna(), "event_timestamp"]
            assert days.max() + pd.Timedelta(weeks=h) <= first


def test_weights_go_to_the_member_that_knows_and_stay_half_at_the_prior() -> None:
    rng = np.random.default_rng(0)
    means = rng.gamma(2, 20, size=(300, 1))
    observed = rng.poisson(means, size=(300, 2)).astype(float)
    z = np.linspace(-2.5, 2.5, len(recalibration.GRID))
    good = np.maximum(means[..., None] + np.sqrt(means)[..., None] * z, 0).repeat(2, axis=1)
    members = {"good": good, "bad": good * 3}
    weights = pool.learn_weights(members, observed, {"good": 0.5, "bad": 0.5})
    assert weights["good"] >= 0.7
    assert sum(weights.values()) == pytest.approx(1)


def test_a_forecast_that_was_too_narrow_is_widened_and_a_good_one_is_left() -> None:
    rng = np.random.default_rng(1)
    narrow = recalibration.learn(rng.beta(0.5, 0.5, 20_000), trust=1.0)
    low, middle, high = recalibration.inner_levels((0.05, 0.5, 0.95), narrow)
    assert low < 0.03 and high > 0.97
    assert middle == pytest.approx(0.5, abs=0.05)
    curve = recalibration.learn(rng.random(20_000), trust=1.0)
    levels = recalibration.inner_levels(QUANTILES, curve)
    assert levels == pytest.approx(np.array(QUANTILES), abs=0.02)


def test_transforms_of_calibrated_counts_are_uniform_also_near_zero() -> None:
    from scipy.stats import nbinom

    rng = np.random.default_rng(2)
    for mean in (0.2, 30.0):
        counts = rng.negative_binomial(2, 2 / (2 + mean), 20_000).astype(float)
        quantiles = nbinom.ppf(recalibration.GRID, 2, 2 / (2 + mean))
        transforms = recalibration.transforms(counts, np.tile(quantiles, (len(counts), 1)), seed=1)
        shares = np.histogram(transforms, 10, (0, 1))[0] / len(transforms)
        assert abs(shares - 0.1).max() < 0.03, mean


def test_sums_of_districts_that_err_together_are_wider_than_of_those_that_do_not() -> None:
    rng = np.random.default_rng(3)
    quantiles = np.tile(np.linspace(0, 100, len(recalibration.GRID)), (20, 1, 1))
    shared = np.repeat(rng.random((500, 1, 1)), 20, axis=1)
    apart = rng.random((500, 20, 1))
    spread = [areas.samples(quantiles, templates).std() for templates in (shared, apart)]
    assert spread[0] > 3 * spread[1]


def test_a_district_without_past_gets_a_template_of_the_common_rank() -> None:
    templates = np.random.default_rng(4).random((50, 3, 2))
    joined = areas.aligned(templates, ["160101", "160102", "160103"], ["160102", "250101"])
    assert (joined[:, 0] == templates[:, 1]).all()
    assert np.sort(joined[:, 1, 0]) == pytest.approx((np.arange(50) + 0.5) / 50)


def test_totals_are_near_the_sum_of_medians_rise_and_hold_in_any_order(
    fitted: Fitted, frame: pd.DataFrame
) -> None:
    assert isinstance(fitted, Totals)
    newest = frame[frame["event_timestamp"] == frame["event_timestamp"].max()]
    total = fitted.totals(newest, QUANTILES)
    assert total.shape == (8, 23)
    assert (np.diff(total, axis=1) >= 0).all() and (total >= 0).all()
    middle = fitted.quantiles(newest, (0.5,))[:, :, 0].sum(axis=0)
    assert total[:, 11] == pytest.approx(middle, rel=0.5)
    assert (fitted.totals(newest.iloc[::-1], QUANTILES) == total).all()
    province = newest[newest["entity"].str[:4] == "1601"]
    assert (fitted.totals(province, (0.5,)) <= total[:, 11:12] + 1).all()


def test_the_sum_of_an_area_lacks_a_target_that_one_district_lacks(frame: pd.DataFrame) -> None:
    rows = frame[frame["event_timestamp"] == frame["event_timestamp"].min()].copy()
    rows.iloc[0, rows.columns.get_loc("target_1")] = np.nan
    summed = areas.sums(rows, areas.DEPARTMENT)
    assert len(summed) == 1
    assert np.isnan(summed["target_1"][0])
    assert summed["target_2"][0] == rows["target_2"].sum()


def test_a_department_with_a_past_of_its_own_learns_nothing_of_another(
    frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endemic_epidemic, "OWN", 500)
    calm = frame.assign(entity="25" + frame["entity"].str[2:])
    lags = [c for c in frame if c.startswith(("cases_lag_", "target_", "mean_"))]
    calm[lags] = (calm[lags] / 10).round()
    alone, beside = (
        area_regressions.fit(rows, HORIZONS) for rows in (frame, pd.concat([frame, calm]))
    )
    newest = frame[frame["event_timestamp"] == frame["event_timestamp"].max()]
    summed = areas.sums(newest, areas.DEPARTMENT)

    def levels(regressions: AreaRegressions, department: str) -> list[list[float]]:
        rows = summed.assign(entity=department)
        views = regressions.of(department)
        return [view.quantiles(rows, (0.1, 0.5, 0.9)).ravel() for view in views]

    np.testing.assert_allclose(levels(beside, "16"), levels(alone, "16"))
    # Of a department without a past what all have in common is told.
    assert not np.allclose(levels(beside, "10"), levels(alone, "10"))


def test_a_regression_read_from_its_arrays_tells_the_same(frame: pd.DataFrame) -> None:
    regression = ridge.fit(frame, HORIZONS, 0.25)
    again = ridge.Ridge(0.25, **regression.arrays())
    assert (again.quantiles(frame, QUANTILES) == regression.quantiles(frame, QUANTILES)).all()


def test_a_model_of_an_earlier_release_is_refused_with_the_way_on(
    folder: Path, frame: pd.DataFrame, tmp_path: Path
) -> None:
    old = tmp_path / "old"
    shutil.copytree(folder, old)
    description = json.loads((old / store.DESCRIPTION).read_text())
    del description[store.ENDEMIC_EPIDEMIC]
    (old / store.DESCRIPTION).write_text(json.dumps(description))
    with pytest.raises(TerminalError, match="earlier release") as error:
        outbreak.load(old)
    assert "yupana train" in str(error.value)


def test_the_pool_beats_the_last_value_on_weeks_it_never_saw(
    folder: Path, frame: pd.DataFrame
) -> None:
    from yupana.tasks.forecast.scoring.scores import score

    scored = outbreak.load_evaluated(folder)
    test = frame[frame["part"] == "test"]
    observed = test[[f"target_{h}" for h in HORIZONS]].to_numpy(dtype=float)
    simple = outbreak.baselines(frame)["last_value"]
    mine, theirs = (score(observed, m.quantiles(test, QUANTILES)) for m in (scored, simple))
    assert mine["wis"] < 0.9 * theirs["wis"]


def weekly(years: int, value: float) -> pd.Series:
    days = pd.date_range("2012-01-07", periods=52 * years + 10, freq="7D")
    return pd.Series(value + np.arange(len(days)) % 5, index=days)


def test_the_channel_looks_only_at_the_past_and_needs_three_years() -> None:
    counts, week = weekly(6, 10.0), date(2017, 6, 24)
    channel = endemic_channel.channel(counts, week, WEEK)
    assert channel is not None
    assert 10 <= channel.low <= channel.middle <= channel.high <= 14
    later = counts.copy()
    later[later.index > pd.Timestamp(week) - pd.Timedelta(weeks=50)] = 9999.0
    assert endemic_channel.channel(later, week, WEEK) == channel
    assert endemic_channel.channel(counts, date(2013, 6, 22), WEEK) is None


@pytest.mark.parametrize(
    ("median", "zone"), [(1, "exito"), (5, "seguridad"), (9, "alerta"), (30, "epidemia")]
)
def test_the_alert_follows_the_zone_of_the_median(median: float, zone: str) -> None:
    limits = endemic_channel.Channel(3, 6, 12)
    quantiles = median * np.linspace(0.5, 1.5, len(QUANTILES))
    assert endemic_channel.alert(quantiles, QUANTILES, limits) == zone


def test_the_probability_of_exceeding_falls_as_the_limit_rises() -> None:
    quantiles = np.round(np.linspace(0, 50, len(QUANTILES)))[None]
    values = [float(endemic_channel.exceeding(quantiles, QUANTILES, x)[0]) for x in (0, 10, 25, 60,
    500)]
    assert values == sorted(values, reverse=True)
    assert values[2] == pytest.approx(0.5, abs=0.03)
    assert values[-1] == 0.0
    none = np.zeros((1, len(QUANTILES)))
    assert float(endemic_channel.exceeding(none, QUANTILES, 0)[0]) < 0.01
