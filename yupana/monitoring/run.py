"""One run of the monitor: drift, checks of the period, performance; history, alerts, a page."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any

from yupana.config.settings import Settings
from yupana.core import spec, whole_file
from yupana.core.errors import YupanaError
from yupana.gate import register
from yupana.monitoring import alerts, drift, history, watch_page
from yupana.monitoring.alerts import Alert
from yupana.monitoring.check import Check, alarms, retraining
from yupana.monitoring.drift import AnswerDrift
from yupana.monitoring.kind import Observation, Observe, Run
from yupana.monitoring.watch_page import Trend


@dataclass(frozen=True)
class WatchReport:
    """All that a run says of a period: its fields in the order of the report's JSON.

    Attributes:
        id: of the run.
        period: the day that ends it; with `as_of`, `made` and `unfinished`, ISO 8601.
        inputs: references that it rests on.
        drift: `AnswerDrift.document`; None where nothing was compared.
        evidently_html: name of its page beside the report; empty where there is none.
        performance: as the kind measured it (`Observation.performance`); `n` answers were scored.
        periods_as_known: `Observation.vintage_periods`.
        scores: check, column and group of the model's scores.
        alerts: ids by what happened to them.
        retrain: why training is due, a sentence each.
    """

    ref: str
    id: str
    use_case: str
    period: str
    as_of: str
    made: str
    owner: str
    model: str
    inputs: list[str]
    window_weeks: int
    drift: dict[str, Any] | None
    evidently_html: str
    checks: list[Check]
    performance: dict[str, Any]
    unfinished: list[str]
    periods_as_known: int
    scores: list[list[str]]
    alerts: dict[str, list[str]]
    open: list[Alert]
    retrain: list[str]


@dataclass(frozen=True)
class RunSummary:
    """What a run left.

    Attributes:
        ref: `report:<use case>/<id>`.
        html, json: the page and the whole report; evidently: its page, empty where nothing was
            compared.
        period: the day that ends the period that was checked, ISO.
        checks: how many, by state.
        scored: answers whose outcome is known.
        alerts: ids by what happened to them.
        open: how many alerts are open.
        retrain: why training is due, a sentence each.
        drift: what was answered beside the test window; None where nothing was compared.
    """

    ref: str
    html: str
    json: str
    evidently: str
    period: str
    checks: dict[str, int]
    scored: int
    alerts: dict[str, list[str]]
    open: int
    retrain: list[str]
    drift: AnswerDrift | None

    def metrics(self) -> dict[str, Any]:
        """What the step `monitor` tells of it."""
        names = [f.name for f in fields(self) if f.name not in ("ref", "drift")]
        own = {name: getattr(self, name) for name in names}
        return own | (self.drift.facts() if self.drift else {})


UNASSIGNED = "por designar / to be named"
_STATES = {"alarm": 0, "unknown": 1, "ok": 2}


def run(
    settings: Settings, use_case: str, request: Run, observe: Observe, now: datetime,
    say: Callable[[str], None],
) -> RunSummary:  # fmt: skip
    """Check the newest period by `request.day`, keep the checks, and open or close alerts.

    A period before one that was checked already opens and closes none: what is open is of today.

    Writes `reports/<use case>/watch-<period>.json` and `.html`, and Evidently's page
    `drift-<id>.html` where answers were compared.

    Raises:
        TerminalError: there are no features, or the model's test window cannot be used.
    """
    say("checking the newest period")
    observation = observe(request)
    folder = settings.reports / use_case
    page = folder / f"drift-{request.id}.html"
    answer_drift = _drift(settings, use_case, request, observation, page, say)
    checks = [
        *_roles(request, observation.period),
        *drift.checks(answer_drift, observation.period, settings.retrain_drift),
        *observation.checks,
    ]
    checks.sort(key=lambda c: (_STATES[c.state], c.severity == "info"))
    owner, url = owner_of(settings, use_case), settings.platform_db
    facts = {"model": request.model, "inputs": list(request.inputs), "window_weeks": request.window}
    newest = history.newest_period(url, use_case)
    history.keep(url, use_case, request.id, observation.period, checks, facts, now)
    events: dict[str, list[str]] = {}
    if newest is None or newest <= observation.period:
        events = alerts.update(settings, use_case, request.id, checks, owner, now)
    report = WatchReport(
        ref=f"report:{use_case}/{request.id}",
        id=request.id,
        use_case=use_case,
        period=str(observation.period),
        as_of=str(request.day),
        made=now.isoformat(timespec="seconds"),
        owner=owner,
        model=request.model,
        inputs=list(request.inputs),
        window_weeks=request.window,
        drift=answer_drift.document() if answer_drift else None,
        evidently_html=page.name if answer_drift and answer_drift.whole else "",
        checks=checks,
        performance=observation.performance,
        unfinished=[str(period) for period in observation.unfinished],
        periods_as_known=observation.vintage_periods,
        scores=[list(score) for score in observation.scores],
        alerts={k: v for k, v in events.items() if v},
        open=alerts.open(url, use_case),
        retrain=retraining(checks),
    )
    document = asdict(report)
    trends = trends_of(url, use_case, checks, observation.scores)
    html = folder / f"watch-{observation.period}.html"
    watch_page.write(html, document, trends)
    path = whole_file.write_json(html.with_suffix(".json"), document)
    counts = {s: sum(c.state == s for c in checks) for s in ("ok", "alarm", "unknown")}
    say(f"{counts['alarm']} of {len(checks)} checks alarm; {len(report.open)} alerts are open")
    return _summary(report, answer_drift, html, path, counts)


def _roles(request: Run, period: date) -> list[Check]:
    """That another model was approved than the one that is judged, where it is so."""
    es, en = request.difference
    if not en:
        return []
    return [
        Check(
            "model", "", "", period, None, None, "alarm", "info",
            f"Se revisó el modelo que responde; {es}.",
            f"The model that answers was checked; {en}.", "docs/runbooks.md#model", "model",
        )
    ]  # fmt: skip


def owner_of(settings: Settings, use_case: str) -> str:
    """Who answers for a use case: the ids of its supervisors in the risk register."""
    try:
        supervisors = register.load(settings.root, use_case).having("supervisor")
    except YupanaError:
        supervisors = []
    return ", ".join(person.id for person in supervisors) or UNASSIGNED


def whole(path: str, run: str) -> bool:
    """Whether the report of a run is still there, and no other run's took its place."""
    facts = Path(path)
    return facts.exists() and json.loads(facts.read_text())["id"] == run


