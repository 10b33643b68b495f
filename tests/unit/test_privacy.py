"""Personal data in free text: forms that are found, innocents that stay, how much is found."""

from __future__ import annotations

import time

import pytest

from tests.made_texts import HELD_BACK, SEEN, Score, made_texts, written_texts
from yupana.privacy.detect import detect
from yupana.privacy.kinds import Kind
from yupana.privacy.mask import mask

FORMATS = ("DNI", "RUC", "TELÉFONO", "CORREO", "PLACA", "TARJETA", "DIRECCIÓN", "CUENTA", "CE")


@pytest.mark.parametrize("seed", [2, 3])
@pytest.mark.parametrize("half", ["seen", "held back"])
def test_of_made_texts_nearly_all_is_found_and_little_else(half: str, seed: int) -> None:
    score = Score(made_texts(seed, 600, SEEN if half == "seen" else HELD_BACK))
    report = f"{score.table()}\n" + "\n".join([*score.lost[:20], "-- wrong", *score.wrong[:20]])
    assert all(score.recall(kind) >= 0.98 for kind in FORMATS), report
    assert score.recall("NOMBRE") >= 0.85, report
    assert score.precision >= 0.90, report


def test_of_written_texts_nearly_all_is_found_and_little_else() -> None:
    score = Score(written_texts())
    report = f"{score.table()}\n" + "\n".join([*score.lost, "-- wrong", *score.wrong])
    formats = [kind for kind in score.planted if kind != "NOMBRE"]
    assert all(score.found[kind] == score.planted[kind] for kind in formats), report
    assert score.recall("NOMBRE") >= 0.85 and score.precision >= 0.90, report


@pytest.mark.parametrize(
    ("words", "masked"),
    [
        ("mi dni es 1234567-8", "mi dni es [DNI]"),
        ("DNI N.° 12 345 678", "DNI N.° [DNI]"),
        ("12345678 es mi DNI", "[DNI] es mi DNI"),
        ("RUC 20131312955", "RUC [RUC]"),
        ("la empresa 20131312955 cobra", "la empresa [RUC] cobra"),
        ("el ruc 20111111111 no existe", "el ruc [RUC] no existe"),
        ("cel987654321 o 987/654/321", "cel[TELÉFONO] o [TELÉFONO]"),
        ("+51 9 8765 4321", "[TELÉFONO]"),
        ("central (01) 456-7890", "central [TELÉFONO]"),
        ("llame al nueve ocho siete seis cinco cuatro tres dos uno", "llame al [TELÉFONO]"),
        ("juan punto perez arroba gmail punto com.", "[CORREO]."),
        ("escriba a ana (at) muni.gob.pe hoy", "escriba a [CORREO] hoy"),
        ("placas ABC-123, A1B-234 y moto 1234-5A", "placas [PLACA], [PLACA] y moto [PLACA]"),
        ("visa 4111-1111-1111-1111", "visa [TARJETA]"),
        ("Mz. K Lt. 12, A.H. Los Rosales", "[DIRECCIÓN], A.H. Los Rosales"),
        ("vivo en Los Geranios 345", "vivo en [DIRECCIÓN]"),
        ("av. 28 de julio 1234, dpto. 301, Lince", "[DIRECCIÓN], Lince"),
        ("ＤＮＩ １２３４５６７８", "ＤＮＩ [DNI]"),
        ("DNI\u00a012\u200b345678", "DNI\u00a0[DNI]"),
        ("soy maria quispe mamani", "soy [NOMBRE]"),
        ("SOY MARÍA QUISPE MAMANI", "SOY [NOMBRE]"),
        ("Sra. Mari\u0301a Luz de la Cruz", "Sra. [NOMBRE]"),
        ("Atentamente,\nQUISPE MAMANI, JUAN", "Atentamente,\n[NOMBRE]"),
        ("pasaporte AB123456", "pasaporte [PASAPORTE]"),
        ("CE: 001234567", "CE: [CE]"),
    ],
)
def test_each_form_becomes_the_word_of_its_kind(words: str, masked: str) -> None:
    assert mask(words).text == masked


@pytest.mark.parametrize(
    "words",
    [
        "pagué S/ 12345678 y 12345678 soles, US$ 12,345,678.00",
        "expediente N° 12345678, exp. 01234-2021-0-1801-JR-CI-03, ticket 12345678",
        "Ley 29733, D.S. 016-2024-JUS, art. 115, Decreto Legislativo 1353",
        "el 20210105, el 05012021 y del 2022-01-08 al 9/12/2021 10:30",
        "somos 33 500 000 habitantes en 25 regiones",
        "la línea IO-45, el corredor 301, la ruta 8205 y el bus 1507",
        "el presidente Castillo, el alcalde Juan Pérez y la ministra Rosa Vásquez",
        "hospital Cayetano Heredia, avenida Javier Prado cuadra 12, I.E. José Olaya",
        "Santa Rosa, San Martín de Porres, Jesús María y Villa María del Triunfo",
        "la paz, la cruz, las flores, los reyes y la luz de la calle",
        "código postal 15046, km 34.5, 120 m2, COVID-19, ISO-900",
        "el Señor de los Milagros y la Virgen del Carmen",
    ],
)
def test_innocents_stay(words: str) -> None:
    assert mask(words).text == words


def test_spans_are_sorted_apart_and_of_the_original_text() -> None:
    words = "Soy Jose\u0301 Quispe, dni 12\u200b345678, cel 987 654 321"
    spans = detect(words)
    assert [s.kind for s in spans] == [Kind.NAME, Kind.DNI, Kind.PHONE]
    assert [words[s.start : s.end] for s in spans] == [
        "Jose\u0301 Quispe", "12\u200b345678", "987 654 321",
    ]  # fmt: skip


def test_counts_tell_how_often_each_kind_stood() -> None:
    masked = mask("DNI 12345678 y DNI 87654321, cel 987654321")
    assert masked.counts == {Kind.DNI: 2, Kind.PHONE: 1}


def test_a_word_that_somebody_typed_in_brackets_counts_as_nothing() -> None:
    assert mask("[DNI] y [Nombre]").counts == {}


HOSTILE = (
    "1 ", "9 ", "1-", "12345678 ", "a.", "a@", "a@a.", "av. a ", "juan, ", "soy juan de la ",
    "mz a lt ", "cuenta de ", "expediente de de de de 12345678 ", "4111 1111 1111 1111 ", "a\u0301",
    "abc-123 ", "jr 1 1 1 1 1 1 ", "(01) ", "nueve ",
)  # fmt: skip


@pytest.mark.parametrize("unit", HOSTILE)
def test_a_long_text_that_means_harm_takes_no_longer_than_another(unit: str) -> None:
    """A pattern that runs away takes hours for it, where it should take seconds of the processor at
    most, however busy the machine is."""
    length = 250_000
    text = (unit * (length // len(unit) + 1))[:length]
    begin = time.process_time()
    detect(text)
    assert time.process_time() - begin < 60
