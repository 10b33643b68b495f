"""Where a draft finds the names of columns, and that a value is never taken for one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from draft_lake import draft_of, lake, loaded
from test_documents import workbook

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.data.draft import header

__all__ = ["lake"]
PEOPLE = "45678901,Rosaura Mamani Quispe,3\n45678902,Eulogio Choque Soto,4\n45678903,Ana Rojas,5\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dni,nombre,casos\n" + PEOPLE, 0),
        (PEOPLE, None),
        (PEOPLE + "Fuente,MINSA", None),
        ("Rosaura Mamani,Lima\nEulogio Quispe,Cusco", None),
        ("Zoila Huanca,Lima\nPedro Quispe Soto,Lima\nJuan Perez,Ica", None),
        ("nombre completo,distrito\nZoila Huanca,Lima\nPedro Quispe,Lima", 0),
        ("M,Lima,Loreto\nF,Lima,Cusco\nM,Ica,Loreto", None),
        ("A1,Lima\nA2,Lima", None),
        ("a@b.pe\nd@e.pe", None),
        ("correo\nd@e.pe", 0),
        ("Lima,S/D\nCusco,5\nLima,6\nLima,7", None),
        ("dni,direccion\n45678901,Av. Grau 1, Lima\n45678902,Av. Grau 2, Lima", 0),
        ("quien,lugar\nRosaura Chu,Jr. Puno, Lima\nPaula Chu,Jr. Ica, Lima", 0),
        ("Departamento,2020,2021\nLima,5,6\nCusco,6,7", 0),
        ("Departamento,1,2,3,4,5,6\nLima,5,6,1,1,1,1", 0),
        ("Distrito,1/22/20,1/23/20\nA,1,2\nB,3,4", 0),
        ("PEDRO CASTILLO,ROSA FLORES,distrito\n5,6,A\n7,8,B", 0),
        ("Reporte,,\n,,\nanio,semana,casos\n2020,1,5", 2),
        ("a,b\nx,y\nz,w", 0),
        ("1,2\n3,4", None),
    ],
)
def test_names_stand_above_values_of_another_kind(text: str, expected: int | None) -> None:
    records = [[c.strip() for c in line.split(",")] for line in text.strip().split("\n")]
    widths = Counter(map(len, records))
    width = max(widths, key=lambda w: (widths[w], w))
    assert header.place(records, width) == expected


def test_a_file_without_names_keeps_its_first_row_and_tells_no_value(lake: Settings) -> None:
    draft = draft_of(lake, PEOPLE)
    assert (draft.rows, draft.dialect.header_row) == (3, 0)
    assert "no line looks like names" in draft.questions[0]
    assert not any(value in draft.text for value in ("4567890", "4.56", "Rosaura", "Ana"))
    assert list(loaded(lake, draft)) == ["column 1", "column 2", "column 3"]


def test_names_above_fields_that_lack_quotes_are_not_passed_over(lake: Settings) -> None:
    rows = "".join(f"4567890{n},Av. Grau {n}23, Lima\n" for n in range(9))
    with pytest.raises(TerminalError, match="All 9 lines have another number") as error:
        draft_of(lake, "dni,direccion\n" + rows)
    assert "without quotes" in str(error.value)


def test_names_of_a_workbook(lake: Settings, tmp_path: Path) -> None:
    rows = [["Lima", 5, 6], ["Cusco", 6, 7]]
    years = draft_of(lake, workbook([["Departamento", 2020, 2021], *rows]))
    assert [c.published for c in years.columns] == ["Departamento", "2020", "2021"]
    names = ["Departamento", "Casos", "Muertes"]
    titled = draft_of(lake, workbook([["Ministerio de Salud"], [], names, *rows]))
    assert [c.published for c in titled.columns] == names
    assert (titled.dialect.header_row, titled.rows) == (3, 2)
    bare = draft_of(lake, workbook([*rows, ["Lima", 1, 2]]))
    assert (bare.dialect.header_row, bare.rows) == (0, 3)
