"""Forecasts as `yupana predict` recorded them: past days, and the endemic channel of the weeks."""

from __future__ import annotations

import math
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from models.channel import Channel
from yupana.config.settings import Settings
from yupana.data import delta, reading

REACH = timedelta(weeks=8)
"""How long after its data a forecast has a week that is not over."""

Rows = list[dict[str, Any]]


_QUARTILES = ("channel_low", "channel_middle", "channel_high")


def channel_of(row: dict[str, Any]) -> Channel | None:
    """The channel in a row of the table; none where the history was too short."""
    limits = [row[name] for name in _QUARTILES]
    known = all(limit is not None and not math.isnan(limit) for limit in limits)
    return Channel(*limits) if known else None


def read(path: Path, version: int, condition: Any, columns: list[str] | None) -> Rows:
    """Rows of a version that meet a condition (pyarrow's; None: all of them)."""
    from deltalake import DeltaTable

    table = reading.dataset(DeltaTable(str(path), version=version))
    rows: Rows = table.to_table(filter=condition, columns=columns).to_pylist()
    return rows


class Recorded:
    """The table forecasts/<use case>; `version` is the one that was looked at last."""

    def __init__(self, settings: Settings, use_case: str) -> None:
        self._name, self._path = use_case, settings.table("forecasts", use_case)
        self.version = -1

    def look(self) -> int:
        """The newest version; -1 before the first forecast."""
        if delta.exists(self._path):
            self.version = delta.version_of(self._path)
        return self.version

    @property
    def ref(self) -> str:
        """Reference of the version that was looked at."""
        return f"delta:forecasts/{self._name}@{self.version}"

    def channels(self, origin: date) -> dict[tuple[str, int], Channel]:
        """Channel by district and weeks ahead, for forecasts that start from this origin."""
        import pyarrow.compute as pc

        rows = self._rows(pc.field("origin") == origin, ["ubigeo", "horizon", *_QUARTILES])
        found = {(row["ubigeo"], row["horizon"]): channel_of(row) for row in rows}
        return {key: limits for key, limits in found.items() if limits}

    def then(self, ubigeos: list[str], day: date) -> dict[str, Rows]:
        """What was forecast on a day or in the weeks before it: by district, a row a week ahead.

        Of a district the newest origin; of several models the newest version.
        """
        import pyarrow.compute as pc

        origin = pc.field("origin")
        lately = (origin <= day) & (origin > day - REACH)
        found: dict[str, dict[tuple[date, int], Rows]] = {}
        for row in self._rows(lately & pc.field("ubigeo").isin(ubigeos), None):
            key = (row["origin"], int(row["model"].split("@")[1]))
            found.setdefault(row["ubigeo"], {}).setdefault(key, []).append(row)
        return {
            ubigeo: sorted(made[max(made)], key=lambda row: row["horizon"])
            for ubigeo, made in found.items()
        }

    def _rows(self, condition: Any, columns: list[str] | None) -> Rows:
        return read(self._path, self.version, condition, columns) if self.version >= 0 else []
