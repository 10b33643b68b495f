"""Answers for tests of the prediction log."""

from __future__ import annotations

from typing import Any

from yupana.core.hashing import value_sha256
from yupana.governance.predictions import Given, Told, new_id

NOON = 1_772_366_400.0


def told(ubigeo: str = "160101", model: str = "3", **features: Any) -> Told:
    """A forecast of eight weeks, named by its content."""
    weeks = [
        {"horizon": h, "week_ending": f"2022-01-{1 + 7 * ((h - 1) % 4):02}", "median": h + 0.5}
        for h in range(1, 9)
    ]
    content: list[Any] = [
        "outbreak", model, f"outbreak:{model}", "delta:features/outbreak_weekly@2", ubigeo,
        "2022-01-01", {"rain_mm": 12.5, **features}, weeks, [{"code": "pooled", "es": "año"}],
    ]  # fmt: skip
    return Told(value_sha256([str(part) for part in content])[:32], *content)


def given(
    forecast: Told | None = None, time: float = NOON, horizon: int = 8, kind: str = "answer"
) -> Given:
    """One answer to the agency A."""
    what = forecast or told()
    return Given(new_id(time), time, what, horizon, "2022-01-05", "k1", "A", kind, "r1")
