"""Pictures of alert levels: districts in their place, or tiles by province."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from yupana.core import charts
from yupana.tasks.forecast.pages.figures import Picture, picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLUMNS = 6
_MOST_NAMES = 80


class Level(NamedTuple):
    """A zone of the endemic channel; colours rise in darkness, so that grey print tells them."""

    es: str
    en: str
    colour: str
    ink: str


LEVELS = (
    Level("éxito", "success", "#e4eef6", "#1d2733"),
    Level("seguridad", "security", "#9cc5e3", "#1d2733"),
    Level("alerta", "alert", "#f0a030", "#1d2733"),
    Level("epidemia", "epidemic", "#9b1c1c", "#ffffff"),
)
# Told without colour too: lines over alert, crosses over epidemic.
_HATCHES = ("", "", "//", "xx")


def regions(
    shapes: Mapping[str, Any], levels: Mapping[str, int], names: Mapping[str, str]
) -> Picture:
    """Districts in their boundaries, coloured and hatched by level.

    Args:
        shapes: GeoJSON geometries (Polygon or MultiPolygon, degrees) by ubigeo.
        levels: level by ubigeo.
        names: district by ubigeo, written on the map when there are few.
    """
    from matplotlib.patches import Patch, PathPatch
    from matplotlib.path import Path

    figure, axes = charts.blank(7.0, 7.0)
    corners = []
    for ubigeo, shape in sorted(shapes.items()):
        level = LEVELS[levels[ubigeo]]
        rings = list(_rings(shape))
        path = Path.make_compound_path(*[Path(ring, closed=True) for ring in rings])
        axes.add_patch(
            PathPatch(
                path, facecolor=level.colour, edgecolor="#5b6673", lw=0.6,
                hatch=_HATCHES[levels[ubigeo]], hatch_linewidth=0.4,
            )
        )  # fmt: skip
        corners += [point for ring in rings for point in ring]
        if len(shapes) <= _MOST_NAMES:
            _name(axes, max(rings, key=len), names[ubigeo])
    x, y = zip(*corners, strict=True)
    axes.set_xlim(min(x), max(x))
    axes.set_ylim(min(y), max(y))
    # A degree of longitude is shorter than one of latitude.
    axes.set_aspect(1 / math.cos(math.radians((min(y) + max(y)) / 2)))
    axes.set_axis_off()
    handles = [
        Patch(
            facecolor=level.colour, edgecolor="#5b6673", hatch=h, label=f"{level.es} / {level.en}"
        )
        for level, h in zip(LEVELS, _HATCHES, strict=True)
    ]
    axes.legend(handles=handles, frameon=False, ncols=2, loc="upper center",
                bbox_to_anchor=(0.5, 0))  # fmt: skip
    return picture("map", figure, "Mapa de los niveles de alerta por distrito")


def tiles(provinces: Mapping[str, Mapping[str, int]]) -> Picture:
    """A tile a district under its province's name, with the level in words.

    Args:
        provinces: level by district's name, by province.
    """
    from matplotlib.patches import Rectangle

    rows = sum(1 + math.ceil(len(of) / _COLUMNS) for of in provinces.values())
    figure, axes = charts.blank(9.0, 0.52 * rows)
    y = 0
    for province, of in provinces.items():
        axes.text(0, y + 0.85, province, fontsize=10, fontweight="bold")
        for i, (name, number) in enumerate(of.items()):
            level, across = LEVELS[number], i % _COLUMNS
            top = y + 1 + i // _COLUMNS
            axes.add_patch(
                Rectangle((across + 0.02, top + 0.04), 0.96, 0.92, fc=level.colour, ec="#8a95a1")
            )
            text = "\n".join(textwrap.wrap(name, 22)[:2]) + f"\n{level.es}"
            axes.text(
                across + 0.5, top + 0.5, text, ha="center", va="center", fontsize=6.5,
                color=level.ink, linespacing=1.1,
            )  # fmt: skip
        y += 1 + math.ceil(len(of) / _COLUMNS)
    axes.set_xlim(0, _COLUMNS)
    axes.set_ylim(rows, 0)
    axes.set_axis_off()
    return picture("map", figure, "Niveles de alerta por provincia y distrito")


def _rings(shape: Any) -> Iterator[list[tuple[float, float]]]:
    one = shape["type"] == "Polygon"
    for polygon in [shape["coordinates"]] if one else shape["coordinates"]:
        for ring in polygon:
            yield [(float(point[0]), float(point[1])) for point in ring]


def _name(axes: Axes, ring: list[tuple[float, float]], name: str) -> None:
    x, y = (sum(values) / len(ring) for values in zip(*ring, strict=True))
    axes.text(
        x, y, "\n".join(textwrap.wrap(name, 12)), ha="center", va="center", fontsize=5.5,
        linespacing=0.95,
        bbox={"facecolor": "white", "alpha": 0.75, "lw": 0, "pad": 0.6},
    )  # fmt: skip
