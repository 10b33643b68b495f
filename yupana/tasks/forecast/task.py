"""What the kind of forecasts offers the platform; nothing is imported before it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from yupana.client import Client
    from yupana.config.settings import Settings
    from yupana.core.spec import Spec
    from yupana.core.types import TryOut
    from yupana.monitoring.kind import Inputs, Labels, Observation, Run, Section
    from yupana.predictions.entry import LogEntry
    from yupana.tasks.forecast.serving.kind import ForecastServing


class ForecastTask:
    """Forecasts of counts: see the protocols that name these methods, `yupana.monitoring.kind`."""

    def check(self, spec: Spec) -> None:
        """Demand of a spec what the kind asks of it.

        Raises:
            UsageError: a field breaks a rule; names file, field and mend.
        """
        from yupana.tasks.forecast import options

        options.of(spec)
        options.demand_groups(spec)
        options.demand_scores(spec)

    def training_rows(self, spec: Spec) -> str:
        """How much data the training needs at least, as a phrase."""
        from yupana.tasks.forecast import options

        period = options.of(spec).frequency
        return (
            f"{options.MIN_ROWS} rows in each part to train on: "
            f"{options.fewest_entities(spec)} entities by {period} or more"
        )

    def check_training_rows(self, settings: Settings, spec: Spec) -> None:
        """Demand them of the published counts; before the first publication nothing is known.

        Raises:
            UsageError: there are fewer; names field and mend.
            TerminalError: the published table cannot be read.
        """
        from yupana.data.lake import delta
        from yupana.tasks.forecast import options, usecases
        from yupana.tasks.forecast.entities import ENTITY

        table = settings.table("published", spec.data.required[0])
        if delta.exists(table):
            counts = usecases.load(spec.name).series(delta.read(table))
            options.demand_entities(spec, counts[ENTITY].n_unique())

    def try_out(self, settings: Settings, spec: Spec, client: Client) -> TryOut:
        """Ask for every entity of the feature table, on the day after its last period."""
        from yupana.core import types
        from yupana.data.lake import delta
        from yupana.tasks.forecast import usecases

        table, key = delta.read(settings.table("features", spec.features.table)), spec.entity.key
        # The sample ends years ago: on the day after its last week, it was news.
        newest: datetime = table["event_timestamp"].max()  # type: ignore[assignment]
        day, entities = newest.date() + timedelta(days=1), sorted(table[key].unique())
        question = usecases.load(spec.name).question(entities, day)
        answers = client.call(next(iter(spec.actions)), question)["predictions"]
        example = next(a for a in answers if a[key] == spec.example.entity)
        return types.TryOut(len(answers), example)

    def how_to_ask(self, spec: Spec, answer: Mapping[str, Any]) -> str:
        """For the example, on the day of its data."""
        day = f" --as-of {answer['data_as_of']}" if answer else ""
        return f"ask {spec.name} {spec.example.entity}{day}"

    def answer(self, entry: LogEntry, spec: Spec) -> str:
        """See `answer_words`."""
        from yupana.tasks.forecast import answer_words, options
        from yupana.tasks.forecast.frequency import FREQUENCIES

        return answer_words.words(entry, FREQUENCIES[options.of(spec).frequency])

    def inputs(self, settings: Settings, use_case: str, day: date) -> Inputs:
        """See `monitoring.references`."""
        from yupana.tasks.forecast import usecases
        from yupana.tasks.forecast.monitoring import references

        return references.on_day(settings, usecases.load(use_case), day)

    def observe(self, settings: Settings, use_case: str, run: Run) -> Observation:
        """See `monitoring.observe`."""
        from yupana.tasks.forecast import usecases
        from yupana.tasks.forecast.monitoring import observe

        return observe.observe(settings, usecases.load(use_case), run)

    def labels(self, spec: Spec) -> Labels:
        """Districts by their names."""
        from yupana.tasks.forecast.monitoring import groups

        return groups.labels()

    def performance(self, scored: Mapping[str, Any], spec: Spec) -> Section:
        """WIS and coverage by group."""
        from yupana.monitoring.kind import Section
        from yupana.tasks.forecast import options
        from yupana.tasks.forecast.frequency import FREQUENCIES

        template = "tasks/forecast/monitoring/performance.html"
        periods = FREQUENCIES[options.of(spec).frequency].listing
        return Section(template, {"scored": scored, "periods": periods})

    @property
    def serving(self) -> ForecastServing:
        """See `yupana.serving.kind`."""
        from yupana.tasks.forecast.serving.kind import ForecastServing

        return ForecastServing()

    def impact(self, report: Mapping[str, Any], spec: Spec) -> Section:
        """See `impact.site_section`."""
        from yupana.tasks.forecast.impact import pages

        return pages.section(report)


TASK = ForecastTask()
