"""A first draft of a contract for a stranger's file: every guess with what speaks for it.

Types are judged on all rows (a million at most), read by the parser that an ingest uses. What is
no more than a guess stands as a question for a person beside the field.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.core.locks import one_at_a_time
from yupana.core.progress import Progress
from yupana.data import landing, source_check, sources
from yupana.data.draft import dates, dialect, guess, keys, names, rows, units, write
from yupana.data.draft.dates import Order
from yupana.data.draft.dialect import Dialect
from yupana.data.draft.guess import Guess
from yupana.data.draft.rows import Rows
from yupana.data.sources import http

if TYPE_CHECKING:
    import polars as pl

_TOTAL = r"(?i)^(sub-?)?total(es)?\b|^(fuente|nota|elaboraci[oó]n|elaborado|source)\b"
_TAIL = 10
# No data set's name, so that a download for a draft is in nobody's way.
_FETCHED = ".draft"
_LONG = 80


@dataclass(frozen=True)
class Draft:
    """A contract's text and the guesses in it.

    Attributes:
        left_out: columns that no table can hold: without a name, or of a name that stands twice.
        questions: what a person should look at in the file as a whole.
    """

    name: str
    text: str
    dialect: Dialect
    rows: int
    columns: tuple[Guess, ...]
    key: tuple[str, ...]
    left_out: tuple[str, ...]
    questions: tuple[str, ...]


def draft(
    settings: Settings, source: str, name: str | None, progress: Progress, *, today: date
) -> Draft:
    """Draft a contract for a file.

    Args:
        source: a path (absolute, or in the project), a URL or a portal's package.
        name: of the data set; None: made of the file's.
        today: years after it are told.

    Raises:
        UsageError: no such file, or a name that is no name.
        TerminalError: the file is damaged or no table.
        TransientError: the network stood in the way.
    """
    with _at_hand(settings, source, progress) as (path, shown):
        chosen = name or _name(shown)
        if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", chosen):
            fix = "Write it like malaria_monthly (--name)."
            raise UsageError(f"'{chosen}' is no name for a data set.", fix=fix)
        found = dialect.of(path, settings, shown)
        progress.say(f"read {Path(shown).name}: {found.format}, {found.encoding}")
        table, found = rows.read(path, found, settings, shown, progress)
    progress.say(f"judge {table.frame.height:,} rows of {len(table.names)} columns")
    columns, left_out = _columns(settings.root, table, shown, today)
    keyed, key = _keyed(table.frame, columns)
    questions = (*found.questions, *_of_table(table, left_out), *_of_persons(keyed))
    place = _place(settings.root, source)
    if place != source:
        questions = (*questions, _elsewhere(place))
    text = write.contract(chosen, place, found, table, keyed, questions)
    return Draft(chosen, text, found, table.frame.height, keyed, key, left_out, questions)


@contextmanager
def _at_hand(
    settings: Settings, source: str, progress: Progress
) -> Iterator[tuple[Path, str]]:
    """The source's file on this machine, and how messages name it; a download is kept no longer
    than it is read."""
    here = settings.root / Path(source).expanduser()
    if "://" not in source and not source.startswith("codelist:") and not here.is_file():
        raise UsageError("There is no such file.", where=str(here), fix="Look at its path.")
    with one_at_a_time(settings.home / "locks" / f"{_FETCHED}.lock", "another draft", progress):
        try:
            fetched = sources.fetch(settings, _FETCHED, source, progress)
            yield fetched.path, fetched.shown
        finally:
            shutil.rmtree(landing.fetch_folder(settings, _FETCHED).parent, ignore_errors=True)


def _place(root: Path, source: str) -> str:
    """The source as a contract may name it: nowhere outside of the project, and no log-in."""
    if "://" in source or source.startswith("codelist:"):
        return http.public(source)
    if not source_check.inside(source, root):
        return f"inbox/{Path(source).name}"
    return os.path.relpath(root / source, root)


def _elsewhere(place: str) -> str:
    """What to say where the contract names another place than the source."""
    if "://" in place:
        return ("the address came with a log-in, which no contract holds: give the whole address "
                "by `yupana ingest --source`")  # fmt: skip
    return (f"the file lies outside of the project: put it at {place}, or give it by "
            "`yupana ingest --source`")  # fmt: skip


def _name(shown: str) -> str:
    stem = re.split(r"[?#]", shown)[0].rstrip("/").rsplit("/", 1)[-1].split(".")[0]
    return names.name(names.meaning(stem), "date", set())


def _columns(
    root: Path, table: Rows, shown: str, today: date
) -> tuple[tuple[Guess, ...], tuple[str, ...]]:
    usable = [(i, n) for i, n in enumerate(table.names) if n and table.names.count(n) == 1]
    if not usable:
        raise TerminalError(
            "The header has no name that stands once.", where=shown,
            fix="Ask the publisher for a file whose columns have names.",
        )  # fmt: skip
    left_out = tuple(n or f"column {i + 1}, without a name" for i, n in enumerate(table.names)
                     if (i, n) not in usable)  # fmt: skip

    def judged(borrowed: Order | None) -> tuple[Guess, ...]:
        taken: set[str] = set()
        return tuple(
            guess.of(n, table.frame[f"c{i}"], root, taken, borrowed, today) for i, n in usable
        )

    columns = judged(None)
    days = [c.kind.dates for c in columns if c.kind.dates]
    proven = {d.proven for d in days if d.proven}
    if len(proven) == 1 and any(d.open for d in days):
        columns = judged(proven.pop())
    return units.by_other_columns(columns, table.frame), left_out


def _keyed(
    frame: pl.DataFrame, columns: tuple[Guess, ...]
) -> tuple[tuple[Guess, ...], tuple[str, ...]]:
    """Columns with their place in the key, and the key's names."""
    import polars as pl

    candidates = [c.candidate for c in columns if c.candidate]
    typed = pl.DataFrame([_typed(frame[c.place], c) for c in columns if c.candidate])
    found = keys.of(typed, candidates) if candidates else ()
    keyed = tuple(
        replace(c, key=found.index(c.place) + 1 if c.place in found else 0) for c in columns
    )
    ordered = sorted((c for c in keyed if c.key), key=lambda c: c.key)
    return keyed, tuple(c.name for c in ordered)


