"""`treatment: mask`: a citizen's text without personal data, equal on both engines, and nothing
that a run writes holds what stood there, but the publisher's own file in `landing`."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest
import yaml
from command import yupana
from conftest import BOTH_ENGINES

from yupana.config.settings import ROOT, Settings
from yupana.core.errors import TerminalError
from yupana.core.progress import Silent
from yupana.data.lake import delta
from yupana.lineage import events
from yupana.orchestration.ingest import ingest
from yupana.privacy.mask import mask
from yupana.validation import quality

NAME = "voices"
MASK = "classification: personal, customProperties: [{property: treatment, value: mask}]"
COLUMNS = f"""
{{name: id, logicalType: string, primaryKey: true, primaryKeyPosition: 1}}
{{name: topic, logicalType: string, enum: [{{value: water}}, {{value: streets}}]}}
{{name: text, logicalType: string, required: true, logicalTypeOptions: {{minLength: 20, pattern: "^[^#]+$"}}, {MASK}}}
"""  # noqa: E501
PLANTED = (
    "43218765", "987123654", "Yupanqui", "Huamaní", "zoila.yup@correo.pe", "4111111111111111",
    "Geranios 345", "B7K-913", "20131312955", "QUISPE",
)  # fmt: skip
TEXTS = [
    "Soy Zoila Yupanqui Huamaní, DNI 43218765, y pagué S/ 350.00 por la Ley 29733.",
    "No hay agua en Jr. Los Geranios 345. Mi celular: 987123654 o zoila.yup@correo.pe",
    "LA SEÑORA ZOILA QUISPE MANEJA EL AUTO B7K-913 CON RUC 20131312955",
    "me cobraron con la tarjeta 4111111111111111, expediente 12345678",
    "Sen\u0303ora Juana Huamani\u0301 😀: DNI\u00a0４３２１８７６５,\u2007"
    "cel\u200b 987\u2011123\u2011654 <ﬁn> \U0001d7d8",
]
GOOD = "".join(f'{n},water,"{text}"\n' for n, text in enumerate(TEXTS))
BAD = """x,roads,"Soy Zoila Yupanqui Huamaní, DNI 43218765, sin agua"
y,water,"# QUISPE MAMANI, cel 987123654"
z,water,DNI 43218765
"""


def project(tmp_path: Path, engine: str) -> Settings:
    about = yaml.safe_load((ROOT / "expectations/iquitos_weekly/contract.yaml").read_text())
    about["customProperties"] = [{"property": "quarantineLimit", "value": 0.5}]
    about["schema"][0]["properties"] = [yaml.safe_load(c) for c in COLUMNS.strip().splitlines()]
    folder = tmp_path / "project" / "expectations" / NAME
    folder.mkdir(parents=True)
    (folder / "contract.yaml").write_text(yaml.safe_dump(about, sort_keys=False))
    (folder.parent / "subject_areas.csv").write_text("area,title_es\nhealth,Salud\n")
    return Settings(root=tmp_path / "project", home=tmp_path / "home", engine=engine)


def publish(lake: Settings, rows: str) -> None:
    path = lake.root / "in.csv"
    path.write_text(f"id,topic,text\n{rows}", encoding="utf-8")
    ingest(lake, NAME, str(path), Silent())


def leaks(home: Path, but: str = "landing") -> list[str]:
    """Files that hold a planted value, tables by their cells."""
    found = []
    for path in sorted(p for p in home.rglob("*") if p.is_file()):
        if but in path.parts:
            continue
        text = path.read_bytes().decode(errors="replace")
        if path.suffix == ".parquet":
            text += str(pl.read_parquet(path).to_dicts())
        found += [f"{path.relative_to(home)}: {value}" for value in PLANTED if value in text]
    return found


@BOTH_ENGINES
def test_nothing_that_a_run_writes_holds_what_was_masked(tmp_path: Path, engine: str) -> None:
    lake = project(tmp_path, engine)
    publish(lake, GOOD + BAD)
    published = delta.read(lake.table("published", NAME)).sort("id")
    assert published["text"].to_list() == [mask(text).text for text in TEXTS]
    assert published["text"][0] == "Soy [NOMBRE], DNI [DNI], y pagué S/ 350.00 por la Ley 29733."
    aside = delta.read(lake.table("quarantine", NAME)).sort("id")
    assert aside["text"].to_list()[0] == "Soy [NOMBRE], DNI [DNI], sin agua"
    rules = [" ".join(r) for r in aside["broken_rules"]]
    assert rules == ["topic.codes", "text.pattern", "text.length"], "judged as it was published"
    quality.measure(lake, NAME, date(9999, 1, 1))
    for command in ("quality", "quarantine", "profile"):
        done = yupana(lake, command, NAME)
        assert not [value for value in PLANTED if value in done.stdout + done.stderr]
    assert leaks(lake.home) == []
    assert len(leaks(lake.home, but="work")) >= len(PLANTED), "the publisher's own file has it all"


def test_how_much_was_masked_is_told_by_kind(tmp_path: Path) -> None:
    lake = project(tmp_path, "sail")
    publish(lake, GOOD)
    (told,) = [e["facts"]["masked"] for e in events.done(lake.platform_db, "ingest", NAME)]
    assert told == {
        "DNI": 2, "RUC": 1, "TELÉFONO": 2, "CORREO": 1, "PLACA": 1, "TARJETA": 1, "DIRECCIÓN": 1,
        "NOMBRE": 3,
    }  # fmt: skip


def test_a_refusal_names_no_value(tmp_path: Path) -> None:
    lake = project(tmp_path, "sail")
    with pytest.raises(TerminalError) as error:
        publish(lake, BAD.splitlines()[0])
    assert not [value for value in PLANTED if value in f"{error.value!r} {error.value}"]
    assert leaks(lake.home) == []


@pytest.mark.parametrize(
    ("column", "says"),
    [
        ("{name: text, logicalType: integer, " + MASK + "}", "treatment 'mask' on integer"),
        ("{name: text, logicalType: string, customProperties: "
         "[{property: treatment, value: mask}]}",
         "on personal columns alone"),
        ("{name: text, logicalType: string, unique: true, " + MASK + "}", "unique on the column"),
    ],
)  # fmt: skip
def test_a_mask_is_for_personal_texts_that_tell_no_row(
    tmp_path: Path, column: str, says: str
) -> None:
    lake = project(tmp_path, "sail")
    path = lake.root / "expectations" / NAME / "contract.yaml"
    about = yaml.safe_load(path.read_text())
    about["schema"][0]["properties"][-1] = yaml.safe_load(column)
    path.write_text(yaml.safe_dump(about, sort_keys=False))
    with pytest.raises(TerminalError, match=says):
        publish(lake, GOOD)


def test_a_file_is_masked_before_it_is_landed(tmp_path: Path) -> None:
    lake = project(tmp_path, "sail")
    source, out = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text(f"id,topic,text\n{GOOD}", encoding="utf-8")
    words = ("mask", str(source), "--column", "text", "--out", str(out), "--json")
    told = yupana(lake, *words).json()
    assert told["rows"] == len(TEXTS) and told["masked"]["NOMBRE"] == 3
    assert pl.read_csv(out)["text"].to_list() == [mask(text).text for text in TEXTS]
    assert yupana(lake, *words).code == 2, "what is there is not written over"
    words = ("mask", str(source), "--column", "texto", "--out", str(tmp_path / "other.csv"))
    assert "no column 'texto'" in yupana(lake, *words).stderr
