"""Command of the nowcast: what the newest weeks will hold once all is reported."""

from __future__ import annotations

from datetime import date

import typer

from yupana.cli.common import AsJson, AsOf, UseCase, emit


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
    from yupana.config.settings import settings
    from yupana.core import usecase
    from yupana.features import as_known
    from yupana.governance import events, steps

    chosen = settings()
    day = as_of.date() if as_of else date.today()
    room = usecase.load("feature_repo", f"{use_case}_weekly")
    known = as_known.reported(chosen, room, day)

    def work() -> steps.Outcome:
        from yupana.features import given, nowcast_table

        told = nowcast_table.make(chosen, use_case, room, day)
        outputs, inputs = (told.pop("nowcast"),), told.pop("sources")
        if told["evidence"]:
            inputs += given.learned_from(chosen, room, inputs)
        if not told["evidence"]:
            told["caveat"] = "no evidence of the reporting delay: taken as complete"
        return steps.Outcome(outputs, inputs=inputs, metrics=told)

    code = events.code_hash(chosen.root, "feature_repo", "yupana/features")
    emit(
        steps.run(
            chosen, "nowcast", use_case, work, inputs=known.refs,
            # What was known is the same until the next release; in hindsight each day differs.
            depends_on=[code, str(day) if known.hindsight else ""], earlier=True,
        ),
        as_json,
    )  # fmt: skip
