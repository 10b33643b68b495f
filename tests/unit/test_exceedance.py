"""Scores of alerts, against numbers computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from yupana.tasks.forecast import endemic_channel
from yupana.tasks.forecast.quantiles import QUANTILES
from yupana.tasks.forecast.scoring import exceedance

CHANCE = np.array([0.9, 0.8, 0.3, 0.1])
CAME = np.array([True, False, True, False])


def test_the_brier_score_is_the_mean_square_difference() -> None:
    # (0.01 + 0.64 + 0.49 + 0.01) / 4
    assert exceedance.brier(CHANCE, CAME) == pytest.approx(0.2875)


def test_skill_is_what_is_saved_of_the_reference() -> None:
    assert exceedance.skill(0.1, 0.4) == pytest.approx(0.75)
    assert exceedance.skill(0.4, 0.2) == pytest.approx(-1)
    assert exceedance.skill(0.0, 0.0) is None


def test_bins_hold_tenths_and_their_gaps_are_weighted_by_forecasts() -> None:
    chance = np.array([0.05, 0.05, 0.15, 0.95, 1.0])
    came = np.array([False, True, False, True, True])
    tenths = exceedance.bins(chance, came)
    assert [(b.low, b.high, b.n) for b in tenths] == [(0, 0.1, 2), (0.1, 0.2, 1), (0.9, 1, 2)]
    assert [b.forecast for b in tenths] == pytest.approx([0.05, 0.15, 0.975])
    assert [b.observed for b in tenths] == [0.5, 0, 1]
    # (2 × 0.45 + 1 × 0.15 + 2 × 0.025) / 5
    assert exceedance.expected_error(tenths) == pytest.approx(0.22)


def test_the_largest_gap_is_of_bins_with_enough_forecasts() -> None:
    many = np.repeat([0.05, 0.55], [exceedance.ENOUGH, exceedance.ENOUGH - 1])
    tenths = exceedance.bins(many, many > 1)
    assert exceedance.largest_gap(tenths) == pytest.approx(0.05)
    assert exceedance.largest_gap(tenths[1:]) is None


def test_alerts_are_raised_where_that_costs_less() -> None:
    # A miss costs four false alarms: raised above 0.2, that is the first three.
    assert exceedance.threshold(4) == pytest.approx(0.2)
    at = exceedance.decisions(CHANCE, CAME, 4)
    assert (at.hits, at.missed, at.false_alarms) == (2, 0, 1)
    # Always raising costs two false alarms, never raising two misses or eight: half is saved.
    assert at.value == pytest.approx(0.5)
    # At equal costs one is missed and one false, as dear as always raising.
    at = exceedance.decisions(CHANCE, CAME, 1)
    assert (at.hits, at.missed, at.false_alarms, at.value) == (1, 1, 1, 0)


def test_a_perfect_forecast_is_worth_all_and_one_without_events_cannot_be_judged() -> None:
    assert exceedance.decisions(CAME.astype(float), CAME, 5).value == 1
    assert exceedance.decisions(CHANCE, np.zeros(4, bool), 5).value is None


def test_each_forecast_is_held_against_its_own_limit() -> None:
    quantiles = np.array([np.arange(23.0), np.arange(23.0)])
    both = endemic_channel.exceeding(quantiles, QUANTILES, np.array([5.0, 11.2]))
    alone = [float(endemic_channel.exceeding(quantiles[:1], QUANTILES, x)[0]) for x in (5, 11.2)]
    assert both.tolist() == alone
    # Half-way from the quantile at 5 cases (0.20) to that at 6 (0.25).
    assert both[0] == pytest.approx(1 - 0.225)