def _of_persons(columns: tuple[Guess, ...]) -> tuple[str, ...]:
    """A table of one row a person needs no name to point at one."""
    told = [c.name for c in columns if c.meant in (("age",), ("sex",)) and not c.key]
    if len(told) < 2 or any(c.key for c in columns):
        return ()
    return (
        "each row seems to be a person: age and sex with a small place may point at one. Mark what "
        "is not needed as `classification: personal`",
    )


def _typed(column: pl.Series, of: Guess) -> pl.Series:
    """A column as staging types it: `1/1/17` and `2017-01-01` are one day."""
    import polars as pl

    texts = column.cast(pl.String).str.strip_chars(" ")
    if of.kind.type == "integer":
        return texts.cast(pl.Int64, strict=False)
    if of.kind.dates and of.kind.dates.formats:
        read = [dates.read(texts, pattern) for pattern in of.kind.dates.formats]
        return pl.select(pl.coalesce(read)).to_series().alias(column.name)
    return texts


def _of_table(table: Rows, left_out: tuple[str, ...]) -> tuple[str, ...]:
    """What is odd about the file as a whole."""
    import polars as pl

    said = list(table.unread)
    if table.more:
        said.append(f"types are judged on the first {table.frame.height:,} rows, and it has more")
    if table.torn:
        said.append(f"{table.torn:,} lines have another number of fields and go to quarantine")
    texts = table.frame.select(pl.col("^c[0-9]+$").cast(pl.String))
    tail = texts.tail(_TAIL).select(pl.any_horizontal(pl.all().str.contains(_TOTAL)))
    if totals := int(tail.to_series().sum()):
        said.append(f"{totals} of the last rows look like a total or a note: are they data?")
    lost = texts.select(pl.any_horizontal(pl.all().str.contains("\ufffd"))).to_series().sum()
    if lost:
        said.append(f"{lost:,} rows hold '\ufffd': letters that were lost before it was published")
    if any(len(name) > _LONG for name in table.names):
        said.append("the header holds a whole sentence: is there a line of names at all?")
    if left_out:
        said.append(f"left out, for want of a name of their own: {', '.join(left_out)}")
    return tuple(said)
