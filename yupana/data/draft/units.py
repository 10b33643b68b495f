"""Units that a column shares with another of its file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from yupana.data.draft.columns.guess import WHICH_UNIT, Guess
from yupana.data.draft.columns.names import Unit, can_be
from yupana.data.draft.columns.numbers import numeric

if TYPE_CHECKING:
    import polars as pl

_AGE = ("age",)
_ENDS = (("lower", "upper"), ("min", "max"))


def by_other_columns(columns: tuple[Guess, ...], frame: pl.DataFrame) -> tuple[Guess, ...]:
    """Columns with the units that others of them tell:

    - an age beside a column of its unit is in that unit;
    - two ends of an interval are in the unit of what lies between them in every row;
    - a column named after another (`predicted_cases_rf` after `cases`) is in its unit.
    """
    columns = tuple(_age(c, columns) for c in columns)
    columns = _intervals(columns, frame)
    return tuple(_named_after(c, columns) for c in columns)


def _age(column: Guess, columns: tuple[Guess, ...]) -> Guess:
    partner = next((c for c in columns if c.terms == ("age", "unit")), None)
    if partner is None or column.terms != _AGE or not column.measure:
        return column
    evidence = f"unit: '{partner.published}' tells it for each"
    return _with(column, Unit(f"as {partner.name} says", evidence))


def _intervals(columns: tuple[Guess, ...], frame: pl.DataFrame) -> tuple[Guess, ...]:
    out = {c.place: c for c in columns}
    measures = [c for c in columns if c.measure and not c.personal]
    for column in measures:
        for low_word, high_word in _ENDS:
            other = tuple(high_word if w == low_word else w for w in column.terms)
            end = next((c for c in measures if c.terms == other), None)
            if low_word not in column.terms or end is None or (column.unit and end.unit):
                continue
            for middle in (m for m in measures if m.unit and m not in (column, end)):
                if _between(frame, column, middle, end):
                    assert middle.unit
                    between = f"'{middle.published}' lies between both ends in all rows"
                    evidence = f"unit: a guess, {between}"
                    unit = Unit(middle.unit.unit, evidence)
                    out[column.place], out[end.place] = _with(column, unit), _with(end, unit)
                    break
    return tuple(out.values())


def _between(frame: pl.DataFrame, low: Guess, middle: Guess, high: Guess) -> bool:
    a, b, c = (numeric(frame[g.place], g.kind.decimal, g.kind.thousands, g.kind.marks)
               for g in (low, middle, high))  # fmt: skip
    inside = ((a <= b) & (b <= c)).drop_nulls()
    return len(inside) > 0 and bool(inside.all())


def _named_after(column: Guess, columns: tuple[Guess, ...]) -> Guess:
    if not column.measure or column.unit or column.personal:
        return column
    own = set(column.terms)
    others = [c for c in columns if c.unit and c.unit.unit != "1" and set(c.terms) < own
              and can_be(c.unit.unit, *column.extent)]  # fmt: skip
    if not others:
        return column
    first = max(others, key=lambda c: len(c.terms))
    assert first.unit
    evidence = f"unit: a guess, as '{first.published}', which it names"
    return _with(column, Unit(first.unit.unit, evidence))


def _with(column: Guess, unit: Unit) -> Guess:
    """The column with a unit in place of what was asked or guessed of it."""
    plain = tuple(q for q in column.questions if q != WHICH_UNIT)
    evidence = tuple(e for e in column.evidence if not column.unit or e != column.unit.evidence)
    return replace(column, unit=unit, questions=plain, evidence=(*evidence, unit.evidence))
