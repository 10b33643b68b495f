"""Train, validation and test parts that share no patient, place-week or text.

By time for forecasts (with a gap as long as the longest horizon), by group where rows of one
person or place belong together, stratified by group where a rare class must be in every part.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from yupana.core.errors import TerminalError

if TYPE_CHECKING:
    import pandas as pd

SHARES: Mapping[str, float] = {"train": 0.7, "validation": 0.15, "test": 0.15}


@dataclass(frozen=True)
class Lengths:
    """Lengths of a split by time, in steps of its time column."""

    test: int
    validation: int
    gap: int
    train_at_least: int

    def parts(self, steps: int) -> list[str]:
        """The part of each of `steps` steps, oldest first.

        Raises:
            TerminalError: too few steps for the parts.
        """
        late = ["gap"] * self.gap + ["validation"] * self.validation
        late += ["gap"] * self.gap + ["test"] * self.test
        need = len(late) + self.train_at_least
        if steps < need:
            raise TerminalError(
                f"{steps} periods are too few to train, validate and test.",
                where="features",
                fix=f"Publish at least {need} periods.",
            )
        return ["train"] * (steps - len(late)) + late


def by_time(rows: pd.DataFrame, column: str, lengths: Lengths) -> pd.DataFrame:
    """Add `part`: train, gap, validation, gap, test, in the order of `column`.

    A target reaches `gap` steps ahead: without the gaps a training target would lie in the
    periods that validation or test is scored on.

    Raises:
        TerminalError: too few periods.
    """
    times = sorted(rows[column].unique())
    of = dict(zip(times, lengths.parts(len(times)), strict=True))
    return rows.assign(part=rows[column].map(of))


def by_group(
    rows: pd.DataFrame, group: str, *, seed: int, shares: Mapping[str, float] = SHARES
) -> pd.DataFrame:
    """Add `part` so that all rows of a group are in one part.

    A group's part is drawn from the hash of its name: rows that come later change no part.

    Args:
        group: column of the group, such as a patient's pseudonym or the hash of a text.
        seed: another seed gives another draw.
        shares: share of the groups by part; they sum to 1.

    Raises:
        TerminalError: a row has no group, or a part stays empty.
    """
    _complete(rows, group)
    of = {g: _at(_hash(str(g), seed), shares) for g in rows[group].unique()}
    return _full(rows.assign(part=rows[group].map(of)), shares, f"groups of '{group}'")


def stratified(
    rows: pd.DataFrame, stratum: str, group: str, *, seed: int,
    shares: Mapping[str, float] = SHARES,
) -> pd.DataFrame:  # fmt: skip
    """Like `by_group`, with each part's share kept within every stratum.

    A group counts to the stratum that most of its rows have (the first by name when even).

    Raises:
        TerminalError: a row has no group or stratum, or a part stays empty.
    """
    _complete(rows, group)
    _complete(rows, stratum)
    counts = rows.groupby([group, stratum], sort=True).size().unstack(fill_value=0)
    of: dict[object, str] = {}
    for _, groups in counts.idxmax(axis=1).groupby(counts.idxmax(axis=1)):
        ordered = sorted(groups.index, key=lambda g: _hash(str(g), seed))
        for i, name in enumerate(ordered):
            of[name] = _at((i + 0.5) / len(ordered), shares)
    return _full(rows.assign(part=rows[group].map(of)), shares, f"groups of '{group}'")


def check_disjoint(rows: pd.DataFrame, keys: list[str]) -> None:
    """Refuse parts that share a key (a patient, a place-week, a text).

    Raises:
        TerminalError: names the first key that is in two parts, and how many there are.
    """
    parts = rows.groupby(keys, sort=True)["part"].nunique()
    overlap = parts[parts > 1]
    if len(overlap):
        raise TerminalError(
            f"{len(overlap)} values of {', '.join(keys)} are in more than one part.",
            where=f"columns {', '.join(keys)}",
            detail=f"first: {overlap.index[0]}",
            fix="Split by group on these columns.",
        )


def _hash(name: str, seed: int) -> float:
    digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _at(point: float, shares: Mapping[str, float]) -> str:
    total = 0.0
    for part, share in shares.items():
        total += share
        if point < total:
            return part
    return list(shares)[-1]


def _complete(rows: pd.DataFrame, column: str) -> None:
    absent = rows.index[rows[column].isna()]
    if len(absent):
        raise TerminalError(
            f"{len(absent)} rows have no {column}: they would be in no part.",
            where=f"column {column}, first row {absent[0]}",
            fix="Leave these rows out, or give each a group of its own.",
        )


def _full(rows: pd.DataFrame, shares: Mapping[str, float], what: str) -> pd.DataFrame:
    empty = [part for part in shares if not (rows["part"] == part).any()]
    if empty:
        raise TerminalError(
            f"No {what} came into {', '.join(empty)}.",
            where="split",
            fix="Give more groups, or larger shares.",
        )
    return rows
