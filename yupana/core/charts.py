"""Charts as SVG text inside a page: Matplotlib, the same bytes for the same values."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Row = tuple[str, float | None, Sequence[float] | None]
"""A name, its value, and the ends of its interval."""
MAIN, SECOND, THIRD = "#1b5e8c", "#c2571a", "#3d7f3d"
_STYLE: dict[Any, Any] = {
    # Text stays text: it can be read aloud, searched and scaled.
    "svg.fonttype": "none",
    "svg.hashsalt": "yupana",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8a95a1",
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": "#e3e8ed",
}


def lines(
    x: Sequence[date] | Sequence[str],
    series: dict[str, Sequence[float | None]],
    unit: str,
    what: str,
    unfinished: date | None = None,
    band: Sequence[Sequence[float] | None] = (),
) -> str:
    """Values over time, a gap where one is None.

    Args:
        x: days, or names that stand at equal steps.
        series: name in the legend → values; one series alone has no legend.
        unit: label of the vertical axis.
        what: what the chart shows, for readers who cannot see it.
        unfinished: shade from this day on, where later reports are still missing.
        band: ends of an interval at each x, None where there is none; empty: none has.
    """
    import numpy as np

    figure, axes = blank(10.2, 2.9)
    categorical = isinstance(x[0], str)
    days = np.array(x) if categorical else np.array(x, dtype="datetime64[D]")
    few = len(x) <= 24
    for (name, values), colour in zip(series.items(), (MAIN, SECOND, THIRD), strict=False):
        numbers = [float("nan") if v is None else v for v in values]
        axes.plot(
            days, numbers, color=colour, label=name, lw=1.5, marker="o" if few else None, ms=4
        )
    if len(x) == 1 and not categorical:
        # One day alone would stand amid years.
        axes.set_xlim(days[0] - np.timedelta64(28, "D"), days[0] + np.timedelta64(28, "D"))
        axes.set_xticks(days)
    for at, ends in zip(days, band, strict=False):
        if ends:
            axes.plot([at, at], ends, color=MAIN, lw=6, alpha=0.25, solid_capstyle="butt")
    axes.set_ylabel(unit)
    tops = [v for values in series.values() for v in values if v is not None]
    top = max([*tops, *(ends[1] for ends in band if ends)], default=1)
    axes.set_ylim(0, top * 1.08 or 1)
    _plain_numbers(axes)
    if unfinished and x[-1] >= unfinished:  # type: ignore[operator]
        from matplotlib.dates import date2num

        start, end = (date2num(day) for day in (unfinished, x[-1]))  # type: ignore[no-untyped-call]
        axes.axvspan(start, end + 1, color="#f0d9b5", alpha=0.6, lw=0)
    if len(series) > 1:
        axes.legend(frameon=False, ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
    return svg(figure, what)


def bars(names: Sequence[str], counts: Sequence[int | None], what: str) -> str:
    """One horizontal bar a category; a bar without a count is told as hidden."""
    figure, axes = blank(4.3, 0.5 + 0.24 * max(len(names), 2))
    axes.barh(range(len(names)), [c or 0 for c in counts], color=MAIN, height=0.7)
    _rows(axes, names, 28)
    _plain_numbers(axes, "x")
    return svg(figure, what)


def forest(
    rows: Sequence[Row],
    unit: str,
    what: str = "",
    *,
    middle: float | None = None,
    worse_above: bool = False,
) -> str:
    """A dot and its interval a name, hollow where there is none; rows without a value are left out.

    Args:
        unit: label of the axis.
        what: as for `lines`; default: the unit.
        middle: where a line stands.
        worse_above: a value above the line is a hollow diamond, in another colour.

    Returns:
        SVG; empty without a value.
    """
    points = [(name, value, ends) for name, value, ends in rows if value is not None]
    if not points:
        return ""
    figure, axes = blank(6.4, 0.75 + 0.27 * len(points))
    if middle is not None:
        axes.axvline(middle, color="#5b6673", lw=1, ls="--")
    for at, (_, value, ends) in enumerate(points):
        worse = worse_above and middle is not None and value > middle
        colour = SECOND if worse else MAIN
        if ends:
            axes.plot(ends, [at, at], color=colour, lw=2, solid_capstyle="butt")
        face = colour if ends and not worse else "white"
        axes.plot([value], [at], "D" if worse else "o", mec=colour, mfc=face, ms=6)
    _rows(axes, [name for name, *_ in points], 34)
    axes.set_xlabel(unit, fontsize=9)
    texts = "; ".join(
        f"{name} {value:.2f}" + (f" ({ends[0]:.2f}–{ends[1]:.2f})" if ends else "")
        for name, value, ends in points
    )
    return svg(figure, f"{what or unit}: {texts}")


def _rows(axes: Axes, names: Sequence[str], longest: int) -> None:
    """A row a name, the first on top; the grid stands upright."""
    short = [n if len(n) <= longest else f"{n[: longest - 1]}…" for n in names]
    axes.set_yticks(range(len(names)), short)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", visible=True)


def histogram(edges: Sequence[float], counts: Sequence[int | None], unit: str, what: str) -> str:
    """Bars between edges; None is a count too small to show."""
    figure, axes = blank(4.3, 2.2)
    widths = [b - a for a, b in pairwise(edges)]
    axes.bar(edges[:-1], [c or 0 for c in counts], widths, align="edge", color=MAIN, ec="white")
    axes.set_xlabel(unit)
    _plain_numbers(axes)
    return svg(figure, what)


def blank(width: float, height: float) -> tuple[Figure, Axes]:
    """An empty figure in the house style, with one pair of axes; sizes in inches."""
    import matplotlib as mpl
    from matplotlib.figure import Figure as NewFigure

    with mpl.rc_context(_STYLE):
        figure = NewFigure(figsize=(width, height), layout="constrained")
        return figure, figure.add_subplot()


def _plain_numbers(axes: Axes, axis: str = "y") -> None:
    """12 345 instead of 1e4, and no half counts on short axes."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    chart_axis = axes.yaxis if axis == "y" else axes.xaxis
    chart_axis.set_major_locator(MaxNLocator(5 if axis == "y" else 3, steps=[1, 2, 5, 10]))
    chart_axis.set_major_formatter(FuncFormatter(_tick))


def _tick(value: float, _: Any) -> str:
    return f"{value:,.0f}".replace(",", "\u202f") if value == round(value) else f"{value:g}"


def svg(figure: Figure, what: str) -> str:
    """The figure as an SVG element without outside addresses; `what` is read to who cannot see."""
    import matplotlib as mpl

    with mpl.rc_context(_STYLE):
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    image = stream.getvalue()
    # Matplotlib's note on itself names addresses; a page that opens offline needs none.
    image = re.sub(r"\s*<metadata>.*?</metadata>", "", image[image.index("<svg") :], flags=re.S)
    label = what.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return re.sub(r"^<svg", f'<svg role="img" aria-label="{label}"', image)
