"""Dates of a file that is at hand, read by the contract's patterns: what each pattern makes of a
text, before anything is published."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from yupana.config.settings import Settings
from yupana.core.types import RawObject
from yupana.data import parsing
from yupana.data.contracts.checks import source
from yupana.data.contracts.columns import Column
from yupana.data.contracts.contract import Contract
from yupana.data.draft.columns import dates
from yupana.data.draft.columns.values import Values, of, shape
from yupana.data.files import landing
from yupana.data.publication import quarantine

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Reading:
    """What one pattern reads of one column.

    Attributes:
        pattern: empty for what no pattern reads.
        rows: rows that it reads and no pattern before it does.
        text: the shape of the most frequent text.
        value: what becomes of it, ISO 8601; empty where none does.
    """

    column: str
    pattern: str
    rows: int
    text: str
    value: str


def of_contract(settings: Settings, contract: Contract) -> list[Reading] | None:
    """Readings of the newest landed file, or of the contract's own where it is a file here; None
    where there is neither, or no date with a pattern. Personal columns are left out.

    Raises:
        TerminalError: the file cannot be parsed by the contract.
    """
    columns = [c for c in contract.used if c.date_formats and not c.personal]
    raw = _at_hand(settings, contract)
    if raw is None or not columns:
        return None
    import polars as pl

    with tempfile.TemporaryDirectory() as work:
        texts = pl.read_parquet(parsing.parse(settings, contract, raw, Path(work)))
    return [r for c in columns if c.name in texts.columns for r in _readings(c, texts[c.name])]


def _at_hand(settings: Settings, contract: Contract) -> RawObject | None:
    for sha256 in reversed(quarantine.sources(settings, contract.name)):
        if raw := landing.find(settings, contract.name, sha256):
            return raw
    path = settings.root / Path(contract.location).expanduser()
    if "://" in contract.location or not path.is_file():
        return None
    source.refuse_link(contract.location, settings.root)
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    return RawObject(dataset=contract.name, path=str(path), sha256=sha256,
                     size=path.stat().st_size, source=contract.location)  # fmt: skip


def _readings(column: Column, texts: pl.Series) -> list[Reading]:
    rest = of(texts).without(column.missing)
    readings = []
    for pattern in column.date_formats:
        value = dates.read(rest.texts, pattern)
        good = rest.where(value.is_not_null())
        days = value.drop_nulls() if column.type == "timestamp" else value.drop_nulls().dt.date()
        day = str(days[0]) if len(days) else ""
        readings.append(_reading(column, pattern, good, day))
        rest = rest.where(value.is_null())
    return [*readings, *([_reading(column, "", rest, "")] if rest.filled else [])]


def _reading(column: Column, pattern: str, values: Values, day: str) -> Reading:
    text = shape(str(values.texts[0])) if values.filled else ""
    return Reading(str(column.published), pattern, values.filled, text, day)
