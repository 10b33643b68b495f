"""How a candidate did for each group, as its evaluation says it: what a gate may hold to limits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from yupana.core.errors import TerminalError
from yupana.tracking.verdict import METRIC

EVALUATION = "evaluation.json"
PEOPLE = ("province", "size")
"""Groups of people; weeks ahead are none."""


def by_group(folder: Path, final: str) -> dict[str, Any]:
    """The model against its best baseline, by group, from files that every training writes.

    Args:
        folder: a candidate's, or a registered version's.
        final: name of the model itself in the scores, `models.<use case>.FINAL`.

    Returns:
        `baseline` (the one with the lowest WIS on all test rows: one for all groups, or the
        comparison would be chosen by its result) and `groups`: dicts of `by` (province, size),
        `of` (four digits; small, medium, large, new), `n` (counts that were scored), `wis`
        (cases), `ratio` (WIS over the baseline's, below 1 is better; None where the baseline's
        is 0), `coverage_50` and `coverage_90` (shares inside the central intervals; None where
        the training is older than these figures).

    Raises:
        TerminalError: the candidate was not evaluated, or not with this model or any baseline.
    """
    path = folder / EVALUATION
    scores = json.loads(path.read_text()) if path.exists() else {}
    groups = scores.pop("groups", [])
    baselines = [name for name in scores if name != final]
    if final not in scores or not baselines or not groups:
        raise TerminalError(
            f"There are no scores of '{final}' and a baseline by group.",
            where=str(path),
            fix="Evaluate the candidate with this code, then look again.",
        )
    best = min(baselines, key=lambda name: (scores[name][METRIC], name))
    return {
        "baseline": best,
        "groups": [_told(g, final, best) for g in groups if g["group"] in PEOPLE],
    }


def _told(group: dict[str, Any], final: str, baseline: str) -> dict[str, Any]:
    mine, against = group[METRIC][final], group[METRIC][baseline]
    return {
        "by": group["group"],
        "of": group["of"],
        "n": group["n"],
        METRIC: mine,
        "ratio": mine / against if against > 0 else None,
        "coverage_50": group.get("coverage_50", {}).get(final),
        "coverage_90": group.get("coverage_90", {}).get(final),
    }
