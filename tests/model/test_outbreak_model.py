"""The outbreak forecaster on small made-up panels: what any fitted model must keep."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_panel import DISTRICTS, SHORT, one_network, panel

from models.outbreak import USE_CASE as outbreak
from yupana.core.errors import TerminalError
from yupana.tasks.forecast.model import store, training_rows
from yupana.tasks.forecast.model.last_value import LastValue
from yupana.tasks.forecast.model.network import Options
from yupana.tasks.forecast.quantiles import QUANTILES, Forecaster


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    with one_network():
        yield


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return panel(SHORT)


@pytest.fixture(scope="module")
def folder(frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("candidate")
    outbreak.fit(frame, out, seed=1, say=lambda _: None)
    return out


@pytest.fixture(params=["pool", "last_value"])
def forecaster(request: pytest.FixtureRequest, folder: Path, frame: pd.DataFrame) -> Forecaster:
    return outbreak.load(folder) if request.param == "pool" else LastValue(frame, range(1, 9))


def test_quantiles_have_the_shape_rise_and_are_never_negative(
    forecaster: Forecaster, frame: pd.DataFrame
) -> None:
    answer = forecaster.quantiles(frame, QUANTILES)
    assert answer.shape == (len(frame), 8, 23)
    assert np.isfinite(answer).all()
    assert (answer >= 0).all()
    assert (np.diff(answer, axis=2) >= 0).all()


def test_a_row_gets_the_same_answer_in_any_company(
    forecaster: Forecaster, frame: pd.DataFrame
) -> None:
    together = forecaster.quantiles(frame, QUANTILES)
    order = np.random.default_rng(0).permutation(len(frame))
    # Members are averaged: the last bits may differ by the size of the batch.
    same = partial(np.testing.assert_allclose, rtol=1e-9, atol=1e-9)
    same(forecaster.quantiles(frame.iloc[order], QUANTILES), together[order])
    alone = [forecaster.quantiles(frame.iloc[[i]], QUANTILES)[0] for i in range(0, 400, 40)]
    same(np.stack(alone), together[:400:40])


def test_a_new_district_gets_the_pooled_forecast_and_says_so(
    forecaster: Forecaster, frame: pd.DataFrame
) -> None:
    assert forecaster.knows("160101")
    assert not forecaster.knows("250101")
    rows = frame.head(20)
    one, other = (
        forecaster.quantiles(rows.assign(entity=u), QUANTILES) for u in ("250101", "010101")
    )
    assert (one == other).all()
    assert np.isfinite(one).all()


def test_forecasts_follow_the_size_of_recent_counts(folder: Path, frame: pd.DataFrame) -> None:
    row = frame[frame["entity"] == "160101"].head(1)
    lags = [c for c in frame if c.startswith("cases_lag_")]
    more = row.assign(**{c: row[c] * 4 for c in lags})
    few, many = (outbreak.load(folder).quantiles(r, (0.5,))[0, 0, 0] for r in (row, more))
    assert many > few


@pytest.mark.parametrize("threads", [1, 2])
def test_the_same_seed_gives_the_same_weights_side_by_side_or_not(
    frame: pd.DataFrame, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    import torch

    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    outbreak.fit(frame, tmp_path, seed=1, say=lambda _: None)
    for name in ("weights.safetensors", "model.json"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name


def test_another_seed_gives_other_weights_its_loss_falls_and_every_network_is_reported(
    frame: pd.DataFrame, folder: Path, tmp_path: Path
) -> None:
    lines: list[str] = []
    curve = outbreak.fit(frame, tmp_path, seed=2, say=lines.append)["curve"]
    weights = "weights.safetensors"
    assert (tmp_path / weights).read_bytes() != (folder / weights).read_bytes()
    losses = [point["train_nll"] for point in curve]
    assert min(losses) < losses[0] - 0.02
    fits = [line for line in lines if line.startswith("network ")]
    assert fits[0].startswith("network 1/") and len(fits) == int(fits[0].split()[1][2:])


def test_the_network_can_learn_a_few_rows_by_heart(frame: pd.DataFrame) -> None:
    import torch

    from yupana.tasks.forecast.model import network_training
    from yupana.tasks.forecast.model.network import CountNetwork

    torch.manual_seed(0)
    rows = frame.head(16)
    counts = torch.tensor(rows[[f"target_{h}" for h in outbreak.horizons]].to_numpy("float32"))
    features, recent = torch.randn(16, 5), torch.zeros(16)
    part = (features, recent, torch.ones(16, dtype=torch.long), counts)
    _, curve = network_training.train(
        lambda: CountNetwork(5, 1, 8),
        part,
        part,
        seed=0,
        say=lambda _: None,
        epochs=400,
        options=Options(),
    )
    assert len(curve) == 400 and curve[-1]["val_nll"] < curve[0]["val_nll"] - 1


def test_the_loss_is_the_negative_binomial_and_skips_what_is_not_known() -> None:
    import torch
    from scipy.stats import nbinom

    from yupana.tasks.forecast.model.network_training import negative_binomial_nll

    mean, dispersion = np.array([[0.2, 9.0, 300.0]]), np.array([[2.0, 0.5, 0.05]])
    counts = np.array([[0.0, 14.0, np.nan]])
    size = 1 / dispersion
    direct = -nbinom.logpmf(counts, size, size / (size + mean))[0, :2].mean()
    ours = negative_binomial_nll(*(torch.tensor(v) for v in (np.log(mean), np.log(dispersion))),
                                 torch.tensor(counts))  # fmt: skip
    assert float(ours) == pytest.approx(direct, rel=1e-9)


def test_features_come_from_the_frame_and_are_stored(folder: Path, frame: pd.DataFrame) -> None:
    described = outbreak.load(folder).description
    assert described.features == training_rows.feature_names(frame)
    assert "target_1" not in described.features
    assert described.districts == DISTRICTS
    before_test = frame.loc[frame["part"].isin(["train", "validation"]), "event_timestamp"]
    scored = outbreak.load(store.evaluated(folder)).description
    assert scored.trained_through == str(before_test.max().date())
    origins = frame.loc[frame["target_1"].notna(), "event_timestamp"]
    assert described.trained_through == str(origins.max().date())


@pytest.mark.parametrize("part", ["train", "validation"])
def test_a_feature_without_a_number_is_refused(
    part: str, frame: pd.DataFrame, tmp_path: Path
) -> None:
    broken = frame.copy()
    broken.loc[broken.index[broken["part"] == part][5], "cases_lag_3"] = np.nan
    with pytest.raises(TerminalError) as caught:
        outbreak.fit(broken, tmp_path, seed=1, say=lambda _: None)
    assert "cases_lag_3" in str(caught.value)
    assert caught.value.fix
    assert not list(tmp_path.iterdir())


def test_too_few_rows_and_absent_columns_are_refused(frame: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(TerminalError, match="at least 200"):
        outbreak.fit(frame.head(50), tmp_path, seed=1, say=lambda _: None)
    with pytest.raises(TerminalError, match="cases_lag_0"):
        outbreak.fit(frame.drop(columns="cases_lag_0"), tmp_path, seed=1, say=lambda _: None)


def test_serving_refuses_rows_it_cannot_answer(folder: Path, frame: pd.DataFrame) -> None:
    fitted = outbreak.load(folder)
    with pytest.raises(TerminalError, match="week_sin"):
        fitted.quantiles(frame.head(1).drop(columns="week_sin"), (0.5,))
    with pytest.raises(TerminalError, match="not a number"):
        fitted.quantiles(frame.head(1).assign(mean_52=np.nan), (0.5,))


def test_an_empty_folder_holds_no_model(tmp_path: Path) -> None:
    with pytest.raises(TerminalError, match="no fitted model"):
        outbreak.load(tmp_path)


def test_a_forecast_needs_no_torch(folder: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from models.outbreak import USE_CASE; "
        f"USE_CASE.load(Path({str(folder)!r})); print('torch' in sys.modules)"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert output.stdout.strip() == "False"


def test_arrays_forecast_what_the_network_does() -> None:
    """Training and forecasting compute the same function, also of a district never seen."""
    import torch

    from yupana.tasks.forecast.model.network import CountNetwork, weights
    from yupana.tasks.forecast.model.network_forecaster import parameters

    torch.manual_seed(1)
    network = CountNetwork(5, 3, 8).double().eval()
    features = 30 * torch.randn(64, 5).double()
    recent, district = torch.rand(64).double(), torch.arange(64) % 4
    with torch.no_grad():
        theirs = torch.stack(network(features, recent, district)).numpy()
    ours = parameters(weights(network), features.numpy(), recent.numpy(), district.numpy())
    assert np.allclose(ours, theirs, rtol=1e-12, atol=1e-12)


def test_a_feature_that_never_changed_is_not_asked_for(
    frame: pd.DataFrame, folder: Path, tmp_path: Path
) -> None:
    constant = frame.assign(population=0.0)
    outbreak.fit(constant, tmp_path, seed=1, say=lambda _: None)
    answer = outbreak.load(tmp_path).quantiles(constant.assign(population=1e6), QUANTILES)
    assert (answer == outbreak.load(folder).quantiles(frame, QUANTILES)).all()
