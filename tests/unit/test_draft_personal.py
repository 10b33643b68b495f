"""What a draft takes for personal, and that it tells no value of it."""

from __future__ import annotations

import pytest
from command import yupana
from draft_lake import column, draft_of, lake, loaded

from yupana.config.settings import Settings

__all__ = ["lake"]


def test_personal_columns_are_dropped_and_no_value_is_told(lake: Settings) -> None:
    names = ["QUISPE MAMANI JUAN", "FLORES RAMOS ANA", "ROJAS DIAZ LUIS", "SOTO VEGA JORGE",
             "RAMOS RAMOS ROSA", "TORRES RUIZ MIGUEL"]  # fmt: skip
    header = "DNI;quien;contacto;mail;Fec_Nac;direccion;casos;distrito\n"
    lines = [
        f"{40112233 + n};{who};98765432{n};p{n}@correo.pe;1{n}/05/1980;Av. Grau {n}1;{n};IQUITOS"
        for n, who in enumerate(names)
    ]
    draft = draft_of(lake, header + "\n".join(lines) + "\n")
    personal = {c.published: c.personal is not None for c in draft.columns}
    assert personal == {
        "DNI": True, "quien": True, "contacto": True, "mail": True, "Fec_Nac": True,
        "direccion": True, "casos": False, "distrito": False,
    }  # fmt: skip
    for secret in ("40112233", "QUISPE", "987654320", "p0@", "10/05/1980", "Grau"):
        assert secret not in draft.text
    columns = [c for c in loaded(lake, draft).values() if c.treatment == "none"]
    assert [c.published for c in columns] == ["casos", "distrito"]
    assert yupana(lake, "contract", "draft", str(lake.root / "casos.csv"), "--name", "x").code == 0


@pytest.mark.parametrize(
    ("header", "values"),
    [
        ("DNI_2", "45678901.0 45678908.0 7654321.0 45678915.0"),
        ("nro_documento", "4.5678901E7 4.5678902E7 4.56789E7 4.5678904E7"),
        ("quien", "45678901.0 45678908.0"),
        ("quien", "4.5678901E7 4.5678902E7 4.56789E7"),
        ("nro_telefono", "14567890 14567891 14567892"),
        ("Pasaporte", "PE0456700 PE1456711"),
        ("Cuenta bancaria", "0011-0023-45678 0011-0123-45678"),
        ("placa", "AXY-120 AXY-121"),
        ("ip", "190.12.1.0 190.12.1.1"),
        ("origen", "190.12.1.0 190.12.1.1"),
        ("Número de Documento", "AB12 AB13"),
        ("RUC", "10456789012 10456789023 20456789012"),
    ],
)
def test_what_names_a_person_is_seen_in_few_rows_and_as_a_number(
    lake: Settings, header: str, values: str
) -> None:
    guess = column(lake, *values.split(), header=header)
    assert guess.personal and not guess.codes
    # Nor is its range told, or how large it is.
    digits = {v[:4] for v in values.split()}
    assert not any(d in text for text in (*guess.evidence, *guess.questions) for d in digits)


@pytest.mark.parametrize(
    ("header", "values"),
    [
        ("nro_telefono", "1 2 3 2"),
        ("tipo_documento", "DNI CE"),
        ("direccion_viento", "120.5 90.0"),
        ("fecha", "20210305 20211231 20211230"),
        ("pacientes", "10.5 12.5"),
    ],
)
def test_what_counts_or_measures_is_no_person(lake: Settings, header: str, values: str) -> None:
    assert column(lake, *values.split(), header=header).personal is None


def test_few_names_of_persons_are_no_codes(lake: Settings) -> None:
    guess = column(lake, *["FLORES RAMOS ANA", "ROJAS DIAZ LUIS"] * 20, header="encargado")
    assert guess.personal and not guess.codes


@pytest.mark.parametrize("header", ["pacientes", "nombre_distrito", "total_clientes"])
def test_what_only_sounds_personal_is_not(lake: Settings, header: str) -> None:
    assert column(lake, "12", "7", "30", header=header).personal is None


@pytest.mark.parametrize(
    ("header", "values"),
    [
        ("ape_pat", "Chuquimia Yupanqui Colque"), ("ape_mat", "Chuquimia Yupanqui Colque"),
        ("ApeMat", "Chuquimia Yupanqui"), ("f_nacim", "1980-05-10 1981-06-11"),
        ("hc", "12345 12346"), ("nro_hc", "1 2"), ("cod_asegurado", "150423001 150423002"),
        ("lat_domicilio", "-3.74912 -3.75001"), ("lon_domicilio", "-73.25384 -73.25001"),
    ],
)  # fmt: skip
def test_what_is_personal_by_a_short_name(lake: Settings, header: str, values: str) -> None:
    assert column(lake, *values.split(), header=header).personal


@pytest.mark.parametrize(
    ("header", "values"), [("latitud", "-3.74912 -3.75001"), ("asegurados", "12 15 18"),
                           ("asegurado", "SI NO SI"), ("lat_eess", "-3.7 -3.8")]
)  # fmt: skip
def test_what_is_of_no_person(lake: Settings, header: str, values: str) -> None:
    assert not column(lake, *values.split(), header=header).personal


@pytest.mark.parametrize(
    ("header", "values", "is_personal"),
    [
        ("observaciones", ["Paciente Ana Rojas, control 2", "Paciente Yesenia Colque, 1"], True),
        ("nota", ["Visto por Yesenia", "Sin novedad"], False),
        ("estado", ["Lo pidio Yesenia Colque el lunes", "Cerrado"], False),
        ("equipo", ["Ana Rojas 1", "Equipo B", "Equipo C"], False),
    ],
)
def test_no_value_of_free_text_is_listed(
    lake: Settings, header: str, values: list[str], is_personal: bool
) -> None:
    guess = column(lake, *(values * 6), header=header)
    assert bool(guess.personal) == is_personal and not guess.codes
    assert is_personal or any("values are not listed" in q for q in guess.questions)
    draft = draft_of(lake, f"{header};n\n" + "".join(f"{v};1\n" for v in values * 6))
    assert not any(value in draft.text for value in values)


def test_short_codes_are_listed(lake: Settings) -> None:
    assert column(lake, *["Confirmado", "En proceso", "Descartado"] * 5, header="estado").codes
