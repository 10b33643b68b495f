"""A comparison of two versions as lines of text."""

from __future__ import annotations

from typing import Any

from yupana.core.disclosure import FEWEST
from yupana.validation.changes import Change
from yupana.validation.changes.count import Cell, Pair

_NAMED = 5


def lines(change: Change) -> list[str]:
    """What changed, the most important first; numbers that must not be shown are left out."""
    rows = change.rows
    sentences = [f"rows: {rows.before:,} → {rows.after:,} ({_share(rows)})", *_moves(change)]
    if change.axis:
        for word, values in (("new", change.periods_new), ("gone", change.periods_gone)):
            if values:
                sentences.append(f"periods {word}: {len(values):,} ({_names(values)})")
    for m in change.measures:
        kind = "total" if m.what == "sum" else "mean"
        sentences.append(f"{kind} of {m.name} ({m.unit}): {pair(m.total)}")
    for word, columns in (
        ("new", change.columns_new), ("gone", change.columns_gone), ("retyped", change.retyped),
    ):  # fmt: skip
        if columns:
            sentences.append(f"columns {word}: {', '.join(columns)}")
    for codes in change.codes:
        rare = codes.new - len(codes.shown)
        names = [*codes.shown, *([f"{rare:,} of few rows or not named"] if rare else [])]
        sentences.append(
            f"codes of {codes.column}: {codes.new:,} never seen before"
            + (f" ({', '.join(names)})" if names else "")
            + f", {codes.gone:,} gone"
        )
    return sentences


def summary(change: Change) -> dict[str, Any]:
    """What an event keeps; the report holds the rest."""
    return {
        "before": change.before,
        "rows": {"before": change.rows.before, "after": change.rows.after},
        "by": "key" if change.key else "row",
        "added": change.added,
        "removed": change.removed,
        "changed": change.changed,
        "past": None if change.past is None else round(change.past, 6),
        "periods_new": len(change.periods_new),
        "periods_gone": len(change.periods_gone),
        "columns_new": list(change.columns_new),
        "columns_gone": list(change.columns_gone),
        "codes_new": {codes.column: codes.new for codes in change.codes if codes.new},
        "totals": {m.name: {"before": m.total.before, "after": m.total.after}
                   for m in change.measures},
        "lines": lines(change),
    }  # fmt: skip


def pair(numbers: Pair) -> str:
    """`before → after (share)`; a dot stands for what must not be shown or is not there."""
    before, after = (number(n) for n in (numbers.before, numbers.after))
    share = f" ({_share(numbers)})" if numbers.before and numbers.after is not None else ""
    return f"{before} → {after}{share}"


def number(value: float | int | None) -> str:
    """A number as people read it."""
    return "·" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"


def most_moved(cells: tuple[Cell, ...], most: int) -> list[Cell]:
    """The cells whose shown numbers differ most, in their own order."""
    differ = [c for c in cells if c.differs]
    order = sorted(differ, key=_distance, reverse=True)[:most]
    return [c for c in cells if c in order]


def _distance(cell: Cell) -> float:
    return max(
        abs((p.after or 0) - (p.before or 0)) / max(abs(p.before or 0), 1)
        for p in (cell.rows, *cell.totals)
    )


def _moves(change: Change) -> list[str]:
    what = "keys" if change.key else "rows"
    if change.added is None or change.revised is None or change.past is None:
        return [f"{what} new, gone, changed: not shown, a count under {FEWEST} would follow"]
    changed = f", {change.changed:,} changed" if change.key else ""
    moves = [f"{what}: {change.added:,} new, {change.removed:,} gone{changed}"]
    if change.axis:
        moves.append(
            f"past (up to {change.last or 'none'}): {change.revised:,} rows revised, "
            f"{change.past:.1%} of those before"
        )
    return moves


def _share(numbers: Pair) -> str:
    if not numbers.before:
        return "from none"
    return f"{(numbers.after or 0) / numbers.before - 1:+.1%}"


def _names(values: tuple[str, ...]) -> str:
    if len(values) <= _NAMED:
        return ", ".join(values)
    return f"{values[0]} to {values[-1]}"
