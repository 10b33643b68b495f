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
from yupana.core.names import must_be
from yupana.core.progress import Progress
from yupana.data import sources
from yupana.data.contracts.checks import source as source_check
from yupana.data.draft import dialect, rows, units, write
from yupana.data.draft.columns import dates, guess, keys, names
from yupana.data.draft.columns.dates import Order
from yupana.data.draft.columns.guess import Guess
from yupana.data.draft.dialect import Dialect
from yupana.data.draft.rows import Rows
from yupana.data.files import landing
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
    with _at_hand(settings, source, progress) as (path, label):
        dataset = name or _name(label)
        must_be(dataset, "data set", "river_levels", "--name")
        form = dialect.of(path, settings, label)
        progress.say(f"read {Path(label).name}: {form.format}, {form.encoding}")
        table, form = rows.read(path, form, settings, label, progress)
    progress.say(f"judge {table.frame.height:,} rows of {len(table.names)} columns")
    columns, left_out = _columns(settings.root, table, label, today)
    keyed, key = _keyed(table.frame, columns)
    questions = (*form.questions, *_of_table(table, left_out), *_of_persons(keyed))
    place = _place(settings.root, source)
    if place != source and not _same_file(settings.root, place, source):
        questions = (*questions, _elsewhere(place))
    text = write.contract(dataset, place, form, table, keyed, questions)
    return Draft(dataset, text, form, table.frame.height, keyed, key, left_out, questions)


@contextmanager
def _at_hand(
    settings: Settings, source: str, progress: Progress
) -> Iterator[tuple[Path, str]]:
    """The source's file on this machine, and how messages name it; a download is kept no longer
    than it is read."""
    here = settings.root / Path(source).expanduser()
    if "://" not in source and not source.startswith("codelist:") and not here.is_file():
        what = "There is no such file."
        if here.exists():
            what = "This is a folder." if here.is_dir() else "This is not a regular file."
        fix = "Give the path of one file; of many, the newest."
        raise UsageError(what, where=str(here), fix=fix)
    with one_at_a_time(settings.lock(_FETCHED), "another draft", progress):
        try:
            fetched = sources.fetch(settings, _FETCHED, source, progress)
            yield fetched.path, fetched.label
        finally:
            shutil.rmtree(landing.fetch_folder(settings, _FETCHED).parent, ignore_errors=True)


def _place(root: Path, source: str) -> str:
    """The source as a contract may name it: nowhere outside of the project, and no log-in."""
    if "://" in source or source.startswith("codelist:"):
        return http.public(source)
    if not source_check.inside(source, root) or source_check.behind_link(source, root):
        return f"inbox/{Path(source).name}"
    return os.path.relpath(root / source, root)


def _same_file(root: Path, place: str, source: str) -> bool:
    """Whether a place is the source itself, as the project writes it."""
    return "://" not in source and root / place == root / source


def _elsewhere(place: str) -> str:
    """What to say where the contract names another place than the source."""
    if "://" in place:
        return ("the address came with a log-in, which no contract holds: give the whole address "
                "by `yupana ingest --source`")  # fmt: skip
    return (f"the file lies outside of the project: put it at {place}, or give it by "
            "`yupana ingest --source`")  # fmt: skip


def _name(label: str) -> str:
    stem = re.split(r"[?#]", label)[0].rstrip("/").rsplit("/", 1)[-1].split(".")[0]
    return names.name(names.meaning(stem), "date", set())


def _columns(
    root: Path, table: Rows, label: str, today: date
) -> tuple[tuple[Guess, ...], tuple[str, ...]]:
    usable = [(i, n) for i, n in enumerate(table.names) if n and table.names.count(n) == 1]
    if not usable:
        raise TerminalError(
            "The header has no name that stands once.", where=label,
            fix="Ask the publisher for a file whose columns have names.",
        )  # fmt: skip
    left_out = tuple(n or f"column {i + 1}, without a name" for i, n in enumerate(table.names)
                     if (i, n) not in usable)  # fmt: skip

    def judged(borrowed: Order | None) -> tuple[Guess, ...]:
        used: set[str] = set()
        return tuple(
            guess.of(
                n, table.frame[f"c{i}"], root, used, borrowed, today, table.shares.get(i)
            ) for i, n in usable
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
    key = keys.of(typed, candidates) if candidates else ()
    keyed = tuple(
        replace(c, key=key.index(c.place) + 1 if c.place in key else 0) for c in columns
    )
    ordered = sorted((c for c in keyed if c.key), key=lambda c: c.key)
    return keyed, tuple(c.name for c in ordered)


def _of_persons(columns: tuple[Guess, ...]) -> tuple[str, ...]:
    """A table of one row a person needs no name to point at one."""
    traits = [c.name for c in columns if c.terms in (("age",), ("sex",)) and not c.key]
    if len(traits) < 2 or any(c.key for c in columns):
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

    questions = list(table.unread)
    if table.more:
        rows = f"{table.frame.height:,}"
        questions.append(f"types are judged on the first {rows} rows, and it has more")
    if table.torn:
        questions.append(f"{table.torn:,} lines have another number of fields and go to quarantine")
    texts = table.frame.select(pl.col("^c[0-9]+$").cast(pl.String))
    tail = texts.tail(_TAIL).select(pl.any_horizontal(pl.all().str.contains(_TOTAL)))
    if totals := int(tail.to_series().sum()):
        questions.append(f"{totals} of the last rows look like a total or a note: are they data?")
    damaged = texts.select(pl.any_horizontal(pl.all().str.contains("\ufffd"))).to_series().sum()
    if damaged:
        questions.append(f"{damaged:,} rows hold '\ufffd': letters lost before it was published")
    if any(len(name) > _LONG for name in table.names):
        questions.append("the header holds a whole sentence: is there a line of names at all?")
    if left_out:
        questions.append(f"left out, for want of a name of their own: {', '.join(left_out)}")
    return tuple(questions)
