"""The forecast's page for health offices: alert levels, fans, a table of all districts.

Counts of past weeks are shown as `yupana.core.disclosure` allows: of the department and of
districts, never of a province beside both.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yupana.core import disclosure, page
from yupana.data import codes
from yupana.data.codes import place, readable
from yupana.evaluation import figures, report_map
from yupana.evaluation.figures_map import LEVELS
from yupana.evaluation.outlook_rows import AREAS, LEAD, zone_numbers
from yupana.evaluation.predict import Forecast

if TYPE_CHECKING:
    import pandas as pd

MOST_FANS, HISTORY = 6, 52
"""Districts that are drawn, and weeks of counts before the forecast."""

AHEAD = (1, LEAD, 8)
"""Weeks ahead that the table of areas shows."""

Observed = dict[str, dict["pd.Timestamp", float | None]]


def path(reports: Path, use_case: str, as_of: str = "") -> Path:
    """Where the page lies: one is always the newest, a past day's has its own name."""
    return reports / f"forecast-{use_case}{f'-{as_of}' if as_of else ''}.html"


def write(forecast: Forecast, out: Path, boundaries: Path | None = None) -> Path:
    """Write the page `out` (.html), its pictures in the folder beside it.

    Args:
        boundaries: GeoJSON of districts for the map; see `report_map.write_map`.

    Raises:
        TerminalError: the boundaries cannot be used, or a district's code does not exist.
    """
    levels = zone_numbers(forecast.districts)
    pictures = _fans(forecast)
    body: dict[str, Any] = {}
    if levels:
        drawn, body = report_map.parts(levels, boundaries)
        body["png"] = f"{out.stem}/{drawn.name}.png"
    rows = _rows(forecast, levels)
    card = forecast.folder / "README.md"
    target = page.write(
        out,
        "evaluation/report_outlook.html",
        f=forecast,
        lead=LEAD,
        last=int(forecast.districts["horizon"].max()),
        week=forecast.data_as_of + timedelta(weeks=LEAD),
        body=body,
        rows=rows,
        areas=_areas(forecast),
        ahead=AHEAD,
        zones=LEVELS,
        fans=pictures,
        folder=out.stem,
        fewest=disclosure.FEWEST,
        card=os.path.relpath(card, out.parent) if card.exists() else None,
    )
    folder = out.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    for picture in (*pictures, *([drawn] if levels else [])):
        (folder / f"{picture.name}.png").write_bytes(picture.png)
    return target


def _fans(forecast: Forecast) -> list[figures.Picture]:
    """Each department first, then the districts most likely to exceed their channel."""
    import pandas as pd

    at = forecast.districts[forecast.districts["horizon"] == LEAD]
    first = at.sort_values(["exceedance", "q0.5"], ascending=False)[:MOST_FANS]
    chances = dict(zip(first["ubigeo"], first["exceedance"], strict=True))
    told = {u: forecast.districts[forecast.districts["ubigeo"] == u] for u in chances}
    if len(forecast.areas):
        whole = forecast.areas[forecast.areas["level"] == "department"]
        told = {str(a): rows for a, rows in whole.groupby("area")} | told
    seen, drawn = _shown(forecast.counts.tail(HISTORY)), []
    for code, rows in told.items():
        origin = pd.Timestamp(forecast.data_as_of)
        week = origin + pd.to_timedelta(7 * rows["horizon"], unit="D")
        frame = rows.assign(origin=origin, week=week)
        title, chance = place(code), chances.get(code)
        if pd.notna(chance):
            title += f": probabilidad / chance {100 * chance:.0f} %"
        wide = len(code) == AREAS["department"]
        # A limit under the fewest would tell small counts of past years.
        limit = {} if wide else dict(zip(week, rows["channel_high"], strict=True))
        limit = {w: v for w, v in limit.items() if v == 0 or v >= disclosure.FEWEST}
        drawn.append(figures.fan(f"fan-{code}", title, frame, seen[code], wide=wide, limit=limit))
    return drawn


def _shown(counts: pd.DataFrame) -> Observed:
    """Counts by place and week, None where they must not be shown.

    The districts of a week are parts of their department's total, so that a small one may hide
    another with it.
    """
    found: Observed = {}
    for department in sorted({str(u)[: AREAS["department"]] for u in counts}):
        mine = counts[[u for u in counts if str(u).startswith(department)]].round().astype(int)
        for week, row in zip(counts.index, mine.to_numpy().tolist(), strict=True):
            found.setdefault(department, {})[week] = disclosure.hide([sum(row)])[0]
            for ubigeo, count in zip(mine, disclosure.hide(row), strict=True):
                found.setdefault(str(ubigeo), {})[week] = count
    return found


def _rows(forecast: Forecast, levels: dict[str, int]) -> list[dict[str, Any]]:
    """What the table says of each district: highest alert first, then the likeliest to exceed."""
    names = {code: names for names, code in codes.ubigeos().items()}
    made = []
    for ubigeo, weeks in forecast.districts.groupby("ubigeo", sort=True):
        at = weeks[weeks["horizon"] == LEAD].iloc[0]
        known = ubigeo in levels
        limit = float(at["channel_high"]) if known else None
        made.append(
            {
                "name": place(str(ubigeo)),
                "province": readable(names[str(ubigeo)][1]) if ubigeo in names else "",
                "level": levels.get(str(ubigeo)),
                "weeks": list(zone_numbers(weeks, key="horizon").items()),
                "median": int(at["q0.5"]),
                "low": int(at["q0.1"]),
                "high": int(at["q0.9"]),
                "exceedance": float(at["exceedance"]) if known else None,
                "limit": limit,
                "pooled": bool(at["pooled"]),
                "prediction_id": str(at["prediction_id"]),
            }
        )
    return sorted(
        made,
        key=lambda r: (-1 if r["level"] is None else r["level"], r["exceedance"] or 0.0),
        reverse=True,
    )


def _areas(forecast: Forecast) -> list[dict[str, Any]]:
    """The sums of departments and their provinces, with median and 80 % interval by week."""
    if forecast.areas.empty:
        return []
    names = {code[:4]: readable(names[1]) for names, code in codes.ubigeos().items()}
    made = []
    for area, weeks in forecast.areas.groupby("area", sort=True):
        by = {int(row["horizon"]): row for _, row in weeks.iterrows()}
        whole = len(str(area)) == AREAS["department"]
        made.append(
            {
                "name": place(str(area)) if whole else names.get(str(area), str(area)),
                "whole": whole,
                "weeks": [tuple(int(by[h][q]) for q in ("q0.5", "q0.1", "q0.9")) for h in AHEAD],
                "prediction_id": str(weeks["prediction_id"].iloc[0]),
            }
        )
    return made
