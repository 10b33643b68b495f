"""Command of the nowcast: what the newest weeks will hold once all is reported."""

from __future__ import annotations

from datetime import date

import typer

from yupana.config.lazy import settings
from yupana.console.options import AsJson, AsOf, UseCase, emit


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(nowcast)


def nowcast(use_case: UseCase, as_of: AsOf = None, as_json: AsJson = False) -> None:
    """Estimate what the newest weeks will hold once all their cases are reported.

    Reports come late. How late is learned from the versions that were published week by week;
    16 of them are needed, else every week is taken as complete and the result says so. Kept as
    the Delta table forecasts/<use case>_nowcast: by district and week the reported count, the
    share known, the median, and 80 % and 95 % intervals.

    Example: yupana nowcast outbreak --as-of 2020-06-10
    """
    from yupana.lineage import events, steps
    from yupana.tasks.forecast import usecases
    from yupana.tasks.forecast.dataset import vintage

    config = settings()
    day = as_of.date() if as_of else date.today()
    definition = usecases.load(use_case)
    versions = vintage.reported(config, definition, day)

    def work() -> steps.Outcome:
        from yupana.tasks.forecast.dataset import sources
        from yupana.tasks.forecast.nowcast import table

        report = table.make(config, use_case, definition, day)
        outputs, inputs = (report.pop("nowcast"),), report.pop("sources")
        if report["evidence"]:
            inputs += sources.learned_from(config, definition, inputs)
        if not report["evidence"]:
            report["caveat"] = "no evidence of the reporting delay: taken as complete"
        return steps.Outcome(outputs, inputs=inputs, metrics=report)

    code = events.code_hash(
        config.root, "feature_repo", "yupana/tasks/forecast/nowcast",
        "yupana/tasks/forecast/dataset"
    )
    emit(
        steps.run(
            config, "nowcast", use_case, work, inputs=versions.refs,
            # What was known is the same until the next release; in hindsight each day differs.
            depends_on=[code, str(day) if versions.hindsight else ""], earlier=True,
            tables=(f"forecasts/{use_case}_nowcast",),
        ),
        as_json,
    )  # fmt: skip
