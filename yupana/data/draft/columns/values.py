"""The values of a column, each once with how often it stands there, and their plain words."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

_LONGEST_SHAPE = 40
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True)
class Values:
    """Distinct texts of a column.

    Attributes:
        texts: text series, without null, most frequent first.
        counts: how often each stands in the column.
        rows: rows of the column, blank ones included.
    """

    texts: pl.Series
    counts: pl.Series
    rows: int

    @property
    def filled(self) -> int:
        """Rows with a text."""
        return int(self.counts.sum())

    def where(self, mask: pl.Series) -> Values:
        """Those of a mask; null counts as false."""
        matches = mask.fill_null(False)
        return Values(self.texts.filter(matches), self.counts.filter(matches), self.rows)

    def matching(self, pattern: str) -> Values:
        """Those that match a regular expression."""
        return self.where(self.texts.str.contains(pattern))

    def without(self, texts: tuple[str, ...]) -> Values:
        """Those that are none of some texts."""
        return self.where(~self.texts.is_in(texts)) if texts else self


def of(column: pl.Series) -> Values:
    """The values of a text column, blanks around them taken away as staging does."""
    import polars as pl

    plain = column.cast(pl.String).str.strip_chars(" ").replace("", None)
    counted = plain.drop_nulls().alias("text").value_counts(name="n").sort(
        ["n", "text"], descending=[True, False]
    )
    return Values(counted["text"], counted["n"], len(column))


def enough(good: int, all: int) -> bool:
    """Whether the few others are slips, to be set aside, rather than another type.

    Two in a hundred, as the platform's contracts of real files allow at most; one in a small file.
    """
    broken = all - good
    return good > 0 and broken <= max(1, 0.02 * all) and good >= 5 * broken


def shape(text: str) -> str:
    """What a text looks like without saying it: digits as `9`, letters as `a`."""
    plain = re.sub(r"[0-9]", "9", re.sub(r"[A-Za-z]|[^\x00-\x7F]", "a", text))
    return plain[:_LONGEST_SHAPE]


def words(header: str) -> tuple[str, ...]:
    """A header's words in ASCII lower case: `NroMes` is nro, mes."""
    plain = unicodedata.normalize("NFKD", _CAMEL.sub(" ", header.strip()))
    ascii_only = plain.encode("ascii", "ignore").decode().lower()
    return tuple(re.findall(r"[a-z]+|[0-9]+", ascii_only))
