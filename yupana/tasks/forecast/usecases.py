"""A use case that forecasts counts: what it takes from the kit, and what it adds of its own.

A use case of this kind is an instance of a subclass that says which features its published counts
give; pooled forecaster, baselines and all else are the kit's. Nothing heavy is imported before use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yupana.core import usecase
from yupana.core.errors import UsageError
from yupana.core.spec import Spec
from yupana.core.usecase import Tables
from yupana.tasks.forecast import feature_groups
from yupana.tasks.forecast import options as spec_options
from yupana.tasks.forecast.entities import ENTITY, inward
from yupana.tasks.forecast.frequency import FREQUENCIES, Frequency
from yupana.tasks.forecast.places import Places

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    from rich.table import Table

    from yupana.core.evaluation import Evaluation, Paired
    from yupana.tasks.forecast.backtest.areas import Counts
    from yupana.tasks.forecast.checks.invariants import Invariants
    from yupana.tasks.forecast.checks.learn import Past
    from yupana.tasks.forecast.dataset.panel_features import Layout
    from yupana.tasks.forecast.model.past_forecasts import PastForecasts
    from yupana.tasks.forecast.quantiles import Forecaster
    from yupana.tasks.forecast.serving.analysis.what_if import Change

Say = Callable[[str], None]
REPORTING = "reporting"
"""Under this name a builder is given the share known of the newest periods, where there is
evidence of it: the period's first day and `completeness` (0-1)."""


