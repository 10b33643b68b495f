"""What a draft says of one column, and how it comes to say so."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from yupana.data.draft import keys, kinds, names, numbers, personal, places, values
from yupana.data.draft.dates import Order
from yupana.data.draft.kinds import Kind
from yupana.data.draft.values import Values

if TYPE_CHECKING:
    import polars as pl

_MOST_CODES = 12
_LONGEST_CODE = 60
_PLACES = frozenset(
    ("department", "province", "district", "region", "locality", "capital", "city", "name")
)
# Whole numbers that name or order, and have no unit.
_NO_UNIT = kinds.CALENDAR | {
    "id", "identifier", "code", "number", "rank", "order", "group", "subregion", "region",
    "commune", "zone", "sector", "article", "status", "type", "class",
}
_RANGES = {"week": (1, 53), "month": (1, 12), "day": (1, 31), "hour": (0, 23), "quarter": (1, 4)}
WHICH_UNIT = "which unit?"
# 1927 to 2064, as a spreadsheet counts days.
_SERIALS = (10_000, 60_000)
_YEARS = r"^(19|20)[0-9]{2}$"


@dataclass(frozen=True)
class Guess:
    """A column of the draft.

    Attributes:
        published: its header in the file.
        place: its name in the frame.
        meant: English words of the header.
        missing_share: share of rows without a value, 0 to 1.
        broken: rows whose value goes to quarantine.
        evidence: why, one sentence each; says no value of a personal column.
        questions: what a person should decide.
        extent: smallest and largest number.
        shape: what the most frequent value looks like.
    """

    published: str
    place: str
    name: str
    meant: tuple[str, ...]
    kind: Kind
    missing_share: float
    broken: int
    shape: str
    evidence: tuple[str, ...]
    questions: tuple[str, ...] = ()
    unit: names.Unit | None = None
    personal: personal.Suspicion | None = None
    ubigeo: places.Ubigeo | None = None
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
            not self.kind.unit and self.kind.type == "integer" and _NO_UNIT & set(self.meant)
        )


def of(
    published: str,
    column: pl.Series,
    root: Path,
    taken: set[str],
    borrowed: Order | None,
    today: date,
) -> Guess:
    """What a column of texts holds.

    Args:
        taken: names of the columns before it; its own is added.
        today: a year after it is no year of a release.
        borrowed: the order of day and month that another column of the file proves.
    """
    every = values.of(column)
    meant = names.meaning(published)
    kind = kinds.of(every, meant, borrowed)
    plain = every.without(kind.marks)
    ubigeo = places.of(root, plain, meant)
    if ubigeo:
        sure = tuple(m for m in kind.marks if not m.lstrip("-").replace(".", "").isdigit())
        kind = replace(kind, type="string", good=plain, broken=0, dates=None, marks=sure,
                       evidence=ubigeo.evidence, questions=())  # fmt: skip
        meant = ("ubigeo",) if len(meant) == 1 or "ubigeo" in meant else (*meant, "ubigeo")
    name = names.name(meant, kind.type, taken)
    taken.add(name)
    guess = Guess(
        published=published,
        place=column.name,
        name=name,
        meant=meant,
        kind=kind,
        missing_share=1 - plain.filled / every.rows if every.rows else 0.0,
        broken=kind.broken + (ubigeo.unlisted if ubigeo else 0),
        shape=values.shape(str(every.texts[0])) if every.filled else "",
        evidence=(kind.evidence, *([f"no value: {kind.marks_evidence}"] if kind.marks else [])),
        questions=kind.questions,
        ubigeo=ubigeo,
        personal=None if ubigeo else personal.of(plain, meant, kind.type),
    )
    if guess.personal:
        return _of_person(guess)
    guess = _measured(guess, today)
    return replace(guess, codes=_codes(guess), candidate=_candidate(guess, plain))


def _of_person(guess: Guess) -> Guess:
    """Nothing that its values are is told."""
    assert guess.personal
    said = f"seems to be {guess.personal.what}, {guess.personal.evidence}"
    ask = "dropped when it is staged: is it personal? `treatment: pseudonymise` would link rows"
    return replace(guess, evidence=(said,), questions=(ask,))


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
    seen = f"{low:g} to {high:g}"
    asked = guess.questions if unit else (*guess.questions, WHICH_UNIT)
    if "date" in guess.meant and _SERIALS[0] <= low and high <= _SERIALS[1]:
        asked = ("days as a spreadsheet counts them? Ask the publisher for dates", *guess.questions)
    return replace(
        guess,
        extent=(low, high),
        unit=unit,
        bounds=(0 if counted else None, None),
        evidence=(*guess.evidence, seen, *([unit.evidence] if unit else [])),
        questions=asked,
    )


def _calendar(guess: Guess, low: float, high: float, today: date) -> Guess:
    seen = f"{low:g} to {high:g}"
    if "year" in guess.meant and guess.kind.good.matching(_YEARS).filled == guess.kind.good.filled:
        decade = int(low) // 10 * 10
        ahead = high > today.year
        asked = (*guess.questions, *(["years ahead of today: a projection?"] if ahead else []))
        return replace(guess, bounds=(decade, None), not_after=not ahead, questions=asked,
                       evidence=(*guess.evidence, seen))  # fmt: skip
    for word, (least, most) in _RANGES.items():
        if word in guess.meant and least <= low and high <= most:
            return replace(guess, bounds=(least, most), evidence=(*guess.evidence, seen))
    return replace(guess, evidence=(*guess.evidence, seen))


def _extent(kind: Kind) -> tuple[float, float]:
    if kind.type not in ("integer", "number"):
        return 0.0, 0.0
    found = numbers.numeric(kind.good.texts, kind.decimal, kind.thousands)
    return float(found.min() or 0), float(found.max() or 0)  # type: ignore[arg-type]


def _codes(guess: Guess) -> tuple[str, ...]:
    """The values of a text column that has few and short ones, each of them repeated."""
    texts, counts = guess.kind.good.texts, guess.kind.good.counts
    few = 1 < len(texts) <= _MOST_CODES and guess.kind.good.filled >= 5 * len(texts)
    if guess.kind.type != "string" or guess.ubigeo or not few or _PLACES & set(guess.meant):
        return ()
    if texts.str.len_chars().max() > _LONGEST_CODE or counts.min() < 2:  # type: ignore[operator]
        return ()
    return tuple(sorted(texts.to_list()))


def _candidate(guess: Guess, plain: Values) -> keys.Candidate | None:
    measure = guess.measure and guess.unit is not None
    whole = plain.filled == plain.rows and not guess.broken
    if not whole or not keys.may_be(guess.kind.type, guess.meant, measure):
        return None
    length = float(plain.texts.str.len_chars().mean() or 0)  # type: ignore[arg-type]
    return keys.Candidate(guess.place, guess.meant, guess.kind.type, len(plain.texts), length)
