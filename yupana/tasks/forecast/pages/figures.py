"""Pictures of a backtest: each as SVG text for a page and as PNG for a slide or a report."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from yupana.core import charts

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SOFT = "#8a95a1"
# Okabe and Ito's colours, told apart by most colour-blind readers; markers tell them too.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a6d00", "#56b4e9", "#555555")
_MARKERS = "osD^vPX"


class Picture(NamedTuple):
    """A drawn figure; `name` is its file name without ending, `wide` one that needs a row."""

    name: str
    svg: str
    png: bytes
    wide: bool = False


def fan(
    name: str,
    title: str,
    forecasts: pd.DataFrame,
    observed: Mapping[pd.Timestamp, float | None],
    wide: bool = False,
    limit: Mapping[pd.Timestamp, float] | None = None,
) -> Picture:
    """Observed cases and the 50 and 90 % intervals of origins that do not overlap.

    Args:
        forecasts: rows of one model and place, with `origin`, `week` and quantile columns.
        observed: cases by week; None is a count that must not be shown.
        limit: of the endemic channel, by week.
    """
    figure, axes = charts.blank(9.6 if wide else 5.0, 2.7)
    until = None
    for origin, part in forecasts.sort_values("week").groupby("origin"):
        if until is not None and origin < until:
            continue
        until = part["week"].max()
        label = until == forecasts[forecasts["origin"] == forecasts["origin"].min()]["week"].max()
        for low, high, alpha in (("q0.05", "q0.95", 0.25), ("q0.25", "q0.75", 0.5)):
            axes.fill_between(
                part["week"], part[low], part[high], color=charts.MAIN, alpha=alpha, lw=0,
                label=("90 %" if low == "q0.05" else "50 %") if label else None,
            )  # fmt: skip
    weeks = sorted(observed)
    counts = [observed[w] for w in weeks]
    values = [float("nan") if v is None else v for v in counts]
    axes.plot(weeks, values, color="black", lw=1.1, marker=".", ms=3, label="observado / observed")  # type: ignore[arg-type]
    top = max([v for v in counts if v], default=float(forecasts["q0.75"].max())) or 1
    axes.set_ylim(0, 1.08 * min(max(top, float(forecasts["q0.95"].max())), 2.2 * top))
    if hidden := [w for w, v in zip(weeks, counts, strict=True) if v is None]:
        across = axes.get_xaxis_transform()
        axes.vlines(hidden, 0, 0.03, charts.SECOND, transform=across, label="oculto / hidden")  # type: ignore[arg-type]
    if limit:
        x, y = list(limit), list(limit.values())
        axes.plot(x, y, charts.SECOND, ls="--", lw=1, label="límite / limit")  # type: ignore[arg-type]
    _dates(axes)
    titled(axes, title, "casos / cases")
    axes.legend(
        frameon=False, ncols=4, loc="upper left", bbox_to_anchor=(-0.02, -0.1), fontsize=8,
        handlelength=1.2, columnspacing=1.0,
    )  # fmt: skip
    what = f"{title}: casos observados e intervalos de 50 y 90 %"
    return picture(name, figure, what)._replace(wide=wide)


def pit(name: str, title: str, shares: Sequence[float], band: float) -> Picture:
    """Shares of the randomised PIT by tenth, with the band inside which it counts as even."""
    figure, axes = charts.blank(5.0, 2.4)
    middle = 1 / len(shares)
    axes.axhspan(100 * (middle - band), 100 * (middle + band), color="#dfe9f1", lw=0)
    axes.axhline(100 * middle, color=SOFT, lw=1)
    outside = [abs(s - middle) > band for s in shares]
    colours = [charts.SECOND if o else charts.MAIN for o in outside]
    places = [(i + 0.5) * middle for i in range(len(shares))]
    axes.bar(places, [100 * s for s in shares], 0.8 * middle, color=colours)
    for x, share, far in zip(places, shares, outside, strict=True):
        if far:
            axes.text(x, 100 * share, f"{100 * share:.0f}", ha="center", va="bottom", fontsize=8)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 112 * max([*shares, middle + band]))
    axes.set_xlabel("PIT")
    titled(axes, title, "%")
    return picture(name, figure, f"{title}: PIT, % por décimo, banda de ±{100 * band:g} puntos")


def reliability(
    name: str, title: str, lines: Mapping[str, tuple[Sequence[float], Sequence[float]]]
) -> Picture:
    """Observed against nominal coverage, one line a model; on the diagonal is calibrated."""
    figure, axes = charts.blank(5.0, 3.6)
    axes.plot([0, 100], [0, 100], color=SOFT, lw=1, ls="--")
    for i, (model, (nominal, shares)) in enumerate(lines.items()):
        axes.plot([100 * v for v in nominal], [100 * v for v in shares], **look(i), label=model)
    axes.set_xlabel("cobertura nominal / nominal coverage, %")
    titled(axes, title, "observada / observed, %")
    axes.legend(frameon=False, fontsize=8)
    return picture(name, figure, f"{title}: cobertura observada por cobertura nominal y modelo")


def by(name: str, title: str, table: pd.DataFrame, unit: str, across: str) -> Picture:
    """One line a model (column) over horizons or years; the first is the thickest."""
    figure, axes = charts.blank(5.0, 3.2)
    names = [str(v) for v in table.index]
    for i, model in enumerate(table.columns):
        axes.plot(names, table[model], **look(i), label=model)
    axes.set_ylim(bottom=0)
    axes.set_xlabel(across)
    titled(axes, title, unit)
    axes.legend(frameon=False, fontsize=8, ncols=2)
    return picture(name, figure, f"{title}: {unit} por {across}, una línea por modelo")


def ratios(name: str, title: str, values: Mapping[str, float], against: str) -> Picture:
    """One dot a district on a log scale; left of 1 is better than the baseline."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    figure, axes = charts.blank(5.0, 1.0 + 0.2 * max(len(values), 3))
    places = range(len(values))
    worse = [v > 1 for v in values.values()]
    for is_worse, colour, marker in ((False, charts.MAIN, "o"), (True, charts.SECOND, "D")):
        ours = [
            (v, y) for v, y, w in zip(values.values(), places, worse, strict=True) if w is is_worse
        ]
        axes.hlines([y for _, y in ours], 1, [v for v, _ in ours], color=colour, lw=1.2)
        axes.plot([v for v, _ in ours], [y for _, y in ours], ls="", marker=marker, color=colour)
    axes.axvline(1, color="black", lw=1)
    axes.set_xscale("log")
    axes.set_yticks(places, list(values), fontsize=8)
    axes.invert_yaxis()
    low, high = min([*values.values(), 0.8]), max([*values.values(), 1.25])
    ticks = [t for t in (0.1, 0.25, 0.5, 0.7, 0.8, 1, 1.25, 1.5, 2, 4, 10) if low <= t <= high]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    axes.set_xlim(low / 1.06, high * 1.06)
    axes.grid(axis="x", visible=True)
    axes.set_xlabel(f"WIS ÷ WIS ({against})")
    axes.set_title(title, loc="left", fontsize=11)
    return picture(name, figure, f"{title}: error relativo a {against} por distrito")


