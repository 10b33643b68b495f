"""What must stay light is looked at in a fresh interpreter."""

from __future__ import annotations

import json
import subprocess
import sys

from yupana.config.settings import ROOT


def loaded_by(*modules: str) -> set[str]:
    code = f"import json, sys, {', '.join(modules)}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return {name.split(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


def test_serving_loads_no_batch_engine() -> None:
    heavy = {"pyspark", "delta", "airflow", "kfp", "great_expectations", "mlflow", "evidently"}
    files = [p.relative_to(ROOT).with_suffix("") for p in (ROOT / "serving").rglob("*.py")]
    # Also those that the service imports when it starts.
    modules = sorted(".".join(f.parts).removesuffix(".__init__") for f in files)
    assert "serving.study.places" in modules
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


def test_no_file_is_longer_than_400_lines() -> None:
    rooms = ["yupana", "dags", "pipelines", "models", "serving", "feature_repo", "tests"]
    for path in (p for room in rooms for p in (ROOT / room).rglob("*.py")):
        assert len(path.read_text().splitlines()) <= 400, f"{path}: split it"
