"""The search for options: resumable, within its budget, never worse than the defaults."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from small_panel import panel

from models.outbreak import USE_CASE as outbreak
from yupana.config.settings import Settings
from yupana.core.errors import TransientError, UsageError
from yupana.tasks.forecast.usecases import ForecastUseCase
from yupana.tracking import tuning_results
from yupana.training import tune

SEED = 5


def room(losses: dict[str, list[float]] | None = None) -> Any:
    """A room whose loss is known: the distance of the learning rate from 0.003."""
    trials: list[dict[str, Any]] = []

    def tuning(frame: Any, options: dict[str, Any], *, seed: int, watch: Any) -> float:
        trials.append(options)
        loss = abs(options["learning_rate"] - 0.003) * 1000
        for epoch in range(1, 7):
            watch(epoch, loss)
        return loss

    return SimpleNamespace(
        tunable={"learning_rate": 0.001, "width": 64},
        search={"learning_rate": (3e-4, 1e-2), "width": [32, 64]}, tuning=tuning, seen=trials,
    )  # fmt: skip


def search(
    of: ForecastUseCase, storage: Path, most: int, minutes: float = 5.0
) -> tune.TuningResult:
    return tune.tune(
        of, pd.DataFrame(), storage, "study", minutes=minutes, most=most, seed=SEED,
        say=lambda _: None,
    )  # fmt: skip


def test_the_defaults_come_first_and_the_best_is_better(tmp_path: Path) -> None:
    definition = room()
    best = search(definition, tmp_path / "s.db", 15)
    assert definition.seen[0] == definition.tunable
    assert best.default_loss == pytest.approx(2.0)
    assert best.loss < best.default_loss
    assert abs(best.options["learning_rate"] - 0.003) * 1000 == pytest.approx(best.loss)
    assert best.pruned > 0


def test_a_stopped_search_goes_on_where_it_was(tmp_path: Path) -> None:
    first, second = room(), room()
    before = search(first, tmp_path / "s.db", 3)
    after = search(second, tmp_path / "s.db", 2)
    assert (before.new, after.new) == (3, 2)
    assert second.tunable not in second.seen
    assert after.loss <= before.loss


def test_no_trial_starts_when_the_time_is_over(tmp_path: Path) -> None:
    definition = room()
    with pytest.raises(TransientError, match="Not one trial"):
        search(definition, tmp_path / "s.db", 50, minutes=1e-9)
    assert definition.seen == []


def test_the_picture_is_drawn(tmp_path: Path) -> None:
    search(room(), tmp_path / "s.db", 3)
    tune.picture(tmp_path / "s.db", "study", SEED, tmp_path / "tune.png")
    assert (tmp_path / "tune.png").read_bytes().startswith(b"\x89PNG")


def test_what_was_found_is_kept_and_named_by_its_content(tmp_path: Path) -> None:
    config = Settings(home=tmp_path)
    ref = tuning_results.save(config, "outbreak", {"options": {"width": 32}})
    assert tuning_results.save(config, "outbreak", {"options": {"width": 32}}) == ref
    assert tuning_results.load(config, "outbreak", ref) == {"width": 32}
    with pytest.raises(UsageError, match="no tuning 'tuning:abc'"):
        tuning_results.load(config, "outbreak", "tuning:abc")


def test_the_outbreak_room_can_be_tuned_and_fitted_with_what_was_found(tmp_path: Path) -> None:
    frame = panel()
    lines: list[float] = []
    loss = outbreak.tuning(
        frame, {"width": 32}, seed=SEED, watch=lambda _, value: lines.append(value)
    )
    assert loss == lines[-1] and loss < lines[0]
    fit_report = outbreak.fit_member(
        frame, "network", tmp_path, seed=SEED, say=lambda _: None, options={"width": 32}
    )
    assert fit_report["params"]["width"] == 32
    assert fit_report["metrics"]["epochs"] == len(fit_report["curve"]) > 1
    with pytest.raises(UsageError, match="no option depth"):
        outbreak.fit_member(
            frame, "network", tmp_path, seed=SEED, say=lambda _: None, options={"depth": 3}
        )
