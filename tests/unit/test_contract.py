"""Contracts follow the standard, and say where they do not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from yupana.config.settings import ROOT
from yupana.core.errors import TerminalError, UsageError
from yupana.data.contracts import contract as contracts
from yupana.data.staging.cleaning import SPARK_TYPES
from yupana.data.staging.derive import DERIVATIONS

CUSTOM_MERGE = "customProperties:\n  - {property: publication, value: merge}\n"


def test_personal_columns_are_not_kept() -> None:
    contract = contracts.load(ROOT, "dengue_linelist")
    assert "sex" in [c.name for c in contract.read]
    assert "sex" not in [c.name for c in contract.table_columns]
    assert not [r for r in contract.rules if r.column == "sex"]


def test_a_field_outside_the_standard_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "expectations" / "wrong"
    folder.mkdir(parents=True)
    text = (ROOT / "expectations" / "iquitos_weekly" / "contract.yaml").read_text()
    (folder / "contract.yaml").write_text(text.replace("status: active", "statuss: active"))
    with pytest.raises(TerminalError, match="statuss"):
        contracts.load(tmp_path, "wrong")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("status: active", "status: [active", "not YAML"),
        ("format: csv", "format: pdf", "Use csv, xlsx, json, parquet or object"),
        ("{property: unit, value: persons}", "{property: units, value: persons}", "unknown.*units"),
        ("primaryKey: true", "primaryKey: true, classification: personal, customProperties: [{"
         "property: treatment, value: hide}]", "treatment 'hide': use drop, pseudonymise or mask"),
        ("{property: unit, value: persons}", "{property: outlier, value: {maximum: 9, action: "
         "guess}}", "outlier action 'guess'"),
        ("primaryKey: true", "unique: false", "merge and no primaryKey"),
        ("{property: unit, value: persons}", "{property: notAfter, value: '2021'}",
         "notAfter '2021': use release"),
    ],
)  # fmt: skip
def test_a_wrong_option_is_named_with_what_it_may_be(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    folder = tmp_path / "expectations" / "wrong"
    folder.mkdir(parents=True)
    text = (ROOT / "expectations" / "iquitos_population" / "contract.yaml").read_text()
    merged = text.replace("customProperties:\n", CUSTOM_MERGE, 1)
    assert old in merged
    (folder / "contract.yaml").write_text(merged.replace(old, new, 1))
    with pytest.raises(TerminalError, match=says) as error:
        contracts.load(tmp_path, "wrong")
    assert "contract.yaml" in str(error.value)


def test_the_key_keeps_its_order_and_personal_columns_their_treatment() -> None:
    infections = contracts.load(ROOT, "respiratory_infections")
    assert infections.key == ("ubigeo", "year", "week", "notifying_subregion")
    cases = contracts.load(ROOT, "dengue_cases")
    personal = [c.name for c in cases.columns if c.personal]
    assert personal == ["locality", "locality_code", "age", "age_unit"]
    # Read for the life stage alone; the other two are not even parsed.
    assert {c.name for c in cases.used} & set(personal) == {"age", "age_unit"}
    assert not {c.name for c in cases.table_columns} & set(personal)
    assert (cases.schedule, cases.latency_days, cases.retention_days) == ("@monthly", 28, 1825)


@pytest.mark.parametrize("name", contracts.names(ROOT))
def test_every_contract_names_a_source_that_stays(name: str) -> None:
    location = contracts.load(ROOT, name).location
    if location.startswith("https://raw.githubusercontent.com/"):
        assert re.search(r"/[0-9a-f]{40}/", location), "pin the commit"
    elif "://" not in location and not location.startswith("codelist:"):
        assert (ROOT / location).is_file()


def test_the_guide_names_every_option() -> None:
    guide = (ROOT / "docs" / "contracts.md").read_text()
    contract_room = ROOT / "yupana" / "data" / "contracts"
    code = "".join((contract_room / f).read_text() for f in ("contract.py", "columns.py"))
    options = set(re.findall(r'(?:custom|options)\.get\("(\w+)"', code))
    assert options > {"licence", "missing", "codes"}
    for option in options | set(DERIVATIONS) | set(SPARK_TYPES):
        assert f"`{option}`" in guide, option


def test_an_unknown_data_set_lists_those_there_are() -> None:
    with pytest.raises(UsageError, match="dengue_linelist"):
        contracts.load(ROOT, "nothing")


def test_samples_are_what_provenance_says() -> None:
    from yupana.core.hashing import file_sha256

    provenance = (ROOT / "samples" / "PROVENANCE.md").read_text()
    for path in (ROOT / "samples").glob("*.csv*"):
        assert file_sha256(path) in provenance, f"{path.name}: its hash is not in PROVENANCE.md"


def test_the_sample_is_the_published_slice_without_persons(shared) -> None:
    import gzip

    source = shared("minsa_dengue_linelist_2010_2021/dengue_casos_2010_2021.csv.gz")
    lines = gzip.decompress(source.read_bytes()).split(b"\r\n")
    expected = [lines[0], *(line for line in lines[1:] if line.startswith(b"LORETO,"))]
    sex = lines[0].split(b",").index(b"Sexo")
    without = [b",".join(f for i, f in enumerate(w.split(b",")) if i != sex) for w in expected]
    sample = gzip.decompress((ROOT / "samples" / "dengue_loreto_2010_2021.csv.gz").read_bytes())
    assert sample == b"\r\n".join(without) + b"\r\n"


def test_shared_folder_is_not_needed_by_the_code() -> None:
    for room in ("yupana", "dags", "pipelines", "models", "serving", "feature_repo"):
        for path in (ROOT / room).rglob("*.py"):
            assert "shared/" not in path.read_text(), f"{path} reads the test data"
