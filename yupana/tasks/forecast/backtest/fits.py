"""The models of one year of a backtest: fitted on what was known at its first origin."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from yupana.tasks.forecast.backtest.origins import Origin
from yupana.tasks.forecast.backtest.panel import Features, Panel, training_rows
from yupana.tasks.forecast.model.areas import DEPARTMENT, codes
from yupana.tasks.forecast.quantiles import Forecaster, Pooled
from yupana.tasks.forecast.usecases import ForecastUseCase

Say = Callable[[str], None]


@dataclass(frozen=True)
class Baselines:
    """Those of one department, by name: of its districts and of their sum."""

    districts: Mapping[str, Forecaster]
    department: Mapping[str, Forecaster]


@dataclass(frozen=True)
class Fitted:
    """The models of one year.

    Attributes:
        models: the final one and its members, by name; they forecast every district.
        baselines: by department.
        members: names of those that the final one is made of.
    """

    models: Mapping[str, Forecaster]
    baselines: Mapping[str, Baselines]
    members: tuple[str, ...]


def fit(
    definition: ForecastUseCase, panels: tuple[Panel, Panel], learn_from: Panel, cut: Origin,
    features: Features, out: Path, seed: int, say: Say,
) -> Fitted:  # fmt: skip
    """Fit on what was known at `cut`; the baselines on every row of it, since they choose
    nothing on validation weeks."""
    frame, whole = (training_rows(panel, cut.start, features) for panel in panels)
    out.mkdir()
    wider = learn_from is not panels[0]
    learned = training_rows(learn_from, cut.start, features) if wider else frame
    definition.fit(learned, out, seed=seed, say=say)
    fitted = definition.load(out)
    # A member that does no better alone than a baseline is to be told as such.
    members = fitted.members if isinstance(fitted, Pooled) else {}
    return Fitted(
        models={**members, definition.final: fitted},
        baselines={
            str(code): Baselines(
                definition.baselines(own.assign(part="train")),
                definition.baselines(whole[whole["entity"] == code].assign(part="train")),
            )
            for code, own in frame.groupby(codes(frame, DEPARTMENT), sort=True)
        },
        members=tuple(members),
    )
