"""Workbooks, Parquet and JSON: read whole, handed on as texts."""

from __future__ import annotations

from typing import BinaryIO

from yupana.core.errors import TerminalError
from yupana.core.progress import Progress
from yupana.data.contracts.contract import Contract
from yupana.data.parsing import header
from yupana.data.parsing.documents import objects, parquet, workbook
from yupana.data.parsing.text_table import NamedTexts, text_table


def texts(
    contract: Contract, stream: BinaryIO, source: str, progress: Progress
) -> NamedTexts:
    """All rows of a document: the published names, which may stand twice, and texts by place.

    Args:
        progress: told of what is not read: a workbook's sheets, columns of bytes.

    Raises:
        TerminalError: the file is not of the contract's format.
    """
    content = stream.read()
    fields = [str(c.published) for c in contract.used]
    if contract.format == "json":
        return objects.texts(content, contract.encoding, source, contract.records, fields)
    try:
        if contract.format == "parquet":
            return parquet.texts(content, fields, source, progress)
        return _workbook(contract, content, source, progress)
    except TerminalError:
        raise
    except Exception as error:
        raise TerminalError(
            f"The file cannot be read as {contract.format}.",
            where=source,
            detail=str(error),
            fix="Look at it by hand; mend `format`, `sheet` or `headerRow` in the contract, or "
            "fetch it again.",
        ) from error


def _workbook(contract: Contract, content: bytes, source: str, progress: Progress) -> NamedTexts:
    """The rows below the header; a row without any cell is none."""
    import polars as pl

    rows, faults = workbook.read(contract, content, source, progress)
    last = contract.header_rows[-1]
    if last > rows.height:
        raise TerminalError(
            f"The sheet has no row {last}, where the names of the columns should stand: it ends "
            f"at row {rows.height}.",
            where=source,
            fix="Mend `headerRow` or `sheet` in the contract, or fetch the file again.",
        )
    # The names are rows like others: as a header, one that stands twice would be renamed.
    heads = [[str(x or "") for x in rows.row(n - 1)] for n in contract.header_rows if n]
    names = header.combine(heads) if heads else contract.names_in_order
    _refuse_shares(contract, names, content, source)
    body = rows.with_row_index("line", 1)[last:]
    # A row of cells without value is one, and told.
    faulty = pl.col("line").is_in({row + 1 for row, _ in faults})
    body = body.filter(~pl.all_horizontal(pl.exclude("line").is_null()) | faulty)
    lines = body["line"].to_list()
    used = {name: c.missing for c in contract.used if (name := c.published)}
    torn: dict[int, str] = {}
    for (row, place), fault in faults.items():
        marks = used.get(names[place]) if place < len(names) else None
        if marks is not None and fault.value not in marks:
            torn[row + 1] = fault.reason
    columns = [column.to_arrow().cast("string") for column in body.drop("line")]
    return NamedTexts(names, text_table(lines, [torn.get(n) for n in lines], columns))


def _refuse_shares(contract: Contract, names: list[str], content: bytes, source: str) -> None:
    """Refuse shares under the unit of percentages: 12.5 % would be published as 0.125 %."""
    places = {name.strip(): place for place, name in enumerate(names)}
    percentages = [c for c in contract.used if c.unit == "%" and c.published in places]
    if not percentages:
        return
    shares = workbook.shares(content, contract.sheet, contract.header_rows[-1])
    for column in percentages:
        if share := shares.get(places[str(column.published)]):
            mixed = f", and {share.others:,} are not" if share.others else ""
            raise TerminalError(
                f"{share.percent:,} cells of '{column.published}' are shown as per cent{mixed}: "
                "12.5 % is stored, and read, as 0.125.",
                where=source,
                fix=f"Set the unit of '{column.name}' to 1 in the contract"
                + (" once the publisher has told which cells are shares." if mixed else "."),
            )
