"""What must stay light is looked at in a fresh interpreter."""

from __future__ import annotations

import json
import subprocess
import sys

from yupana.config.settings import ROOT


def loaded_by(*modules: str) -> set[str]:
    code = f"import json, sys, {', '.join(modules)}; print(json.dumps(sorted(sys.modules)))"
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return {name.split(".")[0] for name in json.loads(process.stdout.splitlines()[-1])}


def test_serving_loads_no_batch_engine() -> None:
    heavy = {"pyspark", "delta", "airflow", "kfp", "great_expectations", "mlflow", "evidently"}
    rooms = ("serving", "yupana/serving", "yupana/tasks/forecast/serving")
    files = [p.relative_to(ROOT).with_suffix("") for r in rooms for p in (ROOT / r).rglob("*.py")]
    # Also those that the service imports when it starts.
    modules = sorted(".".join(f.parts).removesuffix(".__init__") for f in files)
    assert "yupana.tasks.forecast.serving.kind" in modules
    assert not loaded_by(*modules) & heavy


def test_the_command_line_loads_no_engine() -> None:
    heavy = {
        "pandas",
        "polars",
        "torch",
        "pyspark",
        "airflow",
        "feast",
        "mlflow",
        "sqlalchemy",
        "great_expectations",
        "bentoml",
        "pydantic",
        "deltalake",
    }
    assert not loaded_by("yupana.cli.main") & heavy


# An auditor takes it away as one file and runs it with Python alone.
ONE_FILE = "yupana/ledger/verifier.py"


def test_no_file_is_longer_than_300_lines_and_no_test_than_400() -> None:
    rooms = {"yupana": 300, "dags": 300, "pipelines": 300, "models": 300, "serving": 300,
             "feature_repo": 300, "tests": 400}  # fmt: skip
    for room, most in rooms.items():
        for path in (ROOT / room).rglob("*.py"):
            limit = 500 if path == ROOT / ONE_FILE else most
            assert len(path.read_text("utf-8").splitlines()) <= limit, f"{path}: split it"