class ForecastUseCase:
    """What all forecasts of counts share.

    Attributes:
        places: what the entities are called, and where they lie.
        cases_by_age: a published table of the same cases with `life_stage`; empty: none.
    """

    places: Places = Places()
    cases_by_age: str = ""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec

    def features(self, tables: Tables) -> pl.DataFrame:
        """The feature table, a row an entity and period that has ended: those of `layout`.

        Args:
            tables: the spec's `required` (that of counts as `series` gives it), those of its
                `optional` that there are, and `REPORTING` or not.

        Returns:
            `ENTITY`, `event_timestamp` (UTC, the period's last second) and features.

        Raises:
            TerminalError: the tables cannot be used.
        """
        from yupana.tasks.forecast.dataset import panel_features

        layout, name = self.layout(), self.counted
        where, reporting = f"published/{name}", tables.get(REPORTING)
        rows = panel_features.build(layout, tables[name], reporting, where)
        return rows.select(ENTITY, "event_timestamp", *layout.features)

    def layout(self) -> Layout:
        """Which features its table has."""
        raise NotImplementedError

    @property
    def feature_groups(self) -> tuple[feature_groups.Group, ...]:
        """The features by what they tell of, for explanations."""
        return feature_groups.of_layout(self.layout(), self.places.noun)

    def counts(self, table: pl.DataFrame) -> pl.DataFrame:
        """The published rows of `counted`: the spec's key, the period's first day
        (`frequency.column`), `cases`, which add up, and what else the features use."""
        return table

    def series(self, table: pl.DataFrame) -> pl.DataFrame:
        """The published counts as features, scores and pages read them: entities in `ENTITY`."""
        return inward(self.counts(table), self.spec.entity.key)

    def invariants(self) -> Invariants:
        """What must be true of the feature table whatever the counts do; empty = not checked."""
        return self.layout().invariants

    def pasts(self, tables: Tables, before: int, *, seed: int, say: Say) -> Sequence[Past]:
        """The years before one as the checks saw them then, to learn what is usual from; empty =
        once, as the tables have them now."""
        return ()

    def changed(self, tables: Tables, change: Change) -> Tables:
        """The tables had what stands beside the counts been others, for simulations."""
        return tables

    def question(
        self, entities: Sequence[str], as_of: date | None = None, horizon: int | None = None
    ) -> dict[str, Any]:
        """The body that the endpoint `forecast` takes."""
        body: dict[str, Any] = {self.spec.entity.key: list(entities)}
        body |= {"horizon": horizon} if horizon is not None else {}
        return body | ({"as_of": as_of.isoformat()} if as_of else {})

    def answer_table(self, answer: Mapping[str, Any]) -> Table:
        """An entity's answer for people at a terminal."""
        from yupana.tasks.forecast import answer_words

        return answer_words.table(self.spec, self.frequency, answer)

    def read_files(
        self, files: Sequence[Path], area: str, root: Path, *, today: date, say: Say
    ) -> Counts:
        """One area's counts from files in the published schema, for a backtest.

        Raises:
            UsageError: the use case reads no files.
        """
        raise UsageError(
            f"The use case '{self.spec.name}' reads no files.",
            where="--cases",
            fix=f"Publish them: yupana ingest {self.counted} --source FILE.",
        )

    def read_published(self, table: pl.DataFrame, code: str, area: str, *, today: date) -> Counts:
        """One area's counts from the published table, for a backtest."""
        from yupana.tasks.forecast.backtest import areas

        where, period = f"published/{self.counted}", self.frequency.column
        return areas.published(self.series(table), period, code, area, where, today=today)

    @property
    def counted(self) -> str:
        """Name of the table of counts: the first of the required."""
        return self.spec.data.required[0]

    @property
    def frequency(self) -> Frequency:
        """The period of a count."""
        return FREQUENCIES[self.options.frequency]

    @cached_property
    def options(self) -> spec_options.Options:
        """The section `forecast` of the spec."""
        return spec_options.of(self.spec)

    @property
    def horizons(self) -> tuple[int, ...]:
        """Periods ahead, 1 = the first not yet seen."""
        return tuple(range(1, self.options.horizons + 1))

    @property
    def final(self) -> str:
        """Name of what `load` gives, in scores and reports."""
        return self.spec.model.final

    @property
    def tunable(self) -> Mapping[str, Any]:
        """What tuning may choose, with its defaults."""
        from yupana.tasks.forecast.model import model

        return model.OPTIONS

    @property
    def search(self) -> Mapping[str, Sequence[float]]:
        """Where tuning looks: by option, a list to choose from, or a lowest and a highest value."""
        from yupana.tasks.forecast.model import model

        return model.SEARCH

    def fit(
        self, frame: pd.DataFrame, out: Path, *, seed: int, say: Say,
        options: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Fit all members and pool them; `metrics`, `params` and `curve` as `model.pool` tells."""
        from yupana.tasks.forecast.model import model

        feast = self.spec.features.service
        return model.fit(frame, out, service=feast, seed=seed, say=say, options=options)

    def fit_member(
        self, frame: pd.DataFrame, member: str, out: Path, *, seed: int, say: Say,
        options: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Fit one of `members` on a training set."""
        from yupana.tasks.forecast.model import model

        feast = self.spec.features.service
        return model.fit_member(
            frame, member, out, service=feast, seed=seed, say=say, options=options
        )

    def pool(
        self, frame: pd.DataFrame, fitted: Mapping[str, Path], out: Path, *, seed: int, say: Say
    ) -> dict[str, Any]:
        """Join fitted members, by name the folder that `fit_member` wrote."""
        from yupana.tasks.forecast.model import model

        return model.pool(frame, fitted, out, seed=seed, say=say)

    def tuning(
        self, frame: pd.DataFrame, options: Mapping[str, Any], *, seed: int,
        watch: Callable[[int, float], None],
    ) -> float:  # fmt: skip
        """Validation loss of a model with these options."""
        from yupana.tasks.forecast.model import model

        return model.tuning(frame, options, seed=seed, watch=watch)

    def load(self, folder: Path) -> Forecaster:
        """The fitted pool in a folder."""
        from yupana.tasks.forecast.model import store

        return store.load(folder)

    def load_evaluated(self, folder: Path) -> Forecaster:
        """The pool that was scored on the test part, see `store.EVALUATED`."""
        from yupana.tasks.forecast.model import store

        return store.load(store.evaluated(folder))

    def baselines(self, frame: pd.DataFrame) -> dict[str, Forecaster]:
        """What the pool must beat, learned from what the pool may know."""
        from yupana.tasks.forecast.model import model

        return model.baselines(frame)

    def evaluate(self, folder: Path, rows: Path, *, seed: int) -> Evaluation:
        """Scores of the pool and its baselines, see `scoring.evaluate`."""
        from yupana.tasks.forecast.scoring import evaluate

        return evaluate.evaluate(self, folder, rows, seed=seed)

    def paired(self, mine: Path, other: Path) -> Paired | None:
        """Two candidates on the origins that both were scored on, see `intervals.paired`."""
        from yupana.tasks.forecast.scoring import intervals

        block, fewest = self.options.horizons, self.frequency.year // 3
        key = self.spec.entity.key
        return intervals.paired(mine, other, self.final, key, block=block, fewest=fewest)

    def card(self, folder: Path, evaluation: Evaluation) -> Sequence[str]:
        """Further scores, another season and calibration, see `scoring.card`."""
        from yupana.tasks.forecast.scoring import card

        return card.sections(folder, evaluation)

    def past_forecasts(
        self, frame: pd.DataFrame, fitted: Mapping[str, Path], *, seed: int
    ) -> PastForecasts | None:
        """What the pool would have forecast of past years, from its members' files."""
        from yupana.tasks.forecast.model import past_forecasts

        return past_forecasts.of_members(frame, fitted, seed=seed)

    def write_selftest(self, folder: Path, model: Forecaster) -> None:
        """Keep a model's answers to the last rows of its test part beside it."""
        import pandas as pd

        from yupana.tasks.forecast import selftest

        rows = pd.read_parquet(folder / "reference.parquet")
        selftest.write(folder, model, rows, self.spec.entity.key)

    def run_selftest(self, folder: Path, model: Forecaster) -> None:
        """Demand that a loaded model answers as it did when it was deployed."""
        from yupana.tasks.forecast import selftest

        selftest.run(folder, model, self.spec.entity.key)


def load(name: str) -> ForecastUseCase:
    """A use case of this kind.

    Raises:
        UsageError: there is no such use case, or it is of another kind.
    """
    use_case = usecase.load(name)
    if not isinstance(use_case, ForecastUseCase):
        raise UsageError(
            f"The use case '{name}' does not forecast: it is of the kind {use_case.spec.task}.",
            where=f"models/{name}/usecase.yaml",
            fix=f"`yupana usecases {name}` tells what it can do.",
        )
    return use_case
