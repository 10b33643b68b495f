"""One run of the monitor: drift, checks of the week, performance; history, alerts, a page."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from yupana.config.settings import Settings
from yupana.core import usecase
from yupana.core.errors import YupanaError
from yupana.governance import register
from yupana.monitoring import (
    alerts,
    drift,
    history,
    known,
    performance,
    rules,
    slices,
    watch_page,
)
from yupana.monitoring.checks.check import Check
from yupana.monitoring.checks.watch import watch

UNASSIGNED = "por designar / to be named"
_STATES = {"alarm": 0, "unknown": 1, "ok": 2}


@dataclass(frozen=True)
class Run:
    """What a run is asked for.

    Attributes:
        id: the same for the same inputs.
        model: `model:<use case>@<version>`.
        folder: of the model's candidate: `reference.parquet`, `test_scores.parquet`.
        weeks: of answers that are compared.
        day: what was known later is not seen.
        answers: whether answers are compared at all.
        inputs: references of what is read.
        features: version of the feature table for the day; None: the newest.
    """

    id: str
    model: str
    folder: Path
    weeks: int
    day: date
    answers: bool
    inputs: tuple[str, ...]
    features: int | None = None


def run(
    settings: Settings, use_case: str, asked: Run, now: datetime, say: Callable[[str], None]
) -> dict[str, Any]:
    """Check the newest week by `asked.day`, keep what was found, and open or close alerts.

    A week before one that was checked already opens and closes none: what is open is of today.

    Writes `reports/<use case>/watch-<week>.json` and `.html`, and Evidently's page
    `drift-<id>.html` where answers were compared.

    Returns:
        What `yupana monitor` tells: `ref`, `html`, `json`, `week`, counts of checks by state,
        `alerts` (ids by what happened), `retrain` (why training is due), and the facts of
        `drift.compare`.

    Raises:
        TerminalError: there are no features, or the model's test window cannot be used.
    """
    room = usecase.load("feature_repo", f"{use_case}_weekly")
    read = known.read(settings, use_case, room, asked.day, asked.features)
    folder = settings.reports / use_case
    page = folder / f"drift-{asked.id}.html"
    compared = _compared(settings, use_case, asked, room, read.week, page, say)
    checks = drift.checks(compared, read.week, settings.retrain_drift)
    say(f"checking the week that ended on {read.week}")
    weekly = watch(read.features, read.forecasts, read.truth, read.week, use_case=use_case)
    scored, usual = _scored(use_case, asked, read)
    checks += [*weekly, *performance.checks(scored, usual, read.week)]
    checks.sort(key=lambda c: (_STATES[c.state], c.severity == "info"))
    owner = owner_of(settings, use_case)
    kept = {"model": asked.model, "inputs": list(asked.inputs), "window_weeks": asked.weeks}
    newest = history.newest_week(settings.platform_db, use_case)
    history.keep(settings.platform_db, use_case, asked.id, read.week, checks, kept, now)
    changed: dict[str, list[str]] = {}
    if newest is None or newest <= read.week:
        changed = alerts.update(settings, use_case, asked.id, checks, owner, now)
    told: dict[str, Any] = {
        "ref": f"report:{use_case}/{asked.id}",
        "id": asked.id,
        "use_case": use_case,
        "week": str(read.week),
        "as_of": str(asked.day),
        "made": now.isoformat(timespec="seconds"),
        "owner": owner,
        **kept,
        "drift": compared,
        "evidently_html": page.name if compared and compared["enough"] else "",
        "checks": [asdict(c) for c in checks],
        "performance": {**scored, "usual_wis_relative": usual},
        "unfinished": [str(week) for week in read.unfinished],
        "weeks_as_known": read.as_known,
        "alerts": {k: v for k, v in changed.items() if v},
        "open": alerts.open(settings.platform_db, use_case),
        "retrain": rules.retraining(checks),
    }
    trends = trends_of(settings.platform_db, use_case, checks)
    html = folder / f"watch-{read.week}.html"
    watch_page.write(html, told, trends)
    facts = _write(html.with_suffix(".json"), told)
    counted = {s: sum(c.state == s for c in checks) for s in ("ok", "alarm", "unknown")}
    say(f"{counted['alarm']} of {len(checks)} checks alarm; {len(told['open'])} alerts are open")
    return _summary(told, html, facts, counted)


def owner_of(settings: Settings, use_case: str) -> str:
    """Who answers for a use case: the ids of its supervisors in the risk register."""
    try:
        named = register.load(settings.root, use_case).having("supervisor")
    except YupanaError:
        named = []
    return ", ".join(person.id for person in named) or UNASSIGNED


def whole(path: str, run: str) -> bool:
    """Whether the report of a run is still there, and no other run's took its place."""
    facts = Path(path)
    return facts.exists() and json.loads(facts.read_text())["id"] == run


def _compared(
    settings: Settings, use_case: str, asked: Run, room: ModuleType, week: date, page: Path,
    say: Callable[[str], None],
) -> dict[str, Any] | None:  # fmt: skip
    if not asked.answers:
        return None
    columns = list(room.MONITORED)
    wanted = drift.Asked(asked.folder / "reference.parquet", columns, week, asked.weeks, page)
    return drift.compare(settings, use_case, wanted, say)


def _scored(use_case: str, asked: Run, read: known.Known) -> tuple[dict[str, Any], float | None]:
    sizes = slices.sizes_of(read.truth, "cases")
    final = usecase.load("models", use_case).FINAL
    usual = performance.expected(asked.folder, final, read.truth)
    return performance.score(read.forecasts, read.truth, sizes), usual


def trends_of(url: str, use_case: str, checks: list[Check]) -> list[dict[str, Any]]:
    """The history of the checks that the page draws: what alarms, and how the model does."""
    always = {("drift", "", ""), ("coverage", "90", ""), ("wis", "", "")}
    loud = [(c.check, c.column, c.group) for c in rules.alarms(checks)]
    drawn = dict.fromkeys([*loud[: watch_page.MOST_TRENDS], *sorted(always)])
    found = []
    for check, column, group in drawn:
        points = history.trend(url, use_case, check, column, group)
        name = " ".join(part for part in (check, column, group) if part)
        found.append({"name": name, "points": points})
    return found


def _write(path: Path, told: dict[str, Any]) -> Path:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(json.dumps(told, ensure_ascii=False, indent=1, default=str))
    return partial.rename(path)


def _summary(
    told: dict[str, Any], html: Path, facts: Path, counted: dict[str, int]
) -> dict[str, Any]:
    compared = {k: v for k, v in (told["drift"] or {}).items() if k not in ("evidently", "slices")}
    page = told["evidently_html"]
    return {
        "ref": told["ref"],
        "html": str(html),
        "json": str(facts),
        "evidently": str(html.with_name(page)) if page else "",
        "week": told["week"],
        "checks": counted,
        "scored": told["performance"]["n"],
        "alerts": told["alerts"],
        "open": len(told["open"]),
        "retrain": told["retrain"],
        **compared,
    }
