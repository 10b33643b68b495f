"""Commands of the ML engineer: features, split, and the whole training, when it is due."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from yupana.cli.common import AsJson, AsOf, UseCase, emit
from yupana.cli.fitting import Tuning
from yupana.core.types import StepResult

if TYPE_CHECKING:
    from yupana.config.settings import Settings


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(features)
    app.command()(split)
    app.command()(train)
    app.command()(due)


def features(use_case: UseCase, as_of: AsOf = None, as_json: AsJson = False) -> None:
    """Build the feature table from published data and fill the online store.

    With --as-of: the features as they were known on that day, equal to the table that was built
    then. They go into a table of their own, features/<table>_as_of, which keeps each day that was
    asked for under its `as_of`; the current table and the online store stay.

    Example: yupana features outbreak --as-of 2021-06-02
    """
    from yupana.config.settings import settings
    from yupana.governance import events, steps

    chosen = settings()
    names = _sources(chosen, use_case)
    code = events.code_hash(chosen.root, "feature_repo", "yupana/features")
    if as_of:
        emit(_features_as_of(chosen, use_case, as_of.date(), code), as_json)
        return
    from yupana.features import given

    def work() -> steps.Outcome:
        from yupana.core import usecase
        from yupana.features import store

        room = usecase.load("feature_repo", use_case)
        table, sources = store.write_table(chosen, room)
        newest = store.publish_online(chosen, room)
        facts = {
            "rows": table.rows,
            "version": table.version,
            "data_as_of": f"{newest:%Y-%m-%d}",
            "feature_service": room.service.name,
            "sources": sources,
        }
        learned = given.learned_from(chosen, room, sources)
        return steps.Outcome((table.ref,), inputs=(*sources, *learned), metrics=facts)

    inputs = given.current(chosen, names)
    emit(steps.run(chosen, "features", use_case, work, inputs=inputs, depends_on=code), as_json)


def _features_as_of(settings: Settings, use_case: str, day: date, code: str) -> StepResult:
    """A step of its own: what comes after `features` takes the newest table, not a past one."""
    from yupana.core import usecase
    from yupana.features import as_known, as_of_table, given
    from yupana.governance import events, steps

    step, room = "features-as-of", usecase.load("feature_repo", f"{use_case}_weekly")
    known = as_known.versions(settings, room, day)

    def work() -> steps.Outcome:
        made = as_of_table.write(settings, room, day)
        facts = {
            "as_of": str(day),
            "rows": made.table.rows,
            "version": made.table.version,
            "data_as_of": str(made.newest),
            "sources": made.sources,
            "hindsight": made.hindsight,
        }
        learned = () if made.hindsight else given.learned_from(settings, room, made.sources)
        return steps.Outcome((made.table.ref,), (*made.sources, *learned), facts)

    def whole(outputs: tuple[str, ...]) -> bool:
        """Whether the table still has this run's rows of the day, and not a later one's."""
        newest = events.last_done(
            settings.events, step, use_case, lambda e: e["facts"]["as_of"] == str(day)
        )
        return newest is not None and tuple(newest["outputs"]) == outputs

    return steps.run(
        settings, step, use_case, work, inputs=known.refs, depends_on=[code, str(day)],
        still_there=whole, earlier=True,
    )  # fmt: skip


def split(use_case: UseCase, as_of: AsOf = None, as_json: AsJson = False) -> StepResult:
    """Make the training set, point-in-time, and split it by time with a gap.

    The set is refused when a feature holds what was not known at its origin.

    Example: yupana split outbreak --as-of 2019-12-28
    """
    from yupana.config.settings import settings
    from yupana.governance import events, steps

    chosen = settings()
    day = as_of.date() if as_of else None
    table = _output(chosen, "features", use_case)

    def work() -> steps.Outcome:
        from yupana.core import usecase
        from yupana.features import given, training

        event = events.producer(chosen.events, table)
        sources = tuple(event["facts"].get("sources", event["inputs"]))
        rows, sources = training.build(chosen, use_case, table, sources, day)
        made = training.save(chosen, use_case, rows, features=table, sources=sources, as_of=day)
        facts = {
            "rows": made.rows,
            "parts": made.parts,
            "as_of": made.as_of,
            "feature_service": made.feature_service,
        }
        room = usecase.load("feature_repo", f"{use_case}_weekly")
        learned = given.learned_from(chosen, room, sources)
        return steps.Outcome((made.ref,), inputs=(*sources, *learned), metrics=facts)

    code = [events.code_hash(chosen.root, "yupana/features", "feature_repo"), str(day or "")]
    return emit(
        steps.run(chosen, "split", use_case, work, inputs=(table,), depends_on=code, earlier=True),
        as_json,
    )


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

    Example: yupana train outbreak --tuning tuning:0123456789abcdef
    """
    from yupana.config.settings import settings
    from yupana.core.hashing import value_sha256
    from yupana.governance import events, steps

    chosen = settings()
    arguments = {
        "as_of": as_of.date().isoformat() if as_of else "",
        "tuning": tuning,
        "backtest_origins": backtest_origins,
    }
    if cluster:
        _submit(chosen, use_case, arguments, wait, as_json)
        return
    if tuning:
        from yupana.tracking import tuned

        # A wrong reference is told before any step; what was tuned on a cluster is kept there.
        tuned.load(chosen, use_case, tuning)
    table = _output(chosen, "features", use_case)
    code = events.code_hash(
        chosen.root, "models", "pipelines", "yupana/features", "yupana/evaluation"
    )
    depends_on = [code, *arguments.values()]

    def work() -> steps.Outcome:
        from yupana.core import usecase

        model = usecase.load("pipelines", "run").run_local(use_case, chosen, arguments)
        found = events.producer(chosen.events, model)
        facts = {k: found["facts"][k] for k in ("version", "alias", "reason")}
        ref = f"pipeline:{value_sha256([table, depends_on])[:16]}"
        return steps.Outcome((ref,), inputs=(model,), metrics=facts)

    emit(
        steps.run(
            chosen, "train", use_case, work, inputs=(table,), depends_on=depends_on, earlier=True
        ),
        as_json,
    )


