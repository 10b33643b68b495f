"""The rows of a line list as the agency publishes it, each with its week, its district and what
is at fault."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path
from typing import TYPE_CHECKING

from yupana.core.errors import TerminalError, UsageError
from yupana.data.contracts import contract
from yupana.data.national import calendar as national_calendar
from yupana.data.national import places as national_places

if TYPE_CHECKING:
    import polars as pl

CONTRACT = "dengue_linelist"
NEEDED = ("department", "province", "district", "year", "event", "week", "cases")
PLACE = ("department", "province", "district")


def read(path: Path, number: int, root: Path) -> pl.DataFrame:
    """All rows of a file.

    Args:
        path: CSV, plain or gzip.
        number: of the file, among those that are read together.
        root: the project's folder (contract and reviewed spellings).

    Returns:
        `department` (plain name), `ubigeo`, `week_start`, `cases`, `file`, `file_number`, `line`,
        `fault` (the standard name of a column that names nothing that exists, or null) and
        `said` (the row in words).

    Raises:
        UsageError: the file is missing, is not such a CSV, or lacks a column or all rows.
    """
    import polars as pl

    text = _text(path, _published(root), contract.load(root, CONTRACT).delimiter)
    lookup = _places(text, root)
    weeks = list(national_calendar.epiweek_starts())
    calendar = pl.DataFrame(weeks, schema=["year_", "week_", "week_start"], orient="row")
    numbers = [
        pl.col(c).str.strip_chars().cast(pl.Int64, strict=False).alias(f"{c}_")
        for c in ("year", "week", "cases")
    ]
    rows = (
        text.with_columns(pl.col(PLACE).fill_null(""), *numbers)
        .join(lookup, on=PLACE, how="left")
        .join(calendar, on=["year_", "week_"], how="left")
        .sort("line")
    )
    fault = (
        pl.when(pl.col("ubigeo").is_null()).then(pl.lit("district"))
        .when(pl.col("week_start").is_null()).then(pl.lit("week"))
        .when(pl.col("cases_").fill_null(0) < 1).then(pl.lit("cases"))
        .when(pl.col("event").str.strip_chars().fill_null("") != "Dengue").then(pl.lit("event"))
    )  # fmt: skip
    return rows.select(
        pl.col("plain").alias("department"), "ubigeo", "week_start",
        pl.col("cases_").alias("cases"), pl.lit(str(path)).alias("file"),
        pl.lit(number).alias("file_number"), "line",
        fault.alias("fault"),
        pl.format("{} / {} / {}, year {}, week {}, cases {}, {}",
                  *PLACE, *(pl.col(c).fill_null("") for c in ("year", "week", "cases", "event")),
                  ).alias("said"),
    )  # fmt: skip


def _places(text: pl.DataFrame, root: Path) -> pl.DataFrame:
    """The distinct places as they are written, with plain department and code (or null)."""
    import polars as pl

    places = national_places.ubigeos_with_aliases(root)
    distinct = [tuple(v or "" for v in row) for row in text.select(PLACE).unique().iter_rows()]
    plain = [tuple(national_places.plain_name(v) for v in row) for row in distinct]
    return pl.DataFrame(
        {
            **{name: [row[i] for row in distinct] for i, name in enumerate(PLACE)},
            "plain": [row[0] for row in plain],
            "ubigeo": [places.get((row[0], row[1], row[2])) for row in plain],
        },
        schema_overrides={"ubigeo": pl.String},
    )


def _text(path: Path, names: dict[str, str], delimiter: str) -> pl.DataFrame:
    """The needed columns as text, with the line that each row came from.

    Other columns, personal ones among them, are not kept.

    Raises:
        UsageError: the file is missing, is not such a CSV, or lacks a column or all rows.
    """
    import polars as pl

    from yupana.data.parsing import header

    try:
        text = pl.read_csv(existing(path), separator=delimiter, infer_schema=False, glob=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise UsageError(
            "The file cannot be read as a line list.",
            detail=str(error).splitlines()[0],
            where=f"{path}{_first_bad_line(path, delimiter)}",
            fix=f"Give CSV in UTF-8 with '{delimiter}' between columns, plain or gzip.",
        ) from error
    absent = [name for name in names if name not in text.columns]
    if absent:
        raise UsageError(
            f"The file lacks columns: {', '.join(absent)}.",
            where=f"{path}, line 1: {', '.join(header.names_or_shapes(text.columns, names)[:12])}",
            fix=f"Give a line list with the columns {', '.join(names)}.",
        )
    if text.is_empty():
        raise UsageError("The file has no rows.", where=str(path), fix="Give a file with cases.")
    return text.rename(names).select(*NEEDED).with_row_index("line", offset=2)


def _first_bad_line(path: Path, delimiter: str) -> str:
    """Where the first line is that is not UTF-8 or has more columns than the header; else ''."""
    width = 0
    try:
        packed = path.read_bytes()[:2] == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as stream:
            for number, raw in enumerate(stream, 1):
                cells = next(csv.reader([raw.decode()], delimiter=delimiter), [])
                width = width or len(cells)
                if len(cells) > width:
                    return f", line {number}, column {width + 1}"
    except UnicodeDecodeError as error:
        return f", line {number}, byte {error.start + 1}"
    except (OSError, EOFError):
        return ""
    return ""


def fault(rows: pl.DataFrame, what: str, column: str, root: Path) -> TerminalError:
    """The error that names the first of these rows."""
    first = rows.row(0, named=True)
    published = {name: standard for standard, name in _published(root).items()}
    return TerminalError(
        what,
        where=f"{first['file']}, line {first['line']}, column {published[column]}",
        detail=str(first["said"]),
        fix="Mend these rows; a new spelling of a place goes to expectations/ubigeo/aliases.csv.",
    )


def existing(path: Path) -> Path:
    """The path of a file.

    Raises:
        UsageError: there is none.
    """
    if not path.is_file():
        raise UsageError(
            "There is no such file.", where=str(path), fix="Give the path of a line list."
        )
    return path


def _published(root: Path) -> dict[str, str]:
    """Published names of the needed columns → their standard names."""
    columns = contract.load(root, CONTRACT).columns
    return {str(c.published): c.name for c in columns if c.name in NEEDED}
