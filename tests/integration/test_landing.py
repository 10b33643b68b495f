"""Local files and code lists land whole or not at all."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.core.progress import Silent
from yupana.data import sources
from yupana.data.files import landing

NAME = "cases"
CONTENT = b"year,cases\n2020,7\n"


def fetch(lake: Settings, location: str) -> landing.SourceFile:
    return sources.fetch(lake, NAME, location, Silent())


def test_local_files(lake: Settings, tmp_path: Path) -> None:
    file = tmp_path / "casos año.csv"
    file.write_bytes(CONTENT)
    for location in (str(file), file.as_uri()):
        fetched = fetch(lake, location)
        assert (fetched.path, fetched.label) == (file, str(file))
    raw = landing.land(lake, NAME, fetched, format="csv")
    assert file.exists()
    assert Path(raw.path).read_bytes() == CONTENT
    assert landing.land(lake, NAME, fetched, format="csv") == raw
    records = json.loads((Path(raw.path).parent / "landed.json").read_text("utf-8"))
    assert len(records) == 2
    sample = fetch(lake, "samples/dengue_loreto_2010_2021.csv.gz")
    assert sample.label == "samples/dengue_loreto_2010_2021.csv.gz"
    for nowhere in ("samples/nothing.csv", "file:///nothing.csv"):
        with pytest.raises(UsageError, match="not there"):
            fetch(lake, nowhere)
    with pytest.raises(UsageError, match="form that is not known"):
        fetch(lake, "s3://bucket/cases.csv")


def test_code_lists_are_made(lake: Settings) -> None:
    raw = landing.land(lake, NAME, fetch(lake, "codelist:epiweeks"), format="csv")
    assert Path(raw.path).read_text("utf-8").startswith("epiweek,year,week")
    assert raw.source == "codelist:epiweeks"
    assert landing.land(lake, NAME, fetch(lake, "codelist:epiweeks"), format="csv") == raw


def test_a_kill_while_landing_leaves_nothing_half(lake: Settings, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(CONTENT)
    torn = lake.home / "landing" / NAME / ".partial.1"
    torn.mkdir(parents=True)
    (torn / "a.csv").write_bytes(CONTENT[:10])
    empty = lake.home / "landing" / NAME / hashlib.sha256(CONTENT).hexdigest()
    empty.mkdir()
    (empty / "landed.json").write_text("[]")
    assert landing.find(lake, NAME, empty.name) is None
    raw = landing.land(lake, NAME, fetch(lake, str(file)), format="csv")
    assert Path(raw.path).read_bytes() == CONTENT
    home = lake.home / "landing" / NAME
    assert [p for p in home.rglob("*") if p.is_file() and len(p.parent.name) != 64] == []
