"""Columns that probably hold personal data: by what they are called, or by what values look like.

Ley 29733 (Peru) protects whatever identifies a person; a suspicion is enough to leave a column
behind, and a person decides. No value is ever told, only shares.
"""

from __future__ import annotations

from typing import NamedTuple

from yupana.data.draft.values import Values

_BY_NAME = (
    ("dni", "an identity number"), ("document number", "an identity number"),
    ("passport", "an identity number"), ("medical record", "a medical record's number"),
    ("first name", "a person's name"), ("last name", "a person's name"),
    ("full name", "a person's name"), ("patient name", "a person's name"),
    ("paternal surname", "a person's name"), ("maternal surname", "a person's name"),
    ("surname", "a person's name"), ("patient", "a person"), ("citizen", "a person"),
    ("customer", "a person"), ("beneficiary", "a person"), ("phone", "a telephone number"),
    ("email", "an e-mail address"), ("address", "an address"), ("birth date", "a birth date"),
)  # fmt: skip
# Words beside which a person's is about something else: how many patients, of which type.
_NOT_A_PERSON = frozenset(
    ("total", "number", "count", "type", "age", "sex", "stage", "quantity", "percent", "mean")
)
# Places and streets bear the names of persons.
_PLACES = frozenset(("department", "province", "district", "locality", "settlement", "facility"))
_EMAIL = r"^[^@\s]+@[^@\s]+\.[A-Za-z]{2,}$"
_MOBILE = r"^(\+?51[ -]?)?9[0-9]{2}[ -]?[0-9]{3}[ -]?[0-9]{3}$"
_DNI = r"^[0-9]{8}$"
_ADDRESS = r"(?i)^(av|avenida|jr|jiron|jirón|calle|ca|psje|pasaje|mz|urb|aa\.? ?hh)[. ]+.*[0-9]"
# Frequent given names and surnames of Peru (RENIEC, 2022).
_NAMES = (
    r"(?i)\b(juan|jos[eé]|luis|carlos|jorge|mar[ií]a|rosa|ana|carmen|julia|miguel|v[ií]ctor|pedro|"
    r"jes[uú]s|manuel|elizabeth|luz|martha|juana|quispe|flores|s[aá]nchez|rodr[ií]guez|garc[ií]a|"
    r"rojas|ramos|huam[aá]n|mamani|vargas|mendoza|chavez|ch[aá]vez|espinoza|condori|fern[aá]ndez|"
    r"l[oó]pez|gonz[aá]les|castillo|torres|d[ií]az|p[eé]rez|guti[eé]rrez|vasquez|v[aá]squez)\b"
)


class Suspicion(NamedTuple):
    """What a column seems to hold of persons, and why."""

    what: str
    evidence: str


def of(values: Values, meant: tuple[str, ...], type: str) -> Suspicion | None:
    """Why a column seems personal; None where nothing says so.

    Args:
        meant: English words of the header.
    """
    text = " ".join(meant)
    if not _NOT_A_PERSON & set(meant) and type not in ("number", "boolean"):
        for words, what in _BY_NAME:
            if f" {words} " in f" {text} " and _fits(what, values, type, meant):
                return Suspicion(what, "by its name")
    return _by_value(values, meant)


def _fits(what: str, values: Values, type: str, meant: tuple[str, ...]) -> bool:
    """Whether the values can be what the name says: few patients of a district are a count."""
    if what == "a person" and type == "integer":
        return "id" in meant or "code" in meant
    if what == "an address" and 3 * len(values.texts) < values.filled:
        # `Dirección Regional de Salud` is an office.
        return False
    return (type in ("date", "timestamp")) == (what == "a birth date") or type == "string"


def _by_value(values: Values, meant: tuple[str, ...]) -> Suspicion | None:
    if values.filled == 0:
        return None
    own = len(values.texts) / values.filled

    def share(pattern: str) -> float:
        return values.matching(pattern).filled / values.filled

    if (found := share(_EMAIL)) > 0.8:
        return Suspicion("an e-mail address", f"{found:.0%} of values look like one")
    if own > 0.5 and len(values.texts) > 4:
        if (found := share(_MOBILE)) > 0.9:
            return Suspicion("a telephone number", f"{found:.0%} of values look like a mobile's")
        day_or_code = {"date", "code", "year", "ubigeo"} & set(meant)
        if not day_or_code and (found := share(_DNI)) > 0.95:
            return Suspicion("an identity number", f"{found:.0%} of values have 8 digits")
        if (found := share(_ADDRESS)) > 0.6:
            return Suspicion("an address", f"{found:.0%} of values begin like one")
    if not _PLACES & set(meant) and (found := _share_of_names(values)) > 0.5:
        return Suspicion("a person's name", f"{found:.0%} of values hold a frequent name")
    return None


def _share_of_names(values: Values) -> float:
    """Of values of two to six words without digits."""
    alike = values.matching(r"^[^0-9]+$")
    alike = alike.where(alike.texts.str.count_matches(r"[\s,]+").is_between(1, 6))
    return alike.matching(_NAMES).filled / values.filled
