"""Commands that make the table of texts, and training sets from it."""

from __future__ import annotations

import typer

from yupana.config.lazy import settings
from yupana.console.options import AsJson, UseCase, emit
from yupana.core.hashing import value_sha256
from yupana.core.types import StepResult

_CODE = ("yupana/tasks/classify/dataset", "yupana/tasks/classify/options.py")


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(features)
    app.command()(split)


def features(use_case: UseCase, as_json: AsJson = False) -> None:
    """Build the table of texts from published data.

    Example: yupana features complaints
    """
    from yupana.core import spec
    from yupana.data.lake import delta
    from yupana.lineage import events, steps

    config, about = settings(), spec.load(use_case)
    source = delta.ref(config.lake, "published", about.data.trigger).ref

    def work() -> steps.Outcome:
        from yupana.features import store
        from yupana.tasks.classify import usecases
        from yupana.tasks.classify.dataset.texts import LABEL, TIME

        zone, name, version = delta.parts(source)
        table = delta.read(config.table(zone, name), version)
        rows = usecases.load(use_case).features({about.data.trigger: table})
        written = store.write_table(config, about.features.table, rows, (source,))
        facts = {
            "rows": written.rows,
            "labelled": int(rows[LABEL].is_not_null().sum()),
            "version": written.version,
            "data_as_of": str(rows[TIME].dt.date().max()),
            "sources": (source,),
        }
        return steps.Outcome((written.ref,), metrics=facts)

    code = [events.code_hash(config.root, *_CODE), about.options]
    emit(
        steps.run(
            config, "features", use_case, work, inputs=(source,), depends_on=code,
            tables=(f"features/{about.features.table}",),
        ),
        as_json,
    )  # fmt: skip


def split(use_case: UseCase, as_json: AsJson = False) -> StepResult:
    """Make the training set: labelled texts in folds of whole groups.

    Labels are the publisher's and those of `yupana label` and of clerks, weighed by who gave them.

    Example: yupana split complaints
    """
    from yupana.lineage import events, steps
    from yupana.tasks.classify.labelling import labels

    config = settings()
    table = events.output(config.events, "features", use_case)
    given = labels.of(config.platform_db, use_case)

    def work() -> steps.Outcome:
        from yupana.features import training_sets
        from yupana.tasks.classify.dataset import training_set

        event = events.producer(config.events, table)
        rows = training_set.build(config, use_case, table, given)
        saved = training_sets.save(
            config, use_case, rows, features=table, sources=tuple(event["inputs"]), as_of=None
        )
        facts = {"rows": saved.rows, "parts": saved.parts, "labels": len(given)}
        return steps.Outcome((saved.ref,), inputs=tuple(event["inputs"]), metrics=facts)

    code = [events.code_hash(config.root, *_CODE), value_sha256(given), config.seed]
    return emit(
        steps.run(config, "split", use_case, work, inputs=(table,), depends_on=code, earlier=True),
        as_json,
    )
