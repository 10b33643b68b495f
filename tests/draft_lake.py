"""A project with the code lists alone, and drafts of made-up files in it."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from yupana.config.settings import ROOT, Settings
from yupana.core.progress import Silent
from yupana.data import draft as drafts
from yupana.data.contracts import contract
from yupana.data.contracts.columns import Column
from yupana.data.draft import Draft
from yupana.data.draft.columns.guess import Guess

TODAY = date(2024, 6, 1)


@pytest.fixture
def lake(tmp_path: Path) -> Settings:
    """A project with the code lists alone."""
    root = tmp_path / "project"
    for name in ("ubigeo", "subject_areas.csv"):
        origin = ROOT / "expectations" / name
        target = root / "expectations" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(origin, target) if origin.is_dir() else shutil.copy(origin, target)
    return Settings(root=root, home=tmp_path / "home")


def draft_of(lake: Settings, content: str | bytes, name: str = "casos.csv") -> Draft:
    path = lake.root / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return drafts.draft(lake, name, "strange", Silent(), today=TODAY)


def column(lake: Settings, *values: str, header: str = "x") -> Guess:
    """The draft of a column of such values, beside one that keeps blank lines lines."""
    lines = [f"n;{header}", *(f"{i};{v}" for i, v in enumerate(values, 1))]
    return draft_of(lake, "\n".join(lines) + "\n").columns[1]


def loaded(lake: Settings, draft: Draft) -> dict[str, Column]:
    """The columns of the draft as an ingest reads them."""
    path = lake.root / "expectations" / "strange" / "contract.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(draft.text, encoding="utf-8")
    return {str(c.published): c for c in contract.load(lake.root, "strange").columns}
