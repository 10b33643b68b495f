"""Contracts follow the standard, and say where they do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from yupana.config.settings import ROOT
from yupana.core.errors import TerminalError, UsageError
from yupana.data import contract as contracts


def test_personal_columns_are_not_kept() -> None:
    contract = contracts.load(ROOT, "dengue_linelist")
    assert "sex" in [c.name for c in contract.read]
    assert "sex" not in [c.name for c in contract.kept]
    assert not [r for r in contract.rules if r.column == "sex"]


def test_a_field_outside_the_standard_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "expectations" / "wrong"
    folder.mkdir(parents=True)
    text = (ROOT / "expectations" / "iquitos_weekly" / "contract.yaml").read_text()
    (folder / "contract.yaml").write_text(text.replace("status: active", "statuss: active"))
    with pytest.raises(TerminalError, match="statuss"):
        contracts.load(tmp_path, "wrong")


def test_an_unknown_data_set_lists_those_there_are() -> None:
    with pytest.raises(UsageError, match="dengue_linelist"):
        contracts.load(ROOT, "nothing")


def test_samples_are_what_provenance_says() -> None:
    from yupana.core.hashing import file_sha256

    told = (ROOT / "samples" / "PROVENANCE.md").read_text()
    for path in (ROOT / "samples").glob("*.csv*"):
        assert file_sha256(path) in told, f"{path.name}: its hash is not in PROVENANCE.md"


def test_the_sample_is_the_published_slice_without_persons(shared) -> None:
    import gzip

    source = shared("minsa_dengue_linelist_2010_2021/dengue_casos_2010_2021.csv.gz")
    lines = gzip.decompress(source.read_bytes()).split(b"\r\n")
    wanted = [lines[0], *(line for line in lines[1:] if line.startswith(b"LORETO,"))]
    sex = lines[0].split(b",").index(b"Sexo")
    without = [b",".join(f for i, f in enumerate(w.split(b",")) if i != sex) for w in wanted]
    sample = gzip.decompress((ROOT / "samples" / "dengue_loreto_2010_2021.csv.gz").read_bytes())
    assert sample == b"\r\n".join(without) + b"\r\n"


def test_shared_folder_is_not_needed_by_the_code() -> None:
    for room in ("yupana", "dags", "pipelines", "models", "serving", "feature_repo"):
        for path in (ROOT / room).rglob("*.py"):
            assert "shared/" not in path.read_text(), f"{path} reads the test data"
