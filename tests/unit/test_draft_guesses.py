"""What a draft guesses of columns: codes, units, names, and which make a key."""

from __future__ import annotations

import pytest
from draft_lake import column, draft_of, lake, loaded

from yupana.config.settings import Settings

__all__ = ["lake"]


def test_district_codes_are_told_by_the_list_and_get_their_zeros_back(lake: Settings) -> None:
    draft = draft_of(lake, "cod_ubigeo,casos\n10101,4\n160101,5\n150101,6\n")
    code = loaded(lake, draft)["cod_ubigeo"]
    assert (code.name, code.type, code.pad) == ("ubigeo", "string", 6)
    assert code.relation == "ubigeo.ubigeo"
    other = draft_of(lake, "ubigeo,casos\n999999,4\n999998,5\n")
    assert other.columns[0].listed is None


def test_signs_of_two_units_are_told(lake: Settings) -> None:
    both = column(lake, "S/ 5", "US$ 7", "S/ 6", "US$ 9")
    assert both.kind.type == "string" and both.kind.unit == ""
    assert "which of USD, ARS" in column(lake, "$ 5", "$ 7").questions[0]
    assert "what stands beside" in column(lake, "5 °C", "7 °C").questions[0]


@pytest.mark.parametrize(
    ("header", "unit"),
    [
        ("precio € por kg", "EUR"), ("montoUSD", "USD"), ("costo en dólares", "USD"),
        ("precio S/", "PEN"), ("precio", "PEN"), ("precio $", None), ("costo pesos", None),
        ("CASOS/MES", "cases"),
    ],
)  # fmt: skip
def test_money_is_what_the_header_names(lake: Settings, header: str, unit: str | None) -> None:
    guess = column(lake, "12.5", "3.2", header=header)
    assert (guess.unit and guess.unit.unit) == unit


@pytest.mark.parametrize("header", ["null", "on", "off", "yes", "no", "n", "true"])
def test_names_that_yaml_takes_for_something_else_are_quoted(lake: Settings, header: str) -> None:
    draft = draft_of(lake, f"id;{header}\nA;1.5\nB;2.5\n")
    assert f'name: "{draft.columns[1].name}"' in draft.text
    assert loaded(lake, draft)[header].name == draft.columns[1].name


def test_the_key_is_the_smallest_set_that_no_two_rows_share(lake: Settings) -> None:
    lines = [f"{y},{w},{d},{(y + w) % 3}" for y in (2020, 2021) for w in (1, 2) for d in ("A", "B")]
    draft = draft_of(lake, "anio,semana,distrito,casos\n" + "\n".join(lines) + "\n")
    assert draft.key == ("year", "week", "district")
    assert loaded(lake, draft)["semana"].name == "week"
    twice = draft_of(lake, "anio,semana,distrito,casos\n" + "\n".join([*lines, lines[0]]) + "\n")
    assert twice.key == () and "No columns make a key" in twice.text


def test_a_double_far_down_makes_a_column_no_key(lake: Settings) -> None:
    lines = [f"A{n},{n % 7}" for n in range(9000)]
    assert draft_of(lake, "\n".join(["codigo,casos", *lines])).key == ("code",)
    pairs = [f"A{n},{n % 2}" for n in range(4500)] + [f"A{n},{(n + 1) % 2}" for n in range(4500)]
    assert set(draft_of(lake, "\n".join(["codigo,nro", *pairs])).key) == {"code", "number"}
    assert draft_of(lake, "\n".join(["codigo,nro", *pairs, "A7,5", "A0,0"])).key == ()
    assert draft_of(lake, "\n".join(["codigo,casos", *lines, "A8999,1"])).key == ()


def test_days_written_in_two_ways_are_one_day_to_the_key(lake: Settings) -> None:
    draft = draft_of(lake, "fecha;zona\n13/01/2021;A\n2021-1-13;A\n14/01/2021;B\n")
    assert draft.key == ()


def test_units_by_header_by_sign_and_by_other_columns(lake: Settings) -> None:
    names = ("Lluvia (mm)", "Humedad %", "TMAX", "casos", "predicted_casos", "edad", "tipo_edad",
             "pct_x", "pct_x_inf", "pct_x_sup")  # fmt: skip
    rows = ("1.5,80,301.5,4,5,30,A,5.5,4.5,6.5", "2.5,81,299.5,5,4,7,M,6.5,5.5,7.5")
    text = "\n".join([",".join(names), *rows])
    units = [c.unit.unit if c.unit else None for c in draft_of(lake, text).columns]
    assert units == ["mm", "%", "K", "cases", "cases", "as age_unit says", None, "%", "%", "%"]


def test_a_unit_that_the_values_contradict_is_not_guessed(lake: Settings) -> None:
    text = "pct_x,pct_y,y_inf,y_sup\n5,10,1,20\n150,30,2,9\n"
    assert [c.unit for c in draft_of(lake, text).columns if c.published != "pct_y"] == [None] * 3
