"""What rests on a recalled file or version, counted: for a recall and a retraction."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from yupana.config.settings import Settings
from yupana.core.progress import Lines
from yupana.trace import recall, recall_answers
from yupana.trace.recall import ForecastRows, Recall
from yupana.trace.recall_answers import TouchedPrediction
from yupana.tracking import slots


class AgencyCount(NamedTuple):
    """How many predictions of a kind an agency was given; empty: it was no agency."""

    agency: str
    kind: str
    predictions: int


@dataclass(frozen=True)
class RecallSummary:
    """What rests on a recalled reference.

    Attributes:
        serving_now: deployments that answer now.
        predictions: how many, of services and forecast tables together.
        out: the CSV of every prediction, where one was written.
    """

    recall: Recall
    serving_now: tuple[str, ...]
    forecast_rows: tuple[ForecastRows, ...]
    predictions: int
    by_agency: tuple[AgencyCount, ...]
    out: Path | None

    def to_json(self) -> dict[str, Any]:
        """As the commands print it, the references by their kind."""
        return {
            "ref": self.recall.ref,
            **self.recall.kinds(),
            "serving_now": list(self.serving_now),
            "forecast_rows": [rows._asdict() for rows in self.forecast_rows],
            "predictions": self.predictions,
            "by_agency": [count._asdict() for count in self.by_agency],
            "out": str(self.out) if self.out else None,
        }


def summarise(settings: Settings, what: str, out: Path | None) -> RecallSummary:
    """Everything that rests on a file or a reference (`recall.recall`), and how many predictions.

    Args:
        out: a CSV of every prediction, a row each; None writes none.

    Raises:
        UsageError: the platform never saw it.
    """
    reach = recall.recall(settings, what)
    answers = recall_answers.answers(settings, reach, Lines())
    rows = chain(recall_answers.forecasts(settings, reach), answers)
    counts: Counter[tuple[str, str]] = Counter()
    total = _count(rows, counts, out)
    use_cases = {ref.removeprefix("model:").partition("@")[0] for ref in reach.of("models")}
    serving = {
        f"deployment:{placed.tag}"
        for use_case in use_cases
        for placed in slots.current(settings.platform_db, use_case).values()
    }
    return RecallSummary(
        recall=reach,
        serving_now=tuple(sorted(serving & set(reach.of("deployments")))),
        forecast_rows=tuple(recall.forecasts(settings, reach)),
        predictions=total,
        by_agency=tuple(AgencyCount(*who, number) for who, number in sorted(counts.items())),
        out=out,
    )


def _count(
    rows: Iterable[TouchedPrediction], counts: Counter[tuple[str, str]], out: Path | None
) -> int:
    """Count the answers, and write each as it comes; returns how many."""
    total = 0
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("w", newline="", encoding="utf-8") if out else nullcontext() as stream:
        writer = csv.writer(stream) if stream else None
        for row in rows:
            if writer and not total:
                writer.writerow(row._fields)
            if writer:
                writer.writerow(row)
            counts[(row.agency, row.kind)] += 1
            total += 1
    return total
