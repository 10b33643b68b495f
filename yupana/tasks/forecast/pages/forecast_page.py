"""The forecast's page for health offices: alert levels, fans, a table of all districts.

Counts of past weeks are shown as `yupana.core.disclosure` allows: of the department and of
districts, never of a province beside both.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yupana.core import disclosure, page
from yupana.core.errors import TerminalError
from yupana.data.national import areas, places
from yupana.data.national.places import place, readable
from yupana.tasks.forecast import usecases
from yupana.tasks.forecast.forecast_rows import zone_numbers
from yupana.tasks.forecast.pages import figures, map_page
from yupana.tasks.forecast.pages.figures_map import LEVELS
from yupana.tasks.forecast.pages.words import WORDS
from yupana.tasks.forecast.predict import Forecast

if TYPE_CHECKING:
    import pandas as pd

MOST_FANS = 6
"""Districts that are drawn."""

Observed = dict[str, dict["pd.Timestamp", float | None]]


def path(reports: Path, use_case: str, as_of: str = "") -> Path:
    """Where the page lies: one is always the newest, a past day's has its own name."""
    return reports / f"forecast-{use_case}{f'-{as_of}' if as_of else ''}.html"


@dataclass(frozen=True)
class Drawing:
    """The pictures of a page, and the alert levels that they show.

    Attributes:
        levels: by entity, as `zone_numbers`.
        fans: of areas and of entities.
        map: of the alert levels; None where no entity has one, or they are no districts.
        body: what the map's part of the page needs beside its picture.
    """

    levels: dict[str, int]
    fans: list[figures.Picture]
    map: figures.Picture | None
    body: dict[str, Any]

    @property
    def pictures(self) -> list[figures.Picture]:
        """All of them."""
        return [*self.fans, *([self.map] if self.map else [])]


def draw(forecast: Forecast, boundaries: Path | None = None) -> Drawing:
    """Draw a forecast; nothing is written.

    Args:
        boundaries: GeoJSON of districts for the map; see `map_page.parts`.

    Raises:
        TerminalError: the boundaries cannot be used, or a district's code does not exist.
    """
    levels = zone_numbers(forecast.districts, lead=forecast.frequency.lead)
    highest = _highest(levels)
    if not map_page.has_map(highest):
        if boundaries:
            raise TerminalError(
                "There is no map on which boundaries could be drawn.",
                where=str(boundaries),
                fix="Leave out --boundaries: the entities are no districts, or have no alert.",
            )
        return Drawing(levels, _fans(forecast), None, {})
    picture, body = map_page.parts(highest, boundaries)
    return Drawing(levels, _fans(forecast), picture, body)


def folder_of(page: Path) -> Path:
    """Where the pictures of a page lie."""
    return page.with_suffix("")


def write(forecast: Forecast, drawing: Drawing, out: Path) -> Path:
    """Write the page `out` (.html), its pictures in the folder beside it."""
    lead = forecast.frequency.lead
    last = int(forecast.districts["horizon"].max())
    ahead = sorted({1, lead, last})
    body = drawing.body
    if drawing.map:
        body = {**body, "png": f"{out.stem}/{drawing.map.name}.png"}
    rows = _rows(forecast, drawing.levels)
    card = forecast.folder / "README.md"
    target = page.write(
        out,
        "tasks/forecast/pages/forecast.html",
        f=forecast,
        words=WORDS[forecast.frequency.name],
        period=forecast.frequency.name,
        lead=lead,
        last=last,
        end=forecast.frequency.ahead(forecast.data_as_of, lead),
        noun=usecases.load(forecast.use_case).places.noun,
        levels=drawing.levels,
        body=body,
        rows=rows,
        areas=_areas(forecast, ahead),
        ahead=ahead,
        zones=LEVELS,
        fans=drawing.fans,
        folder=out.stem,
        fewest=disclosure.FEWEST,
        card=os.path.relpath(card, out.parent) if card.exists() else None,
    )
    folder = folder_of(out)
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    for picture in drawing.pictures:
        (folder / f"{picture.name}.png").write_bytes(picture.png)
    return target


def _highest(levels: dict[str, int]) -> dict[str, int]:
    """The highest level of each district's series, for the map."""
    highest: dict[str, int] = {}
    for code, level in levels.items():
        district = code.partition("-")[0]
        highest[district] = max(level, highest.get(district, 0))
    return highest


