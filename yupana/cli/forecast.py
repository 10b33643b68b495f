"""Commands of the forecaster: the weekly forecast of all districts."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import typer

from yupana.cli.common import AsJson, AsOf, UseCase, emit
from yupana.core.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(predict)


def predict(
    use_case: UseCase,
    as_of: AsOf = None,
    boundaries: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            metavar="FILE",
            help="GeoJSON of districts, for a map in place of tiles.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Forecast every district from the newest week, with its alert level, and write a page.

    The Delta table forecasts/<use case> gets a row a district and week ahead: 23 quantiles, the
    alert level against the same weeks of past years, the probability to exceed them.
    forecasts/<use case>_areas holds the sums of provinces and departments. The page for health
    offices is reports/forecast-<use case>.html in YUPANA_HOME.

    With --as-of: what would have been predicted on that day, by a model and from data that
    knew nothing later; the page's name ends with the day.

    Example: yupana predict outbreak --as-of 2020-06-06
    """
    from yupana.config.settings import settings
    from yupana.core import usecase
    from yupana.core.hashing import file_sha256
    from yupana.evaluation import outlook
    from yupana.features import as_known, given
    from yupana.governance import events, steps
    from yupana.tracking import trained

    chosen, today = settings(), date.today()
    day = as_of.date() if as_of else today
    if day > today:
        raise UsageError(
            f"{day} is in the future.",
            where="--as-of",
            fix=f"Ask for {today} or earlier; the weeks ahead are forecast from what is known now.",
        )
    room = usecase.load("feature_repo", f"{use_case}_weekly")
    published = as_known.versions(chosen, room, day).refs
    # A past day's model is part of the key; what was used is told by the work.
    older = trained.logged(chosen, use_case, day) if as_of else ""
    known = () if as_of else (events.champion(chosen.events, use_case),)
    page = outlook.path(chosen.reports, use_case, day.isoformat() if as_of else "")

    def reference() -> str:
        return f"report:{page.stem}@{file_sha256(page)[:16]}"

    def work() -> steps.Outcome:
        from yupana.evaluation import outlook_rows
        from yupana.evaluation import predict as weekly

        told = weekly.predict(chosen, use_case, day, past=as_of is not None)
        outlook.write(told, page, boundaries)
        rows = {"districts": len(told.districts), "areas": len(told.areas)}
        week = told.data_as_of + timedelta(weeks=outlook_rows.LEAD)
        facts = {
            "data_as_of": told.data_as_of.isoformat(),
            "districts": int(told.districts["ubigeo"].nunique()),
            "rows": rows,
            "alerts": {"week": week.isoformat(), **outlook_rows.alerts(told.districts)},
            "hindsight": told.hindsight,
            "published_later": told.published_later,
            "stale_weeks": told.stale_weeks,
            "page": str(page),
        }
        learned = () if told.hindsight else given.learned_from(chosen, room, told.sources)
        inputs = (told.model, *told.sources, *learned)
        return steps.Outcome((*told.refs, reference()), inputs=inputs, metrics=facts)

    code = events.code_hash(chosen.root, "models", "feature_repo", "yupana/evaluation")
    drawn_on = file_sha256(boundaries) if boundaries else ""
    emit(
        steps.run(
            chosen,
            "forecast",
            use_case,
            work,
            inputs=(*known, *published),
            depends_on=[code, str(as_of or ""), older, drawn_on],
            earlier=True,
            # A later forecast may have taken the page's place.
            still_there=lambda outputs: page.exists() and outputs[-1] == reference(),
        ),
        as_json,
    )
