"""Columns that probably hold personal data: by what they are called, or by what values look like.

Ley 29733 (Peru) protects whatever identifies a person; a suspicion is enough to leave a column
behind, and a person decides. No value is ever told, only shares.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from yupana.data.draft.columns.values import Values
from yupana.data.national import columns

_BY_NAME = (
    ("dni", "an identity number"), ("document number", "an identity number"),
    ("identity card", "an identity number"), ("passport", "an identity number"),
    ("foreigner card", "an identity number"), ("driving licence", "an identity number"),
    ("bank account", "a bank account"), ("interbank account", "a bank account"),
    ("account number", "a bank account"), ("iban", "a bank account"),
    ("bank card", "a bank card"), ("card number", "a bank card"),
    ("vehicle plate", "a vehicle's plate"), ("ip", "a device's address"),
    ("mac address", "a device's address"), ("imei", "a device's number"),
    ("insured code", "an insured person's code"), ("code insured", "an insured person's code"),
    ("insured number", "an insured person's code"), ("number insured", "an insured person's code"),
    ("insured id", "an insured person's code"), ("id insured", "an insured person's code"),
    ("medical record", "a medical record's number"), ("first name", "a person's name"),
    ("last name", "a person's name"), ("full name", "a person's name"),
    ("patient name", "a person's name"),
    ("paternal surname", "a person's name"), ("maternal surname", "a person's name"),
    ("surname", "a person's name"), ("patient", "a person"), ("citizen", "a person"),
    ("customer", "a person"), ("beneficiary", "a person"), ("phone", "a telephone number"),
    ("email", "an e-mail address"), ("address", "an address"), ("birth date", "a birth date"),
)  # fmt: skip
# Words beside which a person's is about something else: how many patients, of which type.
_NOT_A_PERSON = frozenset(
    ("total", "number", "count", "type", "age", "sex", "stage", "quantity", "percent", "mean")
)
# What a number may stand for: `nro_telefono` is one, a count of telephones is not.
_NUMBERED = frozenset(("an identity number", "a medical record's number", "a bank account",
                       "a bank card", "a telephone number", "a device's number",
                       "a device's address", "a vehicle's plate",
                       "an insured person's code"))  # fmt: skip
# A place on the map that is a person's: `lat_domicilio`.
_COORDINATES = frozenset(("latitude", "longitude"))
_OF_A_PERSON = frozenset(
    ("home", "dwelling", "residence", "patient", "citizen", "customer", "beneficiary", "insured")
)  # fmt: skip
# What somebody writes freely, of whom it may be.
_FREE_TEXT = frozenset(("remark", "remarks", "note", "notes", "comment", "comments", "text"))
_SENTENCE_WORDS, _SENTENCE_LENGTH = 4, 25
_SHORT = r"^[0-9]{1,4}([.,][0-9]*)?$"
# Places and streets bear the names of persons.
_PLACES = columns.PLACES | {"locality", "settlement", "facility"}
_EMAIL = r"^[^@\s]+@[^@\s]+\.[A-Za-z]{2,}$"
_MOBILE = r"^(\+?51[ -]?)?9[0-9]{2}[ -]?[0-9]{3}[ -]?[0-9]{3}([.,]0+)?$"
# A spreadsheet writes it as a number too.
_DNI = r"^[0-9]{8}([.,]0+)?$|^[0-9][.,][0-9]{1,7}[eE]\+?0?7$"
# A taxpayer's number that is made of a person's own (SUNAT).
_RUC = r"^10[0-9]{9}$"
_IP = r"^([0-9]{1,3}[.]){3}[0-9]{1,3}$"
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


def of(values: Values, terms: tuple[str, ...], type: str) -> Suspicion | None:
    """Why a column seems personal; None where nothing says so.

    Args:
        terms: English words of the header.
    """
    text = " ".join(terms)
    if _COORDINATES & set(terms) and _OF_A_PERSON & set(terms):
        return Suspicion("where a person lives", "by its name")
    for words, what in _BY_NAME:
        if f" {words} " in f" {text} " and _fits(what, values, type, terms):
            return Suspicion(what, "by its name")
    return _by_value(values, terms, type)


def _fits(what: str, values: Values, type: str, terms: tuple[str, ...]) -> bool:
    """Whether the values can be what the name says: few patients of a place are a count."""
    numbered = what in _NUMBERED
    if type == "boolean" or (_NOT_A_PERSON - ({"number"} if numbered else set())) & set(terms):
        return False
    if numbered:
        short = values.matching(_SHORT).filled
        return what == "a medical record's number" or 2 * short < max(values.filled, 1)
    if type == "number":
        return False
    if what == "a person" and type == "integer":
        return "id" in terms or "code" in terms
    if what == "an address" and 3 * len(values.texts) < values.filled:
        # `Dirección Regional de Salud` is an office.
        return False
    return (type in ("date", "timestamp")) == (what == "a birth date") or type == "string"


def _by_value(values: Values, terms: tuple[str, ...], type: str) -> Suspicion | None:
    if values.filled == 0:
        return None
    own = len(values.texts) / values.filled

    def share(pattern: str) -> float:
        return values.matching(pattern).filled / values.filled

    if (part := share(_EMAIL)) > 0.8:
        return Suspicion("an e-mail address", f"{part:.0%} of values look like one")
    if (part := share(_IP)) > 0.9:
        return Suspicion("a device's address", f"{part:.0%} of values look like one")
    if own > 0.5:
        # Where there are few, none may look otherwise.
        few = len(values.texts) < 5
        if (part := share(_MOBILE)) > (0.99 if few else 0.9):
            return Suspicion("a telephone number", f"{part:.0%} of values look like a mobile's")
        words = columns.CODE_WORDS | {"date", "code", "year"}
        no_person = words & set(terms) or type in ("date", "timestamp")
        if not no_person and (part := share(_DNI)) > (0.99 if few else 0.95):
            return Suspicion("an identity number", f"{part:.0%} of values have 8 digits")
        if (part := share(_RUC)) > 0.5:
            return Suspicion("an identity number", f"{part:.0%} of values hold one, as RUC do")
        if (part := share(_ADDRESS)) > (0.99 if few else 0.6):
            return Suspicion("an address", f"{part:.0%} of values begin like one")
    if _FREE_TEXT & set(terms) and (part := share(_NAMES)) > 0.1:
        return Suspicion("free text about persons", f"{part:.0%} of values hold a frequent name")
    if not _PLACES & set(terms) and (part := _share_of_names(values)) > 0.5:
        return Suspicion("a person's name", f"{part:.0%} of values hold a frequent name")
    return None


def may_tell(texts: Iterable[str], terms: tuple[str, ...]) -> str | None:
    """Why the values of a column are told nowhere; None where nothing speaks against it.

    Args:
        terms: English words of the header.
    """
    if _FREE_TEXT & set(terms):
        return "they are free text, which may tell of persons"
    for text in texts:
        if re.search(_NAMES, text):
            return "one may be a person's name"
        if len(text) >= _SENTENCE_LENGTH and len(text.split()) >= _SENTENCE_WORDS:
            return "they are sentences, which may tell of persons"
    return None


def is_name(text: str) -> bool:
    """Whether a text is a person's name by a frequent one in it, alone or among a few words."""
    match = re.search(_NAMES, text)
    return match is not None and (match[0] == text or 0 < len(re.findall(r"[\s,]+", text)) < 7)


def _share_of_names(values: Values) -> float:
    """Of values of two to six words without digits."""
    alike = values.matching(r"^[^0-9]+$")
    alike = alike.where(alike.texts.str.count_matches(r"[\s,]+").is_between(1, 6))
    return alike.matching(_NAMES).filled / values.filled
