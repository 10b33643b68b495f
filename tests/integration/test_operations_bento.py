"""The bento of a service holds what it needs to answer, and no engine of the batch side."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from yupana.config.settings import ROOT
from yupana.core import plain_files
from yupana.tracking import bento

BATCH = {
    "pyspark", "delta-spark", "apache-airflow", "kfp", "great-expectations", "mlflow", "evidently",
    "matplotlib", "dvc", "optuna", "pytorch-lightning", "pytest",
}  # fmt: skip
MODULES = {"pyspark", "delta", "airflow", "kfp", "great_expectations", "mlflow", "evidently",
           "matplotlib", "dvc", "optuna", "pytorch_lightning"}  # fmt: skip

COMMAND = "import typer; from yupana.cli.services import serve; typer.run(serve.bento)"
LOADED = (
    "import json, sys, serving.outbreak.service, yupana.tasks.forecast.serving.prediction_service; "
    "print(json.dumps([serving.__file__, *sys.modules]))"
)

pytestmark = pytest.mark.skipif(
    not (ROOT / ".uv/bin/uv").exists() and shutil.which("uv") is None,
    reason="uv reads the lock: make setup",
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str | float]:
    home = tmp_path_factory.mktemp("bento")
    process = subprocess.run(
        [sys.executable, "-c", COMMAND, "outbreak", "--json"],
        env={**os.environ, "YUPANA_HOME": str(home), "BENTOML_HOME": str(home / "bentoml")},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    facts: dict[str, str | float] = json.loads(process.stdout.splitlines()[-1])
    return facts


def names(text: str) -> set[str]:
    return {re.split(r"[=<>\[; ]", line)[0].lower() for line in text.splitlines() if line}


def test_its_libraries_are_those_of_the_lock_without_the_batch_side(
    made: dict[str, str | float],
) -> None:
    listed = names((Path(str(made["folder"])) / "env/python/requirements.txt").read_text())
    assert listed == names("\n".join(bento.requirements(ROOT)))
    assert {"bentoml", "torch", "fastapi"} <= listed
    assert not listed & BATCH


def test_it_holds_the_code_of_the_service_alone(made: dict[str, str | float]) -> None:
    inside = Path(str(made["folder"])) / "src"
    assert {p.name for p in inside.iterdir() if p.is_dir()} == set(bento.ROOMS)
    assert not list(inside.rglob("*.pyc")) and not list(inside.rglob("test_*.py"))
    assert float(made["code_mb"]) < 5
    assert made["code_mb"] == round(plain_files.size(inside.parent) / 1e6, 2)


def test_its_code_is_whole_and_loads_no_batch_engine(made: dict[str, str | float]) -> None:
    home = Path(str(made["folder"])).parents[3]
    folder = Path(str(made["folder"])) / "src"
    process = subprocess.run(
        # The current folder comes first in the path of `-c`: this is the bento's code.
        [sys.executable, "-c", LOADED],
        env={**os.environ, "YUPANA_HOME": str(home), "BENTOML_HOME": str(home / "bentoml")},
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    where, *loaded = json.loads(process.stdout.splitlines()[-1])
    assert Path(where).resolve().is_relative_to(folder.resolve())
    assert not {name.split(".")[0] for name in loaded} & MODULES
