"""Which columns of a published table are the texts, their labels, and what else is read of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from yupana.data.contracts.contract import Contract
from yupana.tasks.classify.options import LEAST_GROUPS
from yupana.tasks.new_usecase import Part, column

if TYPE_CHECKING:
    import polars as pl

PARTS = ("entity", "text", "label", "group", "time", "title")
"""Columns that a classifier reads, as options name them."""

MOST_LABELS = 100
TEXTS_A_LABEL = 10
"""On average, from which on a column of words looks like labels."""

HEADING_WORDS = 2.5
"""On average, from which on a column holds phrases and not names or codes."""

_DAY = (
    "Derive a day in the contract, and ingest again; docs/contracts.md names the ways, such as "
    "transformLogic: date_of."
)


def columns_of(
    contract: Contract, table: pl.DataFrame, columns: Mapping[str, str]
) -> dict[str, str]:
    """The column of each of `PARTS`; `title` is empty where texts have none.

    Args:
        columns: by `PARTS`, where they are not to be guessed.

    Raises:
        UsageError: a column that is named does not fit, or which one it is is not clear.
    """
    return _Choice(contract, table, columns).all()


class _Choice:
    """Columns are chosen one after the other: what one part takes, no other is taken for."""

    def __init__(
        self, contract: Contract, table: pl.DataFrame, columns: Mapping[str, str]
    ) -> None:
        import polars as pl

        self._columns, self._table = columns, table
        self._key = contract.key
        self._where = f"published/{contract.name}: {', '.join(table.columns)}"
        self._stated = [c.name for c in contract.columns if c.name in table.columns]
        self._words = [c for c in self._stated if table.schema[c] == pl.String]
        self._distinct = {c: table[c].drop_nulls().n_unique() for c in self._stated}
        self._whole = [c for c in self._stated if not table[c].null_count()]
        self._taken = {*columns.values()}

    def all(self) -> dict[str, str]:
        """In an order in which what is plain helps to tell the rest."""
        choice = {"entity": self._entity(), "time": self._time(), "text": self._text()}
        choice["label"] = self._label()
        choice["title"] = self._title(choice["text"])
        choice["group"] = self._group(choice["entity"])
        return choice

    def _take(self, part: Part) -> str:
        chosen = column(part, self._columns, self._where)
        self._taken.add(chosen)
        return chosen

    def _free(self, names: list[str]) -> list[str]:
        return [name for name in names if name not in self._taken]

    def _entity(self) -> str:
        single = [c for c in self._whole if self._distinct[c] == len(self._table)]
        likely = [c for c in self._key if c in single]
        absent = "Add a column to the contract that names each text, as its key."
        return self._take(Part("entity", "a text's own name", single, likely, absent))

    def _time(self) -> str:
        import polars as pl

        days = [c for c in self._whole if isinstance(self._table.schema[c], pl.Date | pl.Datetime)]
        return self._take(Part("time", "a day or a moment", days, self._free(days), _DAY))

    def _text(self) -> str:
        likely = sorted(self._free(self._words), key=self._length)[-1:]
        absent = "Add the column of the texts to the contract, as a `string`."
        return self._take(Part("text", "a text", self._words, likely, absent))

    def _label(self) -> str:
        fitting = [c for c in self._words if 2 <= self._distinct[c] <= MOST_LABELS]
        few = len(self._table) / TEXTS_A_LABEL
        likely = [c for c in self._free(fitting) if self._distinct[c] <= few]
        absent = f"Publish texts with 2 to {MOST_LABELS} labels in a column of text."
        return self._take(Part("label", "a column of labels", fitting, likely, absent))

    def _title(self, text: str) -> str:
        """The only column of phrases that are shorter than the texts; there need be none."""
        if "title" in self._columns:
            return self._take(Part("title", "a text", self._words, [], ""))
        phrases = [
            c for c in self._free(self._words)
            if self._phrases(c) and self._length(c) < self._length(text)
        ]  # fmt: skip
        if len(phrases) != 1:
            return ""
        self._taken.add(phrases[0])
        return phrases[0]

    def _group(self, entity: str) -> str:
        """The only column of names that several texts share, else each text is its own."""
        import polars as pl

        fitting = [
            c for c in self._whole
            if self._table.schema[c] == pl.String or self._table.schema[c].is_integer()
        ]  # fmt: skip
        shared = [
            c for c in self._free(self._words)
            if c in fitting and LEAST_GROUPS <= self._distinct[c] < len(self._table)
            and not self._phrases(c)
        ]  # fmt: skip
        return self._take(
            Part("group", "a name or a number of each row", fitting, shared or [entity], "")
        )

    def _length(self, name: str) -> float:
        """Characters on average."""
        return float(self._table[name].fill_null("").str.len_chars().mean() or 0)  # type: ignore[arg-type]

    def _phrases(self, name: str) -> bool:
        words = self._table[name].fill_null("").str.count_matches(r"\S+").mean()
        return float(words or 0) >= HEADING_WORDS  # type: ignore[arg-type]
