"""The pipeline's steps from a split to the registry, by their commands, on a small panel."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from candidates import DATA, empty_home
from small_panel import one_network, panel
from typer.testing import CliRunner, Result

from models.outbreak import USE_CASE as outbreak
from yupana.cli.main import app
from yupana.config import settings
from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, TransientError, UsageError
from yupana.core.progress import Silent
from yupana.features import training_sets
from yupana.lineage import events
from yupana.orchestration.due import due
from yupana.tasks.forecast.backtest import split as backtest_split
from yupana.tasks.forecast.model import past_forecasts
from yupana.tasks.forecast.model.model import MEMBERS
from yupana.tracking import registry, runs, tuning_results

NAME = "outbreak"
TABLE = "delta:features/outbreak_weekly@2"
ROWS = panel()


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    with one_network():
        yield


def call(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def told(*words: str) -> dict[str, Any]:
    result = call(*words, "--json")
    assert result.exit_code == 0, (result.output, result.exception)
    return dict(json.loads(result.stdout.splitlines()[-1]))


def use(home: Path, patch: pytest.MonkeyPatch) -> Settings:
    patch.setenv("YUPANA_HOME", str(home))
    settings.settings.cache_clear()
    return settings.settings()


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str, list[str]]]:
    """A home with a split and its two members; its folder, and their references."""
    folder = empty_home(tmp_path_factory.mktemp("steps")).home
    with pytest.MonkeyPatch.context() as patch:
        home = use(folder, patch)
        sources = tuple(DATA["sources"])  # type: ignore[arg-type]
        split = training_sets.save(home, NAME, ROWS, features=TABLE, sources=sources, as_of=None)
        for step, inputs, output in (
            ("features", sources, TABLE), ("split", (TABLE, *sources), split.ref),
        ):  # fmt: skip
            events.append(
                home, step, NAME, status="done", inputs=inputs, outputs=(output,),
                facts={"data_as_of": "2017-03-04", "as_of": ""},
            )  # fmt: skip
        members = [
            told("fit", NAME, "--split", split.ref, "--member", name)["outputs"][0]
            for name in MEMBERS
        ]
    settings.settings.cache_clear()
    yield folder, split.ref, members


@pytest.fixture
def home(
    fitted: tuple[Path, str, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    yield use(shutil.copytree(fitted[0], tmp_path / "home"), monkeypatch)
    settings.settings.cache_clear()


@pytest.fixture
def pooled(home: Settings, fitted: tuple[Path, str, list[str]]) -> str:
    return str(told(*pool_of(fitted))["outputs"][0])


def pool_of(fitted: tuple[Path, str, list[str]]) -> list[str]:
    _, split, members = fitted
    return ["pool", NAME, "--split", split, *(w for m in members for w in ("--member", m))]


def folder_of(home: Settings, reference: str) -> Path:
    return home.home / "candidates" / reference.removeprefix("candidate:")


def test_after_a_failed_pool_the_members_are_not_fitted_again(
    home: Settings, fitted: tuple[Path, str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise TerminalError("The weights cannot be learned.", where="here", fix="Mend it.")

    with monkeypatch.context() as patch:
        patch.setattr(outbreak, "pool", broken)
        result = call(*pool_of(fitted))
    assert isinstance(result.exception, TerminalError)
    last = list(events.read(home.events))[-1]
    assert (last["step"], last["status"]) == ("pool", "failed")
    _, split, members = fitted
    for name, reference in zip(MEMBERS, members, strict=True):
        again = told("fit", NAME, "--split", split, "--member", name)
        assert (again["status"], again["outputs"]) == ("unchanged", [reference])
    assert told(*pool_of(fitted))["status"] == "done"


def test_the_steps_together_are_what_fit_does(home: Settings, pooled: str, tmp_path: Path) -> None:
    outbreak.fit(ROWS, tmp_path / "whole", seed=home.seed, say=Silent().say)
    for name in ("weights.safetensors", "model.json"):
        whole = (tmp_path / "whole" / name).read_bytes()
        assert (folder_of(home, pooled) / name).read_bytes() == whole


def test_the_candidate_says_what_it_was_made_from(home: Settings, pooled: str) -> None:
    folder = folder_of(home, pooled)
    report = json.loads((folder / "run.json").read_text())
    fits = [e for e in events.read(home.events) if e["step"] == "fit"]
    assert report["data"]["ref"].startswith("split:") and report["hardware"]["vectors"]
    assert report["seconds"] > sum(e["seconds"] for e in fits)
    params = json.loads((folder / "fit.json").read_text())["params"]
    assert params["knows_through"] and set(outbreak.tunable) <= set(params)


def test_another_member_or_tuning_is_another_fit(
    home: Settings, fitted: tuple[Path, str, list[str]]
) -> None:
    _, split, members = fitted
    reference = tuning_results.save(home, NAME, {"options": dict(outbreak.tunable)})
    report = told("fit", NAME, "--split", split, "--member", "regressions", "--tuning", reference)
    assert report["status"] == "done" and report["outputs"][0] not in members
    assert reference in report["inputs"]
    unknown = call("fit", NAME, "--split", split, "--member", "network", "--tuning", "tuning:0")
    assert isinstance(unknown.exception, UsageError)


def test_wrong_members_are_refused(home: Settings, fitted: tuple[Path, str, list[str]]) -> None:
    _, split, members = fitted
    alone = call("pool", NAME, "--split", split, "--member", members[0])
    assert isinstance(alone.exception, UsageError)
    other = call("pool", NAME, "--split", "split:other", "--member", members[0])
    assert isinstance(other.exception, UsageError) and split in other.exception.what
    none = call("fit", NAME, "--split", split, "--member", "oracle")
    assert isinstance(none.exception, UsageError)


def test_backtest_and_groups_reach_registry_and_card(home: Settings, pooled: str) -> None:
    tried = told("backtest", NAME, "--candidate", pooled)
    told("evaluate", NAME, "--candidate", pooled)
    registration = told("register", NAME, "--candidate", pooled, "--backtest", tried["outputs"][0])
    assert set(tried["scores"]) == {"pool", "last_value", "seasonal", "ar"}
    mlflow = registry.client(home)
    version = mlflow.get_model_version(NAME, "1")
    metrics = mlflow.get_run(version.run_id).data.metrics
    assert metrics["backtest.pool.wis"] == tried["scores"]["pool"]["wis"]
    for group in ("horizon.1.pool", "province.1601.ar", "size.small.pool"):
        assert f"group.{group}.wis" in metrics
    standing = runs.standing_of(mlflow, version, outbreak.spec.metric)
    assert standing and standing.backtest
    assert standing.backtest.value == tried["scores"]["pool"]["wis"]
    assert standing.backtest.split == tried["key"]
    card = (runs.folder(version) / "README.md").read_text()
    for words in ("Otra temporada", "Distritos por casos", "(calibration.png)"):
        assert words in card
    assert (runs.folder(version) / "calibration.png").read_bytes()[:4] == b"\x89PNG"
    event = events.producer(home.events, registration["outputs"][0])
    assert tried["outputs"][0] in event["inputs"]


def test_the_groups_together_are_the_whole(home: Settings, pooled: str) -> None:
    whole = told("evaluate", NAME, "--candidate", pooled)["scores"]
    groups = json.loads((folder_of(home, pooled) / "evaluation.json").read_text())["groups"]
    for group in ("horizon", "province", "size"):
        mine = [g for g in groups if g["group"] == group]
        counts = sum(g["n"] for g in mine)
        assert counts == whole["pool"]["counts"]
        for model in whole:
            mean = sum(g["n"] * g["scores"][model]["wis"] for g in mine) / counts
            assert mean == pytest.approx(whole[model]["wis"])
    # 60, 12, 3 and 0.3 cases a week: the last is the smallest third's.
    sizes = {g["of"]: g["scores"]["pool"]["wis"] for g in groups if g["group"] == "size"}
    assert sizes["small"] < sizes["medium"] < sizes["large"]


def test_a_backtest_of_another_candidate_is_refused(home: Settings, pooled: str) -> None:
    told("evaluate", NAME, "--candidate", pooled)
    events.append(
        home, "backtest", NAME, status="done", inputs=("candidate:other",),
        outputs=("backtest:1",),
    )  # fmt: skip
    result = call("register", NAME, "--candidate", pooled, "--backtest", "backtest:1")
    assert isinstance(result.exception, UsageError) and "candidate:other" in result.exception.what


def test_a_past_day_is_due_until_a_model_knows_no_more(home: Settings, pooled: str) -> None:
    assert due(home, NAME, date(2016, 1, 2)).due
    told("evaluate", NAME, "--candidate", pooled)
    told("register", NAME, "--candidate", pooled)
    params = json.loads((folder_of(home, pooled) / "fit.json").read_text())["params"]
    knows = date.fromisoformat(params["knows_through"])
    refused = due(home, NAME, knows)
    assert refused.due, "what was refused forecasts no day"
    events.append(home, "promote", NAME, status="done", outputs=("model:outbreak@1",))
    assert not due(home, NAME, knows).due
    report = told("due", NAME, "--as-of", str(knows - timedelta(days=1)))
    assert report["due"] and str(knows) in report["reason"]


def test_a_registry_that_is_down_registers_nothing_and_keeps_what_was_done(
    home: Settings, pooled: str
) -> None:
    told("evaluate", NAME, "--candidate", pooled)
    database = home.home / "mlflow" / "mlflow.db"
    good = database.read_bytes()
    database.write_bytes(b"not a database")
    failed = call("register", NAME, "--candidate", pooled)
    assert isinstance(failed.exception, TransientError)
    assert "champion is the one before" in failed.exception.fix
    assert not [e for e in events.read(home.events) if e["step"] == "register" and e["outputs"]]
    database.write_bytes(good)
    assert told("register", NAME, "--candidate", pooled)["outputs"] == ["model:outbreak@1"]


def test_what_is_told_of_a_past_year_was_learned_before_it(
    fitted: tuple[Path, str, list[str]],
) -> None:
    """Other counts in that year change no forecast of it."""
    folder, _, members = fitted
    reports = {
        name: folder / "members" / reference.removeprefix("member:")
        for name, reference in zip(MEMBERS, members, strict=True)
    }
    one = past_forecasts.of_members(panel(), reports, seed=1)
    assert one
    start = one.rows["event_timestamp"].min()
    other = past_forecasts.of_members(with_counts_after(start), reports, seed=1)
    assert other and (other.observed == 999.0).any()
    for model, quantiles in one.quantiles.items():
        assert (quantiles == other.quantiles[model]).all(), model


def with_counts_after(time: pd.Timestamp) -> pd.DataFrame:
    """The panel with 999 cases in every week after a time."""
    rows = panel()
    for horizon in outbreak.horizons:
        later = rows["event_timestamp"] + pd.Timedelta(weeks=horizon) > time
        known = rows[f"target_{horizon}"].notna()
        rows.loc[later & known, f"target_{horizon}"] = 999.0
    return rows


def test_a_fit_for_an_origin_learns_nothing_later() -> None:
    rows = panel()
    time = sorted(rows["event_timestamp"].unique())[150]
    one, other = (
        backtest_split.known_on(frame, time.date(), outbreak.horizons)
        for frame in (rows, with_counts_after(time))
    )
    assert one.equals(other) and one["event_timestamp"].max() == time
    assert one["target_8"].isna().sum() == 8 * rows["entity"].nunique()
    parts = one["part"].value_counts() / rows["entity"].nunique()
    assert (parts["validation"], parts["gap"]) == (52, 16)
