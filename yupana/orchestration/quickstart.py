"""The quickstart on the shipped sample: Airflow runs the DAGs, the service answers, Evidently
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
from yupana.core import spec as specs
from yupana.core import usecase
from yupana.core.errors import UsageError
from yupana.core.hashing import file_sha256
from yupana.core.progress import Progress
from yupana.core.spec import Spec
from yupana.data.contracts import contract as contracts
from yupana.data.lake import delta
from yupana.identity.local_key import local_key
from yupana.lineage import events, steps
from yupana.orchestration import airflow_home, command, service
from yupana.predictions import lookup


@dataclass
class QuickstartRun:
    """What a run left.

    Attributes:
        use_case: the name of what was run.
        started: number of the last event before it.
        answer: for the spec's example.
        report: result of the monitor's step.
        pages: what `yupana report build` tells.
        seconds: by part.
    """

    use_case: str
    started: int
    answer: dict[str, Any] = field(default_factory=dict)
    report: dict[str, Any] = field(default_factory=dict)
    pages: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


def shipped_use_case(root: Path) -> str:
    """The first use case, by name, whose data lies in the project.

    Raises:
        UsageError: there is none.
    """
    for name in usecase.names():
        dataset = specs.load(name).data.trigger
        if (root / contracts.load(root, dataset).location).is_file():
            return name
    raise UsageError(
        "No use case has its data in this project.",
        where="models/*/usecase.yaml, data.trigger",
        fix="Name the use case: yupana run USE_CASE.",
    )


def run(settings: Settings, use_case: str, progress: Progress) -> QuickstartRun:
    """Publish, train, deploy, ask, monitor and report; what is done already is not done again.

    Raises:
        TerminalError: a DAG failed; names it and its log. Later parts did not start.
    """
    spec = specs.load(use_case)
    outcome = QuickstartRun(use_case, started=events.last_number(settings.events))
    start = time.monotonic()

    def part(name: str) -> None:
        nonlocal start
        now = time.monotonic()
        outcome.seconds[name] = round(now - start, 1)
        start = now

    with airflow_home.command_line(settings) as airflow:
        if not (settings.home / "airflow" / "airflow.db").exists():
            progress.say("Airflow: prepare its database …")
            airflow.run(["db", "migrate"])
            part("Airflow database")
        for name in (f"ingest_{spec.data.trigger}", use_case):
            progress.say(f"Airflow: the DAG {name} …")
            result = steps.run(
                settings,
                "dag",
                name,
                partial(_dag, airflow, name),
                depends_on=_sources(settings, spec),
                still_there=_still_there(settings, spec),
            )
            progress.say(
                f"Airflow: {name} {'was done already' if result.seconds == 0 else 'is done'}"
            )
            part(f"DAG {name}")
    progress.say("For whom it is good and for whom not; meanwhile BentoML's service is asked …")
    with command.running(["impact", use_case]) as impact:
        outcome.answer = _answer(settings, spec)
        part("service")
        progress.say("Evidently: report on what was answered …")
        outcome.report = command.run_command(["monitor", use_case])
        part("monitor")
        impact()
        part("impact, the rest of it")
    progress.say("The auditor's pages …")
    of = ["--use-case", use_case, "--prediction", outcome.answer["prediction_id"]]
    outcome.pages = command.run_command(["report", "build", *of])
    part("auditor's pages")
    return outcome


def _answer(settings: Settings, spec: Spec) -> dict[str, Any]:
    """What the service says of the example; it is asked once for each deployment."""
    reads = (
        events.output(settings.events, "deploy", spec.name),
        delta.ref(settings.lake, "features", spec.features.table).ref,
    )

    def is_recorded(_: tuple[str, ...]) -> bool:
        last = events.last_done(settings.events, "ask", spec.name)
        of = last["facts"]["answer"]["prediction_id"] if last else ""
        return lookup.by_id(settings.platform_db, of, spec.name) is not None

    result = steps.run(
        settings, "ask", spec.name, partial(_ask, settings, spec), inputs=reads,
        depends_on=events.code_hash(settings.root, "serving", "models", "feature_repo", "yupana"),
        still_there=is_recorded,
    )  # fmt: skip
    return dict(result.metrics["answer"])


def _ask(settings: Settings, spec: Spec) -> steps.Outcome:
    """Ask the running service of all entities, as any client would."""
    table = delta.read(settings.table("features", spec.features.table))
    # The sample ends years ago: on the day after its last week, it was news.
    newest: datetime = table["event_timestamp"].max()  # type: ignore[assignment]
    day = newest.date() + timedelta(days=1)
    key = local_key(settings.platform_db, settings.home)
    entity = spec.entity.key
    question = usecase.load(spec.name).question(sorted(table[entity].unique()), day)
    action = next(iter(spec.actions))
    # For these questions alone: beside a service that may be running on the port of the settings.
    own = settings.model_copy(update={"serve_port": 0})
    with service.running(own, spec.name) as url:
        answers = service.ask(url, spec.name, action, question, key=key)["predictions"]
    answer = next(a for a in answers if a[entity] == spec.example.entity)
    return steps.Outcome((), metrics={"answers": len(answers), "answer": answer})


def _dag(airflow: airflow_home.CommandLine, name: str) -> steps.Outcome:
    airflow.run(["dags", "test", name])
    return steps.Outcome((f"dag:{name}",))


def _sources(settings: Settings, spec: Spec) -> list[str]:
    """Everything that the DAGs' results depend on: code, contract and source file."""
    contract = contracts.load(settings.root, spec.data.trigger)
    rooms = ("dags", "pipelines", "models", "feature_repo", "yupana")
    return [
        events.code_hash(settings.root, *rooms),
        contract.sha256,
        file_sha256(settings.root / contract.location),
    ]


def _still_there(settings: Settings, spec: Spec) -> Callable[[tuple[str, ...]], bool]:
    """Whether the tables that the DAGs made were not removed since."""
    published = settings.table("published", spec.data.trigger)
    tables = (published, settings.table("features", spec.features.table))
    return lambda _: all(delta.exists(table) for table in tables)


def log_folder(settings: Settings) -> Path:
    """Where the logs of Airflow and the service lie."""
    return settings.home / "logs"
