"""The chart of the error by group: SVG text that says in words what it shows."""

from __future__ import annotations

from collections.abc import Sequence

from yupana.core import charts

_LONGEST = 34


def ratios(
    names: Sequence[str],
    values: Sequence[float],
    ends: Sequence[Sequence[float] | None],
    against: str,
) -> str:
    """Error of the model over that of a simple method by group, with 95 % intervals.

    Args:
        names: of the groups; `values` and `ends` (low and high, or None) in their order.
        against: the simple method.

    Returns:
        SVG; empty without groups. A group above 1 has a hollow diamond, one below it a dot.
    """
    if not names:
        return ""
    figure, axes = charts.blank(6.4, 0.8 + 0.27 * len(names))
    axes.axvline(1, color="#1d2733", lw=1)
    for n, (value, pair) in enumerate(zip(values, ends, strict=True)):
        worse = value > 1
        colour = charts.SECOND if worse else charts.MAIN
        if pair:
            axes.plot(pair, (n, n), color=colour, lw=1.5)
        face = "white" if worse else colour
        axes.plot([value], [n], marker="D" if worse else "o", ms=6, mec=colour, mfc=face, ls="")
    axes.set_yticks(range(len(names)), [_short(name) for name in names])
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", visible=True)
    axes.set_xlabel(f"WIS ÷ WIS de {against}")
    text = "; ".join(f"{name} {value:.2f}" for name, value in zip(names, values, strict=True))
    return charts.svg(figure, f"Error del modelo dividido entre el de {against}, por grupo: {text}")


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
