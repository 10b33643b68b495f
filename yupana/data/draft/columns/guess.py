"""What a draft says of one column, and how it comes to say so."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from yupana.data.draft.columns import codes, keys, kinds, names, numbers, personal, values
from yupana.data.draft.columns.dates import Order
from yupana.data.draft.columns.kinds import Kind
from yupana.data.draft.columns.values import Values
from yupana.data.national import columns
from yupana.data.parsing.documents.cells import Shares

if TYPE_CHECKING:
    import polars as pl

_MOST_CODES = 12
_LONGEST_CODE = 60
_PLACES = columns.PLACES | {"region", "locality", "capital", "city", "name"}
# Whole numbers that name or order, and have no unit.
_NO_UNIT = kinds.CALENDAR | {
    "id", "identifier", "code", "number", "rank", "order", "group", "subregion", "region",
    "commune", "zone", "sector", "article", "status", "type", "class",
}
_RANGES = {"week": (1, 53), "month": (1, 12), "day": (1, 31), "hour": (0, 23), "quarter": (1, 4)}
WHICH_UNIT = "which unit?"
_SHARES = "none is over 1: per cent, or shares (unit 1, 12.5 % as 0.125)?"
# 1927 to 2064, as a spreadsheet counts days.
_SERIALS = (10_000, 60_000)
_YEARS = r"^(19|20)[0-9]{2}$"


@dataclass(frozen=True)
class Guess:
    """A column of the draft.

    Attributes:
        published: its header in the file.
        place: its name in the frame.
        terms: English words of the header.
        missing_share: share of rows without a value, 0 to 1.
        broken: rows whose value goes to quarantine.
        evidence: why, one sentence each; says no value of a personal column.
        questions: what a person should decide.
        listed: the code list of the country that holds its values.
        extent: smallest and largest number.
        shape: what the most frequent value looks like.
    """

    published: str
    place: str
    name: str
    terms: tuple[str, ...]
    kind: Kind
    missing_share: float
    broken: int
    shape: str
    evidence: tuple[str, ...]
    questions: tuple[str, ...] = ()
    unit: names.Unit | None = None
    personal: personal.Suspicion | None = None
    listed: codes.CodeMatch | None = None
    codes: tuple[str, ...] = ()
    extent: tuple[float, float] = (0.0, 0.0)
    bounds: tuple[int | None, int | None] = (None, None)
    not_after: bool = False
    key: int = 0
    candidate: keys.Candidate | None = field(default=None, compare=False)

    @property
    def measure(self) -> bool:
        """Whether it counts or measures, so that it needs a unit."""
        return self.kind.type in ("integer", "number") and not (
            not self.kind.unit and self.kind.type == "integer" and _NO_UNIT & set(self.terms)
        )


def of(
    published: str,
    column: pl.Series,
    root: Path,
    used: set[str],
    borrowed: Order | None,
    today: date,
    shares: Shares | None = None,
) -> Guess:
    """What a column of texts holds.

    Args:
        used: names of the columns before it; its own is added.
        today: a year after it is no year of a release.
        borrowed: the order of day and month that another column of the file proves.
        shares: cells that a workbook shows as per cent, where it does.
    """
    every = values.of(column)
    terms = names.meaning(published)
    kind = kinds.of(every, terms, borrowed)
    plain = every.without(kind.marks)
    listed = codes.of(root, plain, terms)
    if listed:
        sure = tuple(m for m in kind.marks if not m.lstrip("-").replace(".", "").isdigit())
        kind = replace(kind, type="string", good=plain, broken=0, dates=None, marks=sure,
                       evidence=listed.evidence, questions=())  # fmt: skip
        word = listed.column.word
        terms = (word,) if len(terms) == 1 or word in terms else (*terms, word)
    name = names.name(terms, kind.type, used)
    used.add(name)
    guess = Guess(
        published=published,
        place=column.name,
        name=name,
        terms=terms,
        kind=kind,
        missing_share=1 - plain.filled / every.rows if every.rows else 0.0,
        broken=kind.broken + (listed.unlisted if listed else 0),
        shape=values.shape(str(every.texts[0])) if every.filled else "",
        evidence=(kind.evidence, *([f"no value: {kind.marks_evidence}"] if kind.marks else [])),
        questions=kind.questions,
        listed=listed,
        personal=None if listed else personal.of(plain, terms, kind.type),
    )
    if guess.personal:
        return _of_person(guess)
    guess = _measured(guess, today)
    if shares and guess.kind.type in ("integer", "number"):
        guess = _share(guess, shares)
    listed_codes = _codes(guess)
    if listed_codes and (reason := personal.may_tell(listed_codes, terms)):
        ask = f"its {len(listed_codes)} values are not listed: {reason}. List them in enum if not"
        guess, listed_codes = replace(guess, questions=(*guess.questions, ask)), ()
    return replace(guess, codes=listed_codes, candidate=_candidate(guess, plain))


def _of_person(guess: Guess) -> Guess:
    """Nothing that its values are is told."""
    assert guess.personal
    evidence = f"seems to be {guess.personal.what}, {guess.personal.evidence}"
    ask = "dropped when it is staged: is it personal? `treatment: pseudonymise` would link rows"
    return replace(guess, evidence=(evidence,), questions=(ask,))


def _measured(guess: Guess, today: date) -> Guess:
    """Ranges of calendar numbers and counts, and the unit of a measure."""
    low, high = _extent(guess.kind)
    if guess.kind.type == "integer" and not guess.measure:
        return _calendar(guess, low, high, today)
    if guess.kind.type in ("date", "timestamp") or not guess.measure:
        return guess
    sign = guess.kind.unit
    unit = names.Unit(sign, f"unit: {sign} stands beside the numbers") if sign else (
        names.unit(guess.published, low, high)
    )  # fmt: skip
    whole = guess.kind.type == "integer" and low >= 0
    counted = whole and unit is not None and unit.unit != "°C"
    extent = f"{low:g} to {high:g}"
    questions = guess.questions if unit else (*guess.questions, WHICH_UNIT)
    if unit and unit.unit == "%" and not sign and 0 <= low < high <= 1:
        questions += (_SHARES,)
    if "date" in guess.terms and _SERIALS[0] <= low and high <= _SERIALS[1]:
        serials = "days as a spreadsheet counts them? Ask the publisher for dates"
        questions = (serials, *guess.questions)
    return replace(
        guess,
        extent=(low, high),
        unit=unit,
        bounds=(0 if counted else None, None),
        evidence=(*guess.evidence, extent, *([unit.evidence] if unit else [])),
        questions=questions,
    )


def _share(guess: Guess, shares: Shares) -> Guess:
    """A number that is shown as per cent and stored as a share."""
    reason = "unit: its cells are shown as per cent and stored as shares, 12.5 % as 0.125"
    evidence = [e for e in guess.evidence if not guess.unit or e != guess.unit.evidence]
    questions = tuple(q for q in guess.questions if q not in (WHICH_UNIT, _SHARES))
    if shares.others:
        questions += (f"{shares.others:,} cells are not shown as per cent: are they shares too?",)
    unit = names.Unit("1", reason)
    return replace(guess, unit=unit, evidence=(*evidence, reason), questions=questions)


def _calendar(guess: Guess, low: float, high: float, today: date) -> Guess:
    extent = f"{low:g} to {high:g}"
    if "year" in guess.terms and guess.kind.good.matching(_YEARS).filled == guess.kind.good.filled:
        decade = int(low) // 10 * 10
        ahead = high > today.year
        questions = (*guess.questions, *(["years ahead of today: a projection?"] if ahead else []))
        return replace(guess, bounds=(decade, None), not_after=not ahead, questions=questions,
                       evidence=(*guess.evidence, extent))  # fmt: skip
    for word, (least, most) in _RANGES.items():
        if word in guess.terms and least <= low and high <= most:
            return replace(guess, bounds=(least, most), evidence=(*guess.evidence, extent))
    return replace(guess, evidence=(*guess.evidence, extent))


def _extent(kind: Kind) -> tuple[float, float]:
    if kind.type not in ("integer", "number"):
        return 0.0, 0.0
    values = numbers.numeric(kind.good.texts, kind.decimal, kind.thousands)
    return float(values.min() or 0), float(values.max() or 0)  # type: ignore[arg-type]


def _codes(guess: Guess) -> tuple[str, ...]:
    """The values of a text column that has few and short ones, each of them repeated."""
    texts, counts = guess.kind.good.texts, guess.kind.good.counts
    few = 1 < len(texts) <= _MOST_CODES and guess.kind.good.filled >= 5 * len(texts)
    if guess.kind.type != "string" or guess.listed or not few or _PLACES & set(guess.terms):
        return ()
    if texts.str.len_chars().max() > _LONGEST_CODE or counts.min() < 2:  # type: ignore[operator]
        return ()
    return tuple(sorted(texts.to_list()))


def _candidate(guess: Guess, plain: Values) -> keys.Candidate | None:
    measure = guess.measure and guess.unit is not None
    whole = plain.filled == plain.rows and not guess.broken
    if not whole or not keys.may_be(guess.kind.type, guess.terms, measure):
        return None
    length = float(plain.texts.str.len_chars().mean() or 0)  # type: ignore[arg-type]
    return keys.Candidate(guess.place, guess.terms, guess.kind.type, len(plain.texts), length)
