"""What rests on a recalled file or version, counted: for a recall and a retraction."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable
from contextlib import nullcontext
from itertools import chain
from pathlib import Path
from typing import Any

from yupana.config.settings import Settings
from yupana.core.progress import Lines
from yupana.data import recall, recall_answers
from yupana.data.recall import Recall
from yupana.data.recall_answers import Answered
from yupana.governance import deployments


def resting(settings: Settings, what: str, out: Path | None) -> tuple[dict[str, Any], Recall]:
    """Everything that rests on a file or a reference (`recall.recall`), and how many predictions.

    Args:
        out: a CSV of every prediction, a row each; None writes none.

    Returns:
        References by kind, `serving_now`, `forecast_rows`, `predictions`, `by_agency`, `out`.

    Raises:
        UsageError: the platform never saw it.
    """
    found = recall.recall(settings, what)
    answered = recall_answers.answers(settings, found, Lines())
    rows = chain(recall_answers.forecasts(settings, found), answered)
    counts: Counter[tuple[str, str]] = Counter()
    total = _counted(rows, counts, out)
    use_cases = {ref.removeprefix("model:").partition("@")[0] for ref in found.of("models")}
    serving = {
        f"deployment:{placed.tag}"
        for use_case in use_cases
        for placed in deployments.current(settings.platform_db, use_case).values()
    }
    told = {
        "ref": found.ref,
        **found.kinds(),
        "serving_now": sorted(serving & set(found.of("deployments"))),
        "forecast_rows": list(recall.forecasts(settings, found)),
        "predictions": total,
        "by_agency": [
            {"agency": agency, "kind": kind, "predictions": n}
            for (agency, kind), n in sorted(counts.items())
        ],
        "out": str(out) if out else None,
    }
    return told, found


def _counted(
    rows: Iterable[Answered], counts: Counter[tuple[str, str]], out: Path | None
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
