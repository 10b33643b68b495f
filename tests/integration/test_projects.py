"""Projects in a real platform database: permissions that hold, and deletion that can be undone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from candidates import NAME, TAGS, candidate, empty_home
from typer.testing import CliRunner, Result

from yupana.cli.registry import projects as commands
from yupana.config import settings
from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.lineage import events
from yupana.tracking import projects, registry

APP = typer.Typer()
commands.register(APP)
READS = ("dengue_linelist", "province_population")
TODAY = date(2022, 1, 1)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    folder = empty_home(tmp_path)
    monkeypatch.setenv("YUPANA_HOME", str(folder.home))
    settings.settings.cache_clear()
    yield folder
    settings.settings.cache_clear()


@pytest.fixture
def project(home: Settings) -> Settings:
    projects.create(home, "loreto", title="Dengue", data=[READS[0]], models=[NAME])
    return home


def call(*words: str, answer: str = "") -> Result:
    return CliRunner().invoke(APP, ["projects", *words], input=answer)


def told(*words: str) -> Any:
    result = call(*words, "--json")
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout.splitlines()[-1])


def test_a_project_may_read_its_data_and_no_other(project: Settings) -> None:
    projects.check(project, "", NAME, READS)
    projects.check(project, "loreto", NAME, READS[:1])
    with pytest.raises(UsageError, match="may not read province_population") as caught:
        projects.check(project, "loreto", NAME, READS)
    assert caught.value.fix.endswith("--data dengue_linelist --data province_population")
    projects.change(project, "loreto", data=list(READS))
    projects.check(project, "loreto", NAME, READS)


def test_a_project_holds_its_models_and_its_environment(project: Settings, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no model 'forecasts'"):
        projects.check(project, "loreto", "forecasts", READS[:1])
    with pytest.raises(UsageError, match="no project 'other'"):
        projects.check(project, "other", NAME, READS[:1])
    elsewhere = Settings(home=project.home, root=tmp_path)
    (tmp_path / "uv.lock").write_text("others")
    with pytest.raises(TerminalError, match="environment"):
        projects.check(elsewhere, "loreto", NAME, READS[:1])
    projects.change(elsewhere, "loreto", lock=True)
    projects.check(elsewhere, "loreto", NAME, READS[:1])


@pytest.mark.parametrize("name", ["", "Loreto", "a b", "-x", "x" * 65])
def test_a_name_that_cannot_be_one_is_refused(name: str, home: Settings) -> None:
    with pytest.raises(UsageError, match="cannot be the name"):
        projects.create(home, name, title="", data=[], models=[])


def test_unknown_data_models_and_taken_names_are_refused(project: Settings) -> None:
    with pytest.raises(UsageError):
        projects.create(project, "b", title="", data=["no_such_data"], models=[])
    with pytest.raises(UsageError, match="no use case"):
        projects.create(project, "b", title="", data=[], models=["no_such_model"])
    with pytest.raises(UsageError, match="already"):
        projects.create(project, "loreto", title="", data=[], models=[])
    assert [p["name"] for p in projects.listing(project)] == ["loreto"]


def test_deletion_is_undone_until_its_time_is_over(project: Settings) -> None:
    last = projects.delete(project, "loreto", TODAY)
    assert last == TODAY + timedelta(days=project.keep_days)
    with pytest.raises(UsageError, match="was deleted"):
        projects.check(project, "loreto", NAME, READS[:1])
    with pytest.raises(UsageError, match="until"):
        projects.restore(project, "loreto", last + timedelta(days=1))
    assert projects.restore(project, "loreto", last)["deleted_on"] == ""
    projects.check(project, "loreto", NAME, READS[:1])
    projects.delete(project, "loreto", TODAY)
    projects.create(project, "other", title="", data=[], models=[])
    projects.delete(project, "other", last + timedelta(days=1))
    assert [p["name"] for p in projects.listing(project)] == ["other"]


def test_the_commands_make_show_change_delete_and_restore(home: Settings, tmp_path: Path) -> None:
    registry.register(home, NAME, candidate(tmp_path / "a", 1.0), TAGS)
    project = told("create", "loreto", "--data", READS[0], "--model", NAME)
    assert (project["data"], project["models"]) == ([READS[0]], [NAME])
    page = told("show", "loreto")
    assert page["environment_is_present"]
    assert page["versions"] == [{"version": "model:outbreak@1", "aliases": ["champion"]}]
    assert "model:outbreak@1 champion" in call("show", "loreto").stdout
    told("change", "loreto", "--title", "Dengue en Loreto")
    rows = told("list")
    assert [(r["title"], r["data"]) for r in rows] == [("Dengue en Loreto", [READS[0]])]
    assert "Dengue en" in call("list").stdout
    assert call("delete", "loreto", answer="n\n").exit_code == 1
    assert not projects.find(home, "loreto")["deleted_on"]
    assert call("delete", "loreto", answer="y\n").exit_code == 0
    assert projects.find(home, "loreto")["deleted_on"]
    told("restore", "loreto")
    actions = [e["facts"]["what"] for e in events.read(home.events) if e["step"] == "project"]
    assert actions == ["create", "change", "delete", "restore"]


def test_every_command_shows_an_example() -> None:
    group = typer.main.get_command(APP)
    for name in ("create", "list", "show", "change", "delete", "restore"):
        assert f"Example: yupana projects {name}" in str(
            group.commands["projects"].commands[name].help  # type: ignore[attr-defined]
        )
