"""Commands of the ML engineer: features, split, fit, evaluate, register, and all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from yupana.cli.common import AsJson, AsOf, UseCase, emit

if TYPE_CHECKING:
    from pathlib import Path

    from yupana.config.settings import Settings

Split = Annotated[str, typer.Option("--split", help="Reference that `yupana split` printed.")]
Candidate = Annotated[str, typer.Option(help="Reference that `yupana fit` printed.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (features, split, fit, evaluate, train):
        app.command()(command)
    app.command("register")(register_model)


def features(use_case: UseCase, as_json: AsJson = False) -> None:
    """Build the feature table from published data and fill the online store.

    Example: yupana features outbreak
    """
    from yupana.config.settings import settings
    from yupana.governance import events, steps

    chosen = settings()
    inputs = _published(chosen, use_case)

    def work() -> steps.Outcome:
        from yupana.core import usecase
        from yupana.features import store

        room = usecase.load("feature_repo", use_case)
        table, sources = store.write_table(chosen, room)
        newest = store.publish_online(chosen, room)
        facts = {"rows": table.rows, "version": table.version, "data_as_of": f"{newest:%Y-%m-%d}"}
        return steps.Outcome((table.ref,), inputs=sources, metrics=facts)

    code = events.code_hash(chosen.root, "feature_repo", "yupana/features")
    emit(steps.run(chosen, "features", use_case, work, inputs=inputs, depends_on=code), as_json)


def split(use_case: UseCase, as_of: AsOf = None, as_json: AsJson = False) -> None:
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
        from yupana.features import training

        sources = tuple(events.producer(chosen.events, table)["inputs"])
        rows, sources = training.build(chosen, use_case, table, sources, day)
        made = training.save(chosen, use_case, rows, features=table, sources=sources, as_of=day)
        facts = {"rows": made.rows, "parts": made.parts, "as_of": made.as_of}
        return steps.Outcome((made.ref,), inputs=sources, metrics=facts)

    code = [events.code_hash(chosen.root, "yupana/features", "feature_repo"), str(day or "")]
    emit(
        steps.run(chosen, "split", use_case, work, inputs=(table,), depends_on=code, earlier=True),
        as_json,
    )


def fit(use_case: UseCase, split: Split, as_json: AsJson = False) -> None:
    """Train the use case's model on a split.

    Example: yupana fit outbreak --split split:0123456789abcdef
    """
    from yupana.config.settings import settings
    from yupana.core.hashing import value_sha256
    from yupana.core.progress import Lines
    from yupana.governance import events, steps

    chosen = settings()
    code = events.code_hash(chosen.root, "models")
    identity = value_sha256([split, code, chosen.seed])[:16]

    def work() -> steps.Outcome:
        import json
        import time

        from yupana.core import usecase
        from yupana.features import training
        from yupana.tracking import facts

        start = time.monotonic()
        rows = training.load(chosen, use_case, split)
        out = _candidate(chosen, identity)
        out.mkdir(parents=True, exist_ok=True)
        fitted = usecase.load("models", use_case).fit(rows, out, seed=chosen.seed, say=Lines().say)
        fitted["params"]["knows_through"] = training.knows_through(rows)
        (out / "fit.json").write_text(json.dumps(fitted))
        about = training.about(chosen, use_case, split)
        facts.record(chosen, out, about, time.monotonic() - start)
        return steps.Outcome((f"candidate:{identity}",), metrics=fitted["metrics"])

    emit(
        steps.run(
            chosen,
            "fit",
            use_case,
            work,
            inputs=(split,),
            depends_on=[code, chosen.seed],
            earlier=True,
        ),
        as_json,
    )


def evaluate(use_case: UseCase, candidate: Candidate, as_json: AsJson = False) -> None:
    """Score a candidate and the baselines on the test weeks.

    Example: yupana evaluate outbreak --candidate candidate:0123456789abcdef
    """
    from yupana.config.settings import settings
    from yupana.core.hashing import value_sha256
    from yupana.governance import events, steps

    chosen = settings()

    def work() -> steps.Outcome:
        from yupana.evaluation.evaluate import evaluate as score
        from yupana.features import training

        fitted = events.producer(chosen.events, candidate)
        rows = training.path_of(chosen, use_case, fitted["inputs"][0])
        scores = score(use_case, _candidate(chosen, candidate), rows)
        ref = f"evaluation:{value_sha256([candidate, scores])[:16]}"
        return steps.Outcome((ref,), metrics={"scores": scores})

    code = events.code_hash(chosen.root, "models", "yupana/evaluation")
    emit(
        steps.run(
            chosen, "evaluate", use_case, work, inputs=(candidate,), depends_on=code, earlier=True
        ),
        as_json,
    )


def register_model(use_case: UseCase, candidate: Candidate, as_json: AsJson = False) -> None:
    """Put an evaluated candidate into the registry; the better one becomes champion.

    Example: yupana register outbreak --candidate candidate:0123456789abcdef
    """
    from yupana.config.settings import settings
    from yupana.governance import events, steps

    chosen = settings()
    evaluation = events.output(chosen.events, "evaluate", use_case, candidate)

    def work() -> steps.Outcome:
        from yupana.features import training
        from yupana.tracking import registry

        rows = events.producer(chosen.events, candidate)["inputs"][0]
        tags = {"candidate": candidate, "split": rows, "evaluation": evaluation}
        tags["project"] = chosen.project
        tags["as_of"] = training.about(chosen, use_case, rows)["as_of"]
        made = registry.register(chosen, use_case, _candidate(chosen, candidate), tags)
        facts = {"version": made.version, "alias": made.alias, "reason": made.reason}
        return steps.Outcome((f"model:{use_case}@{made.version}",), metrics=facts)

    emit(
        steps.run(chosen, "register", use_case, work, inputs=(candidate, evaluation), earlier=True),
        as_json,
    )


def train(use_case: UseCase, as_of: AsOf = None, as_json: AsJson = False) -> None:
    """Run the use case's Kubeflow pipeline on this machine: split → fit → evaluate → register.

    With --as-of the model knows nothing later, for `yupana predict --as-of`; it never becomes
    champion by itself.

    Example: yupana train outbreak
    """
    from yupana.config.settings import settings
    from yupana.core.hashing import value_sha256
    from yupana.governance import events, steps

    chosen = settings()
    table = _output(chosen, "features", use_case)
    day = as_of.date().isoformat() if as_of else ""
    code = events.code_hash(
        chosen.root, "models", "pipelines", "yupana/features", "yupana/evaluation"
    )

    def work() -> steps.Outcome:
        from yupana.core import usecase

        model = usecase.load("pipelines", "run").run_local(use_case, chosen, day)
        found = events.producer(chosen.events, model)
        facts = {k: found["facts"][k] for k in ("version", "alias", "reason")}
        return steps.Outcome(
            (f"pipeline:{value_sha256([table, code, day])[:16]}",), inputs=(model,), metrics=facts
        )

    emit(
        steps.run(
            chosen, "train", use_case, work, inputs=(table,), depends_on=[code, day], earlier=True
        ),
        as_json,
    )


def _published(settings: Settings, use_case: str) -> tuple[str, ...]:
    """References of the published tables that the use case's features read."""
    from yupana.core import usecase
    from yupana.data import delta

    # The weekly table's module, not the Feast definitions: importing Feast costs seconds, and
    # a step that finds nothing to do should cost none.
    sources = usecase.load("feature_repo", f"{use_case}_weekly").SOURCES
    if settings.project:
        from yupana.tracking import projects

        projects.check(settings, settings.project, use_case, sources)
    return tuple(delta.ref(settings.lake, "published", name).ref for name in sources)


def _output(settings: Settings, step: str, use_case: str) -> str:
    from yupana.governance import events

    return events.output(settings.events, step, use_case)


def _candidate(settings: Settings, ref: str) -> Path:
    return settings.home / "candidates" / ref.removeprefix("candidate:")
