"""The auditor's pages: of an empty home, a trained one, a changed ledger, and in a browser."""

from __future__ import annotations

import shutil
import sqlite3
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pages
import pytest
import small_lake
from candidates import candidate, empty_home
from champion import crown
from conftest import Thread
from typer.testing import CliRunner

from yupana.cli.main import app
from yupana.config.settings import ROOT, Settings
from yupana.core.errors import UsageError
from yupana.core.hashing import file_sha256
from yupana.ledger import entries, writer
from yupana.lineage import events
from yupana.monitoring import profile
from yupana.monitoring.site import build
from yupana.monitoring.site.parts import SiteRequest
from yupana.tasks.forecast.impact import report
from yupana.tracking import versions
from yupana.validation import quality

DAY = date(2026, 12, 1)
PAGES = ["index", "modelo", "compuertas", "deriva", "impacto", "traza", "registro", "acerca"]


@pytest.fixture
def lake(lake: Settings) -> Settings:
    """An empty home."""
    lake.home.mkdir()
    return lake


def built(settings: Settings, out: Path, day: date = DAY) -> dict[str, Any]:
    return build.build(SiteRequest(settings, "outbreak", day), out).to_json()


def text(folder: Path, name: str) -> str:
    return (folder / f"{name}.html").read_text(encoding="utf-8")


def hashes(folder: Path) -> dict[str, str]:
    return {p.name: file_sha256(p) for p in folder.iterdir()}


def test_an_empty_home_names_every_command_and_breaks_nothing(lake: Settings, tmp_path) -> None:
    site = built(lake, tmp_path / "site")
    assert [Path(p).stem for p in site["pages"]] == PAGES
    assert set(site["answers"].values()) == {"unknown"}
    commands = {"make run", *(f"yupana {c} outbreak" for c in ("monitor", "impact"))}
    assert commands <= set(site["missing"])
    first = text(tmp_path / "site", "index")
    for command in site["missing"]:
        assert command.replace("&&", "&amp;&amp;") in first
    assert not (lake.home / "keys").exists(), "looking makes no key"
    assert pages.broken(tmp_path / "site") == []
    wrong = pages.looked_at(sorted((tmp_path / "site").glob("*.html")))
    assert wrong == {}


def test_every_command_that_is_named_exists(lake: Settings, tmp_path: Path) -> None:
    site = built(lake, tmp_path / "site")
    for command in " && ".join(site["missing"]).split(" && "):
        if command.startswith("yupana "):
            words = [w for w in command.split()[1:] if w.isalpha() and w != "outbreak"]
            result = CliRunner().invoke(app, [*words, "--help"])
            assert result.exit_code == 0, command


def trained(folder: Path) -> Settings:
    """A home in which a model was trained, and nothing else was done."""
    settings = empty_home(folder)
    (settings.home / "candidates").mkdir()
    model = candidate(settings.home / "candidates" / "0123456789abcdef", 0.8)
    shutil.copy(ROOT / "samples" / "PROVENANCE.md", model / "README.md")
    events.append(
        settings, "register", "outbreak", status="done", inputs=(f"candidate:{model.name}",),
        outputs=("model:outbreak@1",),
    )  # fmt: skip
    crown(settings, "outbreak", 1)
    return settings


def test_a_home_with_training_only_says_what_was_not_run(tmp_path: Path) -> None:
    settings = trained(tmp_path)
    site = built(settings, tmp_path / "site")
    assert site["answers"] | {"compuertas": ""} == {
        "deriva": "unknown", "impacto": "unknown", "compuertas": "", "registro": "part"
    }  # fmt: skip
    assert {"yupana monitor outbreak", "yupana impact outbreak"} <= set(site["missing"])
    assert "Where the samples come from" in text(tmp_path / "site", "modelo")
    assert "model:outbreak@1" in text(tmp_path / "site", "modelo")


def test_the_same_home_on_the_same_day_gives_the_same_bytes(tmp_path: Path) -> None:
    settings = trained(tmp_path)
    for name in ("one", "two"):
        built(settings, tmp_path / name)
    assert hashes(tmp_path / "one") == hashes(tmp_path / "two")


