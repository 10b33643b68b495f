"""`yupana reproduce` on a model that was trained, scored and registered from a small split."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import typer
from candidates import NAME, TAGS, empty_home
from small_panel import panel
from typer.testing import CliRunner

from models import outbreak
from yupana.cli import models as commands
from yupana.config import settings as configured
from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.evaluation import reproduce
from yupana.evaluation.evaluate import evaluate
from yupana.features import training
from yupana.governance import events
from yupana.tracking import facts, registry, versions

APP = typer.Typer()
commands.register(APP)
SEED = 5


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one registered version and the split that it was fitted on."""
    home = empty_home(tmp_path_factory.mktemp("reproduce"))
    rows = panel()
    sources = ("delta:published/dengue_linelist@3",)
    made = training.save(
        home, NAME, rows, features="delta:features/outbreak_weekly@2", sources=sources, as_of=None
    )
    folder = home.home / "candidates" / "1"
    folder.mkdir(parents=True)
    fitted = outbreak.fit(rows, folder, seed=SEED, say=lambda _: None)
    facts.record(
        home, folder, training.about(home, NAME, made.ref), seconds=1.0, machine=facts.hardware()
    )
    (folder / "fit.json").write_text(json.dumps(fitted))
    evaluate(NAME, folder, training.path_of(home, NAME, made.ref), seed=SEED)
    registry.register(home, NAME, folder, {**TAGS, "split": made.ref})
    return home.home


@pytest.fixture
def home(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    made = Settings(home=trained)
    monkeypatch.setenv("YUPANA_HOME", str(trained))
    configured.settings.cache_clear()
    yield made
    configured.settings.cache_clear()


def again(home: Settings) -> dict[str, Any]:
    return reproduce.reproduce(home, versions.find(home, f"{NAME}@1"), lambda _: None)


def with_facts(home: Settings, monkeypatch: pytest.MonkeyPatch, **changed: object) -> None:
    """Let the run have recorded something else than it did."""
    whole = facts.read

    def other(folder: Path) -> dict[str, Any]:
        made = whole(folder)
        for name, value in changed.items():
            part, key = name.split("_", 1)
            made[part][key] = value
        return made

    monkeypatch.setattr(facts, "read", other)


def test_the_same_machine_gives_equal_weights_and_forecasts(home: Settings) -> None:
    done = CliRunner().invoke(APP, ["reproduce", f"{NAME}@1", "--json"])
    assert done.exit_code == 0, (done.output, done.exception)
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["how"] == "identical"
    assert told["differs"] == {}
    assert "weights.safetensors" in told["weights"]
    assert all(w["then"] == w["now"] for w in told["weights"].values())
    assert told["forecasts"]["then"] == told["forecasts"]["now"]
    assert told["forecasts"]["difference"] == 0
    event = events.last_done(home.events, "reproduce", NAME)
    assert event
    assert event["facts"]["reproduced"] is True
    assert not list(home.home.glob("reproduce-*"))


def test_another_seed_is_not_the_same_model(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit = outbreak.fit
    monkeypatch.setattr(outbreak, "fit", lambda rows, out, **g: fit(rows, out, **{**g, "seed": 6}))
    done = CliRunner().invoke(APP, ["reproduce", f"{NAME}@1"])
    assert done.exit_code == 1
    assert "NOT reproduced" in done.stdout
    assert "weights.safetensors: differs" in done.stdout


OTHER_MACHINE = """
import json
from yupana.config.settings import settings
from yupana.evaluation import reproduce
from yupana.evaluation.evaluate import evaluate
from yupana.tracking import versions

found = versions.find(settings(), "outbreak@1")
print(json.dumps(reproduce.reproduce(settings(), found, lambda _: None)))
"""


@pytest.mark.skipif(
    torch.backends.cpu.get_cpu_capability() == "DEFAULT",
    reason="torch has no vectors to do without",
)
def test_a_processor_that_rounds_otherwise_is_within_the_tolerance(home: Settings) -> None:
    poorer = {**home.environment(), "ATEN_CPU_CAPABILITY": "default"}
    done = subprocess.run(
        [sys.executable, "-c", OTHER_MACHINE],
        cwd=home.root, env=poorer, capture_output=True, text=True, check=True,
    )  # fmt: skip
    told = json.loads(done.stdout.splitlines()[-1])
    weights = told["weights"]["weights.safetensors"]
    assert weights["then"] != weights["now"]
    assert told["differs"]["hardware.vectors"][1] == "DEFAULT"
    assert (told["how"], told["reproduced"]) == ("within_tolerance", True)


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
    told = again(home)
    assert {"code.sha256", "environment.lock"} <= set(told["differs"])
    assert told["how"] == "identical"


def test_changed_files_lost_facts_and_deleted_versions_are_refused(home: Settings) -> None:
    found = versions.find(home, f"{NAME}@1")
    weights, record = found.folder / "weights.safetensors", found.folder / facts.NAME
    whole, told = weights.read_bytes(), record.read_text()
    weights.write_bytes(whole[:-1])
    with pytest.raises(TerminalError, match="not those"):
        again(home)
    weights.write_bytes(whole)
    record.unlink()
    with pytest.raises(TerminalError, match="did not record"):
        again(home)
    record.write_text(told)
    mlflow = registry.client(home)
    mlflow.set_model_version_tag(NAME, "1", "deleted_on", "2022-01-01")
    with pytest.raises(UsageError, match="was deleted"):
        again(home)
    mlflow.delete_model_version_tag(NAME, "1", "deleted_on")


def test_the_card_has_intervals_and_groups_from_the_scores_by_row(home: Settings) -> None:
    folder = versions.find(home, f"{NAME}@1").folder
    text = (folder / "README.md").read_text()
    assert "remuestreo de semanas enteras" in text
    assert "| 1601 |" in text
    assert "| 8 |" in text
    scores = json.loads((folder / "evaluation.json").read_text())
    assert f"{scores[outbreak.FINAL]['wis']:.3f} (" in text
    assert shutil.which("git") is None or "code.commit" in text
