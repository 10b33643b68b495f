"""Whose cases fell in the weeks that no alert was told of, by age, where the source has ages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from yupana.config.settings import Settings
from yupana.data import delta
from yupana.evaluation.impact import suppress
from yupana.evaluation.impact.places import Unmeasured

if TYPE_CHECKING:
    import pandas as pd

CASES, BAND = "dengue_cases", "life_stage"
UNKNOWN = "unknown"
NOT_THERE = (
    f"La fuente del modelo no trae edades, y la tabla {CASES}, que las trae, no está publicada.",
    f"The model's source has no ages, and the table {CASES}, which has, is not published.",
)
OTHER_WEEKS = (
    f"La tabla {CASES} no tiene casos de los distritos y semanas de este informe.",
    f"The table {CASES} has no cases of this report's districts and weeks.",
)


def read(settings: Settings, rows: pd.DataFrame) -> tuple[list[dict[str, Any]], list[Unmeasured]]:
    """Cases by age band, in the weeks with a missed alert and in all weeks with a channel.

    Args:
        rows: as `outcomes.Outcomes.rows`.

    Returns:
        Dicts of `by` (age), `of` (band in years, or unknown), `es`, `en`, `cases`,
        `cases_missed`, `share` (of the band's cases, 0-1; None where hidden), `suppressed`; and
        what is not measured.
    """
    table = settings.table("published", CASES)
    if not delta.exists(table):
        return [], [_absent(NOT_THERE, f"yupana ingest {CASES}")]
    found = _joined(delta.read(table).select("ubigeo", "week_start", BAND).to_pandas(), rows)
    if found.empty:
        return [], [_absent(OTHER_WEEKS, "")]
    return bands(found), []


def _absent(why: tuple[str, str], fix: str) -> Unmeasured:
    es, en = "Edad de los pacientes", "Age of patients"
    return {"by": "age", "es": es, "en": en, "why": why[0], "why_en": why[1], "fix": fix}


def _joined(cases: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """A row a case whose district and week has a verdict: `band`, `missed`."""
    import pandas as pd

    known = rows[rows["alert"] != ""]
    weeks = known.assign(
        week_start=known["week"] - pd.Timedelta(days=6), missed=known["alert"] == "missed"
    )[["ubigeo", "week_start", "missed"]]
    cases = cases.assign(week_start=pd.to_datetime(cases["week_start"]))
    found: pd.DataFrame = cases.merge(weeks, on=["ubigeo", "week_start"])
    return found.assign(band=found[BAND].fillna(UNKNOWN))


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
    hide = suppress.hidden(atoms[None], cells, sums_known=False)
    told = []
    for n, band in enumerate(names):
        whole = None if hide[n] else int(atoms[each[n]].sum())
        part = None if hide[n + len(names)] else int(atoms[each[n] & missed].sum())
        share = round(part / whole, 4) if whole and part is not None else None
        es = "Edad desconocida" if band == UNKNOWN else f"{band} años"
        en = "Age unknown" if band == UNKNOWN else f"{band} years"
        told.append({
            "by": "age", "of": band, "es": es, "en": en, "cases": whole, "cases_missed": part,
            "share": share, "suppressed": whole is None or part is None,
        })  # fmt: skip
    return told
