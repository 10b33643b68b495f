"""The endemic-epidemic regression: what it finds in counts that follow its law, and its columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import approx_fprime
from scipy.special import gammaln
from scipy.stats import nbinom
from small_panel import DISTRICTS, panel

from yupana.core.errors import TerminalError
from yupana.tasks.forecast.model import endemic_epidemic, endemic_likelihood
from yupana.tasks.forecast.model.endemic_likelihood import Coefficients, Terms
from yupana.tasks.forecast.quantiles import QUANTILES

HORIZONS = (1, 2)
SHARE, CONSTANT, SIZE = 0.6, 3.0, 5.0


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Districts of one province whose counts bring 0.6 of their newest, and 3 a week besides."""
    rng = np.random.default_rng(5)
    weeks, places = 400, 6
    counts = np.zeros((weeks, places))
    angle = 2 * np.pi * np.arange(weeks) / 52
    for week in range(1, weeks):
        mean = SHARE * counts[week - 1] + CONSTANT * np.exp(0.8 * np.sin(angle[week - 1]))
        counts[week] = rng.negative_binomial(SIZE, SIZE / (SIZE + mean))
    rows = [
        {
            "entity": f"16010{place}",
            "week_sin": np.sin(angle[t]),
            "week_cos": np.cos(angle[t]),
            "mean_52": counts[t - 51 : t + 1, place].mean(),
            **{f"cases_lag_{k}": counts[t - k, place] for k in range(12)},
            **{f"province_lag_{k}": counts[t - k].sum() for k in range(4)},
            **{f"target_{h}": counts[t + h, place] for h in HORIZONS},
        }
        for place in range(places)
        for t in range(52, weeks - max(HORIZONS))
    ]
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def fitted(frame: pd.DataFrame) -> endemic_epidemic.EndemicEpidemic:
    return endemic_epidemic.fit(frame, HORIZONS)


def coefficients(fitted: endemic_epidemic.EndemicEpidemic, frame: pd.DataFrame) -> Coefficients:
    terms = endemic_epidemic.terms_of(frame, fitted.columns)
    return Coefficients.of(fitted.coefficients[endemic_epidemic.COMMON][0], terms)


def test_the_share_that_a_count_brings_and_the_season_are_recovered(
    frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endemic_likelihood, "STEPS", 300)
    mine = coefficients(endemic_epidemic.fit(frame, HORIZONS), frame)
    own, neighbours = np.exp(mine.epidemic[:12]), np.exp(mine.epidemic[12:])
    assert own[0] == pytest.approx(SHARE, abs=0.08)
    assert own[1:].sum() < 0.1 and neighbours.sum() < 0.1
    assert mine.season_endemic[0] == pytest.approx(0.8, abs=0.2)
    assert np.exp(mine.size[0] + mine.size[1] * np.log(10)) == pytest.approx(SIZE, rel=0.25)


def test_its_intervals_hold_as_many_counts_as_they_say(
    fitted: endemic_epidemic.EndemicEpidemic, frame: pd.DataFrame
) -> None:
    low, high = np.moveaxis(fitted.quantiles(frame, (0.05, 0.95)), 2, 0)
    observed = frame[[f"target_{h}" for h in HORIZONS]].to_numpy()
    inside = ((observed >= low) & (observed <= high)).mean()
    assert 0.88 <= inside <= 0.96


def test_cases_next_door_raise_a_forecast_where_they_did_so_before() -> None:
    rows = panel()
    others = np.maximum(rows["department_lag_0"] - rows["cases_lag_0"], 0)
    near = rows.assign(target_1=(0.5 * np.sqrt(others * rows["mean_52"])).round())
    fitted = endemic_epidemic.fit(near, (1,))
    assert fitted.columns.groups == ("department",)
    row = near[near["entity"] == DISTRICTS[1]].tail(1)
    lags = [f"department_lag_{k}" for k in range(4)]
    calm, alarmed = (fitted.quantiles(r, (0.5,)).item() for r in (row, row.assign(**4 * row[lags])))
    assert alarmed > 1.5 * calm


def test_the_gradient_is_that_of_the_density() -> None:
    rng = np.random.default_rng(6)
    terms = Terms(rng.gamma(1, 3, (80, 3)), rng.gamma(1, 2, (80, 2)), rng.normal(size=(80, 4)))
    counts = rng.poisson(3, 80).astype(float)
    flat = rng.normal(-1, 0.3, 3 + 2 + 8 + 3)
    _, gradient = endemic_likelihood.loss(flat, terms, counts)
    numeric = approx_fprime(flat, lambda at: endemic_likelihood.loss(at, terms, counts)[0], 1e-6)
    np.testing.assert_allclose(gradient, numeric, rtol=1e-3, atol=1e-2)


