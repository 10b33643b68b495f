"""A project with one contract: beds by hospital, with the name of who reported."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from yupana.config.settings import ROOT, Settings
from yupana.core.progress import Silent
from yupana.core.types import StepResult
from yupana.data.lake import delta, history
from yupana.orchestration.ingest import ingest

NAME = "beds"
HEADER = "hospital,beds,reporter\n"
TODAY = date(2024, 3, 31)


def project(
    tmp_path: Path, publication: str, path: str, *, engine: str = "sail", **options: Any
) -> Settings:
    """Settings of a project whose contract's files are at `path`."""
    contract = yaml.safe_load((ROOT / "expectations/iquitos_weekly/contract.yaml").read_text())
    format = options.pop("format", "csv")
    key = options.pop("key", True)
    options = {"licence": "CC BY 4.0", "quarantineLimit": 0.9, "publication": publication} | options
    contract["customProperties"] = [{"property": k, "value": v} for k, v in options.items()]
    contract["servers"] = [{"server": "file", "type": "local", "path": path, "format": format}]
    contract["schema"][0]["properties"] = [
        {"name": "hospital", "logicalType": "string", "primaryKey": key, "primaryKeyPosition": 1},
        {"name": "beds", "logicalType": "integer", "required": True},
        {
            "name": "reporter",
            "logicalType": "string",
            "classification": "personal",
            "customProperties": [{"property": "treatment", "value": "pseudonymise"}],
        },
    ]
    folder = tmp_path / "project" / "expectations" / NAME
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "contract.yaml").write_text(yaml.safe_dump(contract))
    shutil.copy(ROOT / "expectations/subject_areas.csv", folder.parent)
    return Settings(root=tmp_path / "project", home=tmp_path / "home", engine=engine)


def put(lake: Settings, name: str, rows: str, header: str = HEADER) -> Path:
    """A file of the project; rows are separated by blanks."""
    path = lake.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(header + "".join(f"{row}\n" for row in rows.split()))
    return path


def run(lake: Settings, source: str | None = None, **options: date) -> StepResult:
    """Ingest what the contract names, on TODAY."""
    return ingest(lake, NAME, source, Silent(), **({"today": TODAY} | options))


def beds(lake: Settings, version: int | None = None) -> dict[str, int]:
    """Beds by hospital, of a published version (default: the newest)."""
    rows = delta.read(lake.table("published", NAME), version)
    return dict(zip(rows["hospital"].to_list(), rows["beds"].to_list(), strict=True))


def publications(lake: Settings) -> list[history.Publication]:
    """The publications that stand, in the order of their days."""
    return history.published_versions(lake.table("published", NAME))
