"""Made persons, numbers and innocents for texts of Peru; nobody's data, and no list of yupana's.

The names are written here and not read from `yupana/privacy/names`: a test with the detector's own
list would find all of it.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

_GIVEN = """
Nancy Edwin Lisbeth Jhamil Roussel Karina Yaquelin Heber Nimia Delsy Wilber Eufemio Gumercinda
Zulma Diógenes Maribel Yudith Rolando Segundo Doris Yenifer Abner Betsabé Jhonny Erlinda María
José Luis Juana Rosa Luz Carlos Ana Julio Pedro Lucía Jesús Ángela Milagros Víctor Elmer Nilda
Fortunata Gladys Hilario Nicéforo Eleuteria Dámaso Brayan Kiara Ximena Thiago Rodrigo Cecilia
Óscar Mónica Raúl Sonia Teófilo Saúl Noemí Yrma Ysabel Elías Rubén Eloy Grimaldo Clodomira
Herminio Delfina Efraín Porfirio Maura Wálter Haydée Marleny Dina Rosmery Jhosselyn Aníbal Américo
Leoncio Plácida Ubaldina Gregorio Santiago Mercedes Paz Angélica
"""
_SURNAMES = """
Quispe Mamani Huamaní Condori Ccorimanya Challco Sullca Anccasi Tuesta Ñahuincopa Vílchez Yupanqui
Achahui Tinta Huallpatuero Kcana Chirinos Gonzales Ríos Cárdenas Bazalar Cotrado Sihuincha Oyola
Ludeña Ylla Pumasupa Umasi Ttito Sencia Arotinco Quincho Flores Rojas León Campos Cruz Sánchez
García Rodríguez Pérez Ramírez Torres Castro Vásquez Chávez Díaz Espinoza Huertas Ayala Alvarado
Barrientos Carhuas Dávila Escobar Farfán Gutiérrez Huarcaya Inga Jara Llanos Meza Neyra Ormeño
Palomino Quintana Rivas Saavedra Tello Ugarte Villafuerte Zevallos Zúñiga Apaza Calisaya Huanacuni
Paredes Salazar Choque Limachi Ticona Curasi Vilca Machuca Chuquimia Pacsi Laura Reyes Guevara
Bustamante Ancajima Yarlequé Cajusol Santisteban Shupingahua Tapullima
"""
GIVEN, SURNAMES = _GIVEN.split(), _SURNAMES.split()
_STREETS = """Los Geranios|Arequipa|José Olaya|28 de Julio|Túpac Amaru|Las Begonias|San Martín|Grau|
2 de Mayo|Los Álamos|Micaela Bastidas|Ayacucho|Mariscal Cáceres|El Sol|Huáscar|La Marina|Bolognesi|
9 de Diciembre|Manco Cápac|Las Palmeras|Ricardo Palma|Unión|Puno|Víctor Andrés Belaunde|Santa Rosa|
Los Rosales"""
STREETS = _STREETS.replace("\n", "").split("|")


def name(r: Random) -> str:
    first = r.choice(GIVEN)
    if r.random() < 0.3:
        first += " " + r.choice(GIVEN)
    last = r.choice(SURNAMES)
    if r.random() < 0.6:
        last += " " + r.choice(SURNAMES)
    elif r.random() < 0.2:
        last = r.choice(("De la Cruz", "Del Águila", "De la Torre")) + " " + last
    return f"{last}, {first}" if r.random() < 0.06 else f"{first} {last}"


def given(r: Random) -> str:
    return r.choice(GIVEN)


def surname(r: Random) -> str:
    return r.choice(SURNAMES)


def _digits(r: Random, count: int) -> str:
    return "".join(r.choice("0123456789") for _ in range(count))


def dni(r: Random) -> str:
    number = r.choice(("0", "1", "2", "4", "7")) + _digits(r, 7)
    dots = f"{number[:2]}.{number[2:5]}.{number[5:]}"
    shapes = (
        number,
        number,
        number,
        number,
        dots,
        dots.replace(".", " "),
        f"{number}-{r.randint(0, 9)}",
    )
    return r.choice(shapes)


def _checked_ruc(r: Random) -> str:
    body = r.choice(("10", "20", "15", "17")) + _digits(r, 8)
    total = sum(int(d) * w for d, w in zip(body, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2), strict=True))
    return body + str((11 - total % 11) % 10)


def ruc(r: Random) -> str:
    number = _checked_ruc(r)
    return r.choice(
        (number, number, f"{number[:2]}-{number[2:10]}-{number[10]}", f"{number[:2]} {number[2:]}")
    )


def phone(r: Random) -> str:
    n = "9" + _digits(r, 8)
    home = r.choice("234567") + _digits(r, 6)
    code = r.choice(("44", "54", "74", "84", "64", "51"))
    return r.choice(
        (
            n,
            n,
            n,
            f"{n[:3]} {n[3:6]} {n[6:]}",
            f"{n[:3]}-{n[3:6]}-{n[6:]}",
            f"{n[:3]}.{n[3:6]}.{n[6:]}",
            f"+51 {n}",
            f"+51{n}",
            f"51 {n[:3]} {n[3:6]} {n[6:]}",
            f"(+51) {n}",
            f"{n[:3]}/{n[3:6]}/{n[6:]}",
            f"{n[:5]} {n[5:]}",
            f"01-{home}",
            f"(01) {home[:3]}-{home[3:]}",
            f"0{code}-{home[:6]}",
            f"(0{code}) {home[:6]}",
        )
    )


def mail(r: Random) -> str:
    mark, number = r.choice((".", "_", "", "-")), r.choice(("", "7", "1985"))
    user = f"{r.choice(GIVEN)}{mark}{r.choice(SURNAMES)}{number}"
    user = "".join(c for c in user.lower() if c.isascii())
    host = r.choice(("gmail", "hotmail", "yahoo", "outlook"))
    return r.choice(
        (
            f"{user}@{host}.com",
            f"{user}@{host}.com",
            f"{user}@{host}.es",
            f"{user}@munisullana.gob.pe",
            f"{user} arroba {host} punto com",
            f"{user}(at){host}.com",
            f"{user} @ {host}.com",
            f"{user}@{host}",
        )
    )


def plate(r: Random) -> str:
    a, b, c = (r.choice("ABCDEFGHJKLMNPRSTVWXYZ") for _ in range(3))
    d = _digits(r, 3)
    return r.choice(
        (
            f"{a}{b}{c}-{d}",
            f"{a}{r.randint(1, 9)}{c}-{d}",
            f"{a}{r.randint(0, 9)}{c}-{d}",
            f"{_digits(r, 4)}-{r.randint(1, 9)}{a}",
            f"{a}{b}{c}{d}",
            f"{a}{b}{c} {d}",
        )
    )


def bare_plate(r: Random) -> str:
    a, b, c = (r.choice("ABCDFGHJKLMNPRSTVWXYZ") for _ in range(3))
    return r.choice((f"{a}{b}{c}-{_digits(r, 3)}", f"{a}{r.randint(1, 9)}{c}-{_digits(r, 3)}"))


def card(r: Random) -> str:
    body = r.choice(("4", "51", "55")) + _digits(r, 15)
    body = body[:15]
    doubled = [int(d) * (2 if i % 2 == 0 else 1) for i, d in enumerate(body)]
    number = body + str(-sum(d - 9 if d > 9 else d for d in doubled) % 10)
    groups = [number[i : i + 4] for i in range(0, 16, 4)]
    return r.choice((number, " ".join(groups), "-".join(groups)))


def account(r: Random) -> str:
    n = _digits(r, 20)
    return r.choice(
        (
            f"{n[:3]}-{n[3:11]}-{n[11]}-{n[12:14]}",
            n[:14],
            n[:13],
            n,
            f"{n[:3]}-{n[3:6]}-{n[6:18]}-{n[18:]}",
        )
    )


def foreigner(r: Random) -> str:
    return "00" + _digits(r, 7)


def house(r: Random) -> str:
    """Street and number; blocks and plots."""
    street, number = r.choice(STREETS), r.randint(101, 2990)
    way = r.choice(
        ("Av.", "Jr.", "Calle", "Psje.", "Avenida", "Jirón", "Av", "Jr", "Ca.", "Prolongación")
    )
    block = r.choice("ABCDEFGHKLMNP")
    quarter = r.choice(("AA.HH.", "Urb.", "AAHH", "Asoc.", "Urbanización", "Coop."))
    return r.choice(
        (
            f"{way} {street} {number}",
            f"{way} {street} {number}",
            f"{way} {street} N° {number}",
            f"{way} {street} Nro. {number}",
            f"{way} {street} #{number}",
            f"{way} {street} {number}, dpto. {r.randint(101, 909)}",
            f"{quarter} {street} Mz. {block} Lt. {r.randint(1, 40)}",
            f"{quarter} {street} Mz {block} Lote {r.randint(1, 40)}",
            f"Mz. {block} Lt. {r.randint(1, 40)}",
            f"{quarter} {street} manzana {block} lote {r.randint(1, 40)}",
        )
    )


PERSONAL: dict[str, Callable[[Random], str]] = {
    "NOMBRE": name,
    "NOMBRE:given": given,
    "NOMBRE:surname": surname,
    "DNI": dni,
    "RUC": ruc,
    "TELÉFONO": phone,
    "CORREO": mail,
    "PLACA": plate,
    "PLACA:bare": bare_plate,
    "TARJETA": card,
    "CUENTA": account,
    "CE": foreigner,
    "DIRECCIÓN": house,
}


def amount(r: Random) -> str:
    n = r.randint(10, 99999999)
    return r.choice(
        (
            f"S/ {n:,}",
            f"S/. {n % 9000}.{r.randint(10, 99)}",
            f"{n} soles",
            f"US$ {n:,}.00",
            f"{n % 5000} soles",
            f"$ {n}",
            f"{n % 90}.{r.randint(100, 999)}.{r.randint(100, 999)} soles",
        )
    )


def date(r: Random) -> str:
    d, m, y = r.randint(1, 28), r.randint(1, 12), r.randint(1990, 2025)
    return r.choice(
        (
            f"{d:02}/{m:02}/{y}",
            f"{d} de julio de {y}",
            f"{y}{m:02}{d:02}",
            f"{d:02}-{m:02}-{y}",
            f"{y}-{m:02}-{d:02}",
            f"{d}.{m}.{y}",
            f"{d:02}{m:02}{y}",
            f"{d}/{m}/{y} 10:30",
        )
    )


def case(r: Random) -> str:
    n = _digits(r, 8)
    return r.choice(
        (
            f"expediente N° {n}",
            f"expediente {n}-2023",
            f"exp. 0{n[:4]}-2021-0-1801-JR-CI-03",
            f"Oficio N° {n[:3]}-2022-MINSA",
            f"trámite {n}",
            f"reclamo nro {n}",
            f"hoja de ruta {n}",
            f"suministro {n}",
            f"ticket #{n}",
            f"carta N° {n[:4]}-2024-GM",
        )
    )


def law(r: Random) -> str:
    return r.choice(
        (
            "Ley 27444",
            "Ley N° 29733",
            "artículo 115",
            "D.S. 004-2019-JUS",
            "Ordenanza 2345-MML",
            "Decreto Legislativo 1353",
            "art. 3 inc. 2",
            "Resolución 123-2020-SUNAT",
            "R.M. 045-2021-MINSA",
        )
    )


def line(r: Random) -> str:
    return r.choice(
        (
            "línea 1",
            "la línea IO-45",
            "el corredor 301",
            "la ruta 8205",
            "la línea 73",
            "el bus 1507",
            "la línea OM-16",
            "el 209",
        )
    )


def office(r: Random) -> str:
    return r.choice(
        (
            "el presidente Castillo",
            "el hospital Cayetano Heredia",
            "la avenida Javier Prado",
            "el alcalde Muñoz",
            "el colegio José Gálvez",
            "la ministra Vásquez",
            "San Juan de Lurigancho",
            "Jesús María",
            "el parque Miguel Grau",
            "la I.E. Micaela Bastidas",
            "la posta Santa Rosa",
            "el mercado Tres de Mayo",
            "Villa María del Triunfo",
            "el congresista Flores",
            "la plaza Túpac Amaru",
            "el señor alcalde",
            "la Virgen del Carmen",
        )
    )


def count(r: Random) -> str:
    return r.choice(
        (
            f"{r.randint(2, 9)} meses",
            "el código postal 15046",
            "33 500 000 habitantes",
            "12 345 678 personas",
            "la campaña de 2021",
            "20 cuadras",
            "el km 34.5",
            "la cuadra 12",
            "la semana 24",
            "ubigeo 150101",
            "las 10:45 am",
            "los 120 m2",
            "COVID-19",
            "el 50%",
            "1234567 votos",
            "mesa de partes",
            "la Mz. C",
        )
    )


INNOCENT: dict[str, Callable[[Random], str]] = {
    "amount": amount,
    "date": date,
    "case": case,
    "law": law,
    "line": line,
    "office": office,
    "count": count,
}