def _fans(forecast: Forecast) -> list[figures.Picture]:
    """Each department first, then the districts most likely to exceed their channel."""
    import pandas as pd

    at = forecast.districts[forecast.districts["horizon"] == forecast.frequency.lead]
    first = at.sort_values(["exceedance", "q0.5"], ascending=False)[:MOST_FANS]
    chances = dict(zip(first["entity"], first["exceedance"], strict=True))
    rows_of = {u: forecast.districts[forecast.districts["entity"] == u] for u in chances}
    if len(forecast.areas):
        whole = forecast.areas[forecast.areas["level"] == "department"]
        rows_of = {str(a): rows for a, rows in whole.groupby("area")} | rows_of
    recent = _known(forecast).tail(forecast.frequency.year)
    counts, pictures = _visible_counts(recent), []
    for code, rows in rows_of.items():
        origin = pd.Timestamp(forecast.data_as_of)
        ends = [forecast.frequency.ahead(forecast.data_as_of, int(h)) for h in rows["horizon"]]
        week = pd.Series(pd.to_datetime(ends), index=rows.index)
        frame = rows.assign(origin=origin, week=week)
        title, chance = place(code), chances.get(code)
        if pd.notna(chance):
            title += f": probabilidad / chance {100 * chance:.0f} %"
        wide = code not in chances
        # A limit under the fewest would tell small counts of past years.
        limit = {} if wide else dict(zip(week, rows["channel_high"], strict=True))
        limit = {w: v for w, v in limit.items() if v == 0 or v >= disclosure.FEWEST}
        pictures.append(
            figures.fan(f"fan-{code}", title, frame, counts[code], wide=wide, limit=limit)
        )
    return pictures


def _known(forecast: Forecast) -> pd.DataFrame:
    """Cases by place and period; what is not known of a silent place is empty."""
    counts = forecast.counts.copy()
    for entity, periods in forecast.silent.items():
        counts.loc[counts.index[-periods:], entity] = float("nan")
    return counts


def _visible_counts(counts: pd.DataFrame) -> Observed:
    """Counts by place and week, None where they must not be shown.

    The districts of a week are parts of their department's total, so that a small one may hide
    another with it. Where one is not known (NaN), neither is the total.
    """
    counts_of: Observed = {}
    for department in sorted({areas.area(str(u), "department") for u in counts}):
        mine = counts[[u for u in counts if str(u).startswith(department)]].round()
        unknown = mine.isna()
        parts = mine.fillna(0).astype(int).to_numpy().tolist()
        for week, row, gaps in zip(counts.index, parts, unknown.to_numpy().tolist(), strict=True):
            whole = None if any(gaps) else disclosure.hide([sum(row)])[0]
            counts_of.setdefault(department, {})[week] = whole
            for entity, count, gap in zip(mine, disclosure.hide(row), gaps, strict=True):
                counts_of.setdefault(str(entity), {})[week] = None if gap else count
    return counts_of


def _rows(forecast: Forecast, levels: dict[str, int]) -> list[dict[str, Any]]:
    """What the table says of each district: highest alert first, then the likeliest to exceed."""
    names = {code: names for names, code in places.ubigeos().items()}
    lines = []
    for entity, weeks in forecast.districts.groupby("entity", sort=True):
        # Of a silent place the last period that is forecast, where it ends before.
        at = weeks[weeks["horizon"] <= forecast.frequency.lead].iloc[-1]
        has_level, district = entity in levels, areas.area(str(entity), "district")
        limit = float(at["channel_high"]) if has_level else None
        lines.append(
            {
                "name": place(str(entity)),
                "province": readable(names[district][1]) if district in names else "",
                "level": levels.get(str(entity)),
                "weeks": list(zone_numbers(weeks, key="horizon").items()),
                "median": int(at["q0.5"]),
                "low": int(at["q0.1"]),
                "high": int(at["q0.9"]),
                "exceedance": float(at["exceedance"]) if has_level else None,
                "limit": limit,
                "pooled": bool(at["pooled"]),
                "silent": forecast.silent.get(str(entity), 0),
                "prediction_id": str(at["prediction_id"]),
            }
        )
    return sorted(
        lines,
        key=lambda r: (-1 if r["level"] is None else r["level"], r["exceedance"] or 0.0),
        reverse=True,
    )


def _areas(forecast: Forecast, ahead: Sequence[int]) -> list[dict[str, Any]]:
    """The sums of departments and their provinces, with median and 80 % interval by period."""
    if forecast.areas.empty:
        return []
    listed = places.ubigeos().items()
    names = {areas.area(code, "province"): readable(names[1]) for names, code in listed}
    lines = []
    for area, weeks in forecast.areas.groupby("area", sort=True):
        by = {int(row["horizon"]): row for _, row in weeks.iterrows()}
        whole = areas.level(str(area)) == "department"
        lines.append(
            {
                "name": place(str(area)) if whole else names.get(str(area), str(area)),
                "whole": whole,
                "weeks": [
                    tuple(int(by[h][q]) for q in ("q0.5", "q0.1", "q0.9")) if h in by else None
                    for h in ahead
                ],
                "prediction_id": str(weeks["prediction_id"].iloc[0]),
            }
        )
    return lines
