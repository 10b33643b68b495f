"""Forecasts of past weeks as they would have been made then.

At every origin a model sees the weeks up to the origin and no other: training rows and features
are computed from a panel that was cut there, so that nothing later can leak in. Models are
fitted at each calendar year's first origin and used unchanged until the next.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yupana.core.forecast import LEVELS, QUANTILES, Forecaster, ModelRoom, Pooled, Totals
from yupana.evaluation.origins import Origin
from yupana.evaluation.panel import REACH, Features, Panel, origin_rows, training_rows

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

KEYS = ("model", "series", "ubigeo", "origin", "horizon")
Say = Callable[[str], None]


@dataclass(frozen=True)
class Fitted:
    """The models of one year, by name: those of the districts and those of the department."""

    districts: Mapping[str, Forecaster]
    department: Mapping[str, Forecaster]
    members: tuple[str, ...]


@dataclass(frozen=True)
class Backtest:
    """What was forecast, and by whom.

    Attributes:
        rows: a row a model, series, origin and horizon whose count is known: `KEYS` (series is
            district or department, origin the Saturday that ends the week), `observed` (cases)
            and the quantiles `LEVELS` (cases).
        final: name of the model that is asked about.
        baselines: names of those that it is held against.
        members: names of those that it is made of.
    """

    rows: pd.DataFrame
    final: str
    baselines: tuple[str, ...]
    members: tuple[str, ...]


def forecasts(
    room: ModelRoom,
    panels: tuple[Panel, Panel],
    origins: Sequence[Origin],
    features: Features,
    *,
    seed: int,
    say: Say,
) -> Backtest:
    """Forecast every origin with the model, its members, if it has any, and the baselines.

    Args:
        room: the use case's models.
        panels: the districts' and the department's.
        features: makes feature rows from weekly counts.
        seed: of the fits.
    """
    import pandas as pd

    made = []
    counts = [panel.counts() for panel in panels]
    with tempfile.TemporaryDirectory(prefix="yupana-backtest-") as folder:
        for year, group in groupby(origins, key=lambda o: o.year):
            of_year = tuple(group)
            say(f"fit {year}: weeks up to {of_year[0]} …")
            out = Path(folder) / str(year)
            fitted = _fit(room, panels, of_year[0], features, out, seed, say)
            say(f"forecast {year}: {len(of_year)} origins, {of_year[0]} to {of_year[-1]} …")
            for origin in of_year:
                made += _at(origin, fitted, panels, counts, features)
    everything = pd.concat(made, ignore_index=True).dropna(subset=["observed"])
    return Backtest(
        rows=everything.sort_values(list(KEYS), ignore_index=True),
        final=room.FINAL,
        baselines=tuple(fitted.department),
        members=fitted.members,
    )


def _fit(
    room: ModelRoom, panels: tuple[Panel, Panel], cut: Origin, features: Features, out: Path,
    seed: int, say: Say,
) -> Fitted:  # fmt: skip
    """Fit on what was known at `cut`; the baselines on every row of it, since they choose
    nothing on validation weeks."""
    frame, whole = (training_rows(panel, cut.start, features) for panel in panels)
    out.mkdir()
    room.fit(frame, out, seed=seed, say=say)
    simple = room.baselines(frame.assign(part="train"))
    fitted = room.load(out)
    # A member that does no better alone than a baseline is to be told as such.
    members = fitted.members if isinstance(fitted, Pooled) else {}
    return Fitted(
        districts={**members, **simple, room.FINAL: fitted},
        department=room.baselines(whole.assign(part="train")),
        members=tuple(members),
    )


def _at(
    origin: Origin, fitted: Fitted, panels: tuple[Panel, Panel], counts: Sequence[pd.DataFrame],
    features: Features,
) -> list[pd.DataFrame]:  # fmt: skip
    """All forecasts of one origin."""
    rows, whole = (origin_rows(panel, origin, features) for panel in panels)
    made = []
    for name, model in fitted.districts.items():
        told = model.quantiles(rows, QUANTILES)
        made.append(_table(name, "district", rows, origin, told, counts[0]))
        if isinstance(model, Totals):
            told = model.totals(rows, QUANTILES)[None]
            made.append(_table(name, "department", whole, origin, told, counts[1]))
    for name, model in fitted.department.items():
        told = model.quantiles(whole, QUANTILES)
        made.append(_table(name, "department", whole, origin, told, counts[1]))
    return made


def _table(
    model: str, series: str, rows: pd.DataFrame, origin: Origin,
    told: np.ndarray[Any, Any], counts: pd.DataFrame,
) -> pd.DataFrame:  # fmt: skip
    """One origin's forecasts beside what came.

    Args:
        rows: the series, in the order of `told`.
        told: shape (series, horizons, levels).
        counts: cases by week and series; NaN where the week is not there.
    """
    import numpy as np
    import pandas as pd

    names = rows["ubigeo"].astype(str).tolist()
    weeks = pd.to_datetime([origin.start + timedelta(weeks=h) for h in range(1, REACH + 1)])
    came = counts.reindex(index=weeks, columns=names).to_numpy(dtype=float).T
    keys = {
        "model": model,
        "series": series,
        "ubigeo": np.repeat(names, REACH),
        "origin": origin.saturday,
        "horizon": np.tile(np.arange(1, REACH + 1), len(names)),
        "observed": came.ravel(),
    }
    quantiles = pd.DataFrame(np.asarray(told, float).reshape(-1, len(LEVELS)), columns=LEVELS)
    return pd.concat([pd.DataFrame(keys), quantiles], axis=1)
