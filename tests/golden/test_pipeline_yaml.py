"""The committed pipeline files are what the code compiles to, and carry references only."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pipelines import outbreak

FIX = "pipelines/outbreak.yaml is not what the code compiles to: run `python -m pipelines.outbreak`"


def test_the_compiled_pipeline_is_the_committed_one(tmp_path: Path) -> None:
    outbreak.compile_to(tmp_path / "outbreak.yaml")
    assert (tmp_path / "outbreak.yaml").read_text() == outbreak.COMPILED.read_text(), FIX


@pytest.fixture(scope="module")
def spec() -> dict:
    return yaml.safe_load(outbreak.COMPILED.read_text())


def test_only_text_travels_between_the_steps(spec: dict) -> None:
    for name, component in spec["components"].items():
        for side in ("inputDefinitions", "outputDefinitions"):
            definitions = component.get(side, {})
            assert "artifacts" not in definitions, f"{name} passes data, not a reference"
            for value in definitions.get("parameters", {}).values():
                assert value["parameterType"] == "STRING", name


def test_the_steps_stand_in_order_and_install_nothing(spec: dict) -> None:
    tasks = spec["root"]["dag"]["tasks"]
    before = {name: set(task.get("dependentTasks", [])) for name, task in tasks.items()}
    assert before == {
        "split": set(),
        "fit-network": {"split"},
        "fit-regressions": {"split"},
        "pool": {"split", "fit-network", "fit-regressions"},
        "backtest": {"pool"},
        "evaluate": {"pool"},
        "register": {"pool", "backtest", "evaluate"},
    }
    assert set(outbreak.LEARNS) <= set(tasks)
    for name, task in tasks.items():
        assert not task["cachingOptions"].get("enableCache"), f"{name}: the event log is the cache"
    for executor in spec["deploymentSpec"]["executors"].values():
        assert executor["container"]["image"] == outbreak.IMAGE
        command = " ".join(executor["container"]["command"])
        assert "pip install" not in command
        assert "component(lambda:" in command, "a step is called, not started as another process"
