"""Whose cases fell in the periods that no alert was told of, by age, where a table has ages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from yupana.config.settings import Settings
from yupana.data.lake import delta
from yupana.tasks.forecast.frequency import Frequency
from yupana.tasks.forecast.impact import suppress
from yupana.tasks.forecast.impact.places import Unmeasured
from yupana.tasks.forecast.places import PERIODS
from yupana.tasks.forecast.usecases import ForecastUseCase

if TYPE_CHECKING:
    import pandas as pd

CODE, BAND = "ubigeo", "life_stage"
UNKNOWN = "unknown"
NO_AGES = "La fuente del modelo no trae edades.", "The model's source has no ages."
NOT_THERE = (
    "La fuente del modelo no trae edades, y la tabla {}, que las trae, no está publicada.",
    "The model's source has no ages, and the table {}, which has, is not published.",
)
OTHER_PERIODS = (
    "La tabla {} no tiene casos de los distritos y {} de este informe.",
    "The table {} has no cases of this report's districts and {}.",
)


def read(
    settings: Settings, definition: ForecastUseCase, rows: pd.DataFrame
) -> tuple[list[dict[str, Any]], list[Unmeasured]]:
    """Cases by age band, in the periods with a missed alert and in all with a channel.

    Args:
        rows: as `outcomes.Outcomes.rows`.

    Returns:
        Dicts of `by` (age), `of` (band in years, or unknown), `es`, `en`, `cases`,
        `cases_missed`, `share` (of the band's cases, 0-1; None where hidden), `suppressed`; and
        what is not measured.
    """
    name, frequency = definition.cases_by_age, definition.frequency
    if not name:
        return [], [_absent(*NO_AGES, "")]
    table, period = settings.table("published", name), PERIODS[frequency.name]
    if not delta.exists(table):
        es, en = (sentence.format(name) for sentence in NOT_THERE)
        return [], [_absent(es, en, f"yupana ingest {name}")]
    cases = delta.read(table).select(CODE, frequency.column, BAND).to_pandas()
    joined = _joined(cases, rows, frequency)
    if joined.empty:
        es, en = OTHER_PERIODS
        return [], [_absent(es.format(name, period.es_many), en.format(name, period.en_many), "")]
    return bands(joined), []


def _absent(why: str, why_en: str, fix: str) -> Unmeasured:
    es, en = "Edad de los pacientes", "Age of patients"
    return {"by": "age", "es": es, "en": en, "why": why, "why_en": why_en, "fix": fix}


def _joined(cases: pd.DataFrame, rows: pd.DataFrame, frequency: Frequency) -> pd.DataFrame:
    """A row a case whose district and period has a verdict: `band`, `missed`."""
    import pandas as pd

    alerted = rows[rows["alert"] != ""]
    starts = pd.to_datetime([frequency.start(end.date()) for end in alerted["week"]])
    verdicts = pd.DataFrame({
        CODE: alerted["entity"].to_numpy(), "start": starts,
        "missed": (alerted["alert"] == "missed").to_numpy(),
    })  # fmt: skip
    cases = cases.assign(start=pd.to_datetime(cases[frequency.column]))
    joined: pd.DataFrame = cases.merge(verdicts, on=[CODE, "start"])
    return joined.assign(band=joined[BAND].fillna(UNKNOWN))


def bands(cases: pd.DataFrame) -> list[dict[str, Any]]:
    """Count cases by `band` and `missed`; small counts and what would tell them are None."""
    names = sorted(cases["band"].unique(), key=lambda b: (b == UNKNOWN, b))
    count = [
        [int(((cases["band"] == band) & (cases["missed"] == m)).sum()) for m in (True, False)]
        for band in names
    ]
    atoms = np.array(count).ravel()
    # What is shown are sums of atoms (band, missed or not): each band's two, and the totals'.
    each = np.eye(len(names)).repeat(2, axis=1).astype(bool)
    missed = np.tile([True, False], len(names))
    cells = np.concatenate([each, each & missed, [np.ones_like(missed)], [missed]])
    hide = suppress.hidden(atoms[None], cells, public_sums=False)
    documents = []
    for n, band in enumerate(names):
        whole = None if hide[n] else int(atoms[each[n]].sum())
        part = None if hide[n + len(names)] else int(atoms[each[n] & missed].sum())
        share = round(part / whole, 4) if whole and part is not None else None
        es = "Edad desconocida" if band == UNKNOWN else f"{band} años"
        en = "Age unknown" if band == UNKNOWN else f"{band} years"
        documents.append({
            "by": "age", "of": band, "es": es, "en": en, "cases": whole, "cases_missed": part,
            "share": share, "suppressed": whole is None or part is None,
        })  # fmt: skip
    return documents
