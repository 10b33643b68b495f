"""The result of a replay for people: a table in Markdown, and a page that opens offline."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.outbreak.replay.score import NONE

KIND_NAMES = {
    "swapped": ("intercambio", "swapped"),
    "frozen": ("quieto", "frozen"),
    "split": ("división", "split"),
    "places": ("faltan lugares", "places"),
    "unit": ("otra unidad", "unit"),
    "doubled": ("doble conteo", "doubled"),
    "broken": ("contradicción", "broken"),
    "level": ("salto", "level"),
    "revised": ("pasado cambiado", "revised"),
    "forecast": ("pronóstico", "forecast"),
    "performance": ("acierto", "performance"),
    NONE: ("nada", "nothing"),
}
"""Short names of `checks.text.KINDS`, which fit a table's head: Spanish, English."""


def alarm_kinds(report: Mapping[str, Any]) -> list[str]:
    """Columns of the confusion table: the planted kinds, others that were told, nothing."""
    planted = list(report["confusion"])
    kinds = {k for row in report["confusion"].values() for k in row}
    return [*planted, *sorted(kinds - {*planted, NONE}), NONE]


def markdown(report: Mapping[str, Any]) -> str:
    """Confusion table, ways of each fault, and false alarms, as Markdown tables."""
    kinds = alarm_kinds(report)
    lines = [
        f"Weeks {report['span'][0]} to {report['span'][1]}; norms from "
        f"{report['learned'][0]} to {report['learned'][1]}; seed {report['plan']['seed']}.",
        "",
        _row(["planted", *kinds, "flagged within two weeks", "in the first"]),
        _row(["---"] * (len(kinds) + 3)),
    ]
    for row in report["kinds"]:
        alarms = report["confusion"][row["kind"]]
        cells = [str(alarms.get(kind, 0)) for kind in kinds]
        lines.append(
            _row([row["kind"], *cells, _of(row["flagged"], row["planted"]), str(row["first"])])
        )
    lines += ["", _row(["kind", "way", "flagged", "named", "cannot be told: flagged"])]
    lines.append(_row(["---"] * 5))
    for row in report["ways"]:
        rates = [_of(row[n], row["planted"]) for n in ("flagged", "named")]
        hidden = _of(row["hidden_flagged"], row["hidden"])
        lines.append(_row([row["kind"], row["variant"], *rates, hidden]))
    lines += [
        "",
        _row(["untouched: late reports", "seed", "years", "false alarms", "a year", "by lateness"]),
        _row(["---"] * 6),
    ]
    for row in report["untouched"]:
        lines.append(
            _row([row["late"], str(row["seed"]), f"{row['years']:.1f}", str(row["episodes"]),
                  f"{row['a_year']:.2f}", str(row["by_lateness"])])
        )  # fmt: skip
    return "\n".join(lines) + "\n"


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _of(n: int, total: int) -> str:
    return f"{n}/{total}" if total else "–"


def write(path: Path, report: Mapping[str, Any]) -> Path:
    """Write the page."""
    from yupana.core import page

    return page.write(
        path,
        "models/outbreak/replay/confusion.html",
        r=report,
        columns=alarm_kinds(report),
        names=KIND_NAMES,
        drawn=_chart(report),
    )


def _chart(report: Mapping[str, Any]) -> str:
    """The confusion table as a picture: a darker cell, a larger share of the row."""
    import numpy as np

    from yupana.core import charts

    rows, columns = list(report["confusion"]), alarm_kinds(report)
    counts = np.array([[report["confusion"][r].get(c, 0) for c in columns] for r in rows])
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure, axes = charts.blank(10.2, 0.9 + 0.55 * len(rows))
    axes.grid(visible=False)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (i, j), n in np.ndenumerate(counts):
        if n:
            ink = "white" if share[i, j] > 0.5 else "#1d2733"
            axes.text(j, i, str(n), ha="center", va="center", color=ink)
    axes.set_xticks(range(len(columns)), [KIND_NAMES[c][0].replace(" ", "\n") for c in columns])
    axes.set_yticks(range(len(rows)), [KIND_NAMES[r][0] for r in rows])
    axes.tick_params(labelsize=8, length=0)
    axes.set_xlabel("se dijo")
    axes.set_ylabel("se plantó")
    right = sum(counts[i, j] for i, r in enumerate(rows) for j, c in enumerate(columns) if r == c)
    what = f"Tabla de confusión: {right} de {counts.sum()} fallos nombrados como se plantaron"
    return charts.svg(figure, what)
