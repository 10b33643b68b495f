"""The whole thread on the shipped sample: Airflow runs the DAGs, the service answers, Evidently
reports on what was answered, and the auditor's pages are built."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from yupana.config.settings import Settings
from yupana.core.hashing import file_sha256
from yupana.core.progress import Progress
from yupana.data import contract as contracts
from yupana.data import delta
from yupana.governance import events, prediction_found, steps
from yupana.governance.local_key import local_key
from yupana.orchestration import airflow_home, command, service

DATASET = "dengue_linelist"
USE_CASE = "outbreak"
IQUITOS = "160101"


@dataclass
class ThreadRun:
    """What a run of the thread left.

    Attributes:
        started: number of its first event.
        answer: for Iquitos.
        report: result of the monitor's step.
        pages: what `yupana report build` tells.
        seconds: by part.
    """

    started: int
    answer: dict[str, Any] = field(default_factory=dict)
    report: dict[str, Any] = field(default_factory=dict)
    pages: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


def run(settings: Settings, progress: Progress) -> ThreadRun:
    """Publish, train, deploy, ask, monitor and report; what is done already is not done again.

    Raises:
        TerminalError: a DAG failed; names it and its log. Later parts did not start.
    """
    done = ThreadRun(started=sum(1 for _ in events.read(settings.events)))
    start = time.monotonic()

    def part(name: str) -> None:
        nonlocal start
        now = time.monotonic()
        done.seconds[name] = round(now - start, 1)
        start = now

    with airflow_home.command_line(settings) as airflow:
        if not (settings.home / "airflow" / "airflow.db").exists():
            progress.say("Airflow: prepare its database …")
            airflow.run(["db", "migrate"])
            part("Airflow database")
        for name in (f"ingest_{DATASET}", USE_CASE):
            progress.say(f"Airflow: the DAG {name} …")
            result = steps.run(
                settings,
                "dag",
                name,
                partial(_dag, airflow, name),
                depends_on=_sources(settings),
                still_there=_still_there(settings),
            )
            progress.say(
                f"Airflow: {name} {'was done already' if result.seconds == 0 else 'is done'}"
            )
            part(f"DAG {name}")
    progress.say("For whom it is good and for whom not; meanwhile BentoML's service is asked …")
    with command.running(["impact", USE_CASE]) as impact:
        done.answer = _answer(settings)
        part("service")
        progress.say("Evidently: report on what was answered …")
        done.report = command.run_command(["monitor", USE_CASE])
        part("monitor")
        impact()
        part("impact, the rest of it")
    progress.say("The auditor's pages …")
    told = ["--prediction", done.answer["prediction_id"]]
    done.pages = command.run_command(["report", "build", *told])
    part("auditor's pages")
    return done


def _answer(settings: Settings) -> dict[str, Any]:
    """What the service says of Iquitos; it is asked once for each deployment."""
    reads = (
        events.output(settings.events, "deploy", USE_CASE),
        delta.ref(settings.lake, "features", "outbreak_weekly").ref,
    )

    def recorded(_: tuple[str, ...]) -> bool:
        last = events.last_done(settings.events, "ask", USE_CASE)
        of = last["facts"]["answer"]["prediction_id"] if last else ""
        return prediction_found.found(settings.platform_db, of) is not None

    asked = steps.run(
        settings, "ask", USE_CASE, partial(_ask, settings), inputs=reads,
        depends_on=events.code_hash(settings.root, "serving", "models", "feature_repo", "yupana"),
        still_there=recorded,
    )  # fmt: skip
    return dict(asked.metrics["answer"])


def _ask(settings: Settings) -> steps.Outcome:
    """Ask the running service for all districts, as any client would."""
    table = delta.read(settings.table("features", "outbreak_weekly"))
    # The sample ends years ago: on the day after its last week, it was news.
    newest: datetime = table["event_timestamp"].max()  # type: ignore[assignment]
    day = newest.date() + timedelta(days=1)
    key = local_key(settings.platform_db, settings.home)
    districts = sorted(table["ubigeo"].unique())
    with service.running(settings, USE_CASE) as url:
        answers = service.ask(url, districts, key=key, as_of=day)["predictions"]
    answer = next(a for a in answers if a["ubigeo"] == IQUITOS)
    return steps.Outcome((), metrics={"answers": len(answers), "answer": answer})


def _dag(airflow: airflow_home.CommandLine, name: str) -> steps.Outcome:
    airflow.run(["dags", "test", name])
    return steps.Outcome((f"dag:{name}",))


def _sources(settings: Settings) -> list[str]:
    """Everything that the DAGs' results depend on: code, contract and source file."""
    contract = contracts.load(settings.root, DATASET)
    rooms = ("dags", "pipelines", "models", "feature_repo", "yupana")
    return [
        events.code_hash(settings.root, *rooms),
        contract.sha256,
        file_sha256(settings.root / contract.location),
    ]


def _still_there(settings: Settings) -> Callable[[tuple[str, ...]], bool]:
    """Whether the tables that the DAGs made were not removed since."""
    made = (settings.table("published", DATASET), settings.table("features", "outbreak_weekly"))
    return lambda _: all(delta.exists(table) for table in made)


def log_folder(settings: Settings) -> Path:
    """Where the logs of Airflow and the service lie."""
    return settings.home / "logs"
