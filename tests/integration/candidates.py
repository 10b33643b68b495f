"""Made-up candidates, and an installation whose registry is empty."""

from __future__ import annotations

import json
import shutil
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

from yupana.config.settings import Settings
from yupana.core import evaluation as evaluations
from yupana.core.evaluation import Evaluation
from yupana.tasks.forecast.model.model import FINAL
from yupana.tracking import facts, registry

NAME = "outbreak"
TAGS = {"candidate": "candidate:1", "split": "split:1", "evaluation": "evaluation:1"}
SCORED = 2000
DATA = {
    "ref": "split:0123456789abcdef",
    "use_case": NAME,
    "feature_service": "outbreak_v2",
    "features": "delta:features/outbreak_weekly@2",
    "sources": ["delta:published/dengue_linelist@3"],
    "as_of": "",
    "rows": 300,
    "parts": {"train": 200, "validation": 50, "test": 50},
    "sha256": "0123456789abcdef" * 4,
}


def tags(name: str) -> dict[str, str]:
    return {**TAGS, "candidate": f"candidate:{name}", "evaluation": f"evaluation:{name}"}


@lru_cache(maxsize=1)
def _empty() -> Path:
    """A database without models: making it takes seconds, copying it none."""
    home = Path(mkdtemp(prefix="yupana-registry-"))
    registry.client(Settings(home=home)).search_registered_models()
    return home


def empty_home(folder: Path) -> Settings:
    """Settings with a home of their own, in which nothing is registered."""
    return Settings(home=shutil.copytree(_empty(), folder / "home"))


def candidate(folder: Path, wis: float, baseline: float = 2.0) -> Path:
    folder.mkdir()
    scores = {
        FINAL: {"wis": wis, "mae": 1.0, "coverage_50": 0.55, "coverage_90": 0.91},
        "last_value": {"wis": baseline, "mae": 2.5},
        "ar": {"wis": baseline + 0.5, "mae": 2.4},
        "seasonal": {"wis": baseline + 1.0, "mae": 2.6},
    }
    fitted = {
        "params": {"seed": 1, "knows_through": "2019-12-28"},
        "metrics": {"val_nll": 0.9},
        "curve": [{"epoch": e, "train_nll": 1 / e, "val_nll": 1.5 / e} for e in (1, 2, 3)],
    }
    (folder / "weights.safetensors").write_bytes(bytes(str(wis), "ascii"))
    facts.record(Settings(), folder, DATA, seconds=12.5, machine=facts.hardware())
    evaluation = Evaluation(metric="wis", better="lower", final=FINAL, n=SCORED, scores=scores)
    evaluations.write(folder, evaluation)
    (folder / "fit.json").write_text(json.dumps(fitted))
    return folder
