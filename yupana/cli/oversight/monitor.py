"""The command of those who answer for a model: does it still hold?"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from yupana.config.lazy import settings
from yupana.console.options import AsJson, AsOf, UseCase, emit
from yupana.core.errors import TerminalError, UsageError
from yupana.core.hashing import value_sha256
from yupana.core.progress import Lines

if TYPE_CHECKING:
    from yupana.config.settings import Settings
    from yupana.monitoring.kind import Run, Task

_WINDOW = re.compile(r"([1-9]\d{0,2})w")
_LONGEST = 104


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(monitor)


def monitor(
    use_case: UseCase,
    window: Annotated[
        str, typer.Option(metavar="WEEKS", help="Weeks of answers to compare, 1w to 104w.")
    ] = "8w",
    as_of: AsOf = None,
    no_answers: Annotated[
        bool, typer.Option("--no-answers", help="Leave the answers; check data and predictions.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say whether the model still holds: drift, checks of the period, performance, alerts.

    Compares what was answered with the model's test window (Evidently), checks the newest period
    of features and predictions, scores predictions whose truth is known, keeps all of it in the
    history, and tells new alerts to the log, by mail and to a webhook.

    Example: yupana monitor USE_CASE --window 8w
    """
    from yupana.lineage import steps
    from yupana.monitoring import delivery, kind, run
    from yupana.predictions import export
    from yupana.webhooks import delivery as webhooks

    config, progress = settings(), Lines()
    weeks, day = _weeks(window), as_of.date() if as_of else date.today()
    task = kind.of(use_case)
    observe = partial(task.observe, config, use_case)
    answers = None if no_answers else export.export(config, use_case, progress).outputs
    request, inputs, depends = _request(config, use_case, task, weeks, day, answers)

    def work() -> steps.Outcome:
        summary = run.run(config, use_case, request, observe, datetime.now(UTC), progress.say)
        files = (summary.html, summary.json, summary.evidently)
        return steps.Outcome(
            (summary.ref,), answers or (), summary.metrics(), tuple(map(Path, filter(None, files)))
        )

    result = steps.run(
        config, "monitor", use_case, work, inputs=inputs, depends_on=depends,
        still_there=lambda outputs: _there(config, outputs[0]), earlier=True,
    )  # fmt: skip
    # What waits is sent, also what an earlier run could not.
    delivery.send(config, datetime.now(UTC), progress.say)
    webhooks.send(config, datetime.now(UTC), progress)
    emit(result, as_json)


def _request(
    settings: Settings, use_case: str, task: Task, weeks: int, day: date,
    answers: tuple[str, ...] | None,
) -> tuple[Run, tuple[str, ...], list[object]]:  # fmt: skip
    """The run, the references that it rests on, and what else makes it another run.

    Args:
        answers: the log in the lake; None where answers are left out.
    """
    from yupana.core import spec
    from yupana.lineage import events
    from yupana.monitoring import answers as log
    from yupana.monitoring.kind import Run
    from yupana.tracking import roles

    difference = roles.of(settings, use_case).difference
    model, folder = _served(settings, use_case)
    there = task.inputs(settings, use_case, day)
    inputs = (model, *there.refs)
    code = (
        "yupana/monitoring", f"yupana/tasks/{spec.load(use_case).task}", f"models/{use_case}",
        f"feature_repo/{use_case}",
    )  # fmt: skip
    depends: list[object] = [
        weeks, answers is None, 0 if answers is None else log.count(settings, use_case, day),
        # What was known on a day is told by its references; in hindsight each day differs.
        str(day) if there.hindsight else "",
        events.code_hash(settings.root, *code),
        *there.files, *filter(None, difference),
    ]  # fmt: skip
    request = Run(
        value_sha256([inputs, depends])[:12], model, folder, weeks, day, answers is not None,
        (*inputs, *(answers or ())), there.features, difference,
    )  # fmt: skip
    return request, inputs, depends


def _served(settings: Settings, use_case: str) -> tuple[str, Path]:
    """The model that answers, and the folder of its files.

    Raises:
        TerminalError: none was deployed or registered, or its files are gone.
    """
    from yupana.tracking import aliases, roles

    served = roles.served(settings, use_case)
    if folder := served.fitted or served.folder:
        return served.ref, folder
    ref = served.ref or aliases.champion(settings, use_case)
    raise TerminalError(
        f"The files of {ref} are not here.",
        where=f"candidates and bentoml below {settings.home}",
        fix=f"Run `yupana train {use_case}` and `yupana deploy {use_case}`.",
    )


def _weeks(window: str) -> int:
    match = _WINDOW.fullmatch(window)
    if not match or int(match[1]) > _LONGEST:
        raise UsageError(
            f"'{window}' is no window.", where="--window", fix="Give weeks: 8w, at most 104w."
        )
    return int(match[1])


def _there(settings: Settings, ref: str) -> bool:
    """Whether the report is there: a later run of the same period takes its place."""
    from yupana.lineage import events
    from yupana.monitoring import run

    facts = events.producer(settings.events, ref)["facts"]
    return run.whole(facts["json"], ref.rpartition("/")[2])
