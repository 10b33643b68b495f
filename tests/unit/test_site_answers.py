"""What the first page answers: no, in part, yes or not known, and why, from planted reports."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from champion import crown

from yupana.config.settings import Settings
from yupana.lineage import events
from yupana.monitoring.site import build, drift
from yupana.monitoring.site.parts import SiteRequest
from yupana.tasks.forecast.impact import pages

DAY = date(2022, 1, 10)


def check(name: str, state: str = "ok", severity: str = "warning") -> dict[str, Any]:
    return {
        "check": name, "column": "", "group": "", "period": "2022-01-01", "value": 0.5,
        "threshold": 0.4, "state": state, "severity": severity, "es": f"Dice {name}.",
        "en": f"Says {name}.", "runbook": "docs/monitoring.md#drift", "kind": "",
    }  # fmt: skip


def watch_report(
    lake: Settings, *checks: dict[str, Any], run_day: str = "2022-01-06"
) -> SiteRequest:
    """A home with one run of the monitor, on the model that answers."""
    crown(lake, "outbreak", 1)
    report = {
        "ref": "report:outbreak/aa11", "id": "aa11", "use_case": "outbreak", "period": "2022-01-01",
        "as_of": "2022-01-05", "made": f"{run_day}T10:00:00+00:00", "owner": "supervisor-1",
        "model": "model:outbreak@1", "inputs": ["model:outbreak@1"], "window_weeks": 8,
        "drift": None, "checks": list(checks), "performance": {"n": 0, "waiting": 12},
        "unfinished": [], "retrain": [], "scores": [["coverage", "90", ""], ["wis", "", ""]],
    }  # fmt: skip
    path = lake.reports / "outbreak" / "watch-2022-01-01.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(report))
    events.append(lake, "monitor", "outbreak", status="done", files=(path,))
    return SiteRequest(lake, "outbreak", DAY)


SCORED = (check("coverage"), check("wis"))


@pytest.mark.parametrize(
    ("checks", "run_day", "state", "says"),
    [
        (SCORED, "2022-01-06", "yes", "ninguna de 2 revisiones dio alarma"),
        ((check("coverage", "alarm"), check("wis")), "2022-01-06", "no", "Dice coverage."),
        ((*SCORED, check("level", "alarm", "critical")), "2022-01-06", "no", "Dice level."),
        ((*SCORED, check("drift", "alarm")), "2022-01-06", "part", "Dice drift."),
        ((*SCORED, check("drift_column", "alarm", "info")), "2022-01-06", "yes", "2022-01-01"),
        ((check("coverage", "unknown"), check("wis")), "2022-01-06", "part", "no se sabe qué tan"),
        (SCORED, "2021-12-20", "part", "tiene 21 días"),
    ],
)
def test_the_model_holds_or_not(
    lake: Settings, tmp_path: Path, checks: Any, run_day: str, state: str, says: str
) -> None:
    request = watch_report(lake, *checks, run_day=run_day)
    page = drift.page(request)
    assert page.answer and page.answer.state == state and says in page.answer.es
    assert page.answer.en and page.answer.en != page.answer.es
    assert build.build(request, tmp_path / "site").answers["deriva"] == state
    assert page.answer.es in (tmp_path / "site" / "index.html").read_text()


def test_another_version_than_the_one_that_answers_is_not_taken_for_it(lake: Settings) -> None:
    request = watch_report(lake, *SCORED)
    crown(lake, "outbreak", 2)
    answer = drift.page(request).answer
    assert answer and answer.state == "part" and "otra versión" in answer.es


def group(of: str, **facts: Any) -> dict[str, Any]:
    usual = {
        "es": f"Distritos {of}", "en": f"{of} districts", "against_others": None,
        "ratio_interval": [0.8, 1.1], "coverage_interval": [0.88, 0.97],
        "missed": {"against_others": None},
    }  # fmt: skip
    return {**usual, **facts}


LANGUAGE = {"es": "Lengua materna", "en": "Mother tongue"}


@pytest.mark.parametrize(
    ("everyone", "facts", "absent", "state", "says"),
    [
        ({}, {}, [], "yes", "De ninguno de 1 grupos"),
        ({}, {}, [LANGUAGE], "part", "Sin medir: lengua materna."),
        ({}, {"against_others": {"says": "worse"}}, [], "part", "Peor para: distritos rural."),
        ({}, {"missed": {"against_others": {"says": "worse"}}}, [], "part", "Peor para"),
        ({}, {"coverage_interval": [0.7, 0.85]}, [], "part", "Peor para"),
        ({}, {"ratio_interval": [1.1, 1.4]}, [], "part", "Peor para"),
        ({"ratio_interval": [1.1, 1.4]}, {}, [], "no", "erró más que el método simple"),
    ],
)
def test_it_holds_for_everyone_or_not(
    everyone: dict[str, Any], facts: dict[str, Any], absent: Any, state: str, says: str
) -> None:
    groups = [group("all", **everyone), group("rural", **facts)]
    answer = pages.answer({"groups": groups, "unmeasured": absent, "baseline": "ar"})
    assert answer.state == state and says in answer.es and answer.en


def test_a_report_that_cannot_be_read_is_told_and_the_others_stay(
    lake: Settings, tmp_path: Path
) -> None:
    request = watch_report(lake, *SCORED)
    (lake.reports / "outbreak" / "impact-ab12.json").write_text('{"groups": [')
    answers = build.build(request, tmp_path / "site").answers
    assert (answers["impacto"], answers["deriva"]) == ("no", "yes")
    page = (tmp_path / "site" / "impacto.html").read_text()
    assert "No se pudo leer" in page and "impact-ab12.json" in page


def test_a_report_that_was_edited_is_not_shown(lake: Settings, tmp_path: Path) -> None:
    request = watch_report(lake, check("coverage", "alarm"), check("wis"))
    report = lake.reports / "outbreak" / "watch-2022-01-01.json"
    report.write_text(report.read_text().replace('"alarm"', '"ok"'))
    assert build.build(request, tmp_path / "site").answers["deriva"] == "no"
    page = (tmp_path / "site" / "deriva.html").read_text()
    assert "is not as the step of event" in page and "ninguna de 2" not in page