def test_the_density_is_that_of_a_negative_binomial() -> None:
    rng = np.random.default_rng(8)
    terms = Terms(rng.gamma(1, 3, (60, 3)), rng.gamma(1, 2, (60, 2)), rng.normal(size=(60, 4)))
    flat = rng.normal(-1, 0.3, 3 + 2 + 8 + 3)
    mean, size = Coefficients.of(flat, terms).distribution(terms)

    def prior(counts: np.ndarray[Any, np.dtype[np.float64]]) -> float:
        density = nbinom.logpmf(counts, size, size / (size + mean)) + gammaln(counts + 1)
        return endemic_likelihood.loss(flat, terms, counts)[0] + float(density.sum())

    # What the loss has beside the density is the same whatever the counts are.
    counts = rng.poisson(4, 60).astype(float)
    assert prior(counts) == pytest.approx(prior(np.zeros(60)), abs=1e-6)


def test_a_row_is_forecast_alike_alone_and_in_company(
    fitted: endemic_epidemic.EndemicEpidemic, frame: pd.DataFrame
) -> None:
    rows = frame.tail(40)
    together = fitted.quantiles(rows, QUANTILES)
    alone = [fitted.quantiles(rows.iloc[[i]], QUANTILES)[0] for i in range(len(rows))]
    np.testing.assert_array_equal(together, np.stack(alone))
    assert (together >= 0).all() and (np.diff(together, axis=2) >= 0).all()


def test_a_count_that_is_not_known_yet_is_left_out(frame: pd.DataFrame) -> None:
    late = frame.assign(target_2=frame["target_2"].where(np.arange(len(frame)) % 3 > 0))
    fitted = endemic_epidemic.fit(late, HORIZONS)
    assert np.isfinite(fitted.coefficients[endemic_epidemic.COMMON]).all()


def test_a_department_with_a_past_of_its_own_learns_from_that_alone(
    frame: pd.DataFrame, fitted: endemic_epidemic.EndemicEpidemic
) -> None:
    targets = [f"target_{h}" for h in HORIZONS]
    quick = frame.assign(entity="25" + frame["entity"].str[2:])
    quick[targets] = (quick[targets] / 4).round()
    rare = frame.assign(entity="10" + frame["entity"].str[2:])
    rare.loc[np.arange(len(rare)) % 40 > 0, targets] = 0
    both = endemic_epidemic.fit(pd.concat([frame, quick, rare], ignore_index=True), HORIZONS)
    assert set(both.coefficients) == {"16", "25", endemic_epidemic.COMMON}
    rows = frame.tail(20)
    alone = fitted.quantiles(rows, QUANTILES)
    np.testing.assert_array_equal(both.quantiles(rows, QUANTILES), alone)
    # One of few counts is told what all have in common.
    assert (both.quantiles(rare.tail(20), QUANTILES) < alone).any()


def test_groups_are_read_from_the_smallest_to_the_largest_whatever_the_columns_order() -> None:
    rows = panel()
    half = {f"province_lag_{k}": rows[f"department_lag_{k}"] / 2 for k in range(4)}
    odd = {"rain_lag_0": 1.0, "mean_temperature": 26.0, "mean_8": rows["mean_52"]}
    columns = endemic_epidemic.columns_of(rows.assign(**half, **odd))
    assert columns.groups == ("province", "department")
    assert columns.means == ("mean_8", "mean_52")


def test_a_feature_that_is_no_number_or_not_there_is_named(
    fitted: endemic_epidemic.EndemicEpidemic, frame: pd.DataFrame
) -> None:
    rows = frame.tail(3).copy()
    with pytest.raises(TerminalError, match="province_lag_2"):
        fitted.quantiles(rows.drop(columns="province_lag_2"), QUANTILES)
    rows.iloc[1, rows.columns.get_loc("cases_lag_5")] = np.nan
    with pytest.raises(TerminalError, match="cases_lag_5"):
        fitted.quantiles(rows, QUANTILES)
    with pytest.raises(TerminalError, match="cases_lag_5"):
        endemic_epidemic.fit(pd.concat([frame, rows]), HORIZONS)


def test_places_that_never_had_a_case_are_forecast_none(frame: pd.DataFrame) -> None:
    counts = [c for c in frame if c.startswith(("cases", "province", "mean", "target"))]
    quiet = endemic_epidemic.fit(frame.assign(**dict.fromkeys(counts, 0.0)), HORIZONS)
    rows = frame.tail(5).assign(**dict.fromkeys(counts, 0.0))
    assert quiet.quantiles(rows, QUANTILES).max() == 0
