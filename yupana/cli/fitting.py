"""Commands that make a candidate from a split: fit its members, and pool them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from yupana.cli.common import AsJson, UseCase, emit
from yupana.core.errors import UsageError
from yupana.core.types import StepResult

if TYPE_CHECKING:
    from pathlib import Path

    from yupana.config.settings import Settings

Split = Annotated[str, typer.Option("--split", help="Reference that `yupana split` printed.")]
Tuning = Annotated[
    str, typer.Option(help="Reference that `yupana tune` printed; default: the model's options.")
]


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
    from yupana.config.settings import settings
    from yupana.core.hashing import value_sha256
    from yupana.core.progress import Lines
    from yupana.governance import events, steps

    chosen = settings()
    inputs = (split, tuning) if tuning else (split,)
    code = events.code_hash(chosen.root, "models")
    identity = value_sha256([inputs, member, code, chosen.seed])[:16]
    out = folder(chosen, f"member:{identity}")

    def work() -> steps.Outcome:
        from yupana.core import usecase
        from yupana.features import training
        from yupana.tracking import facts, tuned

        room = usecase.load("models", use_case)
        options = tuned.load(chosen, use_case, tuning) if tuning else None
        rows = training.load(chosen, use_case, split)
        out.mkdir(parents=True, exist_ok=True)
        fitted = room.fit_member(
            rows, member, out, seed=chosen.seed, say=Lines().say, options=options
        )
        metrics = {"member": member, **fitted["metrics"], "hardware": facts.hardware()}
        return steps.Outcome((f"member:{identity}",), metrics=metrics)

    return emit(
        steps.run(
            chosen,
            "fit",
            use_case,
            work,
            inputs=inputs,
            depends_on=[code, chosen.seed, member],
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
    from yupana.config.settings import settings
    from yupana.core.hashing import value_sha256
    from yupana.core.progress import Lines
    from yupana.governance import events, steps

    chosen = settings()
    code = events.code_hash(chosen.root, "models")
    identity = value_sha256([split, member, code, chosen.seed])[:16]
    out = folder(chosen, f"candidate:{identity}")

    def work() -> steps.Outcome:
        import json
        import time

        from yupana.core import usecase
        from yupana.features import training
        from yupana.tracking import facts

        start = time.monotonic()
        fits = members(chosen, split, member)
        rows = training.load(chosen, use_case, split)
        room = usecase.load("models", use_case)
        out.mkdir(parents=True, exist_ok=True)
        fitted = room.pool(rows, fits.folders, out, seed=chosen.seed, say=Lines().say)
        fitted["params"]["knows_through"] = training.knows_through(rows)
        (out / "fit.json").write_text(json.dumps(fitted))
        about = training.about(chosen, use_case, split)
        seconds = fits.seconds + time.monotonic() - start
        run = facts.record(chosen, out, about, seconds, fits.hardware)
        code = {**run["code"], **{k: run["environment"][k] for k in ("lock", "python")}}
        metrics = {**fitted["metrics"], "code": code}
        return steps.Outcome((f"candidate:{identity}",), metrics=metrics)

    return emit(
        steps.run(
            chosen,
            "pool",
            use_case,
            work,
            inputs=(split, *member),
            depends_on=[code, chosen.seed],
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
    from yupana.governance import events

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


def folder(settings: Settings, reference: str) -> Path:
    """Where a member or a candidate lies."""
    kind, _, identity = reference.partition(":")
    return settings.home / f"{kind}s" / identity
