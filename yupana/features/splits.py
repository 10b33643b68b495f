"""Train, validation and test parts that share no period: by time, with a gap between them as long
as the longest horizon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from yupana.core.errors import TerminalError

if TYPE_CHECKING:
    import pandas as pd


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
            fix="Give all rows of a value one part.",
        )
