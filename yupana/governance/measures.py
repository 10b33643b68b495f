"""Targets and limits of a register against what was measured of a model."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yupana.core.errors import TerminalError
from yupana.core.hashing import value_sha256
from yupana.governance.register import Bound

STORE_ADDS = {"model.yaml", "selftest.npz", "selftest.parquet"}
"""What the store adds to a model's files."""


@dataclass(frozen=True)
class Subject:
    """A version of a model, as the gate judges it.

    Attributes:
        sha256: over all its files (`model_sha256`).
        changed: files that are not those that its fit wrote; None where the fit left no record.
        final: name of the model itself among the scores of `evaluation.json`.
    """

    use_case: str
    version: int
    folder: Path
    sha256: str
    changed: tuple[str, ...] | None = ()
    final: str = ""

    @property
    def name(self) -> str:
        return f"{self.use_case}@{self.version}"

    def evaluation(self) -> dict[str, Any]:
        """Its scores; empty where it has none."""
        return evaluation(self.folder)


def evaluation(folder: Path) -> dict[str, Any]:
    """The scores in a model's folder; empty where it has none."""
    path = folder / "evaluation.json"
    return dict(json.loads(path.read_text())) if path.exists() else {}


def evaluation_ref(candidate: str, scores: dict[str, Any]) -> str:
    """The reference of a candidate's scores, `evaluation:` and a hash of all of them."""
    return f"evaluation:{value_sha256([candidate, scores])[:16]}"


def model_sha256(folder: Path) -> str:
    """One hash over the names and bytes of all files of a model, wherever its folder lies.

    Raises:
        TerminalError: a folder in it is a link: what lies behind can change unseen.
    """
    from yupana.core.hashing import file_sha256

    if links := [p for p in folder.rglob("*") if p.is_symlink() and p.is_dir()]:
        raise TerminalError(
            "A folder in the model's files is a link.",
            where=str(links[0]),
            fix="Put a copy of the files there, or train it again.",
        )
    found = (p for p in folder.rglob("*") if p.is_file() and p.name not in STORE_ADDS)
    return value_sha256({str(p.relative_to(folder)): file_sha256(p) for p in sorted(found)})


def beyond(bound: Bound, subject: Subject, impact: dict[str, Any]) -> list[str]:
    """What is outside a bound, or was not measured; empty where it holds."""
    found = _values(bound, subject, impact)
    name = f"{bound.by or 'all'} {bound.measure}"
    name += f" ÷ {bound.against}" if bound.against else ""
    if not found:
        return [f"{name} was not measured"]
    judged = {of: value for of, n, value in found if n >= bound.least_n and value is not None}
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
    scores = subject.evaluation()
    if not bound.by:
        mine = scores.get(subject.final)
        return (
            []
            if mine is None
            else [("", int(mine.get("counts", bound.least_n)), *_one(bound, mine, scores))]
        )
    groups = [g for g in scores.get("groups", []) if g["group"] == bound.by]
    if groups and bound.measure in ("ratio", "wis"):
        return [(str(g["of"]), int(g["n"]), _group(bound, g["wis"], subject.final)) for g in groups]
    told = [g for g in impact.get("groups", []) if g["by"] == bound.by and not g.get("suppressed")]
    return [(str(g["of"]), int(g.get("n") or 0), _impact(bound, g)) for g in told]


def hidden(bound: Bound, impact: dict[str, Any]) -> list[str]:
    """Groups that a bound asks for whose figure the impact report does not tell."""
    told = [g for g in impact.get("groups", []) if g["by"] == bound.by and g.get("suppressed")]
    asked = bound.measure in ("missed", "false_alarms")
    return [f"{bound.measure} {bound.by} {g['of']}" for g in told] if asked else []


def left_out(subject: Subject, impact: dict[str, Any]) -> str:
    """Whether an impact report is of fewer forecasts than the model's evaluation; empty if not."""
    scored = int(subject.evaluation().get(subject.final, {}).get("counts", 0))
    told = sum(int(g.get("n") or 0) for g in impact.get("groups", []) if g["by"] == "all")
    return f"it tells of {told} forecasts, and {scored} were scored" if told < scored else ""


def _one(bound: Bound, mine: dict[str, Any], scores: dict[str, Any]) -> tuple[float | None]:
    if bound.measure != "ratio":
        value = mine.get(bound.measure)
        return (None if value is None else float(value),)
    other = scores.get(bound.against)
    return (float(mine["wis"]) / float(other["wis"]) if other and other["wis"] else None,)


def _group(bound: Bound, wis: dict[str, float], final: str) -> float | None:
    if final not in wis:
        return None
    if bound.measure == "wis":
        return float(wis[final])
    other = wis.get(bound.against)
    return float(wis[final]) / float(other) if other else None


def _impact(bound: Bound, group: dict[str, Any]) -> float | None:
    value = group.get(bound.measure)
    if isinstance(value, dict):
        value = value.get("rate")
    return None if value is None else float(value)


def by_group(subject: Subject) -> dict[str, Any]:
    """What was measured of a model, in all and by group, rounded: what an assessment keeps."""
    scores = subject.evaluation()
    own = scores.get(subject.final, {})
    groups = {
        f"{g['group']} {g['of']}": {"n": int(g["n"]), "wis": str(round(g["wis"][subject.final], 4))}
        for g in scores.get("groups", [])
        if subject.final in g["wis"]
    }
    return {"all": {k: str(round(v, 4)) for k, v in own.items()}, "groups": groups}
