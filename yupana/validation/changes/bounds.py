"""A release's change against the bounds of its contract: over one, it stops for a person."""

from __future__ import annotations

from pathlib import Path

from yupana.core.errors import TerminalError
from yupana.data.contracts.contract import Contract
from yupana.data.contracts.release_options import TELLING, Bounds
from yupana.validation.changes import Change, Comparison, text

_NAMED = 5


def breaches(bounds: Bounds, comparison: Comparison) -> list[str]:
    """Each bound that a change lies over, as a sentence; it holds what the change shows."""
    breaks, change = [], comparison.change
    before, after = change.rows.before or 0, change.rows.after or 0
    if bounds.rows is not None and before and after != before and not (
        before * bounds.rows < after < before / bounds.rows
    ):  # fmt: skip
        breaks.append(
            f"the rows go from {before:,} to {after:,}, and between {before * bounds.rows:,.0f} "
            f"and {before / bounds.rows:,.0f} may come (rows: {bounds.rows:g})"
        )
    if bounds.past is not None and comparison.past > bounds.past:
        breaks.append(_past(bounds.past, change))
    if bounds.periods and change.periods_gone:
        names = ", ".join(change.periods_gone[:_NAMED])
        more = len(change.periods_gone) - _NAMED
        breaks.append(
            f"{len(change.periods_gone):,} periods are gone: {names}"
            f"{f' and {more:,} more' if more > 0 else ''} (periods: keep)"
        )
    return breaks


def warnings(bounds: Bounds, comparison: Comparison) -> list[str]:
    """What is told and does not stop: usual bounds, where the contract states none."""
    usual = Bounds(
        rows=TELLING.rows if bounds.rows is None else None,
        past=TELLING.past if bounds.past is None else None,
        periods=not bounds.periods,
    )
    breaks, change = breaches(usual, comparison), comparison.change
    if change.retyped:
        breaks.append(f"columns have another type than before: {', '.join(change.retyped)}")
    if change.columns_gone:
        breaks.append(f"columns are gone: {', '.join(change.columns_gone)}")
    for absent in change.absent:
        more = absent.count - len(absent.named)
        breaks.append(
            f"{absent.period} has no row of {absent.column} {', '.join(absent.named)}"
            f"{f' and {more:,} more' if more else ''}, of which every period before had some: "
            "is their report missing?"
        )
    return breaks


def require(contract: Contract, comparison: Comparison, source: str, report: Path) -> None:
    """Stop a release whose change lies over a bound.

    Raises:
        TerminalError: names each bound, what changed, and how a person accepts it.
    """
    if breaks := breaches(contract.bounds, comparison):
        change = comparison.change
        listing = "".join(f"\n  {line}" for line in text.lines(change))
        raise TerminalError(
            f"Against version {change.before}, {'; '.join(breaks)}. Nothing was published."
            f"{listing}",
            where=f"{source}, compared in {report}",
            fix=f"Look at the file. If it is right: yupana ingest {contract.name} with the same "
            'options and --accept-change "why".',
        )


def _past(bound: float, change: Change) -> str:
    upto = f"up to {change.last}" if change.last else "that were there"
    what, before = f"rows of the past ({upto}) are changed, gone or new", change.rows.before or 0
    if change.revised is None or change.past is None:
        return f"more {what} than {bound:.1%} of {before:,} (past: {bound:g})"
    return (
        f"{change.revised:,} {what}: {change.past:.1%} of {before:,}, "
        f"and {bound:.1%} may be (past: {bound:g})"
    )
