"""What a draft guesses of made-up files, one guess at a time."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import zipfile
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from command import yupana

from yupana.config.settings import ROOT, Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.core.progress import Silent
from yupana.data import contract as contracts
from yupana.data import draft as drafts
from yupana.data.columns import Column
from yupana.data.draft import Draft
from yupana.data.draft.guess import Guess
from yupana.data.sources import http

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


def made(lake: Settings, content: str | bytes, name: str = "casos.csv") -> Draft:
    path = lake.root / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return drafts.draft(lake, name, "strange", Silent(), today=TODAY)


def column(lake: Settings, *values: str, header: str = "x") -> Guess:
    """The draft of a column of such values, beside one that keeps blank lines lines."""
    lines = [f"n;{header}", *(f"{i};{v}" for i, v in enumerate(values, 1))]
    return made(lake, "\n".join(lines) + "\n").columns[1]


def loaded(lake: Settings, draft: Draft) -> dict[str, Column]:
    """The columns of the draft as an ingest reads them."""
    path = lake.root / "expectations" / "strange" / "contract.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(draft.text, encoding="utf-8")
    return {str(c.published): c for c in contracts.load(lake.root, "strange").columns}


def test_an_order_of_day_and_month_is_stated_where_values_prove_it(lake: Settings) -> None:
    day = column(lake, "01/02/2021", "13/02/2021", "05/06/2021")
    assert (day.kind.type, day.kind.dates and day.kind.dates.formats) == ("date", ("d/M/yyyy",))
    assert "proven by 1 values above 12" in day.evidence[0] and not day.questions
    month = column(lake, "01/02/2021", "02/13/2021")
    assert month.kind.dates and month.kind.dates.formats == ("M/d/yyyy",)


def test_an_order_that_nothing_proves_is_asked(lake: Settings) -> None:
    found = column(lake, "01/02/2021", "03/04/2021")
    assert found.kind.dates and found.kind.dates.formats == ("d/M/yyyy",)
    assert found.questions == (
        "no value is above 12: d/M/yyyy or M/d/yyyy? Ask the publisher",
    )


def test_another_column_of_the_file_proves_the_order(lake: Settings) -> None:
    draft = made(lake, "a;b\n01/02/2021;02/25/2021\n03/04/2021;01/01/2021\n")
    first = draft.columns[0].kind.dates
    assert first and first.formats == ("M/d/yyyy",) and not draft.columns[0].questions


def test_both_orders_are_told_with_their_numbers(lake: Settings) -> None:
    found = column(lake, "13/02/2021", "14/02/2021", "02/15/2021", "01/02/2021")
    assert found.kind.dates and found.kind.dates.formats == ("d/M/yyyy", "M/d/yyyy")
    assert "2 values can only be d/M/yyyy and 1 only M/d/yyyy" in found.questions[0]


@pytest.mark.parametrize(
    ("values", "type", "formats"),
    [
        (["2021-03-05", "2021-12-31"], "date", ()),
        (["2021-03-05 10:30", "2021-12-31T23:59:00"], "timestamp", ()),
        (["05/03/2021 10:30", "31/12/2021 9:05"], "timestamp", ("d/M/yyyy H:mm",)),
        (["20210305", "20211231"], "date", ("yyyyMMdd",)),
        (["16-ENE-20", "31-dic-20"], "date", ("d-MMM-yy",)),
        (["1 de setiembre de 2021", "13/1/21"], "date", ("d/M/yy", "d 'de' MMMM 'de' yyyy")),
        (["2021-02-30", "2021-02-31"], "string", None),
        (["1.2.3", "4.5.6"], "string", None),
        (["10:30", "11:45"], "string", None),
    ],
)
def test_days_and_instants(
    lake: Settings, values: list[str], type: str, formats: tuple[str, ...] | None
) -> None:
    found = column(lake, *values)
    dates = found.kind.dates
    assert (found.kind.type, dates and dates.formats) == (type, formats)


@pytest.mark.parametrize(
    ("values", "type", "marks"),
    [
        (["1", "22", "-3"], "integer", (".", "")),
        (["1.5", "2", "7.7E-2"], "number", (".", "")),
        (["1,5", "2,25", "10"], "number", (",", "")),
        (["1.234,5", "12", "1.234.567,8"], "number", (",", ".")),
        (["1,234.5", "12", "1,234,567.8"], "number", (".", ",")),
        (["1 234,5", "12"], "number", (",", " ")),
        (["1.234.567", "12.345", "1"], "integer", (",", ".")),
        (["3000000000", "5"], "integer", (".", "")),
        (["99999999999999999999", "5"], "number", (".", "")),
        (["1234567890123", "9234567890123"], "string", (".", "")),
        (["007", "010", "120"], "string", (".", "")),
        (["5D", "7F"], "string", (".", "")),
    ],
)
def test_numbers_as_people_write_them(
    lake: Settings, values: list[str], type: str, marks: tuple[str, str]
) -> None:
    found = column(lake, *values)
    assert (found.kind.type, (found.kind.decimal, found.kind.thousands)) == (type, marks)


def test_a_mark_before_three_digits_alone_is_asked(lake: Settings) -> None:
    few = column(lake, "1.234", "5.678")
    assert few.kind.decimal == "." and "taken for the decimal mark" in few.questions[0]
    many = column(lake, "1.234", "5.678", "9.012", "120", "34", "7", "990")
    assert (many.kind.type, many.kind.thousands) == ("integer", ".")
    assert "taken for a mark of thousands" in many.questions[0]


def test_marks_of_no_value_by_word_by_contrast_and_by_distance(lake: Settings) -> None:
    assert set(column(lake, "S/D", "n/a", "a", "b", "NA").kind.marks) == {"S/D", "n/a", "NA"}
    numbers = [str(n) for n in range(40)]
    assert column(lake, *numbers, "ver nota", "ver nota").kind.marks == ("ver nota",)
    assert column(lake, "24.5", "-9999.0", "-9999.0", "31").kind.marks == ("-9999.0",)
    assert column(lake, "24,5", "-9999,0", "-9999,0", "31").kind.marks == ("-9999,0",)
    assert column(lake, *numbers, "999", "999").kind.marks == ("999",)
    assert column(lake, "950", "999", "999", "980").kind.marks == ()


def test_a_value_deep_in_the_file_is_set_aside_or_decides(lake: Settings) -> None:
    numbers = [str(n % 50) for n in range(1000)]
    one = column(lake, *numbers, "ninguno")
    assert (one.kind.type, one.broken) == ("integer", 1)
    assert "quarantineLimit, value: 0.001}  # 1 of 1,001 rows" in made(
        lake, "n;x\n" + "".join(f"{i};{v}\n" for i, v in enumerate([*numbers, "ninguno"]))
    ).text
    many = column(lake, *numbers, *(f"texto {n}" for n in range(50)))
    assert many.kind.type == "string"
    assert column(lake, *numbers, "1.5").kind.type == "number"


def test_yes_and_no_are_read_as_true_and_false(lake: Settings) -> None:
    draft = made(lake, "n;x\n1;SI\n2;NO\n3;SI\n")
    assert loaded(lake, draft)["x"].codes == {"SI": "true", "NO": "false"}
    assert draft.columns[1].kind.type == "boolean"
    assert column(lake, "0", "1", "1").kind.type == "integer"


def test_district_codes_are_told_by_the_list_and_get_their_zeros_back(lake: Settings) -> None:
    draft = made(lake, "cod_ubigeo,casos\n10101,4\n160101,5\n150101,6\n")
    found = loaded(lake, draft)["cod_ubigeo"]
    assert (found.name, found.type, found.pad) == ("ubigeo", "string", 6)
    assert found.relation == "ubigeo.ubigeo"
    other = made(lake, "ubigeo,casos\n999999,4\n999998,5\n")
    assert other.columns[0].ubigeo is None


def test_personal_columns_are_dropped_and_no_value_is_told(lake: Settings) -> None:
    names = ["QUISPE MAMANI JUAN", "FLORES RAMOS ANA", "ROJAS DIAZ LUIS", "SOTO VEGA JORGE",
             "RAMOS RAMOS ROSA", "TORRES RUIZ MIGUEL"]  # fmt: skip
    header = "DNI;quien;contacto;mail;Fec_Nac;direccion;casos;distrito\n"
    lines = [
        f"{40112233 + n};{who};98765432{n};p{n}@correo.pe;1{n}/05/1980;Av. Grau {n}1;{n};IQUITOS"
        for n, who in enumerate(names)
    ]
    draft = made(lake, header + "\n".join(lines) + "\n")
    found = {c.published: c.personal is not None for c in draft.columns}
    assert found == {
        "DNI": True, "quien": True, "contacto": True, "mail": True, "Fec_Nac": True,
        "direccion": True, "casos": False, "distrito": False,
    }  # fmt: skip
    for secret in ("40112233", "QUISPE", "987654320", "p0@", "10/05/1980", "Grau"):
        assert secret not in draft.text
    kept = [c for c in loaded(lake, draft).values() if c.treatment == "none"]
    assert [c.published for c in kept] == ["casos", "distrito"]
    assert yupana(lake, "contract", "draft", str(lake.root / "casos.csv"), "--name", "x").code == 0


def test_few_names_of_persons_are_no_codes(lake: Settings) -> None:
    found = column(lake, *["FLORES RAMOS ANA", "ROJAS DIAZ LUIS"] * 20, header="encargado")
    assert found.personal and not found.codes


def test_signs_of_two_units_are_told(lake: Settings) -> None:
    both = column(lake, "S/ 5", "US$ 7", "S/ 6", "US$ 9")
    assert both.kind.type == "string" and both.kind.unit == ""
    assert "which of USD, ARS" in column(lake, "$ 5", "$ 7").questions[0]
    assert "what stands beside" in column(lake, "5 °C", "7 °C").questions[0]


def test_serial_days_are_told(lake: Settings) -> None:
    serial = column(lake, "44260", "44261", header="fecha_inicio")
    assert "as a spreadsheet counts" in serial.questions[0] and serial.name == "start_date_number"


@pytest.mark.parametrize("header", ["pacientes", "nombre_distrito", "total_clientes"])
def test_what_only_sounds_personal_is_not(lake: Settings, header: str) -> None:
    assert column(lake, "12", "7", "30", header=header).personal is None


def test_the_key_is_the_smallest_set_that_no_two_rows_share(lake: Settings) -> None:
    lines = [f"{y},{w},{d},{(y + w) % 3}" for y in (2020, 2021) for w in (1, 2) for d in ("A", "B")]
    draft = made(lake, "anio,semana,distrito,casos\n" + "\n".join(lines) + "\n")
    assert draft.key == ("year", "week", "district")
    assert loaded(lake, draft)["semana"].name == "week"
    twice = made(lake, "anio,semana,distrito,casos\n" + "\n".join([*lines, lines[0]]) + "\n")
    assert twice.key == () and "No columns make a key" in twice.text


def test_a_double_far_down_makes_a_column_no_key(lake: Settings) -> None:
    lines = [f"A{n},{n % 7}" for n in range(9000)]
    assert made(lake, "\n".join(["codigo,casos", *lines])).key == ("code",)
    pairs = [f"A{n},{n % 2}" for n in range(4500)] + [f"A{n},{(n + 1) % 2}" for n in range(4500)]
    assert set(made(lake, "\n".join(["codigo,nro", *pairs])).key) == {"code", "number"}
    assert made(lake, "\n".join(["codigo,nro", *pairs, "A7,5", "A0,0"])).key == ()
    assert made(lake, "\n".join(["codigo,casos", *lines, "A8999,1"])).key == ()


def test_days_written_in_two_ways_are_one_day_to_the_key(lake: Settings) -> None:
    draft = made(lake, "fecha;zona\n13/01/2021;A\n2021-1-13;A\n14/01/2021;B\n")
    assert draft.key == ()


def test_years_ahead_of_today_are_asked(lake: Settings) -> None:
    past, ahead = (made(lake, f"anio,pob\n{y},5\n2020,6\n") for y in (2024, 2030))
    assert "notAfter" in past.text and "notAfter" not in ahead.text
    assert "a projection?" in ahead.columns[0].questions[0]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "latin-1", "cp1252", "cp850", "utf-16"])
def test_encodings(lake: Settings, encoding: str) -> None:
    rows = "".join(f"{n};Región {n};Peñaranda Núñez, corazón;“sí”\n" for n in range(20))
    text = "n;Región;descripción;señal\n" + (
        rows if encoding in ("cp1252", "utf-8-sig", "utf-16") else rows.replace("“sí”", "sí")
    )
    draft = made(lake, text.encode(encoding))
    assert [c.published for c in draft.columns] == ["n", "Región", "descripción", "señal"]
    expected = "UTF-8" if encoding == "utf-8-sig" else encoding
    assert draft.dialect.encoding == expected and loaded(lake, draft)


def test_titles_above_the_header_and_totals_below_are_told(lake: Settings) -> None:
    text = "Reporte de casos;;\n;;\nanio;semana;casos\n2020;1;5\n2020;2;6\nTotal;;11\nFuente: X\n"
    draft = made(lake, text)
    assert draft.dialect.header_row == 3
    assert [c.name for c in draft.columns] == ["year", "week", "cases"]
    told = " / ".join(draft.questions)
    assert "2 lines above the header" in told and "1 of the last rows look like a total" in told
    assert "1 lines have another number of fields" in told


def test_a_semicolon_beside_decimal_commas(lake: Settings) -> None:
    draft = made(lake, "Lluvia, caudal, Loreto\na;b\n" + "1,5;2,5\n3,5;4,5\n" * 200)
    assert draft.dialect.header_row == 2
    assert draft.dialect.delimiter == ";" and draft.columns[1].kind.decimal == ","


def test_formats_are_told_by_their_bytes(lake: Settings) -> None:
    frame = pl.DataFrame({"anio": [2020, 2021], "casos": [5, 6]})
    parquet, packed = io.BytesIO(), io.BytesIO()
    frame.write_parquet(parquet)
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("leeme.txt", "nada")
        archive.writestr("datos/casos.csv", frame.write_csv() * 1)
    geo = {"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": row, "geometry": None} for row in frame.to_dicts()
    ]}  # fmt: skip
    files = {
        "csv": gzip.compress(frame.write_csv().encode()),
        "parquet": parquet.getvalue(),
        "json": json.dumps(frame.to_dicts()).encode(),
    }
    for format, content in files.items():
        draft = made(lake, content, "datos.bin")
        assert draft.dialect.format == format
        assert [(c.name, c.kind.type) for c in draft.columns] == [
            ("year", "integer"), ("cases", "integer"),
        ]  # fmt: skip
    assert made(lake, json.dumps(geo), "g.csv").columns[2].published == "geometry"
    lines = "\n".join(map(json.dumps, frame.to_dicts()))
    assert made(lake, lines).dialect.format == "json"
    zipped = made(lake, packed.getvalue(), "z.csv")
    assert zipped.dialect.member == "datos/casos.csv" and "leeme.txt" in zipped.questions[0]


def test_what_is_no_table_is_refused(lake: Settings) -> None:
    with pytest.raises(TerminalError, match="PDF"):
        made(lake, b"%PDF-1.7 ...")
    with pytest.raises(TerminalError, match="fixed places"):
        made(lake, "".join(f"{n}   {n * 7}   A\n" for n in range(30)))
    with pytest.raises(TerminalError, match="no row"):
        made(lake, "a,b\n")
    with pytest.raises(TerminalError, match="All 2 lines have another number of fields"):
        made(lake, "a,b\n1,2,\n3,4,\n")
    with pytest.raises(UsageError, match="no such file"):
        drafts.draft(lake, "absent.csv", None, Silent(), today=TODAY)


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("https://ana:pw@h.pe/a.csv?api_key=K&year=2024", "https://h.pe/a.csv?year=2024"),
        ("https://h.pe/a.csv?year=2024&token=K#x", "https://h.pe/a.csv?year=2024#x"),
        ("ckan+https://ana:pw@h.pe/slug?apikey=K#csv", "ckan+https://h.pe/slug#csv"),
        ("https://h.pe/a.csv?$limit=3&$offset={offset}", None),
        ("https://h.pe/a.csv?", None),
    ],
)
def test_an_address_is_written_without_log_in(address: str, written: str | None) -> None:
    assert http.public(address) == (written or address)


def test_columns_without_a_name_of_their_own_are_left_out(lake: Settings) -> None:
    draft = made(lake, "anio,ANOM,ANOM,\n2020,1.5,2.5,\n2021,1.6,2.6,\n")
    assert [c.published for c in draft.columns] == ["anio"]
    assert draft.left_out == ("ANOM", "ANOM", "column 4, without a name")


def test_units_by_header_by_sign_and_by_other_columns(lake: Settings) -> None:
    names = ("Lluvia (mm)", "Humedad %", "TMAX", "casos", "predicted_casos", "edad", "tipo_edad",
             "pct_x", "pct_x_inf", "pct_x_sup")  # fmt: skip
    rows = ("1.5,80,301.5,4,5,30,A,5.5,4.5,6.5", "2.5,81,299.5,5,4,7,M,6.5,5.5,7.5")
    text = "\n".join([",".join(names), *rows])
    units = [c.unit.unit if c.unit else None for c in made(lake, text).columns]
    assert units == ["mm", "%", "K", "cases", "cases", "as age_unit says", None, "%", "%", "%"]


def test_a_unit_that_the_values_contradict_is_not_guessed(lake: Settings) -> None:
    text = "pct_x,pct_y,y_inf,y_sup\n5,10,1,20\n150,30,2,9\n"
    assert [c.unit for c in made(lake, text).columns if c.published != "pct_y"] == [None] * 3


def test_a_table_of_persons_and_a_header_that_is_a_sentence_are_told(lake: Settings) -> None:
    persons = made(lake, "edad,sexo\n3,F\n4,M\n3,F\n")
    assert "each row seems to be a person" in persons.questions[0]
    sentence = made(lake, f"{'una frase larga ' * 6}\notra\n")
    assert "a whole sentence" in sentence.questions[0]


def test_a_draft_replaces_no_contract_and_is_told_as_unfinished(lake: Settings) -> None:
    path = lake.root / "in.csv"
    path.write_text("anio,semana,casos\n2020,1,5\n2020,2,6\n")
    words = ("contract", "draft", str(path), "--name", "strange")
    first = yupana(lake, *words)
    assert first.code == 0 and "cases" in first.stdout
    again = yupana(lake, *words)
    assert again.code == 2 and "There is a contract already" in again.stderr
    printed = yupana(lake, *words, "--out", "-").stdout
    assert printed == (lake.root / "expectations/strange/contract.yaml").read_text()
    faults = json.loads(yupana(lake, "standards", "check", "strange", "--json").stdout)
    assert {f["standard"] for f in faults} == {"about.complete", "about.area"}
    assert len([f for f in faults if f["standard"] == "about.complete"]) == 6
