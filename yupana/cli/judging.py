"""Commands that say how good a candidate is, and put it into the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from yupana.cli.common import AsJson, UseCase, emit
from yupana.cli.fitting import folder, members
from yupana.core.errors import UsageError
from yupana.core.types import StepResult

if TYPE_CHECKING:
    from yupana.config.settings import Settings

Candidate = Annotated[str, typer.Option(help="Reference that `yupana pool` printed.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(evaluate)
    app.command("register")(register_model)


def evaluate(use_case: UseCase, candidate: Candidate, as_json: AsJson = False) -> StepResult:
    """Score a candidate and the baselines on the test weeks, in all and by group.

    Example: yupana evaluate outbreak --candidate candidate:0123456789abcdef
    """
    from yupana.config.settings import settings
    from yupana.governance import events, measures, steps

    chosen = settings()

    def work() -> steps.Outcome:
        from yupana.evaluation.evaluate import evaluate as score
        from yupana.features import training

        fitted = events.producer(chosen.events, candidate)
        rows = training.path_of(chosen, use_case, fitted["inputs"][0])
        where = folder(chosen, candidate)
        scores = score(use_case, where, rows, seed=chosen.seed)
        # Of all that it wrote, by group as well: the gate looks for this in the ledger.
        ref = measures.evaluation_ref(candidate, measures.evaluation(where))
        return steps.Outcome((ref,), metrics={"scores": scores})

    code = events.code_hash(chosen.root, "models", "yupana/evaluation")
    return emit(
        steps.run(
            chosen, "evaluate", use_case, work, inputs=(candidate,), depends_on=code, earlier=True
        ),
        as_json,
    )


def backtest(use_case: str, candidate: str, span: str, as_json: bool = False) -> StepResult:
    """Try a candidate's procedure on earlier seasons of its split: `backtest --candidate`.

    Args:
        span: origins to fit anew for; empty = score what its members told of past years.
    """
    from yupana.config.settings import settings
    from yupana.core.hashing import value_sha256
    from yupana.core.progress import Lines
    from yupana.governance import events, steps

    chosen = settings()

    def work() -> steps.Outcome:
        from yupana.core import usecase
        from yupana.evaluation import backtest_split
        from yupana.features import training

        split, *references = events.producer(chosen.events, candidate)["inputs"]
        rows = training.load(chosen, use_case, split)
        if span:
            room = usecase.load("models", use_case)
            report = backtest_split.fitted_again(
                room, rows, span=span, options=_options(chosen, candidate, room.OPTIONS),
                seed=chosen.seed, say=Lines().say,
            )  # fmt: skip
        else:
            folders = members(chosen, split, references).folders
            room = usecase.load("models", f"{use_case}_past")
            report = backtest_split.of_members(room, rows, folders, seed=chosen.seed)
        ref = f"backtest:{value_sha256([candidate, report['origins'], report['scores']])[:16]}"
        return steps.Outcome((ref,), metrics=report)

    code = events.code_hash(chosen.root, "models", "yupana/evaluation")
    return emit(
        steps.run(
            chosen,
            "backtest",
            use_case,
            work,
            inputs=(candidate,),
            depends_on=[code, chosen.seed, span],
            earlier=True,
        ),
        as_json,
    )


def _options(settings: Settings, candidate: str, names: Any) -> dict[str, Any]:
    """The options that a candidate was fitted with."""
    import json

    params = json.loads((folder(settings, candidate) / "fit.json").read_text())["params"]
    return {name: params[name] for name in names}


def register_model(
    use_case: UseCase,
    candidate: Candidate,
    backtest: Annotated[
        str, typer.Option(help="Reference that `yupana backtest --candidate` printed.")
    ] = "",
    as_json: AsJson = False,
) -> StepResult:
    """Put an evaluated candidate into the registry; the better one becomes champion.

    With --backtest it must be the better one there as well.

    Example: yupana register outbreak --candidate candidate:0123456789abcdef
    """
    from yupana.config.settings import settings
    from yupana.governance import events, steps

    chosen = settings()
    evaluation = events.output(chosen.events, "evaluate", use_case, candidate)

    def work() -> steps.Outcome:
        import json

        from yupana.features import training
        from yupana.tracking import registry, runs

        rows = events.producer(chosen.events, candidate)["inputs"][0]
        tags = {"candidate": candidate, "split": rows, "evaluation": evaluation}
        tags["project"] = chosen.project
        tags["as_of"] = training.about(chosen, use_case, rows)["as_of"]
        where = folder(chosen, candidate)
        if backtest:
            tags["backtest"] = backtest
            report = _report(chosen, candidate, backtest)
            (where / runs.BACKTEST).write_text(json.dumps(report, indent=1))
        made = registry.register(chosen, use_case, where, tags)
        facts = {"version": made.version, "alias": made.alias, "reason": made.reason}
        return steps.Outcome((f"model:{use_case}@{made.version}",), metrics=facts)

    inputs = (candidate, evaluation, *([backtest] if backtest else []))
    return emit(steps.run(chosen, "register", use_case, work, inputs=inputs, earlier=True), as_json)


def _report(settings: Settings, candidate: str, backtest: str) -> dict[str, Any]:
    """What a backtest found.

    Raises:
        UsageError: it is of another candidate.
    """
    from yupana.governance import events

    event = events.producer(settings.events, backtest)
    if candidate not in event["inputs"]:
        raise UsageError(
            f"{backtest} is of {event['inputs'][0]}.",
            where="--backtest",
            fix=f"Run `yupana backtest {event['subject']} --candidate {candidate}` for this one.",
        )
    return dict(event["facts"])
