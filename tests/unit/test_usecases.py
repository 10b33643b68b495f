"""The spec of a use case is read without its code; what it lacks is said by file and field."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from deltalake import write_deltalake
from typer.testing import CliRunner

from yupana.cli.main import app
from yupana.config.settings import ROOT, Settings
from yupana.core import spec, usecase
from yupana.core.errors import UsageError
from yupana.orchestration import usecase_files


def models_with(models: Path, name: str, change: Callable[[dict[str, Any]], Any]) -> Path:
    """A folder `models/` with the shipped spec under another name, changed."""
    shipped = yaml.safe_load((ROOT / "models/outbreak/usecase.yaml").read_text("utf-8"))
    shipped["name"] = name
    change(shipped)
    (models / name).mkdir(parents=True)
    (models / name / usecase.FILE).write_text(yaml.safe_dump(shipped, allow_unicode=True))
    return models


def test_every_use_case_of_the_project_is_complete(tmp_path: Path) -> None:
    settings = Settings(root=ROOT, home=tmp_path)
    for name in usecase.names():
        assert [f for f in usecase_files.check(settings, name) if not f.ok] == []


def test_a_use_case_of_a_known_kind_is_small() -> None:
    """All that malaria is beside what a person must write: the register and the contracts."""
    rooms = ("models", "feature_repo", "serving", "pipelines")
    paths = [p for room in rooms for p in (ROOT / room).rglob("*") if "malaria" in str(p)]
    files = [p for p in paths if p.suffix in (".py", ".yaml") and p.name != "governance.yaml"]
    assert len(files) > 10 and sum(len(p.read_text("utf-8").splitlines()) for p in files) <= 250


def test_the_section_of_the_kind_is_its_options() -> None:
    shipped = spec.load("outbreak")
    assert shipped.task == "forecast" and shipped.options == {"frequency": "week", "horizons": 8}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda s: s.pop("metric"), "metric"),
        (lambda s: s["metric"].update(better="more"), "metric.better"),
        (lambda s: s.update(colour="red"), "colour"),
        (lambda s: s["actions"].update(forecast=["king"]), "actions.forecast.0"),
        (lambda s: s["data"].pop("trigger"), "data.trigger"),
        (lambda s: s.update(name="other"), "name"),
        (lambda s: s.update(task="clasificacion"), "task"),
        (lambda s: s["entity"].update(key="la serie"), "entity.key"),
        (lambda s: s["model"].update(files=["/etc/passwd"]), "model.files.0"),
        (lambda s: s["model"].update(files=["a/../../b"]), "model.files.0"),
    ],
)
def test_a_fault_is_told_by_file_and_field(tmp_path: Path, change: Any, field: str) -> None:
    models = models_with(tmp_path, "cholera", change)
    with pytest.raises(UsageError) as caught:
        spec.load("cholera", models)
    assert field in caught.value.where and "usecase.yaml" in caught.value.where
    assert caught.value.fix


def test_a_field_that_stands_twice_is_told_by_line(tmp_path: Path) -> None:
    models = models_with(tmp_path, "cholera", lambda _: None)
    with (models / "cholera" / usecase.FILE).open("a") as out:
        out.write("log: best-effort\n")
    with pytest.raises(UsageError, match="'log' stands twice") as caught:
        spec.load("cholera", models)
    assert ", line " in caught.value.where


def test_what_is_no_yaml_is_told_by_line(tmp_path: Path) -> None:
    models = models_with(tmp_path, "cholera", lambda _: None)
    with (models / "cholera" / usecase.FILE).open("a") as out:
        out.write("name: [\n")
    with pytest.raises(UsageError, match="no YAML") as caught:
        spec.load("cholera", models)
    assert ", line " in caught.value.where


@pytest.mark.parametrize("name", ["cholera", "../outbreak", "", "a b"])
def test_a_use_case_that_is_not_there(name: str) -> None:
    with pytest.raises(UsageError, match="There is no use case"):
        spec.load(name)


def test_what_a_use_case_lacks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def change(shipped: dict[str, Any]) -> None:
        shipped["data"]["required"] = ["dengue_linelist", "no_such_data_set"]

    models = models_with(tmp_path / "models", "cholera", change)
    for module in (usecase, spec):
        monkeypatch.setattr(module, "home", lambda: models)
    settings = Settings(root=ROOT, home=tmp_path)
    lacking = {f.where for f in usecase_files.check(settings, "cholera") if not f.ok}
    assert lacking == {
        "expectations/no_such_data_set/contract.yaml",
        "models/cholera/__init__.py",
        "feature_repo/cholera/definitions.py",
        "pipelines/cholera.py",
        "serving/cholera/service.py",
        "serving/cholera/kustomization.yaml",
        "models/cholera/card.yaml",
        "models/cholera/governance.yaml",
    }


@pytest.mark.parametrize(
    ("change", "field", "mend"),
    [
        (lambda s: s["forecast"].update(horizons=0), "forecast.horizons", "from 1 to 26"),
        (lambda s: s["forecast"].update(horizons=2), "forecast.horizons", "4 weeks or more"),
        (lambda s: s["forecast"].update(horizons="many"), "forecast.horizons", "from 1 to 26"),
        (lambda s: s["forecast"].update(frequency="day"), "forecast.frequency", "week or month"),
        (lambda s: s["forecast"].update(colour="red"), "forecast.colour", "frequency: week"),
        (lambda s: s.pop("forecast"), "forecast.horizons", "horizons: 8"),
        (lambda s: s["entity"].update(key="model"), "entity.key", "another name"),
        (lambda s: s["entity"].update(groups=["agency"]), "entity.groups", "[]"),
        (
            lambda s: s["entity"].update(groups=["province", "river", "department"]),
            "entity.groups", "[department, province]",
        ),
        (
            lambda s: s["entity"].update(groups=["province", "department"]),
            "entity.groups", "[department, province]",
        ),
        (lambda s: s["metric"].update(name="rmse"), "metric", "name: wis"),
        (lambda s: s["metric"].update(baselines=["magic"]), "metric.baselines", "seasonal"),
        (lambda s: s["model"].update(final="ar"), "model.final", "of its own"),
    ],
)
def test_the_section_of_the_kind_is_checked_by_field(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Any, field: str, mend: str
) -> None:
    models = models_with(tmp_path / "models", "cholera", change)
    for module in (usecase, spec):
        monkeypatch.setattr(module, "home", lambda: models)
    findings = usecase_files.check(Settings(root=ROOT, home=tmp_path), "cholera")
    (fault,) = [f.fault for f in findings if f.what == "what forecast asks of the spec"]
    assert f"models/cholera/usecase.yaml, {field}" in fault and mend in fault


@pytest.mark.parametrize(
    ("districts", "fault"),
    [(9, ""), (8, "Publish the counts of 17 entities or more in malaria_climate_monthly")],
)
def test_counts_of_too_few_entities_to_train_on_are_told_before_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, districts: int, fault: str
) -> None:
    """Malaria counts two parasites in each district, by month."""
    from yupana.tasks.forecast import usecases

    home = Settings(root=ROOT, home=tmp_path)
    table = home.table("published", "malaria_climate_monthly")
    table.parent.mkdir(parents=True)
    codes = [f"16010{n}-{parasite}" for n in range(districts) for parasite in ("vivax", "other")]
    write_deltalake(str(table), pl.DataFrame({"series": codes, "cases": 1}).to_arrow())
    definition = usecases.load("malaria")
    monkeypatch.setattr(type(definition), "counts", lambda self, rows: rows)
    name = "200 rows in each part to train on: 17 entities by month or more"
    (found,) = [f for f in usecase_files.check(home, "malaria") if f.what == name]
    assert found.where == "models/malaria/usecase.yaml, entity.key" and fault in found.fault
    assert found.ok is not bool(fault)


def test_the_command_lists_shows_and_checks() -> None:
    every = json.loads(CliRunner().invoke(app, ["usecases", "--json"]).stdout)
    assert [one["name"] for one in every] == list(usecase.names())
    one = json.loads(CliRunner().invoke(app, ["usecases", "outbreak", "--json"]).stdout)
    assert one == spec.load("outbreak").model_dump(mode="json")
    checked = CliRunner().invoke(app, ["usecases", "check", "outbreak", "--json"])
    assert checked.exit_code == 0 and json.loads(checked.stdout)["complete"]


def test_reading_a_spec_imports_no_code_of_the_model() -> None:
    code = (
        "import json, sys; from yupana.core import spec; spec.load('outbreak'); "
        "print(json.dumps(sorted(sys.modules)))"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    loaded = json.loads(process.stdout.splitlines()[-1])
    assert not {"models", "pandas", "polars", "feast", "torch"} & set(loaded)
