"""Texts that mean "no value" in a column: by what they are, and by how they stand out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from yupana.data.draft.columns.values import Values

if TYPE_CHECKING:
    import polars as pl

# Written for nothing else, whatever the column holds.
_SURE = (
    r"(?i)^(?:n/a|#n/[ad]|nan|<na>|null|none|s/d|s\.d\.?|s/i|s\.i\.?|n/d|n\.d\.?|"
    r"sin (dato|datos|informaci[oó]n|registro|especificar)|no (disponible|aplica|registra)|"
    r"-{1,3}|\.{2,3}|\?+|#(¡?valor!|value!|ref!|div/0!|¿?nombre\?)|\(null\)|\\N)$"
)
_SURE_AS_WRITTEN = ("NA",)
# A mark alone among numbers or days.
_PLAIN = r"^[^0-9]{1,20}$"
_SENTINEL = r"^(-9{2,6}|9{3,6})([.,][09]+)?$"


class Missing(NamedTuple):
    """Marks of a column, and what speaks for them."""

    marks: tuple[str, ...]
    evidence: str


def is_mark(text: str) -> bool:
    """Whether a text means no value in any column."""
    return text in _SURE_AS_WRITTEN or re.match(_SURE, text) is not None


def by_word(values: Values) -> Missing:
    """Marks that mean nothing else."""
    sure = values.texts.str.contains(_SURE) | values.texts.is_in(_SURE_AS_WRITTEN)
    return _missing(values.where(sure))


def by_contrast(others: Values, good: Values) -> Missing:
    """Texts without digits that stand more than once where all else is a number or a day.

    Args:
        others: values that cannot be read as the column's type.
        good: those that can.
    """
    if good.filled < 5 * others.filled:
        return Missing((), "")
    return _missing(others.where(others.texts.str.contains(_PLAIN) & (others.counts > 1)))


def sentinels(values: Values, numbers: pl.Series) -> Missing:
    """Texts such as -9999 that stand more than once, far from all other numbers.

    Args:
        numbers: what the texts are as numbers.
    """
    looks = values.texts.str.contains(_SENTINEL) & (values.counts > 1)
    rest = numbers.filter(~looks & numbers.is_not_null())
    low, high = (float(rest.min() or 0), float(rest.max() or 0)) if len(rest) else (0.0, 0.0)  # type: ignore[arg-type]
    # Ten times as far out as anything else, or a negative where there is none.
    reach = 10 * max(abs(low), abs(high))
    far = (numbers.abs() > reach) | ((numbers < 0) & (low >= 0) & (numbers < -high))
    return _missing(values.where(looks & far & (len(rest) > 0)))


def _missing(values: Values) -> Missing:
    marks = tuple(values.texts.to_list())
    counts = values.counts.to_list()
    evidence = ", ".join(f"'{m}' {c:,}×" for m, c in zip(marks, counts, strict=True))
    return Missing(marks, evidence)
