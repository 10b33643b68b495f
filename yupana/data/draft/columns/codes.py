"""Columns of the country's codes: known by the code list itself, not by what they are called."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from yupana.core.errors import UsageError
from yupana.data.contracts import code_lists
from yupana.data.draft.columns.values import Values
from yupana.data.national.columns import CODES, CodeColumn

_FEWEST_WITHOUT_A_NAME = 20


class CodeMatch(NamedTuple):
    """A column whose values a code list holds.

    Attributes:
        pad: some have lost the zero in front.
        unlisted: rows whose code the list does not have.
    """

    column: CodeColumn
    pad: bool
    unlisted: int
    evidence: str


def of(root: Path, values: Values, terms: tuple[str, ...]) -> CodeMatch | None:
    """The code list whose codes a column holds; None where fewer than 95 in 100 values are.

    Without a word for it in the header, at least 20 different codes must be.
    """
    matches = (_match(root, values, terms, column) for column in CODES)
    return next((match for match in matches if match), None)


def _match(
    root: Path, values: Values, terms: tuple[str, ...], column: CodeColumn
) -> CodeMatch | None:
    length = column.length
    digits = values.matching(f"^[0-9]{{{length - 1},{length}}}$")
    if values.filled == 0 or digits.filled < 0.95 * values.filled:
        return None
    if not column.headers & set(terms) and len(digits.texts) < _FEWEST_WITHOUT_A_NAME:
        return None
    listed = digits.where(digits.texts.str.zfill(length).is_in(_codes(root, column.relation)))
    if len(listed.texts) < 0.9 * len(digits.texts) or listed.filled < 0.95 * values.filled:
        return None
    short = listed.where(listed.texts.str.len_chars() < length)
    evidence = f"{listed.filled:,} of {values.filled:,} values are {column.values_name}"
    if short.filled:
        evidence += f", {short.filled:,} of them without the zero in front"
    return CodeMatch(column, short.filled > 0, values.filled - listed.filled, evidence)


def _codes(root: Path, relation: str) -> tuple[str, ...]:
    try:
        listed = code_lists.is_code_list(root, relation)
        return code_lists.values(root, relation) if listed else ()
    except UsageError:
        return ()
