"""What a draft guesses of values: days, numbers, marks of no value, yes and no."""

from __future__ import annotations

import pytest
from draft_lake import column, draft_of, lake, loaded

from yupana.config.settings import Settings
from yupana.data.draft.columns.kinds import YES_NO
from yupana.data.staging.cleaning import NO, YES

__all__ = ["lake"]


def test_an_order_of_day_and_month_is_stated_where_values_prove_it(lake: Settings) -> None:
    day = column(lake, "01/02/2021", "13/02/2021", "05/06/2021")
    assert (day.kind.type, day.kind.dates and day.kind.dates.formats) == ("date", ("d/M/yyyy",))
    assert "proven by 1 values above 12" in day.evidence[0] and not day.questions
    month = column(lake, "01/02/2021", "02/13/2021")
    assert month.kind.dates and month.kind.dates.formats == ("M/d/yyyy",)


def test_an_order_that_nothing_proves_is_asked(lake: Settings) -> None:
    guess = column(lake, "01/02/2021", "03/04/2021")
    assert guess.kind.dates and guess.kind.dates.formats == ("d/M/yyyy",)
    assert guess.questions == (
        "no value is above 12: d/M/yyyy or M/d/yyyy? Ask the publisher",
    )


def test_another_column_of_the_file_proves_the_order(lake: Settings) -> None:
    draft = draft_of(lake, "a;b\n01/02/2021;02/25/2021\n03/04/2021;01/01/2021\n")
    first = draft.columns[0].kind.dates
    assert first and first.formats == ("M/d/yyyy",) and not draft.columns[0].questions


def test_both_orders_are_told_with_their_numbers(lake: Settings) -> None:
    guess = column(lake, "13/02/2021", "14/02/2021", "02/15/2021", "01/02/2021")
    assert guess.kind.dates and guess.kind.dates.formats == ("d/M/yyyy", "M/d/yyyy")
    assert "2 values can only be d/M/yyyy and 1 only M/d/yyyy" in guess.questions[0]


@pytest.mark.parametrize(
    ("values", "type", "formats"),
    [
        (["2021-03-05", "2021-12-31"], "date", ()),
        (["2021-03-05 10:30", "2021-12-31T23:59:00"], "timestamp", ()),
        (["05/03/2021 10:30", "31/12/2021 9:05"], "timestamp", ("d/M/yyyy H:mm",)),
        (["2021-03-05 00:00:00", "2021-12-31 00:00:00"], "date", ("yyyy-M-d H:mm:ss",)),
        (["2021-03-05 00:00:00", "2021-12-31"], "date", ("yyyy-M-d", "yyyy-M-d H:mm:ss")),
        (["2021-03-05 00:00:00", "2021-12-31 00:00:01"], "timestamp", ()),
        (["05/03/2021 0:00", "31/12/2021 00:00"], "date", ("d/M/yyyy H:mm",)),
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
    guess = column(lake, *values)
    dates = guess.kind.dates
    assert (guess.kind.type, dates and dates.formats) == (type, formats)


def test_serial_days_are_told(lake: Settings) -> None:
    serial = column(lake, "44260", "44261", header="fecha_inicio")
    assert "as a spreadsheet counts" in serial.questions[0] and serial.name == "start_date_number"


def test_years_ahead_of_today_are_asked(lake: Settings) -> None:
    past, ahead = (draft_of(lake, f"anio,pob\n{y},5\n2020,6\n") for y in (2024, 2030))
    assert "notAfter" in past.text and "notAfter" not in ahead.text
    assert "a projection?" in ahead.columns[0].questions[0]


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
        (["99999999999999999999", "5"], "string", (".", "")),
        (["1234567890123", "9234567890123"], "string", (".", "")),
        (["007", "010", "120"], "string", (".", "")),
        (["5D", "7F"], "string", (".", "")),
    ],
)
def test_numbers_as_people_write_them(
    lake: Settings, values: list[str], type: str, marks: tuple[str, str]
) -> None:
    guess = column(lake, *values)
    assert (guess.kind.type, (guess.kind.decimal, guess.kind.thousands)) == (type, marks)


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
    assert "quarantineLimit, value: 0.001}  # 1 of 1,001 rows" in draft_of(
        lake, "n;x\n" + "".join(f"{i};{v}\n" for i, v in enumerate([*numbers, "ninguno"]))
    ).text
    many = column(lake, *numbers, *(f"texto {n}" for n in range(50)))
    assert many.kind.type == "string"
    assert column(lake, *numbers, "1.5").kind.type == "number"


def test_yes_and_no_are_read_as_true_and_false(lake: Settings) -> None:
    draft = draft_of(lake, "n;x\n1;SI\n2;NO\n3;SI\n")
    assert loaded(lake, draft)["x"].type == "boolean"
    assert {word for pair in YES_NO for word in pair} <= {*YES, *NO}
    assert draft.columns[1].kind.type == "boolean"
    assert column(lake, "0", "1", "1").kind.type == "integer"
