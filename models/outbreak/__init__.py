"""Dengue cases by district, 1 to 8 weeks ahead: what outbreak adds to the kit for forecasts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from models.outbreak.feature_groups import GROUPS
from models.outbreak.places import Districts
from yupana.core import spec
from yupana.core.usecase import Tables
from yupana.tasks.forecast.usecases import ForecastUseCase

if TYPE_CHECKING:
    import polars as pl

    from yupana.tasks.forecast.backtest.areas import Counts
    from yupana.tasks.forecast.checks.learn import Past
    from yupana.tasks.forecast.dataset.panel_features import Layout
    from yupana.tasks.forecast.serving.analysis.what_if import Change


class Outbreak(ForecastUseCase):
    """Weekly dengue cases of Peru's districts."""

    places = Districts()
    feature_groups = GROUPS
    cases_by_age = "dengue_cases"

    def layout(self) -> Layout:
        """See `feature_repo.outbreak.weekly`."""
        from feature_repo.outbreak import weekly

        return weekly.LAYOUT

    def features(self, tables: Tables) -> pl.DataFrame:
        """The weekly district table, see `feature_repo.outbreak.weekly`."""
        from feature_repo.outbreak import weekly

        return weekly.weekly_features(tables)

    def pasts(
        self, tables: Tables, before: int, *, seed: int, say: Callable[[str], None]
    ) -> Sequence[Past]:
        """Loreto's years, with late reports made up: the published file tells no delays."""
        from models.outbreak.replay import pasts

        return pasts.before(pasts.loreto(tables[self.counted]), self, before, seed=seed, say=say)

    def changed(self, tables: Tables, change: Change) -> Tables:
        """The weather of every week, had it been another."""
        from feature_repo.outbreak import context

        return context.changed(tables, change.temperature, change.precipitation)

    def read_files(
        self, files: Sequence[Path], area: str, root: Path, *, today: date,
        say: Callable[[str], None],
    ) -> Counts:  # fmt: skip
        """A department's weekly cases from line lists as the agency publishes them."""
        from models.outbreak import linelist

        return linelist.read(files, area, root, today=today, say=say)


USE_CASE = Outbreak(spec.load("outbreak"))
