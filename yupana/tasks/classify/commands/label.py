"""Commands by which texts get labels: functions, the label model, reviewers and their tool."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import typer

from yupana.config.lazy import settings
from yupana.console.options import AsJson, UseCase, emit, say_json
from yupana.core.hashing import value_sha256
from yupana.core.progress import Lines
from yupana.tasks.classify.commands import label_review


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    group = typer.Typer(
        no_args_is_help=True, help="Label texts by functions, a label model and reviewers."
    )
    group.command("functions")(functions)
    group.command("apply")(apply)
    group.command("review")(label_review.review)
    group.command("export")(label_review.export)
    group.command("import")(label_review.import_)
    app.add_typer(group, name="label")


def functions(use_case: UseCase, as_json: AsJson = False) -> None:
    """Show what each labelling function does to the published texts; nothing is written.

    By function: the share of texts that it labels (coverage), that others label too (overlap),
    that others label otherwise (conflict), how often it is right where a person or the publisher
    said (accuracy), and how right the label model takes it for without these (estimated).

    Example: yupana label functions complaints
    """
    from yupana.tasks.classify.dataset.texts import texts
    from yupana.tasks.classify.labelling import apply as application
    from yupana.tasks.classify.labelling import functions as loading
    from yupana.tasks.classify.labelling import labels

    config = settings()
    labelling, table = loading.load(use_case), texts(config, use_case)
    existing = labels.of(config.platform_db, use_case)
    result = application.run(labelling, table, existing, config.seed, Lines())
    facts = application.summary(result)
    say_json(facts) if as_json else _show(facts)


def apply(use_case: UseCase, as_json: AsJson = False) -> None:
    """Let the labelling functions and the label model label all published texts.

    Each label is kept with the function, or the label model, that gave it. Running it again
    changes nothing; after a change of a function, which needs a new version, what no longer holds
    is withdrawn. The table of functions is written to reports/<use case>/labelling.json at home.

    Example: yupana label apply complaints
    """
    from yupana.core import whole_file
    from yupana.lineage import events, steps
    from yupana.tasks.classify.dataset.texts import texts
    from yupana.tasks.classify.labelling import apply as application
    from yupana.tasks.classify.labelling import functions as loading
    from yupana.tasks.classify.labelling import labels

    config, labelling = settings(), loading.load(use_case)
    existing = labels.of(config.platform_db, use_case)
    before = events.last_done(config.events, "label_apply", use_case)
    application.demand_versions(
        labelling, before["facts"]["digests"] if before else {}, f"models/{use_case}"
    )
    target = config.reports / use_case / "labelling.json"

    def work() -> steps.Outcome:
        result = application.run(labelling, texts(config, use_case), existing, config.seed, Lines())
        fresh = application.keep(config.platform_db, use_case, result.labels, datetime.now(UTC))
        facts = application.summary(result)
        whole_file.write_json(target, facts)
        short = {k: v for k, v in facts.items() if not isinstance(v, list | dict)}
        digests = {f.author: f.digest for f in labelling.functions}
        output = f"labels:{use_case}/apply-{value_sha256(result.labels)[:16]}"
        metrics = {**short, "new_labels": fresh, "digests": digests, "file": str(target)}
        return steps.Outcome((output,), metrics=metrics, files=(target,))

    rooms = (f"models/{use_case}", *label_review.ROOMS)
    code = [events.code_hash(config.root, room) for room in rooms]
    people = sorted(one for one in existing if one.source not in application.MACHINES)
    result = steps.run(
        config, "label_apply", use_case, work, inputs=label_review.inputs(config, use_case),
        depends_on=[code, labelling.labels, [f.digest for f in labelling.functions], people,
                    config.seed],
        still_there=lambda outputs: target.exists(),
    )  # fmt: skip
    emit(result, as_json)


def _show(facts: dict[str, Any]) -> None:
    from yupana.console import tables

    heads = ("function", "labels", "coverage", "overlap", "conflict", "accuracy", "estimated")
    tables.show(*heads, rows=map(_row, facts["functions"]))
    print(f"{facts['covered']:,} of {facts['texts']:,} texts have a label of some function")
    if facts["agreement"] is not None:
        print(
            f"where a label is known, the label model's is it in {facts['agreement']:.0%}, and it "
            f"expects {facts['confidence']:.0%}"
        )
    for group in facts["copies"]:
        print(f"the same votes, counted once: {', '.join(group)}")
    for pair in facts["near_copies"]:
        print(f"nearly the same votes, counted twice: {', '.join(pair)}")
    for one in facts["failures"]:
        print(f"failed: {one['function']} on {one['entity'] or 'all texts'}: {one['error']}")
    if (more := facts["failures_in_all"] - len(facts["failures"])) > 0:
        print(f"and {more:,} more failures")


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    shares = (f"{one[name]:.1%}" for name in ("coverage", "overlap", "conflict"))
    right = "-" if one["accuracy"] is None else f"{one['accuracy']:.2f} of {one['known']:,}"
    labels = ", ".join(one["labels"])
    return (one["function"], labels, *shares, right, f"{one['estimated']:.2f}")
