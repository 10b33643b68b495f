"""`yupana models …` on a real registry: what it answers, refuses and leaves in the log."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from candidates import NAME, candidate, empty_home, tags
from typer.testing import CliRunner, Result

from yupana.cli.registry import models
from yupana.config import settings
from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, TransientError, UsageError
from yupana.lineage import events
from yupana.tasks.forecast.model.model import FINAL
from yupana.tracking import aliases, past_models, registry, versions

APP = typer.Typer()
models.register(APP)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Three versions: 1 was champion, 2 is worse, 3 is champion."""
    folder = empty_home(tmp_path)
    for name, wis in (("1", 1.5), ("2", 1.8), ("3", 1.2)):
        registry.register(folder, NAME, candidate(tmp_path / name, wis), tags(name))
    monkeypatch.setenv("YUPANA_HOME", str(folder.home))
    settings.settings.cache_clear()
    yield folder
    settings.settings.cache_clear()


def call(*words: str, answer: str = "") -> Result:
    return CliRunner().invoke(APP, list(words), input=answer)


def told(*words: str) -> Any:
    result = call(*words, "--json")
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout.splitlines()[-1])


def test_list_says_alias_score_and_data(home: Settings) -> None:
    rows = told("models", "list", NAME)
    assert [(r["version"], r["aliases"], r["value"]) for r in rows] == [
        ("model:outbreak@1", [], 1.5),
        ("model:outbreak@2", ["challenger"], 1.8),
        ("model:outbreak@3", ["champion"], 1.2),
    ]
    assert rows[0]["against"]["last_value"] == 0.75
    assert rows[0]["data"]["sources"] == "delta:published/dengue_linelist@3"
    page = call("models", "list").stdout
    assert "champion" in page
    assert "0.600 last_value" in page
    with pytest.raises(UsageError, match="No model 'other'"):
        raise call("models", "list", "other").exception  # type: ignore[misc]


def test_show_tells_one_version_by_number_or_alias(home: Settings) -> None:
    one = told("models", "show", f"{NAME}@champion")
    assert one["version"] == "model:outbreak@3"
    assert one["params"]["seed"] == "1"
    assert one["metrics"][f"{FINAL}.wis"] == 1.2
    assert one["facts"]["hardware.cores"]
    assert "hardware.cpu" in call("models", "show", f"{NAME}@1").stdout
    for wrong in (NAME, f"{NAME}@9", "@1", f"{NAME}@"):
        assert isinstance(call("models", "show", wrong).exception, UsageError)


def test_compare_shows_what_differs_and_only_that(home: Settings) -> None:
    both = told("models", "compare", f"{NAME}@1", f"{NAME}@3")
    assert (both["metric"], both["values"]) == ("WIS", [1.5, 1.2])
    against = {"ar": [0.6, 0.48], "last_value": [0.75, 0.6], "seasonal": [0.5, 0.4]}
    assert {k: pytest.approx(v) for k, v in against.items()} == both["against"]
    assert both["params"] == {}
    assert list(both["metrics"]) == [f"{FINAL}.wis"]
    assert both["facts"]["candidate"] == ["candidate:1", "candidate:3"]
    assert "hardware.cpu" not in both["facts"]
    assert both["same_rows"]
    assert "0.6000" in call("models", "compare", f"{NAME}@1", f"{NAME}@3").stdout
    assert isinstance(call("models", "compare", f"{NAME}@1").exception, UsageError)


def test_a_worse_version_is_promoted_only_with_a_persons_reason(home: Settings) -> None:
    refused = call("models", "promote", f"{NAME}@2").exception
    assert isinstance(refused, TerminalError)
    assert "--reason" in refused.fix
    assert registry.champion(home, NAME)[0] == 3
    report = told("models", "promote", f"{NAME}@2", "--reason", "3 misses the rainy season")
    assert (report["version"], report["alias"], report["before"]) == (2, "champion", 3)
    assert registry.champion(home, NAME)[0] == 2
    aliases = {v.number: v.aliases for v in versions.listing(home, NAME)}
    assert aliases == {1: (), 2: ("champion",), 3: ("challenger",)}
    event = events.last_done(home.events, "promote", NAME)
    assert event
    assert event["outputs"] == ["model:outbreak@2"]
    assert event["inputs"] == ["candidate:2", "evaluation:2"]
    assert "3 misses the rainy season" in event["facts"]["reason"]
    # Back again: 3 is better than the champion, so no reason is asked for.
    assert told("models", "promote", f"{NAME}@3")["alias"] == "champion"
    assert registry.champion(home, NAME)[0] == 3


