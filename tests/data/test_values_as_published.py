"""Rules judge what the agency published, before yupana changes it; blanks and yes/no as people
write them. On both engines."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml
from conftest import BOTH_ENGINES

from yupana.config.settings import ROOT, Settings
from yupana.core.errors import TerminalError
from yupana.core.progress import Silent
from yupana.data.contracts import contract as contracts
from yupana.data.lake import delta
from yupana.data.publication import quarantine
from yupana.orchestration.ingest import ingest
from yupana.validation import quality

NAME = "clinic"
PSEUDONYM = "customProperties: [{property: treatment, value: pseudonymise}]"
COLUMNS = f"""
{{name: id, logicalType: string, primaryKey: true, primaryKeyPosition: 1}}
{{name: dni, logicalType: string, primaryKey: true, primaryKeyPosition: 2, classification: personal, logicalTypeOptions: {{pattern: "^[0-9]{{8}}$", maxLength: 8}}, {PSEUDONYM}}}
{{name: age, logicalType: integer, classification: personal, logicalTypeOptions: {{minimum: 0, maximum: 120}}, {PSEUDONYM}}}
{{name: age_unit, logicalType: string, classification: personal}}
{{name: stage, logicalType: string, transformLogic: life_stage, transformSourceObjects: [age, age_unit]}}
{{name: rain, logicalType: number, logicalTypeOptions: {{minimum: 0, maximum: 100}}, customProperties: [{{property: outlier, value: {{maximum: 50, action: clip}}}}]}}
{{name: wind, logicalType: number, logicalTypeOptions: {{maximum: 100}}, customProperties: [{{property: outlier, value: {{maximum: 50, action: "null"}}}}]}}
{{name: sure, logicalType: boolean}}
{{name: place, logicalType: string, required: true, customProperties: [{{property: missing, value: ["s/d "]}}, {{property: codes, value: {{" LIMA": Lima}}}}]}}
{{name: group, logicalType: string, customProperties: [{{property: fill, value: down}}]}}
{{name: amount, logicalType: number, customProperties: [{{property: thousands, value: " "}}]}}
{{name: at, logicalType: timestamp, logicalTypeOptions: {{minimum: "2021-01-01T05:00:00Z", maximum: "2021-06-01"}}}}
"""  # noqa: E501
HEADER = "id,dni,age,age_unit,rain,wind,sure,place,group,amount,at"
GOOD = """a,45678901,30,A,60,60,SI,Lima,north,1\u00a0234,2021-01-01 00:00:00-05:00
b\u00a0,\ufeff45678902\u3000,1,M,-0,5,NO,\u00a0LIMA\u202f,\u00a0,\u2007 1\u202f234\u00a0,
c,45678903,,,,,Sí,Cusco\t,south,,
d,45678904,70,A,,,s,\u3000Puno,,,
e,45678905,5,A,,,N,Ica,,,
f,45678905,5,A,,,VERDADERO,Ica,,,
g,45678905,5,A,,,falso,Ica,,,
"""
BAD = {
    "h,4567890,5,A,,,,Ica,,,": ("dni.pattern", ""),
    "i,456789011,5,A,,,,Ica,,,": ("dni.length dni.pattern", ""),
    "j,45678906,130,A,,,,Ica,,,": ("age.range", ""),
    "k,45678906,5,A,120,,,Ica,,,": ("rain.range", "999"),
    "l,45678906,5,A,-1,,,Ica,,,": ("rain.range", "-9"),
    "m,45678906,5,A,,101.5,,Ica,,,": ("wind.range", "999.9"),
    "n,45678906,5,A,,,,\u00a0\u200b,,,": ("place.required", ""),
    "o,45678906,5,A,,,,S/D\u00a0,,,": ("place.required", ""),
    "p,45678906,5,A,,,tal vez,Ica,,,": ("row.parsed", "aaa aaa"),
    "q,45678906,5,A,,,,Ica,,,2021-01-01T04:59:59Z": ("at.range", "9999-99-99 99:99:99"),
}


def project(tmp_path: Path, engine: str, limit: float) -> Settings:
    about = yaml.safe_load((ROOT / "expectations/iquitos_weekly/contract.yaml").read_text())
    about["customProperties"] = [{"property": "quarantineLimit", "value": limit}]
    about["schema"][0]["properties"] = [yaml.safe_load(c) for c in COLUMNS.strip().splitlines()]
    folder = tmp_path / "project" / "expectations" / NAME
    folder.mkdir(parents=True)
    (folder / "contract.yaml").write_text(yaml.safe_dump(about, sort_keys=False))
    (folder.parent / "subject_areas.csv").write_text("area,title_es\nhealth,Salud\n")
    return Settings(root=tmp_path / "project", home=tmp_path / "home", engine=engine)


def publish(lake: Settings, rows: str) -> None:
    path = lake.root / "in.csv"
    path.write_text(f"{HEADER}\n{rows}", encoding="utf-8")
    ingest(lake, NAME, str(path), Silent())


@BOTH_ENGINES
def test_values_are_judged_as_they_were_published(tmp_path: Path, engine: str) -> None:
    lake = project(tmp_path, engine, limit=1)
    publish(lake, GOOD + "\n".join(BAD) + "\n")
    contract = contracts.load(lake.root, NAME)
    frame = delta.read(lake.table("published", NAME)).sort("id")
    assert [c for c in frame.columns if c.startswith("_")] == []
    assert frame["id"].to_list() == list("abcdefg")
    assert frame["sure"].to_list() == [True, False, True, True, False, True, False]
    assert frame["place"].to_list() == ["Lima", "Lima", "Cusco", "Puno", "Ica", "Ica", "Ica"]
    assert frame["group"].to_list() == ["north"] * 2 + ["south"] * 5
    assert frame["amount"].to_list()[:2] == [1234.0, 1234.0]
    assert frame["stage"].to_list()[:4] == ["30-59", "0-11", None, "60-120"]
    assert (frame["rain"].to_list()[0], frame["wind"].to_list()[0]) == (50.0, None)
    assert frame["dni"].n_unique() == 5 and frame["dni"].str.len_chars().min() > 20
    aside = delta.read(lake.table("quarantine", NAME))
    assert not [c for c in aside.columns if c.startswith("_")]
    rules = {f"{n}": " ".join(r) for n, r in zip(aside["id"], aside["broken_rules"], strict=True)}
    assert rules == {row[0]: rule for row, (rule, _) in BAD.items()}
    shapes = {r.line: r.value_class for r in quarantine.refusals(lake, contract)}
    for line, (rule, shape) in enumerate(BAD.values(), 9):
        assert shapes[line] == (shape or (quarantine.HIDDEN if rule[0] in "da" else ""))
    columns = {c.name: c for c in quality.measure(lake, NAME, date(9999, 1, 1)).columns}
    # All rows but one have an age, and one of those lies outside.
    assert (columns["age"].checks, columns["age"].kept) == (16, 15)


def test_a_good_file_keeps_all_rules(tmp_path: Path) -> None:
    lake = project(tmp_path, "sail", limit=0)
    publish(lake, GOOD)
    with pytest.raises(TerminalError, match=r"1 of 1 rows break 'dni\.pattern'"):
        publish(lake, next(iter(BAD)) + "\n")
