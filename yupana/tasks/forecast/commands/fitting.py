"""Commands that make a candidate from a split: fit its members, and pool them."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from yupana.config.lazy import settings
from yupana.console.options import AsJson, Tuning, UseCase, emit
from yupana.core.errors import UsageError
from yupana.core.hashing import value_sha256
from yupana.core.progress import Lines
from yupana.core.types import StepResult
from yupana.training.candidate_steps import folder

if TYPE_CHECKING:
    from pathlib import Path

    from yupana.config.settings import Settings

Split = Annotated[str, typer.Option("--split", help="Reference that `yupana split` printed.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(fit)
    app.command()(pool)


def fit(
    use_case: UseCase,
    split: Split,
    member: Annotated[str, typer.Option(help="Which one, e.g. network.")],
    tuning: Tuning = "",
    as_json: AsJson = False,
) -> StepResult:
    """Fit one member of the use case's model on a split.

    Example: yupana fit outbreak --split split:0123456789abcdef --member network
    """
    from yupana.lineage import events, steps

    config = settings()
    inputs = (split, tuning) if tuning else (split,)
    code = events.code_hash(config.root, "models", "yupana/tasks/forecast/model")
    identity = value_sha256([inputs, member, code, config.seed])[:16]
    out = folder(config, f"member:{identity}")

    def work() -> steps.Outcome:
        from yupana.tasks.forecast import usecases
        from yupana.tasks.forecast.dataset import training_set
        from yupana.tracking import facts, tuning_results

        definition = usecases.load(use_case)
        options = tuning_results.load(config, use_case, tuning) if tuning else None
        rows = training_set.load(config, use_case, split)
        out.mkdir(parents=True, exist_ok=True)
        fitted = definition.fit_member(
            rows, member, out, seed=config.seed, say=Lines().say, options=options
        )
        metrics = {"member": member, **fitted["metrics"], "hardware": facts.hardware()}
        return steps.Outcome((f"member:{identity}",), metrics=metrics)

    return emit(
        steps.run(
            config,
            "fit",
            use_case,
            work,
            inputs=inputs,
            depends_on=[code, config.seed, member],
            still_there=lambda _: out.is_dir(),
            earlier=True,
        ),
        as_json,
    )


def pool(
    use_case: UseCase,
    split: Split,
    member: Annotated[list[str], typer.Option(help="Reference that `yupana fit` printed; each.")],
    as_json: AsJson = False,
) -> StepResult:
    """Join fitted members into a candidate: learn their weights and recalibrate.

    Example: yupana pool outbreak --split split:… --member member:… --member member:…
    """
    from yupana.lineage import events, steps

    config = settings()
    code = events.code_hash(config.root, "models", "yupana/tasks/forecast/model")
    identity = value_sha256([split, member, code, config.seed])[:16]
    out = folder(config, f"candidate:{identity}")

    def work() -> steps.Outcome:
        from yupana.features import training_sets
        from yupana.tasks.forecast import usecases
        from yupana.tasks.forecast.dataset import training_set
        from yupana.tracking import facts

        start = time.monotonic()
        fits = members(config, split, member)
        rows = training_set.load(config, use_case, split)
        definition = usecases.load(use_case)
        out.mkdir(parents=True, exist_ok=True)
        fitted = definition.pool(rows, fits.folders, out, seed=config.seed, say=Lines().say)
        fitted["params"]["knows_through"] = training_set.knows_through(rows)
        (out / "fit.json").write_text(json.dumps(fitted))
        about = asdict(training_sets.about(config, use_case, split))
        seconds = fits.seconds + time.monotonic() - start
        run = facts.record(config, out, about, seconds, fits.hardware)
        code = {**run["code"], **{k: run["environment"][k] for k in ("lock", "python")}}
        metrics = {**fitted["metrics"], "code": code}
        return steps.Outcome((f"candidate:{identity}",), metrics=metrics)

    return emit(
        steps.run(
            config,
            "pool",
            use_case,
            work,
            inputs=(split, *member),
            depends_on=[code, config.seed],
            still_there=lambda _: out.is_dir(),
            earlier=True,
        ),
        as_json,
    )


class Fits(NamedTuple):
    """Folder of each member by its name; seconds of all fits, and the machine they ran on."""

    folders: dict[str, Path]
    seconds: float
    hardware: dict[str, Any]


def members(settings: Settings, split: str, references: list[str]) -> Fits:
    """What the event log says of fitted members.

    Raises:
        UsageError: one is unknown, or was fitted on another split.
    """
    from yupana.lineage import events

    folders: dict[str, Path] = {}
    seconds, hardware = 0.0, {}
    for reference in references:
        event = events.producer(settings.events, reference)
        if split not in event["inputs"]:
            raise UsageError(
                f"{reference} was fitted on {event['inputs'][0]}.",
                where="--member",
                fix=f"Fit it on {split}, or pool it with members of its own split.",
            )
        folders[event["facts"]["member"]] = folder(settings, reference)
        seconds += event["seconds"]
        # Of two machines, the one with torch decides the weights.
        if "vectors" not in hardware:
            hardware = event["facts"]["hardware"]
    return Fits(folders, seconds, hardware)