def _drift(
    settings: Settings, use_case: str, request: Run, observation: Observation, page: Path,
    say: Callable[[str], None],
) -> AnswerDrift | None:  # fmt: skip
    if not request.answers:
        return None
    comparison = drift.Request(
        reference=request.folder / "reference.parquet",
        key=spec.load(use_case).entity.key,
        columns=list(observation.columns),
        measures=observation.measures,
        groups=observation.groups,
        last=observation.period,
        weeks=request.window,
        page=page,
        batch=observation.batch,
        comparable=observation.comparable,
        recurring=observation.recurring,
    )
    return drift.compare(settings, use_case, comparison, say)


def trends_of(
    url: str, use_case: str, checks: list[Check], scores: Sequence[tuple[str, str, str]]
) -> list[Trend]:
    """The history of the checks that the page draws: what alarms, and how the model does."""
    always = {("drift", "", ""), *scores}
    alarming = [(c.check, c.column, c.group) for c in alarms(checks)]
    keys = dict.fromkeys([*alarming[: watch_page.MOST_TRENDS], *sorted(always)])
    trends = []
    for check, column, group in keys:
        points = history.trend(url, use_case, check, column, group)
        name = " ".join(part for part in (check, column, group) if part)
        trends.append(Trend(name, points))
    return trends


def _summary(
    report: WatchReport, answer_drift: AnswerDrift | None, html: Path, path: Path,
    counts: dict[str, int],
) -> RunSummary:  # fmt: skip
    page = report.evidently_html
    return RunSummary(
        ref=report.ref,
        html=str(html),
        json=str(path),
        evidently=str(html.with_name(page)) if page else "",
        period=report.period,
        checks=counts,
        scored=report.performance["n"],
        alerts=report.alerts,
        open=len(report.open),
        retrain=report.retrain,
        drift=answer_drift,
    )
