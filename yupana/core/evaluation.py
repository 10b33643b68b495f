"""What was measured of a candidate and the models that it must beat, in all and by group.

A kind of use case measures and returns it; `yupana evaluate` keeps it as `evaluation.json` beside
the model's files; gate, registry, verdict, card and pages read it by the metric's name and
direction, whatever the metric is.
"""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import Field, ValidationError

from yupana.core.errors import TerminalError
from yupana.core.spec import Direction
from yupana.core.types import Frozen

FILE = "evaluation.json"
Scores = dict[str, dict[str, float]]
"""Model → metric → value."""


class Group(Frozen):
    """Scores of one group of the rows.

    Attributes:
        group: by what, such as `province` or `agency`.
        of: which one, such as `1601`.
        n: rows that were scored.
    """

    group: str
    of: str
    n: int
    scores: Scores


class Evaluation(Frozen):
    """Scores of a candidate and its baselines on the same rows.

    Attributes:
        metric: the one that decides, a name in `scores`.
        better: which of its values are better.
        final: name of the candidate itself in `scores`.
        n: rows that were scored.
        intervals: 95 % intervals of the metric by model, and of the ratio of two models' as
            `a/b`, where the kind drew them from paired units (whole weeks, whole documents);
            empty where it did not.
        files: what the kind left beside the model's own files to say how it was measured.
    """

    metric: str
    better: Direction
    final: str
    n: int
    scores: Scores
    groups: tuple[Group, ...] = ()
    intervals: dict[str, tuple[float, float]] = Field(default_factory=dict)
    files: tuple[str, ...] = ()

    def values(self) -> dict[str, float]:
        """The deciding metric by model."""
        return {m: v[self.metric] for m, v in self.scores.items() if self.metric in v}


class Paired(Frozen):
    """Two models on the rows that both were scored on and neither had learned from.

    Attributes:
        n: rows.
        ratio: the first model's loss over the second's: below 1 the first is better, whichever
            way the metric points.
        low, high: 95 % interval of the ratio, from a bootstrap over paired units.
    """

    n: int
    ratio: float
    low: float
    high: float


def write(folder: Path, evaluation: Evaluation) -> None:
    """Keep an evaluation beside the model's files."""
    text = json.dumps(evaluation.model_dump(mode="json"), indent=1, ensure_ascii=False)
    (folder / FILE).write_text(text + "\n", encoding="utf-8")


def read(folder: Path) -> Evaluation | None:
    """The evaluation of a model; None where there is none.

    Raises:
        TerminalError: the file is no evaluation; names the field.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        return Evaluation.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, first["loc"])) or "the whole file"
        raise TerminalError(
            f"The evaluation cannot be read: {first['msg']}.",
            where=f"{path}, {field}",
            fix="Evaluate the candidate again: yupana evaluate USE_CASE --candidate REF",
        ) from error
