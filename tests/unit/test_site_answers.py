"""What the first page answers: no, in part, yes or not known, and why, from planted reports."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from yupana.config.settings import Settings
from yupana.governance import events
from yupana.monitoring.site import build as site
from yupana.monitoring.site import drift, impact
from yupana.monitoring.site.parts import Asked

DAY = date(2022, 1, 10)


def check(name: str, state: str = "ok", severity: str = "warning") -> dict[str, Any]:
    return {
        "check": name, "column": "", "group": "", "week": "2022-01-01", "value": 0.5,
        "threshold": 0.4, "state": state, "severity": severity, "es": f"Dice {name}.",
        "en": f"Says {name}.", "runbook": "docs/monitoring.md#drift", "kind": "",
    }  # fmt: skip


def watched(lake: Settings, *checks: dict[str, Any], made: str = "2022-01-06") -> Asked:
    """A home with one run of the monitor, on the model that answers."""
    events.append(
        lake, "register", "outbreak", status="done", outputs=("model:outbreak@1",),
        facts={"alias": "champion"},
    )  # fmt: skip
    told = {
        "ref": "report:outbreak/aa11", "id": "aa11", "use_case": "outbreak", "week": "2022-01-01",
        "as_of": "2022-01-05", "made": f"{made}T10:00:00+00:00", "owner": "supervisor-1",
        "model": "model:outbreak@1", "inputs": ["model:outbreak@1"], "window_weeks": 8,
        "drift": None, "checks": list(checks), "performance": {"n": 0, "waiting": 12},
        "unfinished": [], "retrain": [],
    }  # fmt: skip
    path = lake.reports / "outbreak" / "watch-2022-01-01.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(told))
    return Asked(lake, "outbreak", DAY)


SCORED = (check("coverage"), check("wis"))


@pytest.mark.parametrize(
    ("checks", "made", "state", "says"),
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
    lake: Settings, tmp_path: Path, checks: Any, made: str, state: str, says: str
) -> None:
    asked = watched(lake, *checks, made=made)
    page = drift.page(asked)
    assert page.answer and page.answer.state == state and says in page.answer.es
    assert page.answer.en and page.answer.en != page.answer.es
    assert site.build(asked, tmp_path / "site")["answers"]["deriva"] == state
    assert page.answer.es in (tmp_path / "site" / "index.html").read_text()


def test_another_version_than_the_one_that_answers_is_not_taken_for_it(lake: Settings) -> None:
    asked = watched(lake, *SCORED)
    events.append(
        lake, "promote", "outbreak", status="done", outputs=("model:outbreak@2",),
        facts={"alias": "champion"},
    )  # fmt: skip
    answer = drift.page(asked).answer
    assert answer and answer.state == "part" and "otra versión" in answer.es


def group(of: str, **told: Any) -> dict[str, Any]:
    usual = {
        "es": f"Distritos {of}", "en": f"{of} districts", "against_others": None,
        "ratio_interval": [0.8, 1.1], "coverage_interval": [0.88, 0.97],
        "missed": {"against_others": None},
    }  # fmt: skip
    return {**usual, **told}


LANGUAGE = {"es": "Lengua materna", "en": "Mother tongue"}


@pytest.mark.parametrize(
    ("everyone", "told", "absent", "state", "says"),
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
    everyone: dict[str, Any], told: dict[str, Any], absent: Any, state: str, says: str
) -> None:
    groups = [group("all", **everyone), group("rural", **told)]
    answer = impact._answer({"groups": groups, "unmeasured": absent, "baseline": "ar"})
    assert answer.state == state and says in answer.es and answer.en


def test_a_report_that_cannot_be_read_is_told_and_the_others_stay(
    lake: Settings, tmp_path: Path
) -> None:
    asked = watched(lake, *SCORED)
    (lake.reports / "outbreak" / "impact-ab12.json").write_text('{"groups": [')
    told = site.build(asked, tmp_path / "site")
    assert (told["answers"]["impacto"], told["answers"]["deriva"]) == ("no", "yes")
    page = (tmp_path / "site" / "impacto.html").read_text()
    assert "No se pudo leer" in page and "impact-ab12.json" in page
