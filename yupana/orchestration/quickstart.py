"""The quickstart on the shipped sample: Airflow runs the DAGs, the service answers, Evidently
reports on what was answered, and the auditor's pages are built."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from yupana.client import Client
from yupana.config.settings import Settings
from yupana.core import spec as specs
from yupana.core import usecase
from yupana.core.errors import UsageError
from yupana.core.hashing import file_sha256
from yupana.core.progress import Progress
from yupana.core.spec import Spec
from yupana.core.types import TryOut
from yupana.data.contracts import contract as contracts
from yupana.data.lake import delta
from yupana.identity.local_key import local_key
from yupana.lineage import events, steps
from yupana.orchestration import airflow_home, command, service
from yupana.predictions import lookup


class Task(Protocol):
    """What a kind's object `TASK` offers the quickstart."""

    def try_out(self, settings: Settings, spec: Spec, client: Client) -> TryOut:
        """Ask a running service what its first callers would."""
        ...

    def how_to_ask(self, spec: Spec, answer: Mapping[str, Any]) -> str:
        """The command that asks the like of an answer again, after `yupana`."""
        ...


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


def shipped_use_cases(root: Path) -> tuple[str, ...]:
    """The use cases whose data lies in the project, by name.

    Raises:
        UsageError: there is none.
    """
    names = usecase.names()
    data = (contracts.load(root, specs.load(name).data.trigger).location for name in names)
    if shipped := tuple(n for n, path in zip(names, data, strict=True) if (root / path).is_file()):
        return shipped
    raise UsageError(
        "No use case has its data in this project.",
        where="models/*/usecase.yaml, data.trigger",
        fix="Name the use case: yupana run USE_CASE.",
    )


def run(
    settings: Settings, use_cases: Sequence[str], progress: Progress
) -> Iterator[QuickstartRun]:
    """Publish, train, deploy, ask, monitor and report each use case, in order; what is done
    already is not done again.

    Raises:
        TerminalError: a DAG failed; names it and its log. Later parts did not start.
    """
    with airflow_home.command_line(settings) as airflow:
        for name in use_cases:
            clock = _Clock(QuickstartRun(name, started=events.last_number(settings.events)))
            _dags(settings, airflow, clock, progress)
            _oversee(settings, clock, progress)
            yield clock.run


class _Clock:
    """Notes the seconds of each part of a run."""

    def __init__(self, run: QuickstartRun) -> None:
        self.run, self._start = run, time.monotonic()

    def part(self, name: str) -> None:
        """A part has ended."""
        now = time.monotonic()
        self.run.seconds[name] = round(now - self._start, 1)
        self._start = now


def _dags(
    settings: Settings, airflow: airflow_home.CommandLine, clock: _Clock, progress: Progress
) -> None:
    """From the file to what serves, by Airflow."""
    spec = specs.load(clock.run.use_case)
    if not (settings.home / "airflow" / "airflow.db").exists():
        progress.say("Airflow: prepare its database …")
        airflow.run(["db", "migrate"])
        clock.part("Airflow database")
    for name in (f"ingest_{spec.data.trigger}", spec.name):
        progress.say(f"Airflow: the DAG {name} …")
        result = steps.run(
            settings, "dag", name, partial(_dag, airflow, name),
            depends_on=_sources(settings, spec), still_there=_still_there(settings, spec),
        )  # fmt: skip
        done = "was done already" if result.seconds == 0 else "is done"
        progress.say(f"Airflow: {name} {done}")
        clock.part(f"DAG {name}")


def _oversee(settings: Settings, clock: _Clock, progress: Progress) -> None:
    """Ask the service, and report on it."""
    run = clock.run
    spec = specs.load(run.use_case)
    progress.say("For whom it is good and for whom not; meanwhile BentoML's service is asked …")
    measures = "impact" in usecase.commands_of(spec.task)
    with command.running(["impact", spec.name]) if measures else nullcontext() as impact:
        run.answer = _answer(settings, spec)
        clock.part("service")
        progress.say("Evidently: report on what was answered …")
        run.report = command.run_command(["monitor", spec.name])
        clock.part("monitor")
        if impact:
            impact()
            clock.part("impact, the rest of it")
    progress.say("The auditor's pages …")
    of = ["--use-case", spec.name, "--prediction", run.answer["prediction_id"]]
    run.pages = command.run_command(["report", "build", *of])
    clock.part("auditor's pages")


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
    """Ask the running service as the kind's first callers would."""
    key = local_key(settings.platform_db, settings.home)
    task: Task = usecase.task(spec.task)
    # For these questions alone: beside a service that may be running on the port of the settings.
    own = settings.model_copy(update={"serve_port": 0})
    with service.running(own, spec.name) as url, Client(
        url, spec.name, key, retries=0, timeout=60.0
    ) as client:
        tried = task.try_out(settings, spec, client)
    return steps.Outcome((), metrics={"answers": tried.answers, "answer": dict(tried.answer)})


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
