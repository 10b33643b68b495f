"""Targets and limits of a register against what was measured of a model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yupana.core import evaluation as evaluations
from yupana.core import plain_files
from yupana.core.evaluation import Evaluation, Scores
from yupana.core.hashing import file_sha256, value_sha256
from yupana.core.spec import Metric
from yupana.gate.register import RATIO, Bound

STORE_ADDS = {"model.yaml", "selftest.npz", "selftest.parquet"}
"""What the store adds to a model's files."""


@dataclass(frozen=True)
class Subject:
    """A version of a model, as the gate judges it.

    Attributes:
        sha256: over all its files (`model_sha256`).
        changed: files that are not those that its fit wrote.
        final: name of the model itself among the scores of its evaluation.
        metric: what decides between models of the use case.
    """

    use_case: str
    version: int
    folder: Path
    sha256: str
    changed: tuple[str, ...]
    final: str
    metric: Metric

    @property
    def name(self) -> str:
        return f"{self.use_case}@{self.version}"

    def evaluation(self) -> Evaluation | None:
        """What was measured of it; None where nothing was, or by another metric or model.

        Raises:
            TerminalError: its file cannot be read.
        """
        evaluation = evaluations.read(self.folder)
        mine = (self.final, self.metric.name, self.metric.better)
        if evaluation is None or (evaluation.final, evaluation.metric, evaluation.better) != mine:
            return None
        return evaluation if self.final in evaluation.values() else None


def evaluation_ref(candidate: str, evaluation: Evaluation) -> str:
    """The reference of what was measured of a candidate, `evaluation:` and a hash of all of it."""
    return f"evaluation:{value_sha256([candidate, evaluation.model_dump(mode='json')])[:16]}"


def model_sha256(folder: Path) -> str:
    """One hash over the names and bytes of all files of a model, wherever its folder lies.

    Raises:
        TerminalError: something in it is a link: what lies behind can change unseen.
    """
    files = [name for name in plain_files.names(folder) if Path(name).name not in STORE_ADDS]
    return value_sha256({name: file_sha256(folder / name) for name in files})


def beyond(bound: Bound, subject: Subject, impact: dict[str, Any]) -> list[str]:
    """What is outside a bound, or was not measured; empty where it holds."""
    measured = _values(bound, subject, impact)
    name = f"{bound.by or 'all'} {bound.measure}"
    name += f" ÷ {bound.against}" if bound.against else ""
    if not measured:
        return [f"{name} was not measured"]
    judged = {of: value for of, n, value in measured if n >= bound.least_n and value is not None}
    if not judged:
        return [f"{name}: no group has {bound.least_n} rows"]
    off = []
    for of, value in judged.items():
        at = f"{name} {of}".strip()
        if bound.at_most is not None and value > bound.at_most:
            off.append(f"{at} is {value:.3f}, over {bound.at_most}")
        if bound.at_least is not None and value < bound.at_least:
            off.append(f"{at} is {value:.3f}, under {bound.at_least}")
    return off


def _values(
    bound: Bound, subject: Subject, impact: dict[str, Any]
) -> list[tuple[str, int, float | None]]:
    """Group, rows and value; the group is empty for all rows together."""
    evaluation = subject.evaluation()
    if not bound.by:
        if evaluation is None:
            return []
        return [("", evaluation.n, _value(bound, evaluation.scores, subject))]
    if evaluation and _is_of(bound, evaluation):
        groups = [g for g in evaluation.groups if g.group == bound.by]
        return [(g.of, g.n, _value(bound, g.scores, subject)) for g in groups]
    of_kind = (g for g in impact.get("groups", []) if g["by"] == bound.by)
    public = [g for g in of_kind if not g.get("suppressed")]
    return [(str(g["of"]), int(g.get("n") or 0), _impact(bound, g)) for g in public]


def _is_of(bound: Bound, evaluation: Evaluation) -> bool:
    """Whether a bound by groups is of what was measured at training, and not of the impact."""
    scores = [g.scores.get(evaluation.final, {}) for g in evaluation.groups if g.group == bound.by]
    return bool(scores) and (bound.measure == RATIO or any(bound.measure in s for s in scores))


def _value(bound: Bound, scores: Scores, subject: Subject) -> float | None:
    mine = scores.get(subject.final, {})
    if bound.measure != RATIO:
        return mine.get(bound.measure)
    one, other = (s.get(subject.metric.name) for s in (mine, scores.get(bound.against, {})))
    return one / other if one is not None and other else None


def hidden(bound: Bound, subject: Subject, impact: dict[str, Any]) -> list[str]:
    """Groups that a bound asks for whose figure the impact report does not tell."""
    evaluation = subject.evaluation()
    if not bound.by or bound.measure == RATIO or (evaluation and _is_of(bound, evaluation)):
        return []
    groups = [g for g in impact.get("groups", []) if g["by"] == bound.by and g.get("suppressed")]
    return [f"{bound.measure} {bound.by} {g['of']}" for g in groups]


def left_out(subject: Subject, impact: dict[str, Any]) -> str:
    """Whether an impact report is of fewer rows than the model's evaluation; empty if not."""
    evaluation = subject.evaluation()
    scored = evaluation.n if evaluation else 0
    covered = sum(int(g.get("n") or 0) for g in impact.get("groups", []) if g["by"] == "all")
    few = f"it tells of {covered} predictions, and {scored} were scored"
    return few if covered < scored else ""


def _impact(bound: Bound, group: dict[str, Any]) -> float | None:
    value = group.get(bound.measure)
    if isinstance(value, dict):
        value = value.get("rate")
    return None if value is None else float(value)


def by_group(subject: Subject) -> dict[str, Any]:
    """What was measured of a model, in all and by group, rounded: what an assessment keeps."""
    evaluation = subject.evaluation()
    if evaluation is None:
        return {"all": {}, "groups": {}}
    own, metric = subject.final, subject.metric.name
    groups = {
        f"{g.group} {g.of}": {"n": g.n, metric: str(round(g.scores[own][metric], 4))}
        for g in evaluation.groups
        if metric in g.scores.get(own, {})
    }
    whole = {name: str(round(value, 4)) for name, value in evaluation.scores[own].items()}
    return {"all": whole, "groups": groups}
