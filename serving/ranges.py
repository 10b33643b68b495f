"""Which features of a row lie outside what the model was trained on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from serving.notes import Note, note
from serving.study.groups import group_of

Range = tuple[float, float]

FAR = 1.0
"""Widths of the trained range beyond its end from which a forecast would be a guess: for counts,
which start at 0, more than twice the largest ever seen in any district."""

NEAR = 0.01
"""Widths beyond the end that no one would call outside: sums and roundings differ by less."""

RANGE_UNKNOWN = note(
    "training_range_unknown",
    "El modelo no dice con qué valores se entrenó: no se comprueba si los de hoy están fuera.",
    "The model does not say which values it was trained on: whether today's lie outside is not "
    "checked.",
)


@dataclass(frozen=True)
class Ranges:
    """Lowest and highest value of each feature that a model was trained on."""

    of: Mapping[str, Range]

    @classmethod
    def read(cls, folder: Path) -> Ranges:
        """Those that a model's `model.json` tells as `lowest` and `highest`; none if it does not.

        The test weeks in its `reference.parquet` are no stand-in: a quiet year of them ends at an
        eighth of what the model has learned from.
        """
        told = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        low, high = (told.get(name) or [] for name in ("lowest", "highest"))
        return cls(_of(told["features"] if low else [], low, high))

    @classmethod
    def seen(cls, rows: pd.DataFrame) -> Ranges:
        """Those of some rows, of every column."""
        return cls(_of([str(c) for c in rows], rows.min().tolist(), rows.max().tolist()))

    def outside(self, row: Mapping[str, Any]) -> dict[str, float]:
        """How far features lie outside, in widths of their trained range, the furthest first."""
        found = {name: _beyond(float(row[name]), *ends) for name, ends in self.of.items()}
        furthest = sorted(found.items(), key=lambda pair: -pair[1])
        return {name: beyond for name, beyond in furthest if beyond > NEAR}

    def check(self, row: Mapping[str, Any]) -> tuple[list[Note], Note | None]:
        """Caveats of a forecast from this row, and why there should be none, if it is far out."""
        found = self.outside(row)
        if not self.of:
            return [RANGE_UNKNOWN], None
        if not found:
            return [], None
        name = next(iter(found))
        group, value, (low, high) = group_of(name), float(row[name]), self.of[name]
        es = f"{group.es}: {name} es {value:g} y el modelo solo vio de {low:g} a {high:g}."
        en = f"{group.en}: {name} is {value:g} and the model saw {low:g} to {high:g} alone."
        if found[name] <= FAR:
            es += " El pronóstico es menos seguro de lo que dicen sus intervalos."
            en += " The forecast is less sure than its intervals say."
            return [note("outside_training", es, en)], None
        es += " Está demasiado lejos para pronosticar: revise los datos de las últimas semanas."
        en += " That is too far to forecast: look at the data of the last weeks."
        return [], note("outside_training", es, en)


def _of(names: list[str], lowest: list[float], highest: list[float]) -> dict[str, Range]:
    ends = zip(names, lowest, highest, strict=True)
    return {name: (float(low), float(high)) for name, low, high in ends}


def _beyond(value: float, low: float, high: float) -> float:
    # A feature that hardly varied is left out of models; the floor only avoids a division by 0.
    return max(low - value, value - high, 0.0) / max(high - low, 1e-9)
