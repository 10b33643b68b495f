"""What the monitor and the auditor's pages ask of a kind of use case, and get from it.

The kind's object `TASK` (`yupana.core.usecase.task`) offers `Task`. It says which entities belong
to which group and how pages call them; the monitor itself knows neither.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from yupana.core import spec, usecase
from yupana.monitoring.answers import Measures
from yupana.monitoring.check import Check
from yupana.monitoring.site.parts import Answer

if TYPE_CHECKING:
    import polars as pl

    from yupana.config.settings import Settings
    from yupana.core.spec import Spec

Pair = tuple[str, str]
"""A text for people: Spanish, English."""

Groups = Mapping[str, Mapping[str, str]]
"""By the name of a grouping, the group of each entity."""

Comparable = Callable[["pl.DataFrame", "pl.DataFrame"], "pl.DataFrame"]
"""Of a test window (all its columns, `ENTITY`) and answers (`PERIOD`), the test rows that these
compare with."""


@dataclass(frozen=True)
class Inputs:
    """References of what was known on a day: the same until something of it changes.

    Attributes:
        features: version of the feature table; None where none was made from what was known then,
            and the newest stands for it.
        refs: of features, predictions and published tables.
        hindsight: some of it was published or made later, so that the day itself matters.
        files: SHA-256 of files that the checks rest on.
    """

    features: int | None
    refs: tuple[str, ...]
    hindsight: bool
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Run:
    """What a run of the monitor is asked for.

    Attributes:
        id: the same for the same inputs.
        model: that answers, `model:<use case>@<version>`.
        folder: of the model's files: `reference.parquet`, `test_scores.parquet`.
        window: weeks of answers that are compared.
        day: what was known later is not seen.
        answers: whether answers are compared at all.
        inputs: references of what is read.
        features: version of the feature table for the day; None: the newest.
        difference: where the registry's champion is another model, that; else empty.
    """

    id: str
    model: str
    folder: Path
    window: int
    day: date
    answers: bool
    inputs: tuple[str, ...]
    features: int | None = None
    difference: Pair = ("", "")


@dataclass(frozen=True)
class Observation:
    """What a kind of use case says of the newest period.

    Attributes:
        period: day that ends it.
        columns: features whose answers are compared with the model's test window.
        measures: what of an answer is compared as well.
        groups: of a table with the entities' column and `columns`, which group each is in.
        checks: of the period, and of how good the model's past answers were.
        performance: what these were scored, `n` of them; the kind's own section shows it.
        unfinished: last days of periods that are still being reported.
        vintage_periods: how many periods of features are of the version that was known then.
        scores: check, column and group that say how well the model does.
        batch: what was predicted in batch, as `answers.distinct` gives what was answered, each
            once; None where nothing is.
        comparable: test rows that the answers compare with: of the same season, say; None: all.
        recurring: an entity is asked about again and again (a place), and answers compare with the
            test rows of their own entities; False: each is another (a text).
    """

    period: date
    columns: tuple[str, ...]
    measures: Measures
    groups: Callable[[pl.DataFrame], Groups]
    checks: tuple[Check, ...]
    performance: dict[str, Any]
    unfinished: tuple[date, ...]
    vintage_periods: int
    scores: tuple[tuple[str, str, str], ...]
    batch: pl.DataFrame | None = None
    comparable: Comparable | None = None
    recurring: bool = True


Observe = Callable[[Run], Observation]


@dataclass(frozen=True)
class Labels:
    """How pages call what a use case is about, Spanish and English.

    Attributes:
        entities: what predictions are about, in the plural.
        groups: by the name of a grouping; `values`: by the name of a group.
        measures: by the name of a measure of the model or of its promises.
        place: name of a group or an entity by its code; else the code.
    """

    entities: Pair = ("entidades", "entities")
    groups: Mapping[str, Pair] = field(default_factory=dict)
    values: Mapping[str, Pair] = field(default_factory=dict)
    measures: Mapping[str, Pair] = field(default_factory=dict)
    place: Callable[[str], str] = str


@dataclass(frozen=True)
class Section:
    """A part of a page that a kind fills.

    Attributes:
        template: its path below `yupana/`.
        values: what it is filled with.
        answer: what it says to the page's question; None where it says nothing.
    """

    template: str
    values: Mapping[str, Any]
    answer: Answer | None = None


class Task(Protocol):
    """What a kind offers the monitor and the auditor's pages."""

    def inputs(self, settings: Settings, use_case: str, day: date) -> Inputs:
        """What there is to look at on a day.

        Raises:
            TerminalError: a source was never published.
        """
        ...

    def observe(self, settings: Settings, use_case: str, run: Run) -> Observation:
        """Check the newest period by the run's day, and score what is known to have come.

        Raises:
            TerminalError: there are no features by that day.
        """
        ...

    def labels(self, spec: Spec) -> Labels:
        """How pages call the use case's entities, groups and measures."""
        ...

    def performance(self, scored: Mapping[str, Any], spec: Spec) -> Section:
        """How good past answers were, for the watch page.

        Args:
            scored: `Observation.performance`, as JSON gives it back.
        """
        ...

    def impact(self, report: Mapping[str, Any], spec: Spec) -> Section:
        """For whom the model errs more, for the site.

        Args:
            report: the JSON of `impact-<id>.json`; the site itself reads `id`, `model`,
                `period` (`to`) and `rests_on` of it.
        """
        ...


def of(use_case: str) -> Task:
    """The kind of a use case.

    Raises:
        UsageError: there is no such use case.
    """
    task: Task = usecase.task(spec.load(use_case).task)
    return task


def labels(use_case: str) -> Labels:
    """How pages call what a use case is about; plain words for one without a spec."""
    if use_case not in usecase.names():
        return Labels()
    return of(use_case).labels(spec.load(use_case))
