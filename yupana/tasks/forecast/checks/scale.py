"""What the checks count in periods, where a week and a month differ."""

from __future__ import annotations

from dataclasses import dataclass

from yupana.tasks.forecast.frequency import MONTH, WEEK


@dataclass(frozen=True)
class Scale:
    """Numbers of one kind of period.

    Attributes:
        late: periods after which a count no longer moves.
        fresh: periods ago of which most was known a period ago, and which still show if they
            were sent twice.
        recent: newest periods that performance is taken over.
        fewest: of these, that must be there.
        apart: quiet periods between two peaks that are counted apart.
        year: mean periods of a year.
    """

    late: int
    fresh: tuple[int, ...]
    recent: int
    fewest: int
    apart: int
    year: float


SCALES = {
    WEEK.name: Scale(late=8, fresh=(2, 3), recent=26, fewest=12, apart=4, year=52.18),
    MONTH.name: Scale(late=2, fresh=(1, 2), recent=12, fewest=6, apart=1, year=12.0),
}
