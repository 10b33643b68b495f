"""What a contract says of a file's rows, whatever the format: which lines are no rows, which
cells hold on downwards, and what is done with text that was encoded twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from yupana.core.patterns import AROUND
from yupana.core.progress import Progress
from yupana.data.contracts.contract import Contract
from yupana.data.parsing.mojibake import Mojibake

if TYPE_CHECKING:
    import pyarrow as pa

LINE, TORN = "source_line", "_torn"
_TOTAL = r"(?i)^\s*(sub)?total(es)?\b"


class Rows:
    """The rows of a file's tables, as the contract wants them."""

    def __init__(
        self,
        contract: Contract,
        places: dict[str, int],
        delimiter: str,
        source: str,
        progress: Progress,
    ) -> None:
        """Prepare for one file.

        Args:
            places: where each column that is parsed stands, by its standard name.
            delimiter: what joins a line's cells for the contract's `skip`.
        """
        self._contract, self._places, self._progress = contract, places, progress
        self._delimiter = delimiter
        self._mojibake = Mojibake(contract, source)
        self._above: dict[str, str | None] = {}
        self._skipped = self._totals = 0
        self._first_total = 0

    def of(self, tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
        """Tables of `line`, `torn` and the file's columns `c0` … → those that are parsed.

        Raises:
            TerminalError: text that was encoded twice; names line and column.
        """
        columns = ["line", "torn", *(f"c{place}" for place in self._places.values())]
        for table in tables:
            rows = self._without_skipped(table)
            self._look_for_totals(rows)
            rows = rows.select(columns).rename_columns([LINE, TORN, *self._places])
            yield self._mojibake.mend(self._fill(rows))
        self._report()
        self._mojibake.refuse()

    def _without_skipped(self, table: pa.Table) -> pa.Table:
        import pyarrow.compute as pc

        if self._contract.skip is None or not table.num_rows:
            return table
        cells = [table[n] for n in table.column_names if n not in ("line", "torn")]
        text = pc.binary_join_element_wise(
            *cells, self._delimiter, null_handling="replace", null_replacement=""
        )
        rows = table.filter(pc.invert(pc.match_substring_regex(text, self._contract.skip)))
        self._skipped += table.num_rows - rows.num_rows
        return rows

    def _look_for_totals(self, table: pa.Table) -> None:
        import pyarrow.compute as pc

        if not table.num_rows or "c0" not in table.column_names:
            return
        totals = table.filter(pc.match_substring_regex(table["c0"], _TOTAL).fill_null(False))
        if totals.num_rows and not self._totals:
            self._first_total = totals["line"][0].as_py()
        self._totals += totals.num_rows

    def _fill(self, rows: pa.Table) -> pa.Table:
        """Empty cells of columns that say `fill: down` take what stands above them."""
        import pyarrow as pa
        import pyarrow.compute as pc

        for column in self._contract.used:
            if not column.fill or column.name not in self._places or not rows.num_rows:
                continue
            first = pa.array([self._above.get(column.name)], pa.string())
            cells = pa.chunked_array([first, *rows[column.name].chunks]).combine_chunks()
            blank = pc.equal(pc.utf8_trim(cells, AROUND), "")
            empty = pa.scalar(None, pa.string())
            full = pc.fill_null_forward(pc.if_else(blank, empty, cells))[1:]
            self._above[column.name] = full[-1].as_py()
            place = rows.column_names.index(column.name)
            rows = rows.set_column(place, column.name, full)
        return rows

    def _report(self) -> None:
        if self._skipped:
            self._progress.say(f"{self._skipped:,} lines are left out by the contract's `skip`")
        if self._totals:
            self._progress.say(
                f"{self._totals:,} lines look like totals, the first is line {self._first_total}: "
                "they are rows like the others; `skip` in the contract leaves them out"
            )
