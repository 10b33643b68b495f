"""The registry on a real MLflow in SQLite: who becomes champion, and what failure leaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from candidates import DATA, NAME, TAGS, candidate, empty_home, tags

from yupana.config.settings import Settings
from yupana.core import evaluation
from yupana.core.errors import TerminalError, TransientError
from yupana.core.spec import Metric
from yupana.tasks.forecast.model.model import FINAL
from yupana.tracking import past_models, registry
from yupana.tracking.verdict import Standing, verdict

METRIC = Metric(name="wis", label="WIS", better="lower", baselines=("ar",))


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return empty_home(tmp_path)


def run_of(home: Settings, version: int) -> Any:
    mlflow = registry.client(home)
    return mlflow.get_run(mlflow.get_model_version(NAME, str(version)).run_id)


def test_there_is_no_champion_before_training(home: Settings) -> None:
    with pytest.raises(TerminalError) as caught:
        registry.champion(home, "none")
    assert "yupana train none" in caught.value.fix


def test_the_better_candidate_becomes_champion_and_the_worse_does_not(
    home: Settings, tmp_path: Path
) -> None:
    first = registry.register(home, NAME, candidate(tmp_path / "a", 1.5), TAGS)
    assert (first.version, first.alias) == (1, "champion")
    worse = registry.register(home, NAME, candidate(tmp_path / "b", 1.7), tags("b"))
    assert (worse.version, worse.alias) == (2, "challenger")
    assert "1.5" in worse.reason
    assert registry.champion(home, NAME)[0] == 1
    best = registry.register(home, NAME, candidate(tmp_path / "c", 1.2), tags("c"))
    assert (best.version, best.alias) == (3, "champion")
    version, folder = registry.champion(home, NAME)
    assert version == 3
    assert (folder / "weights.safetensors").read_bytes() == b"1.2"


def test_the_same_evaluation_is_registered_once(home: Settings, tmp_path: Path) -> None:
    folder = candidate(tmp_path / "a", 1.5)
    first = registry.register(home, NAME, folder, TAGS)
    assert registry.register(home, NAME, folder, TAGS) == first
    assert first.alias == "champion"
    equal = registry.register(home, NAME, folder, tags("b"))
    assert (equal.version, equal.alias) == (2, "challenger")


@pytest.mark.parametrize("wis", [2.0, 2.5])
def test_what_does_not_beat_the_baseline_is_never_champion(
    wis: float, home: Settings, tmp_path: Path
) -> None:
    registration = registry.register(home, NAME, candidate(tmp_path / "a", wis), TAGS)
    assert registration.alias == "challenger"
    assert "last_value" in registration.reason
    with pytest.raises(TerminalError):
        registry.champion(home, NAME)


def test_a_model_of_a_past_day_is_a_challenger_however_good(home: Settings, tmp_path: Path) -> None:
    past = {**TAGS, "as_of": "2019-12-28"}
    registration = registry.register(home, NAME, candidate(tmp_path / "a", 0.1), past)
    assert registration.alias == "challenger"
    assert "2019-12-28" in registration.reason


@pytest.mark.parametrize(
    ("wis", "good"),
    # The champion had 1.5 where the better baseline, `ar`, had 2.0: three quarters of it.
    [(7.4, True), (7.6, False)],
)
def test_other_test_weeks_are_compared_by_the_best_shared_baseline(wis: float, good: bool) -> None:
    champion = Standing(METRIC, 1.5, {"last_value": 2.4, "ar": 2.0, "old": 1.6}, "split:1")
    mine = Standing(METRIC, wis, {"last_value": 30.0, "ar": 10.0, "new": 8.0}, "split:2")
    alias, reason = verdict(mine, True, champion)
    assert alias is good
    assert good or "ar" in reason


def test_a_champion_that_cannot_be_compared_with_stays() -> None:
    mine = Standing(METRIC, 1.0, {"ar": 2.0}, "split:1")
    assert verdict(mine, False, None)[0]
    assert not verdict(mine, True, None)[0]
    assert not verdict(mine, True, Standing(METRIC, 5.0, {"other": 9.0}, "split:2"))[0]


def test_the_run_keeps_parameters_scores_curves_files_and_references(
    home: Settings, tmp_path: Path
) -> None:
    registry.register(home, NAME, candidate(tmp_path / "a", 1.0), TAGS)
    mlflow = registry.client(home)
    version = mlflow.get_model_version(NAME, "1")
    assert {k: version.tags[k] for k in TAGS} == TAGS
    run = run_of(home, 1)
    assert run.info.status == "FINISHED"
    assert run.data.params["seed"] == "1"
    assert run.data.metrics[f"{FINAL}.wis"] == 1.0
    assert run.data.metrics["ar.mae"] == 2.4
    assert run.data.metrics["seconds.fit"] == 12.5
    curve = mlflow.get_metric_history(version.run_id, "val_nll_by_epoch")
    assert [(m.step, m.value) for m in curve] == [(1, 1.5), (2, 0.75), (3, 0.5)]
    names = {Path(a.path).name for a in mlflow.list_artifacts(version.run_id, "model")}
    assert names >= {"weights.safetensors", "evaluation.json", "run.json", "README.md"}


def test_the_run_says_what_the_model_was_made_from_and_where(
    home: Settings, tmp_path: Path
) -> None:
    registry.register(home, NAME, candidate(tmp_path / "a", 1.0), TAGS)
    tags = run_of(home, 1).data.tags
    assert tags["final"] == FINAL
    assert tags["data.sources"] == "delta:published/dengue_linelist@3"
    assert tags["data.features"] == "delta:features/outbreak_weekly@2"
    assert tags["data.sha256"] == DATA["sha256"]
    assert tags["data.feature_service"] == "outbreak_v2"
    assert len(tags["environment.lock"]) == 64
    assert int(tags["hardware.cores"]) >= 1
    assert tags["hardware.cpu"]
    assert float(tags["hardware.memory_gib"]) > 0
    assert len(tags["code.sha256"]) == 16


def test_the_card_has_front_matter_data_and_scores(home: Settings, tmp_path: Path) -> None:
    registry.register(home, NAME, candidate(tmp_path / "a", 1.0), TAGS)
    text = (registry.champion(home, NAME)[1] / "README.md").read_text()
    _, front, body = text.split("---\n", 2)
    header = yaml.safe_load(front)
    assert header["language"] == ["es", "en"]
    assert header["datasets"] == ["dengue_linelist"]
    result = header["model-index"][0]["results"][0]
    assert {"type": "wis", "name": "wis (test)", "value": 1.0} in result["metrics"]
    assert result["dataset"]["revision"] == DATA["sha256"]
    assert body.index("## Uso") < body.index("English.")
    for phrase in (
        "CDC Perú, Ministerio de Salud", "none stated by the publisher",
        "delta:published/dengue_linelist@3", "91.0 %", "Sin intervalos",
    ):  # fmt: skip
        assert phrase in body


def test_a_candidate_without_scores_is_refused(home: Settings, tmp_path: Path) -> None:
    with pytest.raises(TerminalError, match="not evaluated"):
        registry.register(home, NAME, tmp_path, TAGS)
    folder = candidate(tmp_path / "a", 1.0)
    whole = evaluation.read(folder)
    assert whole
    for gone, said in ((FINAL, "the final model"), ("seasonal", "'seasonal'")):
        scores = {name: values for name, values in whole.scores.items() if name != gone}
        evaluation.write(folder, whole.model_copy(update={"scores": scores}))
        with pytest.raises(TerminalError, match=said):
            registry.register(home, NAME, folder, TAGS)
    evaluation.write(folder, whole.model_copy(update={"metric": "mae"}))
    with pytest.raises(TerminalError, match="no wis of"):
        registry.register(home, NAME, folder, TAGS)
    (folder / evaluation.FILE).write_text(json.dumps({"ar": {"wis": 1.0}}))
    with pytest.raises(TerminalError, match="cannot be read"):
        registry.register(home, NAME, folder, TAGS)


@pytest.mark.parametrize(
    "broken",
    [
        "log_batch", "log_artifacts", "set_terminated", "create_model_version",
        "set_registered_model_alias",
    ],
)  # fmt: skip
def test_a_failure_leaves_no_version_and_keeps_the_champion(
    broken: str, home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.register(home, NAME, candidate(tmp_path / "a", 1.5), TAGS)
    mlflow = registry.client(home)
    fails = [True]
    whole = getattr(type(mlflow), broken)

    def full(*arguments: object, **options: object) -> Any:
        if fails.pop() if fails else False:
            raise OSError("no space left on device")
        return whole(*arguments, **options)

    monkeypatch.setattr(type(mlflow), broken, full)
    better = candidate(tmp_path / "b", 1.0)
    with pytest.raises(TransientError, match="no space") as caught:
        registry.register(home, NAME, better, tags("b"))
    assert caught.value.exit_code == 3
    assert len(mlflow.search_model_versions(f"name = '{NAME}'")) == 1
    assert registry.champion(home, NAME)[0] == 1
    experiment = mlflow.get_experiment_by_name(NAME)
    states = [r.info.status for r in mlflow.search_runs([experiment.experiment_id])]
    assert sorted(states) == ["FAILED", "FINISHED"]
    # Mended, the same command goes through.
    again = registry.register(home, NAME, better, tags("b"))
    assert again.alias == "champion"


def test_a_registry_that_cannot_be_read_is_said_so(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    (tmp_path / "mlflow").mkdir()
    (tmp_path / "mlflow" / "mlflow.db").write_text("this is no database, " * 100)
    with pytest.raises(TransientError) as caught:
        registry.champion(settings, NAME)
    assert "mlflow.db" in caught.value.where


def test_a_killed_registration_is_settled_without_promotion(home: Settings, tmp_path: Path) -> None:
    folder = candidate(tmp_path / "a", 1.0)
    registry.register(home, NAME, folder, TAGS)
    registry.client(home).delete_registered_model_alias(NAME, "champion")
    assert registry.register(home, NAME, folder, TAGS).alias == "challenger"


def test_a_past_day_gets_the_newest_model_that_knew_nothing_later(
    home: Settings, tmp_path: Path
) -> None:
    from datetime import date

    from yupana.core.errors import UsageError

    registry.register(home, NAME, candidate(tmp_path / "a", 1.0), TAGS)
    assert past_models.by(home, NAME, date(2019, 12, 28))[0] == 1
    with pytest.raises(UsageError, match="2019-12-27"):
        past_models.by(home, NAME, date(2019, 12, 27))