def look(place: int) -> dict[str, Any]:
    """Colour, marker and width of the line that stands at a place; the first is ours."""
    colour, marker = _COLOURS[place % len(_COLOURS)], _MARKERS[place % len(_MARKERS)]
    return {
        "color": colour, "marker": marker, "ms": 5 if place == 0 else 3.5,
        "lw": 2.4 if place == 0 else 1.2, "zorder": 3 if place == 0 else 2,
    }  # fmt: skip


def titled(axes: Axes, title: str, unit: str) -> None:
    axes.set_title(title, loc="left", fontsize=11)
    axes.set_ylabel(unit)


def _dates(axes: Axes) -> None:
    """Year and month as numbers: month names would follow the machine's language."""
    from matplotlib.dates import AutoDateLocator, DateFormatter

    axes.xaxis.set_major_locator(AutoDateLocator(minticks=2, maxticks=6))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(DateFormatter("%Y-%m"))  # type: ignore[no-untyped-call]


def picture(name: str, figure: Figure, what: str) -> Picture:
    # Placed once: each of the two formats would measure every text again, and draw twice while
    # any engine is there ("none" is one).
    figure.draw_without_rendering()
    figure.set_layout_engine(None)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=160, metadata={"Software": None})
    return Picture(name, charts.svg(figure, what), stream.getvalue())
