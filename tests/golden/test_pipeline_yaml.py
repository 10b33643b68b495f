"""The pipeline as it is compiled for any use case: the same each time, and references only."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from yupana.core import spec as specs
from yupana.core import usecase
from yupana.training.components import IMAGE

PIPELINES = [usecase.pipeline(n).PIPELINE for n in usecase.names() if usecase.has_pipeline(n)]

ORDER = {
    "forecast": {
        "split": set(),
        "fit-network": {"split"},
        "fit-regressions": {"split"},
        "pool": {"split", "fit-network", "fit-regressions"},
        "backtest": {"pool"},
        "evaluate": {"pool"},
        "register": {"pool", "backtest", "evaluate"},
    },
    "classify": {
        "split": set(), "fit": {"split"}, "evaluate": {"fit"}, "register": {"evaluate", "fit"},
    },
}  # fmt: skip


def compiled(pipeline: object, folder: Path) -> str:
    path = folder / "pipeline.yaml"
    pipeline.compile_to(path)
    return path.read_text()


@pytest.fixture(scope="module", params=PIPELINES, ids=[p.use_case for p in PIPELINES])
def pipeline(request: pytest.FixtureRequest) -> object:
    return request.param


@pytest.fixture(scope="module")
def spec(pipeline: object, tmp_path_factory: pytest.TempPathFactory) -> dict:
    return yaml.safe_load(compiled(pipeline, tmp_path_factory.mktemp("compiled")))


def test_it_is_compiled_to_the_same_file_each_time(pipeline: object, tmp_path: Path) -> None:
    once = compiled(pipeline, tmp_path / "once")
    assert once == compiled(pipeline, tmp_path / "again")


def test_only_text_travels_between_the_steps(spec: dict) -> None:
    for name, component in spec["components"].items():
        for side in ("inputDefinitions", "outputDefinitions"):
            definitions = component.get(side, {})
            assert "artifacts" not in definitions, f"{name} passes data, not a reference"
            for value in definitions.get("parameters", {}).values():
                assert value["parameterType"] == "STRING", name


def test_every_step_is_of_this_use_case(pipeline: object, spec: dict) -> None:
    assert spec["pipelineInfo"]["name"] == pipeline.use_case
    for task in spec["root"]["dag"]["tasks"].values():
        arguments = task["inputs"]["parameters"]["use_case"]
        assert arguments == {"runtimeValue": {"constant": pipeline.use_case}}


def test_the_steps_stand_in_order_and_install_nothing(pipeline: object, spec: dict) -> None:
    tasks = spec["root"]["dag"]["tasks"]
    before = {name: set(task.get("dependentTasks", [])) for name, task in tasks.items()}
    assert before == ORDER[specs.load(pipeline.use_case).task]
    assert set(pipeline.learns) <= set(tasks)
    for name, task in tasks.items():
        assert not task["cachingOptions"].get("enableCache"), f"{name}: the event log is the cache"
    for executor in spec["deploymentSpec"]["executors"].values():
        assert executor["container"]["image"] == IMAGE
        command = " ".join(executor["container"]["command"])
        assert "pip install" not in command
        assert "component(lambda:" in command, "a step is called, not started as another process"
