"""What a profile says of a published table and of each of its columns; None: it may not be told."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from yupana.monitoring.over_time import TimeSeries


@dataclass(frozen=True)
class Filled:
    """Rows with a value and rows without; both None where one of them is under 5 or tells a
    hidden cell."""

    count: int | None
    nulls: int | None


@dataclass(frozen=True)
class Spread:
    """Of `described` rows: those in cells that are shown; None where they tell too much.

    Attributes:
        percentiles: by `5` … `95`.
    """

    described: int
    mean: float | None
    sd: float | None
    percentiles: dict[str, float | None]


@dataclass(frozen=True)
class Ends:
    """Five rows or more are as low, or as high; None where there are fewer."""

    minimum: Any
    maximum: Any


@dataclass(frozen=True)
class Histogram:
    """Edges of n bins (n+1 numbers) and their counts; None is hidden."""

    edges: list[float]
    counts: list[int | None]


@dataclass(frozen=True)
class ColumnStatistics:
    """Counts, spread and the commonest values of a column.

    Attributes:
        kind: number, whole, category, date, text or empty.
        spread: of number and whole.
        ends: of number, whole and date, unless the column is made from personal ones.
        histogram: of number.
        top: of whole and category: `value` and `count` of each that is shown.
        others: of the same: how many `values` are not in it, and their `count`; None is hidden.
        length: of text, in characters: `mean` and `maximum`.
    """

    name: str
    kind: str
    unit: str
    description: str
    filled: Filled
    distinct: int
    spread: Spread | None = None
    ends: Ends | None = None
    histogram: Histogram | None = None
    top: list[dict[str, Any]] | None = None
    others: dict[str, int | None] | None = None
    length: dict[str, float | None] | None = None

    def document(self) -> dict[str, Any]:
        """As reports hold it: what the kind lacks is left out, spread and ends stand beside the
        rest."""
        values = asdict(self)
        head = {name: values[name] for name in ("name", "kind", "unit", "description")}
        names = ("histogram", "top", "others", "length")
        parts = {n: values[n] for n in names if values[n] is not None}
        numbers = [values["spread"] or {}, values["ends"] or {}, parts]
        if self.histogram and not self.histogram.edges:
            # Without a bin the histogram has always stood first: the files stay equal by byte.
            numbers.reverse()
        first, second, third = numbers
        return {
            **head, **values["filled"], "distinct": self.distinct, **first, **second, **third
        }  # fmt: skip


@dataclass(frozen=True)
class Profile:
    """Statistics of one version of a published table.

    Attributes:
        ref: `delta:published/<name>@<version>`.
        known_on: the day from which on it was known, ISO 8601.
        source: where its file came from, with the file's SHA-256.
        left_out: by column, why: origin, personal, identifier or `not in this version`.
        time: None without a time axis.
    """

    name: str
    title: str
    publisher: str
    ref: str
    version: int
    known_on: str
    source: str | None
    source_sha256: str
    rows: int
    left_out: dict[str, str]
    time: TimeSeries | None
    columns: tuple[ColumnStatistics, ...]

    def document(self) -> dict[str, Any]:
        """As the profile's JSON holds it."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return values | {
            "time": self.time and self.time.document(),
            "columns": [column.document() for column in self.columns],
        }


class Files(NamedTuple):
    """Where a profile was written."""

    html: Path
    json: Path
