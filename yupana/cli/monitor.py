"""Commands of those who answer for a model: watch it, and deal with what it alerts to."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yupana.cli.common import AsJson, AsOf, UseCase, emit
from yupana.core.errors import UsageError

if TYPE_CHECKING:
    from yupana.config.settings import Settings

_WINDOW = re.compile(r"([1-9]\d{0,2})w")
_LONGEST = 104


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(monitor)


def monitor(
    use_case: UseCase,
    window: Annotated[
        str, typer.Option(metavar="WEEKS", help="Weeks of answers to compare, 1w to 104w.")
    ] = "8w",
    as_of: AsOf = None,
    no_answers: Annotated[
        bool, typer.Option("--no-answers", help="Leave the answers; check data and forecasts.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say whether the model still holds: drift, checks of the week, performance, alerts.

    Compares what was answered with the model's test weeks (Evidently), checks the newest week of
    features and forecasts, scores forecasts whose weeks are reported, keeps all of it in the
    history, and tells new alerts to the log, by mail and to a webhook.

    Example: yupana monitor outbreak --window 8w
    """
    from yupana.config.settings import settings
    from yupana.core import usecase
    from yupana.core.hashing import file_sha256, value_sha256
    from yupana.core.progress import Lines
    from yupana.data import prediction_export
    from yupana.governance import events, steps
    from yupana.monitoring import answers as log
    from yupana.monitoring import seen, weekly

    chosen, progress = settings(), Lines()
    weeks, day = _weeks(window), as_of.date() if as_of else date.today()
    room = usecase.load("feature_repo", f"{use_case}_weekly")
    model = events.champion(chosen.events, use_case)
    candidate = events.producer(chosen.events, model)["inputs"][0].removeprefix("candidate:")
    folder = chosen.home / "candidates" / candidate
    answers = () if no_answers else prediction_export.export(chosen, use_case, progress).outputs
    there = seen.seen(chosen, use_case, room, day)
    inputs = (model, *there.refs)
    norms = chosen.root / "models" / f"{use_case}.norms.json"
    depends = [
        weeks, no_answers, 0 if no_answers else log.count(chosen, use_case, day),
        # What was known on a day is told by its references; in hindsight each day differs.
        str(day) if there.hindsight else "",
        events.code_hash(chosen.root, "yupana/monitoring", "yupana/features", "feature_repo"),
        file_sha256(norms) if norms.exists() else "",
    ]  # fmt: skip
    asked = weekly.Run(
        value_sha256([inputs, depends])[:12], model, folder, weeks, day, not no_answers,
        (*inputs, *answers), there.features,
    )  # fmt: skip

    def work() -> steps.Outcome:
        facts = weekly.run(chosen, use_case, asked, datetime.now(UTC), progress.say)
        return steps.Outcome((facts.pop("ref"),), inputs=answers, metrics=facts)

    result = steps.run(
        chosen, "monitor", use_case, work, inputs=inputs, depends_on=depends,
        still_there=lambda outputs: _there(chosen, use_case, outputs[0]), earlier=True,
    )  # fmt: skip
    _deliver(chosen, progress.say)
    emit(result, as_json)


def _weeks(window: str) -> int:
    found = _WINDOW.fullmatch(window)
    if not found or int(found[1]) > _LONGEST:
        raise UsageError(
            f"'{window}' is no window.", where="--window", fix="Give weeks: 8w, at most 104w."
        )
    return int(found[1])


def _there(chosen: Settings, use_case: str, ref: str) -> bool:
    """Whether the report is there: a later run of the same week takes its place."""
    from yupana.governance import events
    from yupana.monitoring import weekly

    made = events.producer(chosen.events, ref)["facts"]
    return weekly.whole(made["json"], ref.rpartition("/")[2])


def _deliver(chosen: Settings, say: Any) -> dict[str, Any]:
    """Tell what waits, also what an earlier run could not."""
    from yupana.monitoring import delivery

    return delivery.send(chosen, datetime.now(UTC), say)
