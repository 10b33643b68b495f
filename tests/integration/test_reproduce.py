"""`yupana reproduce` on a model that was trained, scored and registered from a small split."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
import typer
from candidates import NAME, TAGS, empty_home
from small_panel import OPTIONS, SHORT, one_network, panel
from typer.testing import CliRunner

from models.outbreak import USE_CASE as outbreak
from yupana.config import settings
from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.features import training_sets
from yupana.lineage import events
from yupana.tasks.forecast.commands import reproduce as commands
from yupana.tasks.forecast.scoring import reproduce
from yupana.tracking import facts, registry, versions
from yupana.training import candidate_steps

APP = typer.Typer()
# A lone command would stand for the whole application.
APP.callback()(lambda: None)
commands.register(APP)
SEED = 5


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """Six fits: whether they are the same matters, not how good."""
    with one_network():
        yield


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one registered version and the split that it was fitted on."""
    home = empty_home(tmp_path_factory.mktemp("reproduce"))
    rows = panel(SHORT)
    sources = ("delta:published/dengue_linelist@3",)
    split = training_sets.save(
        home, NAME, rows, features="delta:features/outbreak_weekly@2", sources=sources, as_of=None
    )
    folder = home.home / "candidates" / "1"
    folder.mkdir(parents=True)
    fitted = outbreak.fit(rows, folder, seed=SEED, say=lambda _: None, options=OPTIONS)
    about = asdict(training_sets.about(home, NAME, split.ref))
    facts.record(home, folder, about, seconds=1.0, machine=facts.hardware())
    (folder / "fit.json").write_text(json.dumps(fitted))
    rows_path = training_sets.path_of(home, NAME, split.ref)
    candidate_steps.score(NAME, folder, rows_path, seed=SEED)
    registry.register(home, NAME, folder, {**TAGS, "split": split.ref})
    return home.home


@pytest.fixture
def home(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    config = Settings(home=trained)
    monkeypatch.setenv("YUPANA_HOME", str(trained))
    settings.settings.cache_clear()
    yield config
    settings.settings.cache_clear()


def again(home: Settings) -> dict[str, Any]:
    return reproduce.reproduce(home, versions.find(home, f"{NAME}@1"), lambda _: None)


def with_facts(home: Settings, monkeypatch: pytest.MonkeyPatch, **changed: object) -> None:
    """Let the run have recorded something else than it did."""
    whole = facts.read

    def other(folder: Path) -> dict[str, Any]:
        record = whole(folder)
        for name, value in changed.items():
            part, key = name.split("_", 1)
            record[part][key] = value
        return record

    monkeypatch.setattr(facts, "read", other)


def test_the_same_machine_gives_equal_weights_and_forecasts(home: Settings) -> None:
    result = CliRunner().invoke(APP, ["reproduce", f"{NAME}@1", "--json"])
    assert result.exit_code == 0, (result.output, result.exception)
    report = json.loads(result.stdout.splitlines()[-1])
    assert report["how"] == "identical"
    assert report["differs"] == {}
    assert "weights.safetensors" in report["weights"]
    assert all(w["then"] == w["now"] for w in report["weights"].values())
    assert report["forecasts"]["then"] == report["forecasts"]["now"]
    assert report["forecasts"]["difference"] == 0
    event = events.last_done(home.events, "reproduce", NAME)
    assert event
    assert event["facts"]["reproduced"] is True
    assert not list(home.home.glob("reproduce-*"))


def test_another_seed_is_not_the_same_model(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit = outbreak.fit
    monkeypatch.setattr(outbreak, "fit", lambda rows, out, **g: fit(rows, out, **{**g, "seed": 6}))
    result = CliRunner().invoke(APP, ["reproduce", f"{NAME}@1"])
    assert result.exit_code == 1
    assert "NOT reproduced" in result.stdout
    assert "weights.safetensors: differs" in result.stdout


OTHER_MACHINE = """
import json
from yupana.config.settings import settings
from yupana.tasks.forecast.model import members
from yupana.tasks.forecast.scoring import reproduce
from yupana.tracking import versions

members.SEEDS = 1
found = versions.find(settings(), "outbreak@1")
print(json.dumps(reproduce.reproduce(settings(), found, lambda _: None)))
"""


@pytest.mark.skipif(
    torch.backends.cpu.get_cpu_capability() == "DEFAULT",
    reason="torch has no vectors to do without",
)
def test_a_processor_that_rounds_otherwise_is_within_the_tolerance(home: Settings) -> None:
    poorer = {**home.environment(), "ATEN_CPU_CAPABILITY": "default"}
    process = subprocess.run(
        [sys.executable, "-c", OTHER_MACHINE],
        cwd=home.root, env=poorer, capture_output=True, text=True, check=True,
    )  # fmt: skip
    report = json.loads(process.stdout.splitlines()[-1])
    weights = report["weights"]["weights.safetensors"]
    assert weights["then"] != weights["now"]
    assert report["differs"]["hardware.vectors"][1] == "DEFAULT"
    assert (report["how"], report["reproduced"]) == ("within_tolerance", True)


def test_another_machine_does_not_excuse_another_model(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_facts(home, monkeypatch, hardware_cpu="another")
    fit = outbreak.fit
    monkeypatch.setattr(outbreak, "fit", lambda rows, out, **g: fit(rows, out, **{**g, "seed": 6}))
    far = again(home)
    assert far["differs"]["hardware.cpu"][0] == "another"
    assert far["forecasts"]["difference"] > reproduce.TOLERANCE
    assert (far["how"], far["reproduced"]) == ("different", False)


def test_what_is_not_as_it_was_is_named(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with_facts(home, monkeypatch, code_sha256="0" * 16, environment_lock="0" * 64)
    report = again(home)
    assert {"code.sha256", "environment.lock"} <= set(report["differs"])
    assert report["how"] == "identical"


def test_changed_files_lost_facts_and_deleted_versions_are_refused(home: Settings) -> None:
    version = versions.find(home, f"{NAME}@1")
    weights, record = version.folder / "weights.safetensors", version.folder / facts.NAME
    whole, text = weights.read_bytes(), record.read_text()
    weights.write_bytes(whole[:-1])
    with pytest.raises(TerminalError, match="not those"):
        again(home)
    weights.write_bytes(whole)
    record.unlink()
    with pytest.raises(TerminalError, match="did not record"):
        again(home)
    record.write_text(text)
    mlflow = registry.client(home)
    mlflow.set_model_version_tag(NAME, "1", "deleted_on", "2022-01-01")
    with pytest.raises(UsageError, match="was deleted"):
        again(home)
    mlflow.delete_model_version_tag(NAME, "1", "deleted_on")


def test_the_card_has_intervals_and_groups_from_the_scores_by_row(home: Settings) -> None:
    folder = versions.find(home, f"{NAME}@1").folder
    text = (folder / "README.md").read_text()
    assert "remuestreando periodos enteros" in text
    assert "| 1601 |" in text
    assert "| 8 |" in text
    scores = json.loads((folder / "evaluation.json").read_text())["scores"]
    assert f"{scores[outbreak.final]['wis']:.3f} (" in text
    assert shutil.which("git") is None or "code.commit" in text
