"""The command that learns what is usual, for the checks of the monitor."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from yupana.config.lazy import settings
from yupana.console.options import AsJson, UseCase, emit
from yupana.core.hashing import file_sha256
from yupana.core.progress import Lines


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(norms)


def norms(
    use_case: UseCase,
    before: Annotated[
        int, typer.Option(help="First year that is left out; those before it are learned from.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="File; by default reports/<use case>/norms.json at home.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Learn what is usual in a week or a month, and from where on the monitor's checks alarm.

    Reads the published tables. Read the file, and copy it to models/<use case>/norms.json: until
    it is there, the checks of `yupana monitor` say that they do not know.

    Example: yupana norms malaria --before 2015
    """
    from yupana.lineage import events, steps
    from yupana.tasks.forecast import usecases
    from yupana.tasks.forecast.dataset import vintage

    config, progress, definition = settings(), Lines(), usecases.load(use_case)
    target = (out or config.reports / use_case / "norms.json").resolve()
    day = datetime.now(UTC).date()

    def reference() -> tuple[str, ...]:
        return (f"norms:{file_sha256(target)[:16]}",)

    def work() -> steps.Outcome:
        from yupana.tasks.forecast.checks import learn, past
        from yupana.tasks.forecast.checks import norms as usual

        tables = vintage.on_day(config, definition, day).tables
        pasts = definition.pasts(tables, before, seed=config.seed, say=progress.say)
        pasts = pasts or [past.of(definition, tables, before)]
        periods = len(pasts[0].periods)
        progress.say(f"learning from {periods} {definition.frequency.listing}, {len(pasts)} times")
        learned = learn.learn(pasts, definition.invariants())
        target.parent.mkdir(parents=True, exist_ok=True)
        usual.save(learned, target)
        first, last = learned.span
        facts = {"file": str(target), "periods": periods, "from": first, "to": last}
        return steps.Outcome(reference(), metrics={**facts, "checks": len(learned.limits)})

    code = events.code_hash(config.root, "models", "feature_repo", "yupana/tasks/forecast")
    result = steps.run(
        config, "norms", use_case, work,
        inputs=vintage.versions(config, definition, day).refs,
        depends_on=[code, config.seed, before, str(target)],
        still_there=lambda outputs: target.exists() and reference() == outputs,
    )  # fmt: skip
    emit(result, as_json)
