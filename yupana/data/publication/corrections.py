"""Corrected rows of a quarantine: written for a person to mend, and read again.

A correction is UTF-8 text with the header of the published file, whatever that file's format, and
two columns before it: `source_sha256` (or its first characters) and `line` say which row it mends.
"""

from __future__ import annotations

import csv
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.core.types import RawObject
from yupana.data import parsing
from yupana.data.contracts.columns import Column
from yupana.data.contracts.contract import Contract
from yupana.data.files import landing
from yupana.data.lake import history
from yupana.data.parsing import LINE, TORN
from yupana.data.publication.mended_rows import Place

if TYPE_CHECKING:
    import pyarrow as pa

OF, AT = "_of", "_at"
_DELIMITERS = ",;\t"
_SHORTEST = 6
_TOLD = 5


def export(
    settings: Settings, contract: Contract, places: Mapping[str, list[int]], to: Path
) -> int:
    """Write refused rows as they stand in the landed files, readable by their owner alone.

    Columns that are dropped, and that nothing is derived from, are left out.

    Args:
        places: lines by the file's hash.

    Returns:
        How many rows were written.

    Raises:
        UsageError: the file is there already.
        TerminalError: a landed file is no longer kept, or the contract does not fit it any more.
    """
    if os.path.lexists(to):
        raise UsageError(
            "The file is there, and may hold rows that somebody mended.",
            where=str(to),
            fix="Give another name, or remove it.",
        )
    work, count = settings.home / "work" / f"{contract.name}-export", 0
    names = [column.name for column in contract.used]
    with _private(to) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([*_own(contract), *(c.published for c in contract.used)])
        for sha256, lines in places.items():
            raw = landing.find(settings, contract.name, sha256)
            if raw is None:
                raise TerminalError(
                    "A file with refused rows is no longer kept.",
                    where=f"raw:{sha256}",
                    fix="Fetch it again from the publisher, and ingest it.",
                )
            try:
                parsed = parsing.parse(settings, contract, raw, work)
                for row in _lines(parsed, lines):
                    cells = ("" if row.get(n) is None else row[n] for n in names)
                    writer.writerow([sha256, row[LINE], *cells])
                    count += 1
            finally:
                shutil.rmtree(work, ignore_errors=True)
    return count


def _lines(parsed: Path, lines: list[int]) -> Iterator[dict[str, Any]]:
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

    for batch in ds.dataset(parsed).to_batches(filter=pc.field(LINE).isin(lines)):
        yield from batch.to_pylist()


@contextmanager
def _private(path: Path) -> Iterator[IO[str]]:
    """A file that stands there once it is whole, for its owner alone."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            yield stream
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _own(contract: Contract) -> tuple[str, str]:
    """The two first columns' names; a data set may have a column `line` itself."""
    names = {column.published for column in contract.columns}
    return "source_sha256", "source_line" if "line" in names else "line"


def as_text(contract: Contract) -> Contract:
    """The contract of a correction: plain text, whatever the publisher sends."""
    return replace(contract, format="csv", location="", member=None)


def read(settings: Settings, contract: Contract, raw: RawObject, work: Path) -> Path:
    """Parse a landed correction as `parsing.parse`, with the columns `_of` and `_at` besides.

    Raises:
        TerminalError: another header, another encoding, or a record of another width.
    """
    own_names = dict(zip((OF, AT), _own(contract), strict=True))
    own = (Column(name, published, "string") for name, published in own_names.items())
    # An export is filled and cut already, whatever the shape of the file it comes from.
    columns = (replace(column, fill=False) for column in contract.columns)
    marks = "".join(dict.fromkeys(contract.delimiter + _DELIMITERS))
    file = replace(
        as_text(contract), encoding="UTF-8", header_rows=(1,), widths=(),
        skip=None, records=None, delimiter=marks, columns=(*own, *columns),
    )  # fmt: skip
    try:
        parsed = parsing.parse(settings, file, raw, work)
    except TerminalError as error:
        raise TerminalError(
            error.what,
            where=error.where,
            detail=error.detail,
            fix=f"Write the header as `yupana quarantine {raw.dataset} --export FILE` does, and "
            "save the file as UTF-8 (in a spreadsheet: CSV UTF-8).",
        ) from error
    torn = [f"line {row[LINE]}: {row[TORN]}" for row in _keys(parsed).to_pylist() if row[TORN]]
    if torn:
        raise _faulty(raw, "is of another width than the header", torn)
    return parsed