def test_a_site_takes_the_place_of_a_site_and_of_nothing_else(lake: Settings, tmp_path) -> None:
    other = tmp_path / "papers"
    other.mkdir()
    (other / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="no site"):
        built(lake, other)
    assert (other / "thesis.txt").read_text() == "mine"
    built(lake, tmp_path / "site")
    built(lake, tmp_path / "site")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["home", "papers", "site"]


def tamper(settings: Settings, statement: str) -> None:
    with sqlite3.connect(settings.home / "platform.db") as database:
        for what in ("update", "delete"):
            database.execute(f"DROP TRIGGER ledger_no_{what}")
        database.execute(statement)


@pytest.mark.parametrize(
    ("statement", "event", "says"),
    [
        ("UPDATE ledger SET line = replace(line, 'done', 'fine') WHERE seq = 2", 2, "cambiado"),
        ("DELETE FROM ledger WHERE seq = 2", 2, "borrado"),
        ("DELETE FROM ledger WHERE seq > 2", 3, "truncado"),
        ("UPDATE ledger SET line = 'x' WHERE seq = 3", 3, "cambiado"),
    ],
)
def test_a_changed_ledger_is_told_with_its_event(
    tmp_path: Path, statement: str, event: int, says: str
) -> None:
    settings = trained(tmp_path)
    for name in ("a", "b", "c"):
        writer.append(settings, [entries.Entry("key", name, {"status": "done"})])
    assert built(settings, tmp_path / "site")["answers"]["registro"] == "part"
    assert "Sin testigo en otro lugar" in text(tmp_path / "site", "index"), "never plainly whole"
    assert "quota_spent" in text(tmp_path / "site", "registro"), "what is not looked at"
    tamper(settings, statement)
    assert built(settings, tmp_path / "site")["answers"]["registro"] == "no"
    page = text(tmp_path / "site", "registro")
    assert f"{says} en el evento {event}" in page
    assert f"{says} en el evento {event}" in text(tmp_path / "site", "index")


def test_a_file_that_was_changed_is_told_by_its_name(tmp_path: Path) -> None:
    settings = trained(tmp_path)
    page = settings.reports / "quality.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text("3 casos")
    events.append(settings, "quality", "cases", status="done", files=[page])
    assert built(settings, tmp_path / "site")["answers"]["registro"] == "part"
    page.write_text("300 casos")
    assert built(settings, tmp_path / "site")["answers"]["registro"] == "no"
    assert "file:reports/quality.html" in text(tmp_path / "site", "registro")
    assert "file:reports/quality.html" in text(tmp_path / "site", "index")


def test_daily_roots_and_a_witness_elsewhere_are_shown(tmp_path: Path) -> None:
    settings = trained(tmp_path).model_copy(update={"ledger_witness": tmp_path / "mount"})
    yesterday = datetime.now(UTC) + timedelta(days=1)
    writer.append(settings, [entries.Entry("key", "later")], now=yesterday)
    built(settings, tmp_path / "site")
    page = text(tmp_path / "site", "registro")
    assert "1 días con raíz firmada" in text(tmp_path / "site", "index")
    assert str(datetime.now(UTC).date()) in page and "en otro lugar" in page
    assert "El único testigo está en esta misma máquina" not in page
    assert "los últimos 0 eventos" in page, "how long the unwitnessed tail is"
    assert "Sin testigo en otro lugar que" not in text(tmp_path / "site", "index")
    assert built(settings, tmp_path / "site")["answers"]["registro"] == "yes"
    (tmp_path / "mount" / "witness.jsonl").write_text("")
    (settings.home / "keys" / "ledger.pub").unlink()
    assert built(settings, tmp_path / "site")["answers"]["registro"] == "no"


