"""The command that says for whom a classifier is right, for whom not, and who is not measured."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yupana.config.lazy import settings
from yupana.console.options import AsJson, UseCase, emit
from yupana.core.progress import Lines

if TYPE_CHECKING:
    from yupana.config.settings import Settings

_DAY = ["%Y-%m-%d"]


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(impact)


def impact(
    use_case: UseCase,
    model: Annotated[
        str, typer.Option(help="A registered version or its alias: 3, challenger.")
    ] = "champion",
    first: Annotated[
        datetime | None, typer.Option("--from", formats=_DAY, help="Texts from that day on.")
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=_DAY, help="Texts up to this day.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say who is sent to a person more often, who is routed wrongly and who waits longer, by
    language, length, topic, channel and area, with intervals; a page and JSON.

    From texts that the model never saw, from its answers, and from cases with what clerks did.
    Small groups are hidden, and what is not measured is named.

    Example: yupana impact complaints
    """
    from yupana.lineage import events, steps
    from yupana.tracking import aliases, versions

    config, now = settings(), datetime.now(UTC)
    if model == "champion":
        ref = aliases.champion(config, use_case)
    else:
        ref = versions.find(config, f"{use_case}@{model.removeprefix(f'{use_case}@')}").ref
    since, until = (day.date() if day else None for day in (first, last))

    def work() -> steps.Outcome:
        from yupana.tasks.classify.impact import report

        document = report.make(
            config, versions.find(config, ref), now.date(), first=since, last=until,
            say=Lines().say,
        )  # fmt: skip
        files = report.write(config, document)
        facts = {**_facts(document), **{name: str(path) for name, path in files.items()}}
        output = f"report:{use_case}/impact-{document['id']}"
        return steps.Outcome((output,), tuple(document["rests_on"]), facts, tuple(files.values()))

    code = events.code_hash(config.root, "models", "yupana/tasks/classify")
    result = steps.run(
        config, "impact", use_case, work, inputs=(ref,),
        depends_on=[code, config.seed, str(since), str(until), *_outside(config, use_case, now)],
        still_there=lambda outputs: all(_json(config, ref).exists() for ref in outputs),
    )  # fmt: skip
    if as_json:
        emit(result, as_json)
    else:
        _show(result.metrics, result.status)


def _json(settings: Settings, ref: str) -> Path:
    return settings.reports / f"{ref.removeprefix('report:')}.json"


def _outside(settings: Settings, use_case: str, now: datetime) -> list[Any]:
    """What the report rests on that no reference names: answers, feedback, and cases, of which
    those without an answer wait longer each day."""
    import sqlalchemy as sa

    from yupana.database.engine import engine
    from yupana.predictions import feedback, prediction_log
    from yupana.tasks.classify.cases.tables import CASES

    url = settings.platform_db
    query = sa.select(sa.func.count(), sa.func.sum(CASES.c.version)).where(
        CASES.c.use_case == use_case
    )
    with engine(url).connect() as connection:
        cases = list(connection.execute(query).one())
    said = len(feedback.listing(url, use_case, datetime(1970, 1, 1, tzinfo=UTC)))
    day = str(now.date()) if cases[0] else ""
    return [prediction_log.newest_id(url, use_case), said, str(cases), day]


def _facts(report: dict[str, Any]) -> dict[str, Any]:
    return {
        "period": report["period"],
        "sources": report["sources"],
        "groups": len(report["groups"]),
        "hidden": sum(group["suppressed"] for group in report["groups"]),
        "unmeasured": [one["by"] for one in report["unmeasured"]],
        "summary": report["summary"],
    }


def _show(facts: dict[str, Any], status: str) -> None:
    for line in facts["summary"]:
        print(f"- {line['es']}\n  {line['en']}")
    print(f"{'already done' if status == 'unchanged' else 'page'}: {facts['html']}")