def targets(parsed: Path, raw: RawObject, hashes: set[str]) -> dict[int, Place]:
    """Which row each line of a correction mends.

    Args:
        hashes: of the files that may be meant.

    Raises:
        TerminalError: a line names no such file or no line of it, or two name the same.
    """
    places: dict[int, Place] = {}
    wrong: list[str] = []
    cells: list[str] = []
    for row in _keys(parsed).to_pylist():
        start, at = (row[OF] or "").strip().lower(), (row[AT] or "").strip()
        files = [sha256 for sha256 in hashes if sha256.startswith(start)]
        if len(start) < _SHORTEST or len(files) != 1 or not re.fullmatch("[0-9]{1,18}", at):
            wrong.append(f"line {row[LINE]}")
            cells.append(f"line {row[LINE]}: '{start[:12]}', line '{at[:12]}'")
        else:
            places[row[LINE]] = Place(files[0], int(at))
    if wrong:
        raise _faulty(raw, "names no file and line with rows in quarantine", wrong, cells)
    lines: dict[Place, int] = {}
    for line, place in places.items():
        if place in lines:
            wrong.append(f"line {line}, as line {lines[place]}")
        lines.setdefault(place, line)
    if wrong:
        raise _faulty(raw, "mends the same row as another", wrong)
    return places


def subset(parsed: Path, lines: list[int]) -> Path:
    """A parsed correction with these lines alone, and without the columns that say where to."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    rows = pq.read_table(parsed, filters=pc.field(LINE).isin(lines))
    out = parsed.with_name("subset.parquet")
    pq.write_table(rows.drop_columns([OF, AT]), out)
    return out


def _keys(parsed: Path) -> pa.Table:
    import pyarrow.parquet as pq

    return pq.read_table(parsed, columns=[LINE, TORN, OF, AT])


def reminders(settings: Settings, name: str, raw: RawObject) -> list[str]:
    """What to do about corrections of files that are judged anew: they are not in the release."""
    versions = history.published_versions(settings.table("published", name))
    files = {*raw.hashes}
    mine = dict.fromkeys(p.source_sha256 for p in versions if files & set(p.corrects))
    corrections = [landing.find(settings, name, sha256) for sha256 in mine]
    return [
        f"rows of this file were corrected; take them back by: yupana quarantine {name} --fix "
        f"{one.path}"
        for one in corrections
        if one
    ]


def refuse_other(raw: RawObject, places: dict[int, Place], what: str) -> None:
    """Stop a correction of which some lines cannot be taken.

    Raises:
        TerminalError: names the first of them.
    """
    if places:
        lines = [f"line {n}: {p.source_sha256[:12]}, line {p.line}" for n, p in places.items()]
        raise _faulty(raw, what, lines)


def _faulty(
    raw: RawObject, what: str, lines: list[str], cells: Sequence[str] = ()
) -> TerminalError:
    more = f" and {len(lines) - _TOLD} more" if len(lines) > _TOLD else ""
    return TerminalError(
        f"{len(lines)} {'row' if len(lines) == 1 else 'rows'} of the correction cannot be taken: "
        f"one {what}.",
        where=f"{raw.source}, {'; '.join(lines[:_TOLD])}{more}",
        detail="; ".join(cells[:_TOLD]),
        fix=f"`yupana quarantine {raw.dataset} --export FILE` writes the rows that can be mended; "
        "nothing was changed.",
    )


def superseded_lines(settings: Settings, name: str, raw: RawObject) -> dict[str, set[int]]:
    """Lines of corrections, by their hash, whose rows files that are judged anew bring again."""
    publications = history.publications(settings.table("published", name))
    lines_by_file: dict[str, set[int]] = {}
    for p in publications:
        lines = {at for sha256 in raw.hashes for _, at in p.corrects.get(sha256, [])}
        if lines:
            lines_by_file.setdefault(p.source_sha256, set()).update(lines)
    return lines_by_file
