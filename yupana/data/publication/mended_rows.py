"""Rows of a published table that stand in the place of refused ones, and a quarantine that agrees.

A correction takes rows out of the quarantine and into the table. What takes it back, or restores
what was before it, leaves them in neither: `settle_quarantine` puts them back where they were.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from yupana.config.settings import Settings
from yupana.data.lake import delta, history, reading
from yupana.data.lake.history import Publication


class Place(NamedTuple):
    """A row of a published file: the file's hash, and its line there."""

    source_sha256: str
    line: int


def places(table: Path, sources: set[str] | None = None) -> set[Place]:
    """Where the rows of a table come from; of some files alone where their hashes are given."""
    import pyarrow.compute as pc
    from deltalake import DeltaTable

    if not delta.exists(table) or sources == set():
        return set()
    only = None if sources is None else pc.field("source_sha256").isin(list(sources))
    columns = ["source_sha256", "source_line"]
    rows = reading.dataset(DeltaTable(table)).to_table(columns=columns, filter=only)
    return {Place(*pair) for pair in zip(*(c.to_pylist() for c in rows.columns), strict=True)}


def corrections(table: Path, publications: list[Publication]) -> dict[Place, Place]:
    """Refused rows whose correction the table holds now, and where in the correction each is."""
    pairs = {
        Place(sha256, of): Place(p.source_sha256, at)
        for p in publications
        for sha256, lines in p.corrects.items()
        for of, at in lines
    }
    present = places(table, {by.source_sha256 for by in pairs.values()}) if pairs else set()
    return {place: by for place, by in pairs.items() if by in present}


def settle_quarantine(settings: Settings, name: str) -> None:
    """Make the quarantine agree with the table: of the files that it holds, each row that a
    correction once mended is in one of the two. The caller holds the data set's lock."""
    from deltalake import DeltaTable, write_deltalake

    table, quarantine = settings.table("published", name), settings.table("quarantine", name)
    publications = history.publications(table)
    if not any(p.corrects for p in publications) or not delta.exists(quarantine):
        return
    now = corrections(table, publications)
    current = {s for p in history.line(history.in_order(publications)) for s in p.sources}
    files = current & {sha256 for p in publications for sha256 in p.corrects}
    there = places(quarantine, files) | places(table, files) | set(now)
    losses: dict[int, set[Place]] = defaultdict(set)
    for p in publications:
        for sha256, lines in p.corrects.items():
            missing = {Place(sha256, of) for of, _ in lines} - there
            if sha256 in files and p.quarantine is not None and missing:
                losses[p.quarantine] |= missing
                there |= missing
    for version, rows_missing in losses.items():
        rows = reading.dataset(DeltaTable(quarantine, version=version)).to_table(
            filter=_in(rows_missing)
        )
        write_deltalake(quarantine, rows, mode="append", schema_mode="merge")
    doubled = set(now) & places(quarantine, files)
    for sha256, refused in _by_file(doubled).items():
        numbers = ", ".join(map(str, sorted(refused)))
        DeltaTable(quarantine).delete(f"source_sha256 = '{sha256}' AND source_line IN ({numbers})")


def _in(rows: set[Place]) -> object:
    """The filter of these rows."""
    import operator
    from functools import reduce

    import pyarrow.compute as pc

    each = [
        (pc.field("source_sha256") == sha256) & pc.field("source_line").isin(sorted(lines))
        for sha256, lines in _by_file(rows).items()
    ]
    return reduce(operator.or_, each)


def _by_file(some: set[Place]) -> dict[str, set[int]]:
    lines: dict[str, set[int]] = defaultdict(set)
    for place in some:
        lines[place.source_sha256].add(place.line)
    return lines
