"""What an opinion report holds. None is a figure that is hidden, or that nobody can give."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from yupana.core.spec import Bilingual

Ends = tuple[float, float]
"""The ends of a 95 % interval."""

Every = Literal["week", "month"]
Source = Literal["published", "cases"]
Says = Literal["more", "less", "unsure", "unknown"]
"""Of a change: beyond chance, not beyond it, or too few data to say."""


@dataclass(frozen=True)
class Term:
    """A word, or a pair of neighbours, that tells a theme from the others.

    Attributes:
        log_odds: natural logarithm of the odds ratio, shrunk to the words of all texts.
        z: the log-odds over its standard error, as if each text spoke for itself.
        interval: over groups; None where it may be chance which groups there are: these are words
            of a few.
    """

    words: str
    log_odds: float
    z: float
    interval: Ends | None


@dataclass(frozen=True)
class Volume:
    """The texts of a theme in one week or month.

    Attributes:
        start: its first day.
        interval: over groups; None where fewer than five wrote in it.
        finished: whether the report's span holds all of it.
    """

    start: date
    n: int | None
    interval: Ends | None
    finished: bool


@dataclass(frozen=True)
class Change:
    """The newest weeks or months beside as many others.

    Attributes:
        against: those just before, or those of a year ago.
        now, then: texts; `ratio` is the first over the second.
        interval: of the ratio.
    """

    against: Literal["before", "season"]
    says: Says
    now: int | None
    then: int | None
    ratio: float | None = None
    interval: Ends | None = None


@dataclass(frozen=True)
class Part:
    """How much of a theme is of one group of people, such as an area; `share` is 0-1."""

    by: str
    of: str
    n: int | None
    share: float | None
    interval: Ends | None


@dataclass(frozen=True)
class Theme:
    """One label.

    Attributes:
        groups: how many threads, cases or other units its texts are of.
        share: of all texts, 0-1.
        quotes: masked texts, the most typical first.
    """

    label: str
    title: Bilingual
    n: int
    groups: int | None
    share: float
    interval: Ends | None
    volume: tuple[Volume, ...]
    changes: tuple[Change, ...]
    terms: tuple[Term, ...]
    quotes: tuple[str, ...]
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Opinion:
    """The report.

    Attributes:
        first, last: days of the span, both within it.
        block: weeks or months that are compared with as many others.
        n: texts of the span; `unlabelled` are those without a label.
        hidden: titles of themes that are too small to be told, or that would tell of such.
        unmeasured: what cannot be said, and why.
        rests_on: references.
    """

    use_case: str
    source: Source
    first: date
    last: date
    every: Every
    block: int
    n: int
    groups: int
    unlabelled: int | None
    themes: tuple[Theme, ...]
    hidden: tuple[Bilingual, ...]
    unmeasured: tuple[Bilingual, ...]
    rests_on: tuple[str, ...]
    seed: int
