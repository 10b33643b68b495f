"""A use case of another kind, whose metric is better when higher: evaluated, registered, judged and
described by the platform's own commands, in a project that has no other use case."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from candidates import empty_home
from command import Interpreter, interpreter
from governed import _close

from yupana.config.settings import ROOT, Settings
from yupana.features import training_sets
from yupana.lineage import events
from yupana.tracking import facts
from yupana.training import candidate_steps

NAME = "complaints"
SPEC = {
    "name": NAME,
    "task": "classify",
    "title": {"es": "Reclamos por tema", "en": "Complaints by topic"},
    "data": {"trigger": "complaints", "required": ["complaints"]},
    "entity": {"key": "complaint_id", "groups": ["agency"]},
    "metric": {"name": "macro_f1", "label": "F1", "better": "higher", "baselines": ["majority"]},
    "features": {"table": "complaints", "service": "complaints_v1"},
    "model": {"final": "words", "files": ["words.json"]},
    "actions": {"classify": ["agency"]},
    "example": {"entity": "1", "title": {"es": "el reclamo 1", "en": "complaint 1"}},
}
CARD = {
    "title": SPEC["title"],
    "task": {"type": "text-classification", "name": "Topic of a complaint"},
    "unit": {"es": "reclamos", "en": "complaints"},
    "use": {"es": "Ordenar reclamos.", "en": "Sorts complaints."},
    "limits": {"es": ["Lee palabras sueltas."], "en": ["Reads single words."]},
    "groups": {"agency": {"es": "Entidad", "en": "Agency"}},
}
CODE = '''
import json

import pandas as pd
from sklearn.metrics import confusion_matrix, f1_score

from yupana.core import spec
from yupana.core.evaluation import Evaluation, Group


class Complaints:
    spec = spec.load("complaints")

    def load(self, folder):
        return json.loads((folder / "words.json").read_text())

    def evaluate(self, folder, rows, *, seed):
        frame = pd.read_parquet(rows)
        test, words = frame[frame["part"] == "test"], self.load(folder)
        usual = frame.loc[frame["part"] == "train", "topic"].mode()[0]
        answers = {"words": test["word"].map(words).fillna(usual),
                   "majority": pd.Series(usual, index=test.index)}
        confusion = confusion_matrix(test["topic"], answers["words"])
        (folder / "confusion.txt").write_text(str(confusion))

        def scores(part):
            return {m: {"macro_f1": f1_score(part["topic"], a[part.index], average="macro"),
                        "accuracy": float((a[part.index] == part["topic"]).mean())}
                    for m, a in answers.items()}

        groups = [Group(group="agency", of=name, n=len(part), scores=scores(part))
                  for name, part in test.groupby("agency")]
        return Evaluation(metric="macro_f1", better="higher", final="words", n=len(test),
                          scores=scores(test), groups=tuple(groups))

    def paired(self, mine, other):
        return None

    def card(self, folder, evaluation):
        return ["## Confusión\\n\\n" + (folder / "confusion.txt").read_text()]


USE_CASE = Complaints()
'''
TOPICS = {"agua": "water", "luz": "power", "bache": "roads", "fuga": "water"}
GOOD, WORSE = dict(TOPICS), {"agua": "water", "luz": "power"}
UNEQUAL = {**TOPICS, "fuga": "roads"}


@pytest.fixture
def project(tmp_path: Path) -> Settings:
    """A project with this use case alone, and a split of its rows."""
    root, models = tmp_path / "project", tmp_path / "project" / "models"
    (models / NAME).mkdir(parents=True)
    (models / "__init__.py").write_text('"""Models."""\n')
    (models / NAME / "__init__.py").write_text(CODE)
    (models / NAME / "usecase.yaml").write_text(yaml.safe_dump(SPEC))
    (models / NAME / "card.yaml").write_text(yaml.safe_dump(CARD))
    (models / NAME / "governance.yaml").write_text(yaml.safe_dump(register(), allow_unicode=True))
    (root / "docs").mkdir()
    (root / "docs" / "evidence.md").write_text("as told\n")
    return Settings(home=empty_home(tmp_path).home, root=root)


def register() -> dict[str, Any]:
    """A register of medium risk, with bounds on the metric in all and by agency."""
    base = yaml.safe_load((ROOT / "models" / "outbreak" / "governance.yaml").read_text())
    _close(base)
    base["risk"] |= {"areas": ["complaints"]}
    base["risk"]["strategy"]["of"], base["risk"]["regulation"]["of"] = "medium", "acceptable"
    why = {"es": "por qué", "en": "why"}
    base["targets"]["quantitative"] = [
        {"measure": "ratio", "against": "majority", "at_least": 1.5, "why": why},
        {"measure": "macro_f1", "at_least": 0.6, "why": why},
    ]
    base["limits"] = [{"measure": "macro_f1", "by": "agency", "at_least": 0.8, "why": why}]
    return {**base, "use_case": NAME, "stage": "trial"}


def candidate(settings: Settings, name: str, words: dict[str, str]) -> str:
    """A model as the use case's own fit would leave it, with its steps in the log."""
    rows = pd.DataFrame(
        [
            {"word": w, "topic": t, "agency": agency, "part": part}
            for part, n in (("train", 3), ("test", 5))
            for w, t in TOPICS.items()
            for agency in (("a", "b") if w != "fuga" else ("b",))
            for _ in range(n)
        ]
    )
    folder = settings.home / "training"
    folder.mkdir(exist_ok=True)
    path = training_sets.path_of(settings, NAME, "split:1")
    rows.to_parquet(path)
    about = {"ref": "split:1", "use_case": NAME, "feature_service": "", "features": "",
             "sources": [], "as_of": "", "rows": len(rows), "parts": {}, "sha256": ""}  # fmt: skip
    path.with_suffix(".json").write_text(json.dumps(about))
    ref = f"candidate:{name}"
    model = candidate_steps.folder(settings, ref)
    model.mkdir(parents=True)
    (model / "words.json").write_text(json.dumps(words))
    fitted = {"params": {"words": len(words)}, "metrics": {}, "curve": []}
    (model / "fit.json").write_text(json.dumps(fitted))
    facts.record(settings, model, {}, seconds=0.1, machine=facts.hardware())
    events.append(settings, "fit", NAME, status="done", inputs=("split:1",), outputs=(ref,))
    return ref


