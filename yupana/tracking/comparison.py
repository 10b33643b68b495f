"""What differs between registered versions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from yupana.tracking.versions import Version


@dataclass(frozen=True)
class Comparison:
    """What differs between versions: of each name, a value a version.

    Attributes:
        versions: their references.
        same_rows: whether all were scored on the same test rows.
        metric: title of the one that decides; `values` are its values, `against` the same over
            each baseline's.
        facts: data, environment, hardware and code.
    """

    versions: list[str]
    same_rows: bool
    metric: str
    values: list[float | None]
    against: dict[str, list[Any]]
    params: dict[str, list[Any]]
    facts: dict[str, list[Any]]
    metrics: dict[str, list[Any]]


def compare(versions: list[Version]) -> Comparison:
    """What differs between versions: parameters, data and facts, metrics."""
    standings = [v.standing for v in versions]
    against = [s.against if s else {} for s in standings]
    return Comparison(
        versions=[v.ref for v in versions],
        same_rows=len({v.tags.get("split") for v in versions}) == 1,
        metric=next((s.metric.title for s in standings if s), ""),
        values=[s.value if s else None for s in standings],
        against=_differing(against, all_of_them=True),
        params=_differing([v.params for v in versions]),
        facts=_differing([v.tags for v in versions]),
        metrics=_differing([v.metrics for v in versions]),
    )


def _differing(values: list[dict[str, Any]], *, all_of_them: bool = False) -> dict[str, list[Any]]:
    names = sorted({name for v in values for name in v})
    rows = {name: [v.get(name) for v in values] for name in names}
    return {k: row for k, row in rows.items() if all_of_them or len(set(map(str, row))) > 1}
