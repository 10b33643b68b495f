"""Mask the personal data of a file before it is landed: for one that may not be kept as it came."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from yupana.console import tables
from yupana.console.options import AsJson, say_json
from yupana.core.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(mask)


def mask(
    source: Annotated[Path, typer.Argument(help="A CSV file with a header, in UTF-8.")],
    column: Annotated[list[str], typer.Option(help="A column of texts; may be given again.")],
    out: Annotated[Path, typer.Option(help="Where to write; a file that is not there yet.")],
    delimiter: Annotated[str, typer.Option(help="What parts the fields.")] = ",",
    as_json: AsJson = False,
) -> None:
    """Write a CSV anew with the personal data in its texts replaced by what it is: [DNI], [NOMBRE].

    Only those columns are looked at: columns that hold nothing but a document or a name are the
    contract's to drop.

    Example: yupana mask FILE.csv --column text --out MASKED.csv
    """
    try:
        rows, counts = _masked(source, column, out, delimiter)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        out_of = getattr(error, "filename", None) or source
        raise UsageError(
            f"The file cannot be read, or there is one already: {type(error).__name__}.",
            where=str(out_of),
            fix="Name a CSV file in UTF-8, and an --out that is not there.",
        ) from error
    if as_json:
        say_json({"rows": rows, "masked": counts, "out": str(out)})
        return
    print(f"{rows:,} rows in {out}")
    tables.show("kind", "masked", rows=[(kind, f"{n:,}") for kind, n in counts.items()])


def _masked(
    source: Path, columns: list[str], out: Path, delimiter: str
) -> tuple[int, dict[str, int]]:
    """Rows written, and how often each kind was masked."""
    from yupana.privacy import mask as texts

    rows, counts = 0, Counter[str]()
    csv.field_size_limit(1 << 30)
    with source.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream, delimiter=delimiter)
        header = next(reader, [])
        if missing := set(columns) - set(header):
            raise UsageError(
                f"There is no column '{sorted(missing)[0]}'.",
                where=str(source),
                fix=f"Name one of its header: {', '.join(header)}.",
            )
        places = [header.index(name) for name in columns]
        with out.open("x", encoding="utf-8", newline="") as target:
            writer = csv.writer(target, delimiter=delimiter, lineterminator="\n")
            writer.writerow(header)
            for row in reader:
                for place in places:
                    if place < len(row):
                        masked = texts.mask(row[place])
                        row[place] = masked.text
                        counts.update({kind.value: n for kind, n in masked.counts.items()})
                writer.writerow(row)
                rows += 1
    return rows, dict(counts)
