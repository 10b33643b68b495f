"""The registry on a real MLflow in SQLite: who becomes champion, and what failure leaves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.tracking import registry

TAGS = {"candidate": "candidate:1", "split": "split:1", "evaluation": "evaluation:1"}


def tags(name: str) -> dict[str, str]:
    return {**TAGS, "candidate": f"candidate:{name}", "evaluation": f"evaluation:{name}"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """One database for the module (making it takes seconds); each test has its use case."""
    return Settings(home=tmp_path_factory.mktemp("registry"))


def candidate(folder: Path, wis: float, baseline: float = 2.0) -> Path:
    folder.mkdir()
    scores = {"network": {"wis": wis}, "last_value": {"wis": baseline}}
    fitted = {
        "params": {"seed": 1},
        "metrics": {"val_nll": 0.9},
        "curve": [{"epoch": e, "train_nll": 1 / e, "val_nll": 1.5 / e} for e in (1, 2, 3)],
    }
    (folder / "evaluation.json").write_text(json.dumps(scores))
    (folder / "fit.json").write_text(json.dumps(fitted))
    (folder / "weights.safetensors").write_bytes(bytes(str(wis), "ascii"))
    return folder


def test_there_is_no_champion_before_training(home: Settings) -> None:
    with pytest.raises(TerminalError) as caught:
        registry.champion(home, "none")
    assert "yupana train none" in caught.value.fix


def test_the_better_candidate_becomes_champion_and_the_worse_does_not(
    home: Settings, tmp_path: Path
) -> None:
    first = registry.register(home, "better", candidate(tmp_path / "a", 1.5), TAGS)
    assert (first.version, first.alias) == (1, "champion")
    worse = registry.register(home, "better", candidate(tmp_path / "b", 1.7), tags("b"))
    assert (worse.version, worse.alias) == (2, "challenger")
    assert "1.5" in worse.reason
    assert registry.champion(home, "better")[0] == 1
    best = registry.register(home, "better", candidate(tmp_path / "c", 1.2), tags("c"))
    assert (best.version, best.alias) == (3, "champion")
    version, folder = registry.champion(home, "better")
    assert version == 3
    assert (folder / "weights.safetensors").read_bytes() == b"1.2"


def test_the_same_evaluation_is_registered_once(home: Settings, tmp_path: Path) -> None:
    folder = candidate(tmp_path / "a", 1.5)
    first = registry.register(home, "once", folder, TAGS)
    assert registry.register(home, "once", folder, TAGS) == first
    assert first.alias == "champion"
    equal = registry.register(home, "once", folder, tags("b"))
    assert (equal.version, equal.alias) == (2, "challenger")


@pytest.mark.parametrize("wis", [2.0, 2.5])
def test_what_does_not_beat_the_baseline_is_never_champion(
    wis: float, home: Settings, tmp_path: Path
) -> None:
    name = f"weak{int(wis * 10)}"
    made = registry.register(home, name, candidate(tmp_path / "a", wis), TAGS)
    assert made.alias == "challenger"
    assert "last_value" in made.reason
    with pytest.raises(TerminalError):
        registry.champion(home, name)


def test_the_run_keeps_parameters_curve_files_and_references(
    home: Settings, tmp_path: Path
) -> None:
    registry.register(home, "kept", candidate(tmp_path / "a", 1.0), TAGS)
    mlflow = registry.client(home)
    version = mlflow.get_model_version("kept", "1")
    assert {k: version.tags[k] for k in TAGS} == TAGS
    run = mlflow.get_run(version.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params["seed"] == "1"
    assert run.data.metrics["network.wis"] == 1.0
    curve = mlflow.get_metric_history(version.run_id, "val_nll_by_epoch")
    assert [(m.step, m.value) for m in curve] == [(1, 1.5), (2, 0.75), (3, 0.5)]
    names = {Path(a.path).name for a in mlflow.list_artifacts(version.run_id, "model")}
    assert names >= {"weights.safetensors", "evaluation.json"}


def test_a_candidate_without_scores_is_refused(home: Settings, tmp_path: Path) -> None:
    with pytest.raises(TerminalError, match="not evaluated"):
        registry.register(home, "unscored", tmp_path, TAGS)


def test_a_failure_leaves_no_version_and_keeps_the_champion(
    home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.register(home, "broken", candidate(tmp_path / "a", 1.5), TAGS)
    mlflow = registry.client(home)

    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(type(mlflow), "log_artifacts", full)
    with pytest.raises(OSError, match="no space"):
        registry.register(home, "broken", candidate(tmp_path / "b", 1.0), tags("b"))
    assert len(mlflow.search_model_versions("name = 'broken'")) == 1
    assert registry.champion(home, "broken")[0] == 1