def _submit(
    settings: Settings, use_case: str, arguments: dict[str, str], wait: bool, as_json: bool
) -> None:
    """Hand the pipeline to the cluster; what it makes is told by the cluster's own event log."""
    from yupana.core import usecase
    from yupana.core.progress import Lines
    from yupana.governance import steps

    def work() -> steps.Outcome:
        cluster = usecase.load("pipelines", "cluster")
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

    Example: yupana due outbreak
    """
    from yupana.config.settings import settings
    from yupana.governance import steps
    from yupana.orchestration import due as training

    chosen = settings()

    def work() -> steps.Outcome:
        found = training.due(chosen, use_case, as_of.date() if as_of else None)
        return steps.Outcome((), metrics={"due": found.due, "reason": found.reason})

    result = steps.run(chosen, "due", use_case, work, still_there=lambda _: False)
    if as_json:
        emit(result, as_json)
        return
    print(f"{'yes' if result.metrics['due'] else 'no'}: {result.metrics['reason']}")


def _sources(settings: Settings, use_case: str) -> tuple[str, ...]:
    """Names of the published tables that the use case's features read."""
    from yupana.core import usecase
    from yupana.features import given

    # The weekly table's module, not the Feast definitions: importing Feast costs seconds, and
    # a step that finds nothing to do should cost none.
    sources = given.sources(settings, usecase.load("feature_repo", f"{use_case}_weekly"))
    if settings.project:
        from yupana.tracking import projects

        projects.check(settings, settings.project, use_case, sources)
    return sources


def _output(settings: Settings, step: str, use_case: str) -> str:
    from yupana.governance import events

    return events.output(settings.events, step, use_case)
