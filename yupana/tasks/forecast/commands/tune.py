"""The command that looks for better options of a model."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from yupana.config.lazy import settings
from yupana.console.options import AsJson, UseCase, emit
from yupana.core.hashing import value_sha256
from yupana.core.progress import Lines

Split = Annotated[
    str, typer.Option("--split", help="Reference of `yupana split`; default: the newest.")
]
Minutes = Annotated[float, typer.Option(min=0.1, help="Time budget.")]
Trials = Annotated[int | None, typer.Option(min=1, help="Trials to add at most.")]


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(tune)


def tune(
    use_case: UseCase, split: Split = "", minutes: Minutes = 10.0, trials: Trials = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Search for better options of a model with Optuna; a search goes on where it was stopped.

    Only the validation weeks of the split are looked at. What is found is used by
    `yupana train --tuning REF`; the defaults are the first trial, so it is never worse there.

    Example: yupana tune outbreak --minutes 20
    """
    from yupana.lineage import events, steps

    config = settings()
    rows_ref = split or events.output(config.events, "split", use_case)
    code = events.code_hash(config.root, "models", "yupana/tasks/forecast/model")
    study = f"{use_case}-{value_sha256([rows_ref, code, config.seed])[:16]}"

    def work() -> steps.Outcome:
        from yupana.tasks.forecast import usecases
        from yupana.tasks.forecast.dataset import training_set
        from yupana.tracking import tuning_results
        from yupana.training import tune as tune_options

        rows = training_set.load(config, use_case, rows_ref)
        storage = tuning_results.storage(config, use_case)
        search = tune_options.tune(
            usecases.load(use_case), rows, storage, study,
            minutes=minutes, most=trials, seed=config.seed, say=Lines().say,
        )  # fmt: skip
        picture = config.reports / f"tune-{use_case}.png"
        tune_options.picture(storage, study, config.seed, picture)
        document = {"split": rows_ref, "study": study, **asdict(search)}
        ref = tuning_results.save(config, use_case, document)
        facts = {**asdict(search), "picture": str(picture)}
        return steps.Outcome((ref,), metrics=facts, files=(picture,))

    # Another call adds trials to the study: its result is never "already done".
    again = sum(1 for _ in events.read(config.events, "tune"))
    emit(steps.run(config, "tune", use_case, work, inputs=(rows_ref,), depends_on=again), as_json)
