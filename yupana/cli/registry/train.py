"""Commands that train: the whole pipeline, whether it is due, and what becomes of a candidate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from yupana.config.lazy import settings
from yupana.console.options import AsJson, AsOf, Tuning, UseCase, emit, say
from yupana.core import whole_file
from yupana.core.errors import UsageError
from yupana.core.hashing import value_sha256
from yupana.core.progress import Lines

if TYPE_CHECKING:
    from yupana.config.settings import Settings


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(train)
    app.command()(due)
    app.command()(evaluate)
    app.command("register")(register_model)


def train(
    use_case: UseCase,
    as_of: AsOf = None,
    tuning: Tuning = "",
    backtest_origins: Annotated[
        str,
        typer.Option(help="START:END:STEP, a fit a year; default: what the members told before."),
    ] = "",
    cluster: Annotated[
        bool, typer.Option("--cluster", help="Run on the Kubeflow cluster of YUPANA_KFP_HOST.")
    ] = False,
    wait: Annotated[bool, typer.Option(help="With --cluster: stay until the run ends.")] = True,
    as_json: AsJson = False,
) -> None:
    """Run the use case's Kubeflow pipeline: split → fit members → pool → backtest, evaluate →
    register. Steps that were done before with the same inputs are not done again.

    With --as-of the model knows nothing later, for `yupana predict --as-of`; it never becomes
    champion by itself. On a cluster the members are fitted side by side.

    Example: yupana train USE_CASE --tuning tuning:0123456789abcdef
    """
    from yupana.core import spec as specs
    from yupana.lineage import events, steps

    config = settings()
    specs.load(use_case)
    arguments = {
        "as_of": as_of.date().isoformat() if as_of else "",
        "tuning": tuning,
        "backtest_origins": backtest_origins,
    }
    if cluster:
        _submit(config, use_case, arguments, wait, as_json)
        return
    if tuning:
        from yupana.tracking import tuning_results

        # A wrong reference is told before any step; what was tuned on a cluster is kept there.
        tuning_results.load(config, use_case, tuning)
    table = events.output(config.events, "features", use_case)
    code = events.code_hash(config.root, "models", "pipelines", "yupana/features", "yupana/tasks")
    depends_on = [code, *arguments.values()]

    def work() -> steps.Outcome:
        from yupana.training import local

        model = local.run_local(use_case, config, arguments)
        registration = events.producer(config.events, model)
        facts = {k: registration["facts"][k] for k in ("version", "alias", "reason")}
        ref = f"pipeline:{value_sha256([table, depends_on])[:16]}"
        return steps.Outcome((ref,), inputs=(model,), metrics=facts)

    emit(
        steps.run(
            config, "train", use_case, work, inputs=(table,), depends_on=depends_on, earlier=True
        ),
        as_json,
    )


def _submit(
    settings: Settings, use_case: str, arguments: dict[str, str], wait: bool, as_json: bool
) -> None:
    """Hand the pipeline to the cluster; what it makes is told by the cluster's own event log."""
    from yupana.lineage import steps

    def work() -> steps.Outcome:
        from yupana.training import cluster

        say = Lines().say
        run = cluster.submit(settings, use_case, arguments, say)
        state = cluster.wait(settings, run, say) if wait else "SUBMITTED"
        return steps.Outcome((f"kfp:{run.id}",), metrics={"link": run.link, "state": state})

    emit(
        # The cluster's steps know what is done: each call is a run.
        steps.run(settings, "submit", use_case, work, still_there=lambda _: False),
        as_json,
    )


def due(use_case: UseCase, as_of: AsOf = None, as_json: AsJson = False) -> None:
    """Say whether the model should be trained now, and why.

    Yes without a champion, when the published data is some weeks ahead of the champion's, or
    when monitoring found drift. With --as-of: when no model knows only what was known that day.

    Example: yupana due USE_CASE
    """
    from yupana.lineage import steps
    from yupana.orchestration import due as training

    config = settings()

    def work() -> steps.Outcome:
        verdict = training.due(config, use_case, as_of.date() if as_of else None)
        return steps.Outcome((), metrics={"due": verdict.due, "reason": verdict.reason})

    result = steps.run(config, "due", use_case, work, still_there=lambda _: False)
    if as_json:
        emit(result, as_json)
        return
    print(f"{'yes' if result.metrics['due'] else 'no'}: {result.metrics['reason']}")


Candidate = Annotated[
    str, typer.Option(help="Reference of a fitted model, as the last step of its fit printed it.")
]


def evaluate(
    use_case: UseCase,
    candidate: Annotated[
        str, typer.Option(help="Reference of a fitted model: it is scored on its held-out rows.")
    ] = "",
    cases: Annotated[
        Path | None,
        typer.Option(help="A file that nobody learned from: the champion is scored on it."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="With --cases: where the JSON report goes.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Score a candidate, or the champion on a file of its own, beside the baselines.

    Examples: yupana evaluate USE_CASE --candidate candidate:0123456789abcdef;
    yupana evaluate USE_CASE --cases FILE --out report.json
    """
    from yupana.training import candidate_steps, file_scores

    if bool(candidate) == bool(cases):
        raise UsageError(
            "Either a candidate or a file is scored.",
            where="--candidate, --cases",
            fix="Give one of the two.",
        )
    if not cases:
        emit(candidate_steps.evaluate(settings(), use_case, candidate), as_json)
        return
    report = file_scores.report(settings(), use_case, cases, Lines().say)
    if out:
        whole_file.write_json(out, report)
    say(report, file_scores.words(report, out), as_json)


def register_model(
    use_case: UseCase,
    candidate: Candidate,
    backtest: Annotated[
        str, typer.Option(help="Reference that `yupana backtest --candidate` printed.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Put an evaluated candidate into the registry; the better one becomes champion.

    With --backtest it must be the better one there as well.

    Example: yupana register USE_CASE --candidate candidate:0123456789abcdef
    """
    from yupana.training import candidate_steps

    emit(candidate_steps.register(settings(), use_case, candidate, backtest), as_json)