@pytest.fixture(scope="module")
def whole(thread: Thread, tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Path]:
    """A copy of the finished thread, its impact measured, and its site."""
    home = tmp_path_factory.mktemp("audited") / "home"
    shutil.copytree(thread.settings.home, home, ignore=shutil.ignore_patterns("airflow", "spark"))
    settings = Settings(home=home)
    version = versions.find(settings, "outbreak@champion")
    # Other tests forecast past weeks in the shared home; here the test weeks alone count.
    recorded = settings.table("forecasts", "outbreak")
    aside = recorded.rename(home / "recorded")
    impact = report.make(settings, version, date(2022, 1, 5))
    files = report.write(settings, impact)
    events.append(
        settings, "impact", "outbreak", status="done", files=files.values(),
        outputs=(f"report:outbreak/impact-{impact['id']}",),
    )  # fmt: skip
    aside.rename(recorded)
    # Beside the pages that the thread left: those are vouched for by its own step.
    built(settings, home.parent / "site")
    return settings, home.parent / "site"


@pytest.mark.thread
def test_the_finished_thread_answers_the_four_questions(whole: tuple[Settings, Path]) -> None:
    settings, folder = whole
    site = built(settings, folder)
    assert site["missing"] == []
    assert site["answers"]["registro"] == "part", "no witness elsewhere"
    assert site["answers"]["compuertas"] in ("part", "no"), "the shipped register is a trial"
    assert site["answers"]["impacto"] == "part", "nobody's language is measured"
    assert site["answers"]["deriva"] in ("yes", "part")
    first = text(folder, "index")
    for question in ("¿Sigue funcionando el modelo?", "Does it hold for everyone?",
                     "¿Puede usarse?", "Is the record whole?"):  # fmt: skip
        assert question in first
    assert "fila por fila" in text(folder, "deriva") or "por muestra" in text(folder, "deriva")
    sample = file_sha256(ROOT / "samples" / "dengue_loreto_2010_2021.csv.gz")
    assert sample in text(folder, "traza") and "<svg" in text(folder, "traza")


@pytest.mark.thread
def test_impact_of_the_thread_is_that_of_its_evaluation(whole: tuple[Settings, Path]) -> None:
    import json

    settings, _ = whole
    paths = (settings.reports / "outbreak").glob("impact-*.json")
    path = max(paths, key=lambda p: p.stat().st_mtime)
    report = json.loads(path.read_text())
    every = report["groups"][0]
    scores = events.last_done(settings.events, "evaluate", "outbreak")["facts"]["scores"]
    assert report["same_forecasts"] and report["sources"] == {"test": every["n"]}
    assert every["wis"] == pytest.approx(scores["pool"]["wis"], abs=1e-3)
    assert every["coverage_90"] == pytest.approx(scores["pool"]["coverage_90"], abs=1e-3)
    ratio = scores["pool"]["wis"] / scores[report["baseline"]]["wis"]
    assert every["ratio"] == pytest.approx(ratio, abs=1e-3)
    assert {"language", "age"} <= {u["by"] for u in report["unmeasured"]}
    assert any(g["suppressed"] for g in report["groups"])
    page = path.with_suffix(".html").read_text()
    assert page.count("oculto") == sum(
        2 * ("alerts" in g["hidden"]) + 2 * ("coverage_90" in g["hidden"]) for g in report["groups"]
    )


@pytest.mark.thread
def test_every_page_holds_in_a_browser(whole: tuple[Settings, Path], tmp_path: Path) -> None:
    settings, folder = whole
    reports = settings.reports / "outbreak"
    other = [next(reports.glob(f"{name}-*.html")) for name in ("watch", "impact")]
    other.append(settings.reports / "forecast-outbreak.html")
    assert pages.broken(folder) == []
    assert pages.looked_at([*sorted(folder.glob("*.html")), *other]) == {}


def test_the_pages_of_a_table_hold_in_a_browser(tmp_path: Path) -> None:
    settings = small_lake.make(tmp_path)
    small_lake.publish(settings, small_lake.frame(), known_on="2024-03-20")
    measured = quality.measure(settings, small_lake.NAME, date(2024, 4, 10))
    paths = [Path(quality.write(settings, measured)["html"])]
    paths.append(profile.write(settings, profile.profile(settings, small_lake.NAME)).html)
    assert pages.looked_at(paths) == {}
