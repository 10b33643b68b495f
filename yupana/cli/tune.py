"""The command that looks for better options of a model."""

from __future__ import annotations

from typing import Annotated

import typer

from yupana.cli.common import AsJson, UseCase, emit

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
    from yupana.config.settings import settings
    from yupana.core.hashing import value_sha256
    from yupana.core.progress import Lines
    from yupana.governance import events, steps

    chosen = settings()
    rows_ref = split or events.output(chosen.events, "split", use_case)
    code = events.code_hash(chosen.root, "models")
    study = f"{use_case}-{value_sha256([rows_ref, code, chosen.seed])[:16]}"

    def work() -> steps.Outcome:
        from dataclasses import asdict

        from yupana.core import usecase
        from yupana.features import training
        from yupana.tracking import tuned

        rows = training.load(chosen, use_case, rows_ref)
        tuner, storage = usecase.load("pipelines", "tune"), tuned.storage(chosen, use_case)
        found = tuner.tune(
            usecase.load("models", use_case), rows, storage, study,
            minutes=minutes, most=trials, seed=chosen.seed, say=Lines().say,
        )  # fmt: skip
        picture = chosen.reports / f"tune-{use_case}.png"
        tuner.picture(storage, study, chosen.seed, picture)
        kept = {"split": rows_ref, "study": study, **asdict(found)}
        ref = tuned.save(chosen, use_case, kept)
        return steps.Outcome((ref,), metrics={**asdict(found), "picture": str(picture)})

    # Another call adds trials to the study: its result is never "already done".
    again = sum(1 for e in events.read(chosen.events) if e["step"] == "tune")
    emit(steps.run(chosen, "tune", use_case, work, inputs=(rows_ref,), depends_on=again), as_json)