def test_the_champion_is_read_without_mlflow_as_mlflow_says_it(home: Settings) -> None:
    assert aliases.champion(home, NAME) == "model:outbreak@3"
    told("models", "promote", f"{NAME}@1", "--reason", "why not")
    assert aliases.champion(home, NAME) == "model:outbreak@1"
    assert registry.versions_by_alias(home, NAME) == aliases.of(home, NAME)
    registry.client(home).delete_registered_model_alias(NAME, "champion")
    for absent in (NAME, "other"):
        with pytest.raises(TerminalError, match=f"'{absent}' has no champion"):
            aliases.champion(home, absent)
    code = (
        "import sys; from yupana.config.settings import Settings; from yupana.tracking import "
        f"aliases; aliases.of(Settings(home={str(home.home)!r}), 'other'); "
        "assert not {'mlflow', 'sqlalchemy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_empty_home_has_no_champion_and_gets_no_registry(tmp_path: Path) -> None:
    with pytest.raises(TerminalError, match="no champion"):
        aliases.champion(Settings(home=tmp_path), NAME)
    assert list(tmp_path.iterdir()) == []
    broken = tmp_path / "mlflow" / "mlflow.db"
    broken.parent.mkdir()
    broken.write_text("this is no database, " * 100)
    with pytest.raises(TransientError, match="does not answer"):
        aliases.champion(Settings(home=tmp_path), NAME)


def test_a_promotion_is_by_the_account_and_not_by_the_environment(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "carla")
    report = told("models", "promote", f"{NAME}@1", "--reason", "why not")
    mine = pwd.getpwuid(os.getuid()).pw_name
    assert report["reason"] == f"promoted by {mine}: why not"
    assert versions.find(home, f"{NAME}@1").tags["promoted_by"] == mine


def test_a_version_whose_files_changed_is_not_promoted(home: Settings) -> None:
    weights = versions.find(home, f"{NAME}@1").folder / "weights.safetensors"
    weights.write_bytes(b"others")
    refused = call("models", "promote", f"{NAME}@1", "--reason", "x").exception
    assert isinstance(refused, TerminalError)
    assert "weights.safetensors" in refused.where
    assert registry.champion(home, NAME)[0] == 3
    assert [e["status"] for e in events.read(home.events)] == ["failed"]


def test_delete_asks_refuses_the_champion_and_is_undone(home: Settings) -> None:
    assert call("models", "delete", f"{NAME}@2", answer="n\n").exit_code == 1
    assert not versions.find(home, f"{NAME}@2").deleted
    refused = call("models", "delete", f"{NAME}@3", "--yes").exception
    assert isinstance(refused, TerminalError)
    last = date.today() + timedelta(days=home.keep_days)
    assert told("models", "delete", f"{NAME}@2", "--yes")["restore_until"] == str(last)
    version = versions.find(home, f"{NAME}@2")
    assert version.deleted
    assert version.aliases == ()
    assert isinstance(call("models", "promote", f"{NAME}@2", "--reason", "x").exception, UsageError)
    with pytest.raises(UsageError, match="deleted"):
        registry.register(home, NAME, home.home.parent / "2", tags("2"))
    told("models", "restore", f"{NAME}@2")
    assert not versions.find(home, f"{NAME}@2").deleted
    assert isinstance(call("models", "restore", f"{NAME}@2").exception, UsageError)


def test_a_deleted_version_is_removed_when_its_time_is_over(home: Settings) -> None:
    today = date(2022, 1, 1)
    one, two = (versions.find(home, f"{NAME}@{n}") for n in (1, 2))
    versions.delete(home, one, today)
    last = today + timedelta(days=home.keep_days)
    versions.delete(home, two, last)
    assert versions.find(home, f"{NAME}@1").deleted == "2022-01-01"
    assert one.folder.is_dir()
    late = last + timedelta(days=1)
    with pytest.raises(UsageError, match="until 2022-01-08"):
        versions.restore(home, versions.find(home, f"{NAME}@1"), late)
    versions.delete(home, two, late)
    assert [v.number for v in versions.listing(home, NAME)] == [2, 3]
    assert not one.folder.exists()


def test_a_deleted_model_forecasts_no_past_day(home: Settings) -> None:
    day = date(2020, 1, 1)
    assert past_models.by(home, NAME, day)[0] == 3
    for number in (1, 2):
        versions.delete(home, versions.find(home, f"{NAME}@{number}"), day)
    assert past_models.by(home, NAME, day)[0] == 3
    told("models", "promote", f"{NAME}@3")
    registry.client(home).set_model_version_tag(NAME, "3", "deleted_on", "2020-01-01")
    with pytest.raises(UsageError, match="there is none"):
        past_models.by(home, NAME, day)


def test_every_command_shows_an_example() -> None:
    group = typer.main.get_command(APP)
    for name in ("list", "show", "compare", "register", "delete", "restore", "promote"):
        assert f"Example: yupana {'' if name == 'register' else 'models '}{name}" in str(
            group.commands["models"].commands[name].help  # type: ignore[attr-defined]
        )
