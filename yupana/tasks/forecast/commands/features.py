"""Commands that make features, and training sets from them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import typer

from yupana.config.lazy import settings
from yupana.console.options import AsJson, AsOf, UseCase, emit
from yupana.core.types import StepResult
from yupana.tasks.forecast import usecases

if TYPE_CHECKING:
    from yupana.config.settings import Settings


_CODE = ("feature_repo", "yupana/features", "yupana/tasks/forecast/dataset",
         "yupana/tasks/forecast/nowcast", "yupana/tasks/forecast/frequency.py")  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(features)
    app.command()(split)


def features(use_case: UseCase, as_of: AsOf = None, as_json: AsJson = False) -> None:
    """Build the feature table from published data and fill the online store.

    With --as-of: the features as they were known on that day, equal to the table that was built
    then. They go into a table of their own, features/<table>_as_of, which keeps each day that was
    asked for under its `as_of`; the current table and the online store stay.

    Example: yupana features outbreak --as-of 2021-06-02
    """
    from yupana.lineage import events, steps

    config = settings()
    names = _sources(config, use_case)
    code = events.code_hash(config.root, *_CODE)
    if as_of:
        emit(_features_as_of(config, use_case, as_of.date(), code), as_json)
        return
    from yupana.tasks.forecast.dataset import sources as tables_of

    def work() -> steps.Outcome:
        from yupana.core import usecase
        from yupana.features import store
        from yupana.tasks.forecast.entities import outward

        definition, feast = usecases.load(use_case), usecase.definitions(use_case)
        sources = tables_of.current(config, tables_of.sources(config, definition))
        frame = definition.features(tables_of.at(config, definition, sources))
        name = definition.spec.features.table
        table = store.write_table(
            config, name, outward(frame, definition.spec.entity.key), sources
        )
        newest = store.publish_online(config, name, feast.OBJECTS)
        facts = {
            "rows": table.rows,
            "version": table.version,
            "data_as_of": f"{newest:%Y-%m-%d}",
            "feature_service": definition.spec.features.service,
            "sources": sources,
        }
        learned = tables_of.learned_from(config, definition, sources)
        return steps.Outcome((table.ref,), inputs=(*sources, *learned), metrics=facts)

    def online(outputs: tuple[str, ...]) -> bool:
        from yupana.features import store

        return store.is_online(config, usecases.load(use_case).spec.features.table)

    inputs, table = tables_of.current(config, names), usecases.load(use_case).spec.features.table
    emit(
        steps.run(
            config, "features", use_case, work, inputs=inputs, depends_on=code,
            still_there=online, tables=(f"features/{table}",),
        ),
        as_json,
    )


def _features_as_of(settings: Settings, use_case: str, day: date, code: str) -> StepResult:
    """A step of its own: what comes after `features` takes the newest table, not a past one."""
    from yupana.lineage import events, steps
    from yupana.tasks.forecast.dataset import as_of_table, vintage
    from yupana.tasks.forecast.dataset import sources as tables_of

    step, definition = "features-as-of", usecases.load(use_case)
    versions = vintage.versions(settings, definition, day)

    def work() -> steps.Outcome:
        table = as_of_table.write(settings, definition, day)
        facts = {
            "as_of": str(day),
            "rows": table.table.rows,
            "version": table.table.version,
            "data_as_of": str(table.newest),
            "sources": table.sources,
            "hindsight": table.hindsight,
        }
        learned: tuple[str, ...] = ()
        if not table.hindsight:
            learned = tables_of.learned_from(settings, definition, table.sources)
        return steps.Outcome((table.table.ref,), (*table.sources, *learned), facts)

    def whole(outputs: tuple[str, ...]) -> bool:
        """Whether the table still has this run's rows of the day, and not a later one's."""
        newest = events.last_done(
            settings.events, step, use_case, lambda e: e["facts"]["as_of"] == str(day)
        )
        return newest is not None and tuple(newest["outputs"]) == outputs

    return steps.run(
        settings, step, use_case, work, inputs=versions.refs, depends_on=[code, str(day)],
        still_there=whole, earlier=True,
        tables=(f"{as_of_table.ZONE}/{as_of_table.name(definition)}",),
    )  # fmt: skip


def split(use_case: UseCase, as_of: AsOf = None, as_json: AsJson = False) -> StepResult:
    """Make the training set, point-in-time, and split it by time with a gap.

    The set is refused when a feature holds what was not known at its origin.

    Example: yupana split outbreak --as-of 2019-12-28
    """
    from yupana.lineage import events, steps

    config = settings()
    day = as_of.date() if as_of else None
    table = events.output(config.events, "features", use_case)

    def work() -> steps.Outcome:
        from yupana.tasks.forecast.dataset import sources as tables_of
        from yupana.tasks.forecast.dataset import training_set

        event = events.producer(config.events, table)
        sources = tuple(event["facts"].get("sources", event["inputs"]))
        rows, sources = training_set.build(config, use_case, table, sources, day)
        training = training_set.save(
            config, use_case, rows, features=table, sources=sources, as_of=day
        )
        facts = {
            "rows": training.rows,
            "parts": training.parts,
            "as_of": training.as_of,
            "feature_service": training.feature_service,
        }
        definition = usecases.load(use_case)
        learned = tables_of.learned_from(config, definition, sources)
        return steps.Outcome((training.ref,), inputs=(*sources, *learned), metrics=facts)

    code = [events.code_hash(config.root, *_CODE), str(day or "")]
    return emit(
        steps.run(config, "split", use_case, work, inputs=(table,), depends_on=code, earlier=True),
        as_json,
    )


def _sources(settings: Settings, use_case: str) -> tuple[str, ...]:
    """Names of the published tables that the use case's features read."""
    from yupana.tasks.forecast.dataset import sources as tables_of

    # The features' module, not the Feast definitions: importing Feast costs seconds, and
    # a step that finds nothing to do should cost none.
    sources = tables_of.sources(settings, usecases.load(use_case))
    if settings.project:
        from yupana.tracking import projects

        projects.check(settings, settings.project, use_case, sources)
    return sources
