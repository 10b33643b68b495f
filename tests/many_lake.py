"""A project with one contract: beds by hospital, with the name of who reported."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml

from yupana.config.settings import ROOT, Settings

NAME = "beds"
HEADER = "hospital,beds,reporter\n"


def project(
    tmp_path: Path, publication: str, path: str, *, engine: str = "sail", **options: Any
) -> Settings:
    """Settings of a project whose contract's files are at `path`."""
    contract = yaml.safe_load((ROOT / "expectations/iquitos_weekly/contract.yaml").read_text())
    format = options.pop("format", "csv")
    key = options.pop("key", True)
    given = {"licence": "CC BY 4.0", "quarantineLimit": 0.9, "publication": publication, **options}
    contract["customProperties"] = [{"property": k, "value": v} for k, v in given.items()]
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