@pytest.fixture
def python(project: Settings) -> Iterator[Interpreter]:
    """One that finds this project's use cases and no other."""
    with interpreter(project.root, os.environ | project.environment()) as python:
        yield python


def test_a_metric_that_is_better_when_higher_goes_from_evaluation_to_gate_and_card(
    project: Settings, python: Interpreter
) -> None:
    assert [one["name"] for one in python.json("usecases")] == [NAME]
    aliases = {}
    for name, words in (("worse", WORSE), ("good", GOOD), ("unequal", UNEQUAL)):
        ref = candidate(project, name, words)
        scores = python.json("evaluate", NAME, "--candidate", ref)["scores"]
        assert scores["words"]["macro_f1"] > scores["majority"]["macro_f1"]
        registration = python.json("register", NAME, "--candidate", ref)
        aliases[name] = (registration["alias"], registration["reason"])
    assert aliases["worse"][0] == "champion", "better than its only baseline"
    assert aliases["good"][0] == "champion", "its F1 is above that of the champion"
    assert aliases["unequal"][0] == "challenger"
    assert "is not above the champion's 1.000" in aliases["unequal"][1]

    rows = python.json("models", "list", NAME)
    assert [row["metric"] for row in rows] == ["macro_f1"] * 3
    assert rows[1]["value"] == 1.0 > rows[2]["value"] > rows[0]["value"]
    assert rows[1]["against"]["majority"] > 1.5

    judged = python.json("governance", "check", NAME, "--stage", "service", code=1)
    conditions = {c["code"]: c for c in judged["conditions"]}
    assert conditions["evaluated"]["evidence"] == "F1 1.000"
    for code in ("files", "scores", "targets", "groups"):
        assert conditions[code]["met"], conditions[code]
    unequal = python.json(
        "governance", "check", NAME, "--model", f"{NAME}@3", "--stage", "service", code=1
    )
    groups = next(c for c in unequal["conditions"] if c["code"] == "groups")
    assert not groups["met"] and "under 0.8" in groups["evidence"]

    card = Path(rows[1]["folder"], "README.md").read_text()
    front, body = card.split("---\n")[1:3]
    assert yaml.safe_load(front)["metrics"] == ["macro_f1", "accuracy"]
    for part in ("más es mejor", "| Modelo / *Model* | F1 | F1 words ÷ |", "Entidad / *Agency*",
                 "## Confusión"):  # fmt: skip
        assert part in body
