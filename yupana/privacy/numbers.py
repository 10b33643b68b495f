"""Personal data that has a format: documents, telephones, mail, plates, cards, accounts.

Each pattern is compiled once and matches in a time that grows with the text alone: repetitions are
bounded, and no two neighbours can match the same character.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from stdnum import luhn
from stdnum.pe import ruc

from yupana.privacy.context import is_amount, is_case_number, is_date
from yupana.privacy.kinds import Kind, wordset

Found = tuple[int, int]
Find = Callable[[str], Iterator[Found]]
# What may stand between a word and its number.
_N = (
    r"(?:[\s:;.,#()=*\"'-]|n(?:°|[o°]\b|o?\.|o°)|(?:nro|num|numero|es|el|de|mi|con|sin)\b){0,8}"
)
_ANY = r"[ .\-/]{0,2}"
_DIGIT_WORD = r"(?:cero|uno|una|dos|tres|cuatro|cinco|seis|siete|ocho|nueve)"
_LINE = (
    r"(?:telefonos?|telf?s?|tlfs?|fonos?|fijo|celular(?:es)?|celus?|cels?|movil|whats?app|wsp|"
    r"wasap|"
    r"whatsap|wpp?|yape|plin|llam(?:ar|en|e|ame|enme|eme|arme)(?: al?)?|comunicarse al|contacto|"
    rf"mi n(?:umero|ro)|rpm|rpc){_N}(?:al? )?"
)

DNI_SAID = re.compile(
    rf"(?:\bd\.? ?n\.? ?i\b\.?|\bdni|\bdocumento (?:nacional )?(?:de )?identidad|"
    rf"\bdoc\.? ?(?:de )?identidad|\bidentificad[oa] con|\blibreta electoral){_N}"
    rf"(?P<it>\d(?:[ .\-]{{0,2}}\d){{6,8}}(?:-[a-k]\b)?)(?!\d)"
)
DNI_AFTER = re.compile(
    r"(?<![\d/])(?P<it>\d(?:[ .]?\d){7}(?:-[\da-k])?)(?=[ (]{1,2}(?:(?:es|como|mi|su|el|"
    r"de)\s){0,3}"
    r"(?:d\.?n\.?i\b|documento de identidad)(?!\W{0,5}\d))"
)
DNI_BARE = re.compile(
    r"(?<![\w/$])(?<!\d[.,\-])(?:(?P<it>\d{8}(?:-[\da-k](?!\w))?)|(?P<two>\d{2}([ .])\d{3}\3\d{3}))"
    r"(?![\w/@])(?![.,\-]\d)"
)
_FOREIGN = r"(?:carnet? (?:de )?ex?\w{6,12}|c\.? ?e\b\.?|cedula(?: de identidad)?|ptp|cpp)"
FOREIGNER = re.compile(rf"\b{_FOREIGN}{_N}(?P<it>\d(?:[ .\-]?\d){{7,11}})(?!\d)")
FOREIGNER_AFTER = re.compile(
    rf"(?<![\d/])(?P<it>\d(?:[ .\-]?\d){{7,11}})(?=[ (]{{1,2}}(?:(?:es|como|mi|su|el|"
    rf"de)\s){{0,3}}{_FOREIGN}\b(?!\W{{0,5}}\d))"
)
PASSPORT = re.compile(
    rf"\bpasaportes?(?: (?:peruano|venezolano|colombiano|boliviano|extranjero))?{_N}"
    r"(?P<it>[a-z]{0,3}[ \-]?\d{6,9})(?!\d)"
)
RUC_SAID = re.compile(
    rf"\br\.?u\.?c\b\.?{_N}(?P<it>\d(?:[ .\-]?\d){{9,11}})(?!\d)|\bruc(?P<j>\d{{11}})"
)
RUC_BARE = re.compile(r"(?<![\d.,])(?P<it>(?:1[0567]|20)(?:[ .\-]?\d){9})(?!\d)")
ACCOUNT_SAID = re.compile(
    r"\b(?:cuentas?|ctas?|cci|ahorros?|interbancari[oa]|deposit\w{1,5}|transf\w{1,12})\b"
    r"(?:[\s:;.,#()\"'-]|(?:cuenta|cta|cci|de|del|n[°o]{1,2}|nro|numero|ahorros?|corriente|sueldo|"
    r"soles|"
    r"dolares|bcp|bbva|interbank|scotiabank|banbif|pichincha|continental|banco|la|nacion|caja|es|"
    r"mi|"
    r"su|en|el|a|al|interbancari[oa]|codigo|credito)\b){0,16}"
    r"(?P<it>\d(?:[ .\-]{0,2}\d){9,19})(?!\d)"
)
ACCOUNT_BARE = re.compile(
    r"(?<!\d)(?P<it>\d{3}[ -]\d{3}[ -]\d{12}[ -]\d{2}|\d{20}|\d{3}-\d{7,8}-\d-\d{2})(?!\d)"
)
ACCOUNT_AFTER = re.compile(
    r"(?<![\d/])(?P<it>\d(?:[ .\-]?\d){9,19})(?= (?:del? |en )?(?:el )?"
    r"(?:banco|bcp|bbva|interbank|scotiabank|banbif|caja)\b)"
)
CARD_SAID = re.compile(
    r"\b(?:tarjetas?|visa|mastercard|amex|american express|diners)\b[^\d\n]{0,40}?"
    r"(?P<it>\d(?:[ .\-]{0,2}\d){12,18})(?!\d)"
)
CARD_BARE = re.compile(r"(?<!\d)(?P<it>\d(?:[ .\-]?\d){12,18})(?!\d)")
_YEARS = re.compile(r"(?:19|20)\d\d(?:19|20)\d\d")
PHONE_SAID = re.compile(rf"\b{_LINE}(?P<it>\+?\(?\d(?:[ .\-/()]{{0,2}}\d){{5,12}})(?!\d)")
MOBILE = re.compile(
    rf"(?<!\d)(?P<it>(?:(?:\+|00)? ?\(?51\)?{_ANY})?9(?:{_ANY}\d){{8}})(?!\d)(?!-(?:19|20)\d\d)"
)
LANDLINE = re.compile(
    r"(?<![\d\-/.])(?P<it>(?:(?:\+|00)51[ \-]?\(?0?1\)?|\(0?1\)|01)[ .\-/]{0,2}\d{3}[ .\-]?\d{4}"
    r"|\(?0(?:4[1-4]|5[1-46]|6[1-7]|7[2-46]|8[2-4])\)?[ .\-/]{0,2}\d{2,3}[ .\-]?\d{2}[ "
    r".\-]?\d{1,2})"
    r"(?!\d)(?!-\w)"
)
PHONE_WORDS = re.compile(rf"\b{_DIGIT_WORD}(?:[ ,.\-]{{1,3}}{_DIGIT_WORD}){{6,11}}\b")
PLATE_SAID = re.compile(
    r"\b(?:placas?|rodaje|matricula|vehiculo|auto|carro|camioneta|moto\w{0,8}|taxi|combi|custer|"
    rf"coaster|micro|bus|camion|station|tico)\b{_N}(?:[a-z]{{3,10}} )?(?:de )?(?:placa{_N})?"
    r"(?P<it>[a-z][a-z0-9]{2} ?[ \-] ?\d{3}|[a-z][a-z0-9][a-z0-9]\d{3}|[a-z]{2}-?\d{4,5}|"
    r"\d{4} ?- ?(?:\d[a-z]|[a-z]{1,2}|[a-z]\d)|\d{4}(?:\d[a-z]|[a-z]\d|[a-z]{2}))(?!\w)"
)
PLATE_BARE = re.compile(
    r"(?<![\w\-/])(?P<it>[a-z][a-z0-9]{2}-\d{3}|\d{4}-\d[a-z]|[a-z]\d[a-z]\d{3})(?![\w\-/])"
)
_TOP = r"(?:com|pe|net|org|gob|edu|info|es|mil|nom|gov|io|me|biz|mx|ar|cl|bo|ec|br|us)"
_AT = r"(?: ?@ ?| ?[(\[{] ?(?:at|arroba) ?[)\]}] ?| arroba )"
_DOT = r"(?: ?\. ?| punto | ?[(\[{] ?(?:dot|punto) ?[)\]}] ?)"
_DOMAIN = re.compile(
    rf"{_AT}(?:[a-z0-9\-]{{1,63}}(?:\.[a-z0-9\-]{{1,63}}){{0,4}}{_DOT}{_TOP}(?:{_DOT}{_TOP}){{0,2}}\b"
    r"|[a-z0-9\-]{1,63}(?:\.[a-z0-9\-]{1,63}){0,4}\.[a-z]{2,24}\b|(?:gmail|hotmail|outlook|yahoo|"
    r"icloud)\b)"
)
_LOCAL = re.compile(r"(?:\w{1,40} (?:punto|guion bajo|guion) ){0,3}[\w.+\-'%]{1,64}$")
# Three letters and a number that are no plate: laws, norms, offices, books.
_NO_PLATE = wordset(
    "art inc exp res num nro pag ley iso ntp sis ruc dni cas mza lot pcm sub ord doc fax tel cel "
    "utm ppp reg int dep ofi lte sec ruta tom vol fig anx per pro km"
)


def _spans(pattern: re.Pattern[str], text: str) -> Iterator[Found]:
    for match in pattern.finditer(text):
        yield match.span(match.lastgroup or 0)


def _said(hints: str, *patterns: re.Pattern[str]) -> Find:
    """A number that a word before or after it names: no check digit is asked.

    Args:
        hints: parts of words, one of which is in every match: to look for them costs less.
    """
    parts = hints.split()

    def find(text: str) -> Iterator[Found]:
        if any(part in text for part in parts):
            for pattern in patterns:
                yield from _spans(pattern, text)

    return find


def mails(text: str) -> Iterator[Found]:
    """Addresses of mail, written with @ or in words; found by what follows the name."""
    before = 0
    for domain in _DOMAIN.finditer(text):
        local = _LOCAL.search(text, max(before, domain.start() - 64), domain.start())
        if local:
            before = domain.end()
            yield local.start(), before


def tax_numbers(text: str) -> Iterator[Found]:
    for start, end in _spans(RUC_BARE, text):
        if ruc.is_valid("".join(c for c in text[start:end] if c.isdigit())):
            yield start, end


def accounts(text: str) -> Iterator[Found]:
    yield from _spans(ACCOUNT_BARE, text)


def cards(text: str) -> Iterator[Found]:
    for start, end in _spans(CARD_BARE, text):
        digits = "".join(c for c in text[start:end] if c.isdigit())
        if luhn.is_valid(digits) and digits[0] in "2345 6":
            yield start, end


def phones(text: str) -> Iterator[Found]:
    for pattern in (MOBILE, LANDLINE):
        for start, end in _spans(pattern, text):
            if not (
                is_date(text[start:end]) or is_amount(text, start, end)
                or is_case_number(text, start)
            ):  # fmt: skip
                yield start, end


def spoken_phones(text: str) -> Iterator[Found]:
    yield from _spans(PHONE_WORDS, text)


def bare_dnis(text: str) -> Iterator[Found]:
    for start, end in _spans(DNI_BARE, text):
        number = text[start:end]
        # A count is round, and 20172018 is two years.
        round_count = number.endswith("0000") or (len(number) == 10 and number.endswith("000"))
        round_count |= bool(_YEARS.fullmatch(number))
        if not (
            round_count or is_date(number) or is_amount(text, start, end)
            or is_case_number(text, start)
        ):  # fmt: skip
            yield start, end


def bare_plates(text: str) -> Iterator[Found]:
    for start, end in _spans(PLATE_BARE, text):
        if text[start : start + 3] not in _NO_PLATE and not is_case_number(text, start):
            yield start, end


_BANKS = "cuenta cta cci ahorro interban scotia banco bcp bbva banbif caja deposit transf"
_LINES = "tel tlf fono fijo cel movil wh wsp wasap wp yape plin lla comunic contacto mi rpm rpc"
_CARS = "placa rodaje matricula auto carro hiculo camion moto taxi combi ster micro bus tion tico"
DIGITS: tuple[tuple[Kind, Find], ...] = (
    (Kind.RUC, _said("ruc r.u r.u u.c", RUC_SAID)),
    (Kind.DNI, _said("dni d.n n.i identi electoral", DNI_SAID, DNI_AFTER)),
    (Kind.FOREIGNER, _said("extranj carne ce c.e cedula ptp cpp", FOREIGNER, FOREIGNER_AFTER)),
    (Kind.PASSPORT, _said("pasaporte", PASSPORT)),
    (Kind.CARD, _said("tarjeta visa master amex american diners", CARD_SAID)),
    (Kind.ACCOUNT, _said(_BANKS, ACCOUNT_SAID, ACCOUNT_AFTER)),
    (Kind.ACCOUNT, accounts),
    (Kind.CARD, cards),
    (Kind.RUC, tax_numbers),
    (Kind.PHONE, _said(_LINES, PHONE_SAID)),
    (Kind.PHONE, phones),
    (Kind.DNI, bare_dnis),
    (Kind.PLATE, _said(_CARS, PLATE_SAID)),
    (Kind.PLATE, bare_plates),
)
"""In this order, what is surest first; for texts that have a digit."""
