"""Forecasts of past periods as they would have been made then.

At every origin a model sees the periods up to the origin and no other: training rows and features
are computed from a panel that was cut there, so that nothing later can leak in. Models are
fitted at each calendar year's first origin and used unchanged until the next.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yupana.tasks.forecast.backtest import fits
from yupana.tasks.forecast.backtest.fits import Fitted
from yupana.tasks.forecast.backtest.origins import Origin
from yupana.tasks.forecast.backtest.panel import Features, Panel, origin_rows
from yupana.tasks.forecast.dataset.newest import Ints, Newest, ahead
from yupana.tasks.forecast.model.areas import DEPARTMENT, codes
from yupana.tasks.forecast.quantiles import LEVELS, QUANTILES, Totals
from yupana.tasks.forecast.usecases import ForecastUseCase

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

KEYS = ("model", "series", "entity", "origin", "horizon")
Say = Callable[[str], None]


@dataclass(frozen=True)
class Backtest:
    """What was forecast, and by whom.

    Attributes:
        rows: a row a model, series, origin and horizon that was forecast and whose count is known:
            `KEYS` (series is district or department, origin the last day of the period),
            `observed` (cases) and the quantiles `LEVELS` (cases).
        final: name of the model that is asked about.
        baselines: names of those that it is held against.
        members: names of those that it is made of.
    """

    rows: pd.DataFrame
    final: str
    baselines: tuple[str, ...]
    members: tuple[str, ...]


def forecasts(
    definition: ForecastUseCase,
    panels: tuple[Panel, Panel],
    origins: Sequence[Origin],
    features: Features,
    *,
    seed: int,
    say: Say,
    learn_from: Panel | None = None,
) -> Backtest:
    """Forecast every origin with the model, its members, if it has any, and the baselines.

    Args:
        definition: the use case's models.
        panels: the districts', and the sums of their departments.
        features: makes feature rows from counts.
        seed: of the fits.
        learn_from: districts that the model learns from, by default those that it forecasts; the
            baselines of a department learn from it alone, always.
    """
    import pandas as pd

    tables = []
    counts = [panel.counts() for panel in panels]
    with tempfile.TemporaryDirectory(prefix="yupana-backtest-") as folder:
        for year, group in groupby(origins, key=lambda o: o.year):
            of_year = tuple(group)
            say(f"fit {year}: {panels[0].frequency.name}s up to {of_year[0]} …")
            out = Path(folder) / str(year)
            learned = learn_from or panels[0]
            fitted = fits.fit(definition, panels, learned, of_year[0], features, out, seed, say)
            say(f"forecast {year}: {len(of_year)} origins, {of_year[0]} to {of_year[-1]} …")
            for origin in of_year:
                tables += _at(origin, fitted, panels, counts, features)
    everything = pd.concat(tables, ignore_index=True).dropna(
        subset=["observed", *LEVELS]
    )
    return Backtest(
        rows=everything.sort_values(list(KEYS), ignore_index=True),
        final=definition.final,
        baselines=tuple(next(iter(fitted.baselines.values())).districts),
        members=fitted.members,
    )


def _at(
    origin: Origin, fitted: Fitted, panels: tuple[Panel, Panel], counts: Sequence[pd.DataFrame],
    features: Features,
) -> list[pd.DataFrame]:  # fmt: skip
    """All forecasts of one origin."""
    districts, whole = (origin_rows(panel, origin, features) for panel in panels)
    own, sums = (origin, counts[0], panels[0]), (origin, counts[1], panels[1])
    tables = []
    for name, model in fitted.models.items():
        quantiles = ahead(model.quantiles(districts.rows, QUANTILES), districts.behind)
        tables.append(_table(name, "district", districts.rows, quantiles, *own))
    for code, baselines in fitted.baselines.items():
        rows, behind = _newest(districts, code)
        department, behind_of_sum = _newest(whole, code)
        for name, model in fitted.models.items():
            if isinstance(model, Totals):
                together, of_all = districts.together(list(rows["entity"]))
                quantiles = ahead(model.totals(together, QUANTILES)[None], [of_all])
                tables.append(_table(name, "department", department, quantiles, *sums))
        for name, model in baselines.districts.items():
            quantiles = ahead(model.quantiles(rows, QUANTILES), behind)
            tables.append(_table(name, "district", rows, quantiles, *own))
        for name, model in baselines.department.items():
            quantiles = ahead(model.quantiles(department, QUANTILES), behind_of_sum)
            tables.append(_table(name, "department", department, quantiles, *sums))
    return tables


def _newest(newest: Newest, code: str) -> tuple[pd.DataFrame, Ints]:
    """A department's newest rows, and the periods that each lies behind."""
    rows = newest.rows[codes(newest.rows, DEPARTMENT) == code]
    return rows.reset_index(drop=True), newest.behind[rows.index]


def _table(
    model: str, series: str, rows: pd.DataFrame, forecasts: np.ndarray[Any, Any],
    origin: Origin, counts: pd.DataFrame, panel: Panel,
) -> pd.DataFrame:  # fmt: skip
    """One origin's forecasts beside what came.

    Args:
        rows: the series, in the order of `forecasts`.
        forecasts: shape (series, horizons, levels).
        counts: cases by period and series of the panel; NaN where the period is not there.
    """
    import numpy as np
    import pandas as pd

    names = rows["entity"].astype(str).tolist()
    reach, shift = panel.reach, panel.frequency.shift
    starts = pd.to_datetime([shift(origin.start, h) for h in range(1, reach + 1)])
    came = counts.reindex(index=starts, columns=names).to_numpy(dtype=float).T
    keys = {
        "model": model,
        "series": series,
        "entity": np.repeat(names, reach),
        "origin": origin.end,
        "horizon": np.tile(np.arange(1, reach + 1), len(names)),
        "observed": came.ravel(),
    }
    quantiles = pd.DataFrame(np.asarray(forecasts, float).reshape(-1, len(LEVELS)), columns=LEVELS)
    return pd.concat([pd.DataFrame(keys), quantiles], axis=1)
