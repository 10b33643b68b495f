"""A use case that was just written trains, serves and is monitored, in a project of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import copied_project
import numpy as np
import pytest
import yaml
from copied_project import Project
from small_panel import OPTIONS

from yupana.tracking import tuning_results

NAME, DATASET = "river_floods", "river_floods_monthly"
CONTRACT = """
apiVersion: v3.1.0
kind: DataContract
id: river_floods_monthly
name: "Crecidas por mes y estación"
version: 1.0.0
status: active
domain: ambiente
tenant: Autoridad de prueba
description: {purpose: Contar crecidas por estación., limitations: Datos hechos para una prueba.}
customProperties:
  - {property: licence, value: none}
  - {property: subjectArea, value: climate}
servers:
  - {server: file, type: local, path: floods.csv, format: csv}
schema:
  - name: river_floods_monthly
    physicalType: table
    dataGranularityDescription: One row is one month of one station.
    properties:
      - {name: station, logicalType: string, primaryKey: true, primaryKeyPosition: 1, description: code of the station, logicalTypeOptions: {pattern: "^rio-[0-9]{2}$"}}
      - {name: month_start, logicalType: date, primaryKey: true, primaryKeyPosition: 2, description: first day of the month, customProperties: [{property: notAfter, value: release}]}
      - {name: floods, logicalType: integer, required: true, description: floods of the month, logicalTypeOptions: {minimum: 0}, customProperties: [{property: unit, value: "1"}]}
"""  # noqa: E501


def floods() -> str:
    """Seven years of twenty stations whose floods follow the season."""
    random = np.random.default_rng(5)
    lines = ["station,month_start,floods"]
    for number in range(20):
        station, mean = f"rio-{number:02}", 20.0 - number
        for month in range(84):
            season = 1 + 0.8 * np.sin(2 * np.pi * month / 12)
            day = date(2015 + month // 12, month % 12 + 1, 1)
            lines.append(f"{station},{day},{random.poisson(mean * season)}")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    root = tmp_path_factory.mktemp("project")
    copied_project.write(root, DATASET, CONTRACT)
    (root / "floods.csv").write_text(floods())
    with copied_project.opened(root) as opened:
        assert opened.python.json("ingest", DATASET)["rows"] == {
            "read": 1680, "published": 1680, "quarantined": 0,
        }  # fmt: skip
        yield opened


def train(project: Project) -> dict[str, Any]:
    """The steps of the pipeline in one process: Kubeflow's starts one for each, and is tested by
    `make run` on another use case."""
    call, settings = project.python.json, project.settings
    small = tuning_results.save(settings, NAME, {"options": OPTIONS})
    split = call("split", NAME)["outputs"][0]
    fits = [
        call("fit", NAME, "--split", split, "--member", member, *options)["outputs"][0]
        for member, options in (("network", ("--tuning", small)), ("regressions", ()))
    ]
    members = [word for fit in fits for word in ("--member", fit)]
    candidate = call("pool", NAME, "--split", split, *members)["outputs"][0]
    of = (NAME, "--candidate", candidate)
    tried = call("backtest", *of)["outputs"][0]
    call("evaluate", *of)
    return dict(call("register", *of, "--backtest", tried))


def forecast(project: Project, day: date) -> dict[str, Any]:
    """What the served use case answers for the entity of its example."""
    spec = yaml.safe_load((project.root / "models" / NAME / "usecase.yaml").read_text())
    question = {spec["entity"]["key"]: [spec["example"]["entity"]], "as_of": day.isoformat()}
    return project.ask(NAME, "forecast", question)


def test_a_written_use_case_trains_serves_and_is_monitored(project: Project) -> None:
    before = {p: p.read_bytes() for p in project.root.rglob("*.py") if "home" not in p.parts}
    call = project.python.json
    files = call("new", "usecase", NAME, "--data", DATASET)["files"]
    assert all(NAME in path for path in files)
    assert all(p.read_bytes() == content for p, content in before.items()), "no other file changed"
    assert call("usecases", "check", NAME)["complete"]
    assert call("features", NAME)["data_as_of"] == "2021-12-31"
    pipeline = (project.root / "pipelines" / f"{NAME}.py").read_text()
    assert f'PIPELINE = TrainingPipeline("{NAME}")' in pipeline
    if train(project)["alias"] != "champion":
        # A baseline may be as good on data that are made up: a person decides.
        call("models", "promote", f"{NAME}@1", "--reason", "a first try")
    assert call("deploy", NAME)["tag"] == f"{NAME}:1"
    (prediction,) = forecast(project, date(2022, 1, 2))["predictions"]
    assert prediction["station"] in ("rio-00", "rio-01") and len(prediction["months"]) == 3
    forecasts = call("predict", NAME)
    text = Path(forecasts["page"]).read_text("utf-8")
    # Stations are no districts of the country: the page has their names, and no map.
    assert "rio-00" in text and "map.png" not in text and forecasts["rows"]["areas"] == 0
    assert call("monitor", NAME)["checks"]["alarm"] == 0
    assert call("impact", NAME)["groups"] and call("report", "build", "--use-case", NAME)
    # The one command of a process of its own: another reads what all of them left.
    words = [sys.executable, "-m", "yupana.cli.main", "trace", prediction["prediction_id"]]
    road = subprocess.run(
        words, cwd=project.root, env=project.environment, capture_output=True, text=True
    )
    assert road.returncode == 0 and "floods.csv" in road.stdout, road.stderr


def test_what_cannot_be_a_use_case_writes_nothing(project: Project) -> None:
    def refused(*words: str) -> str:
        output = project.python.yupana("new", "usecase", *words)
        assert output.code == 2, output.stdout
        return output.stderr

    files = set(project.root.rglob("*.yaml"))
    assert "cannot be the name" in refused("class", "--data", DATASET)
    assert "Nothing of 'dengue_linelist' is published" in refused("x", "--data", "dengue_linelist")
    assert "no kind 'weather'" in refused("x", "--data", DATASET, "--task", "weather")
    assert "--column count=COLUMN" in refused("x", "--data", DATASET, "--count", "no_such")
    assert "not a whole number" in refused("x", "--data", DATASET, "--count", "station")
    assert "is not a day" in refused("x", "--data", DATASET, "--period", "station")
    assert "is a command already" in refused("train", "--data", DATASET)
    assert "is there already" in refused("outbreak", "--data", DATASET)
    assert set(project.root.rglob("*.yaml")) == files
