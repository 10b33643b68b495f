"""What the kind of classifiers offers the platform; nothing is imported before it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from yupana.client import Client
    from yupana.config.settings import Settings
    from yupana.core.spec import Spec
    from yupana.core.types import TryOut
    from yupana.monitoring.kind import Inputs, Labels, Observation, Run, Section
    from yupana.predictions.entry import LogEntry
    from yupana.tasks.classify.serving.kind import ClassifyServing


class ClassifyTask:
    """Classifiers of texts: see the protocols that name these methods."""

    def check(self, spec: Spec) -> None:
        """Demand of a spec what the kind asks of it.

        Raises:
            UsageError: a field breaks a rule; names file, field and mend.
        """
        from yupana.tasks.classify import options

        options.of(spec)
        options.demand_scores(spec)

    def training_rows(self, spec: Spec) -> str:
        """How much data the training needs at least, as a phrase."""
        from yupana.tasks.classify import options
        from yupana.tasks.classify.dataset.training_set import LEAST_TEXTS

        return f"{LEAST_TEXTS} labelled texts of {options.LEAST_GROUPS} groups or more"

    def check_training_rows(self, settings: Settings, spec: Spec) -> None:
        """Demand them of the published texts; before the first publication nothing is known.

        Raises:
            TerminalError: there are fewer, or a column that the spec names is absent.
        """
        from yupana.data.lake import delta
        from yupana.tasks.classify.dataset import texts, training_set

        if delta.exists(settings.table("published", spec.data.trigger)):
            training_set.demand(texts.texts(settings, spec.name), spec.data.trigger)

    def try_out(self, settings: Settings, spec: Spec, client: Client) -> TryOut:
        """See `try_out`."""
        from yupana.tasks.classify import try_out

        return try_out.run(settings, spec, client)

    def how_to_ask(self, spec: Spec, answer: Mapping[str, Any]) -> str:
        """For a text of one's own."""
        text = answer.get("text") or spec.title.es
        return f'ask {spec.name} "{text[:60]}"'

    def score_file(
        self, settings: Settings, use_case: str, path: Path, say: Callable[[str], None]
    ) -> dict[str, Any]:
        """See `scoring.file_evaluation`."""
        from yupana.tasks.classify.scoring import file_evaluation

        return file_evaluation.report(settings, use_case, path, say)

    def answer(self, entry: LogEntry, spec: Spec) -> str:
        """See `answer_words`."""
        from yupana.tasks.classify import answer_words

        return answer_words.words(entry)

    def inputs(self, settings: Settings, use_case: str, day: date) -> Inputs:
        """See `monitoring.observe`."""
        from yupana.tasks.classify.monitoring import observe

        return observe.inputs(settings, use_case, day)

    def observe(self, settings: Settings, use_case: str, run: Run) -> Observation:
        """See `monitoring.observe`."""
        from yupana.tasks.classify import usecases
        from yupana.tasks.classify.monitoring import observe

        return observe.observe(settings, usecases.load(use_case), run)

    def labels(self, spec: Spec) -> Labels:
        """Groups and measures by their names."""
        from yupana.tasks.classify.monitoring import observe

        return observe.labels(spec)

    def performance(self, scored: Mapping[str, Any], spec: Spec) -> Section:
        """How often labels were right, by label."""
        from yupana.monitoring.kind import Section

        return Section("tasks/classify/monitoring/performance.html", {"scored": scored})

    @property
    def serving(self) -> ClassifyServing:
        """See `yupana.serving.kind`."""
        from yupana.tasks.classify.serving.kind import ClassifyServing

        return ClassifyServing()

    def impact(self, report: Mapping[str, Any], spec: Spec) -> Section:
        """See `impact.pages.section`."""
        from yupana.tasks.classify.impact import pages

        return pages.section(report)


TASK = ClassifyTask()
