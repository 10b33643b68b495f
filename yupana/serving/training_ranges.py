"""Which features of a row lie outside what the model was trained on."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yupana.core.spec import Bilingual
from yupana.serving.notes import Note, note

if TYPE_CHECKING:
    import pandas as pd

Range = tuple[float, float]
Label = Callable[[str], Bilingual]
"""What a feature is about, in words."""

FILE = "model.json"

FAR = 1.0
"""Widths of the trained range beyond its end from which an answer would be a guess: for counts,
which start at 0, more than twice the largest ever seen."""

NEAR = 0.01
"""Widths beyond the end that no one would call outside: sums and roundings differ by less."""

RANGE_UNKNOWN = note(
    "training_range_unknown",
    "El modelo no dice con qué valores se entrenó: no se comprueba si los de hoy están fuera.",
    "The model does not say which values it was trained on: whether today's lie outside is not "
    "checked.",
)


@dataclass(frozen=True)
class TrainingRanges:
    """Lowest and highest value of each feature that a model was trained on."""

    of: Mapping[str, Range]

    @classmethod
    def read(cls, folder: Path) -> TrainingRanges:
        """Those that a model's `model.json` names as `lowest` and `highest`; none if it does not.

        The rows of its test are no stand-in: a quiet year of them ends at an eighth of what the
        model has learned from.
        """
        path = folder / FILE
        facts = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        low, high = (facts.get(name) or [] for name in ("lowest", "highest"))
        return cls(_ranges(facts["features"] if low else [], low, high))

    @classmethod
    def of_rows(cls, rows: pd.DataFrame) -> TrainingRanges:
        """Those of some rows, of every column."""
        return cls(_ranges([str(c) for c in rows], rows.min().tolist(), rows.max().tolist()))

    def outside(self, row: Mapping[str, Any]) -> dict[str, float]:
        """How far features lie outside, in widths of their trained range, the furthest first."""
        beyond = {name: _beyond(float(row[name]), *ends) for name, ends in self.of.items()}
        furthest = sorted(beyond.items(), key=lambda pair: -pair[1])
        return {name: widths for name, widths in furthest if widths > NEAR}

    def check(self, row: Mapping[str, Any], label: Label) -> tuple[list[Note], Note | None]:
        """Caveats of an answer from this row, and why there should be none, if it is far out."""
        outside = self.outside(row)
        if not self.of:
            return [RANGE_UNKNOWN], None
        if not outside:
            return [], None
        name = next(iter(outside))
        about, value, (low, high) = label(name), float(row[name]), self.of[name]
        es = f"{about.es}: {name} es {value:g} y el modelo solo vio de {low:g} a {high:g}."
        en = f"{about.en}: {name} is {value:g} and the model saw {low:g} to {high:g} alone."
        if outside[name] <= FAR:
            es += " El pronóstico es menos seguro de lo que dicen sus intervalos."
            en += " The forecast is less sure than its intervals say."
            return [note("outside_training", es, en)], None
        es += " Está demasiado lejos para pronosticar: revise los datos de las últimas semanas."
        en += " That is too far to forecast: look at the data of the last weeks."
        return [], note("outside_training", es, en)


def _ranges(names: list[str], lowest: list[float], highest: list[float]) -> dict[str, Range]:
    ends = zip(names, lowest, highest, strict=True)
    return {name: (float(low), float(high)) for name, low, high in ends}


def _beyond(value: float, low: float, high: float) -> float:
    # A feature that hardly varied is left out of models; the floor only avoids a division by 0.
    return max(low - value, value - high, 0.0) / max(high - low, 1e-9)
