"""Commands of the prediction log: carried into the lake, and read there for an agency."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from yupana.config.lazy import settings
from yupana.console.options import AsJson, UseCase, emit, say
from yupana.core.progress import Lines


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command("export-predictions")(export_predictions)
    app.command("agency-answers")(agency_answers)


def export_predictions(
    use_case: UseCase,
    keep_days: Annotated[
        int | None,
        typer.Option(min=1, help="Then remove older records from the database; default: none."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Append the new records of the prediction log to the lake's table predictions/<use case>.

    What was recorded before --keep-days is removed from the database once it is in the lake.

    Example: yupana export-predictions USE_CASE --keep-days 400
    """
    from yupana.predictions import archive, export

    config = settings()
    result = export.export(config, use_case, Lines())
    if keep_days:
        before = datetime.now(UTC) - timedelta(days=keep_days)
        count = archive.forget(config, use_case, before)
        result = result.model_copy(update={"metrics": {**result.metrics, "removed": count}})
    emit(result, as_json)


def agency_answers(
    use_case: UseCase,
    agency: Annotated[str, typer.Option(help="The agency, as its keys name it.")],
    out: Annotated[Path, typer.Option(metavar="FILE.csv", help="The file to write.")],
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="From this day on (UTC).")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Up to this day (UTC).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write all that an agency was ever answered as CSV, also what has left the database.

    Example: yupana agency-answers USE_CASE --agency AGENCY --out answers.csv
    """
    from yupana.predictions import agency_export, export

    config = settings()
    export.export(config, use_case, Lines())
    days = since.date() if since else None, until.date() if until else None
    rows = agency_export.write(config, use_case, agency, days, out)
    say({"rows": rows, "file": str(out)}, f"{rows:,} answers: {out}", as_json)
