"""What a draft makes of files: encodings, formats, headers, and what is no table."""

from __future__ import annotations

import gzip
import io
import json
import zipfile

import polars as pl
import pytest
from command import yupana
from draft_lake import TODAY, draft_of, lake, loaded

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.core.progress import Silent
from yupana.data import draft as drafts
from yupana.data.sources import http

__all__ = ["lake"]


@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", "latin-1", "cp1252", "cp850", "utf-16", "utf-32"]
)
def test_encodings(lake: Settings, encoding: str) -> None:
    rows = "".join(f"{n};Región {n};Peñaranda Núñez, corazón;“sí”\n" for n in range(20))
    text = "n;Región;descripción;señal\n" + (
        rows if encoding not in ("latin-1", "cp850") else rows.replace("“sí”", "sí")
    )
    draft = draft_of(lake, text.encode(encoding))
    assert [c.published for c in draft.columns] == ["n", "Región", "descripción", "señal"]
    expected = "UTF-8" if encoding == "utf-8-sig" else encoding
    assert draft.dialect.encoding == expected and loaded(lake, draft)


def test_titles_above_the_header_and_totals_below_are_told(lake: Settings) -> None:
    text = "Reporte de casos;;\n;;\nanio;semana;casos\n2020;1;5\n2020;2;6\nTotal;;11\nFuente: X\n"
    draft = draft_of(lake, text)
    assert draft.dialect.header_row == 3
    assert [c.name for c in draft.columns] == ["year", "week", "cases"]
    questions = " / ".join(draft.questions)
    assert (
        "2 lines above the header" in questions
        and "1 of the last rows look like a total" in questions
    )
    assert "1 lines have another number of fields" in questions


def test_a_semicolon_beside_decimal_commas(lake: Settings) -> None:
    draft = draft_of(lake, "Lluvia, caudal, Loreto\na;b\n" + "1,5;2,5\n3,5;4,5\n" * 200)
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
        draft = draft_of(lake, content, "datos.bin")
        assert draft.dialect.format == format
        assert [(c.name, c.kind.type) for c in draft.columns] == [
            ("year", "integer"), ("cases", "integer"),
        ]  # fmt: skip
    assert draft_of(lake, json.dumps(geo), "g.csv").columns[2].published == "geometry"
    lines = "\n".join(map(json.dumps, frame.to_dicts()))
    assert draft_of(lake, lines).dialect.format == "json"
    zipped = draft_of(lake, packed.getvalue(), "z.csv")
    assert zipped.dialect.member == "datos/casos.csv" and "leeme.txt" in zipped.questions[0]


def test_what_is_no_table_is_refused(lake: Settings) -> None:
    with pytest.raises(TerminalError, match="PDF"):
        draft_of(lake, b"%PDF-1.7 ...")
    with pytest.raises(TerminalError, match="seems to be UTF-32"):
        draft_of(lake, "id,n\nA,1\n".encode("utf-32-le"))
    with pytest.raises(TerminalError, match="a list stands here"):
        draft_of(lake, '[["id", "n"], ["A", 1]]')
    with pytest.raises(TerminalError, match="fixed places"):
        draft_of(lake, "".join(f"{n}   {n * 7}   A\n" for n in range(30)))
    with pytest.raises(TerminalError, match="no row"):
        draft_of(lake, "a,b\n")
    with pytest.raises(TerminalError, match="All 2 lines have another number of fields"):
        draft_of(lake, "a,b\n1,2,\n3,4,\n")
    with pytest.raises(UsageError, match="no such file"):
        drafts.draft(lake, "absent.csv", None, Silent(), today=TODAY)


@pytest.mark.parametrize(
    ("content", "says"),
    [('[["id", "n"], ["1", 2]]', "a list stands here"), ("[" * 100_000, "what no table can")],
)
def test_lists_in_lists_are_told_as_json(lake: Settings, content: str, says: str) -> None:
    with pytest.raises(TerminalError, match=says):
        draft_of(lake, content, "casos.json")


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("https://ana:pw@h.pe/a.csv?api_key=K&year=2024", "https://h.pe/a.csv?year=2024"),
        ("https://h.pe/a.csv?year=2024&token=K#x", "https://h.pe/a.csv?year=2024#x"),
        ("ckan+https://ana:pw@h.pe/slug?apikey=K#csv", "ckan+https://h.pe/slug#csv"),
        ("https://h.pe/a.csv?$limit=3&$offset={offset}", None),
        ("https://h.pe/a.csv?", None),
    ],
)
def test_an_address_is_written_without_log_in(address: str, public: str | None) -> None:
    assert http.public(address) == (public or address)


@pytest.mark.parametrize(
    "name",
    ["$$app_token", "%24%24app_token", "clave", "pass", "contraseña", "contrase%C3%B1a", "usuario",
     "user", "authorization", "ticket", "session", "sessionid", "PHPSESSID", "jwt", "bearer",
     "llave", "AWSAccessKeyId", "credencial", "X-Amz-Credential", "apiKey", "clave_acceso", "sig"],
)  # fmt: skip
def test_no_address_is_written_with_what_signs_in(name: str) -> None:
    secret = f"https://h.pe/a.csv?year=2024&{name}=K=1&$limit=3"
    assert http.public(secret) == "https://h.pe/a.csv?year=2024&$limit=3"
    assert http.masked(secret) == f"https://h.pe/a.csv?year=2024&{name}=***&$limit=3"


def test_other_parameters_stay() -> None:
    plain = "https://h.pe/a.csv?$where=keyword='x'&tickets=3&sessions=2&passenger=1&monkey=2"
    assert http.masked(plain) == plain


def test_columns_without_a_name_of_their_own_are_left_out(lake: Settings) -> None:
    draft = draft_of(lake, "anio,ANOM,ANOM,\n2020,1.5,2.5,\n2021,1.6,2.6,\n")
    assert [c.published for c in draft.columns] == ["anio"]
    assert draft.left_out == ("ANOM", "ANOM", "column 4, without a name")


def test_a_table_of_persons_and_a_header_that_is_a_sentence_are_told(lake: Settings) -> None:
    persons = draft_of(lake, "edad,sexo\n3,F\n4,M\n3,F\n")
    assert "each row seems to be a person" in persons.questions[0]
    sentence = draft_of(lake, f"{'una frase larga ' * 6}\notra\n")
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
