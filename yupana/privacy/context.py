"""What the words around a number say that it is: a sum of money, a case, a date."""

from __future__ import annotations

import re

from yupana.privacy.kinds import wordset

_BEFORE = 40
_MONEY = ("s/", "s/.", "$", "usd", "€", "soles", "dolares", "monto de", "monto total", "deuda de")
_UNIT = re.compile(
    r"(?:[.,]\d{1,2}(?!\d)| ?(?:nuevos )?(?:soles|dolares|euros|millones|mil\b|habitantes|personas|"
    r"votos|casos|metros|m2|m3|km|kg|kw|hectareas|ha\b|%|pen\b|usd\b))"
)
_CASES = wordset(
    "papeleta multa comprobante expediente expedientes exp resolucion rd rm ds ley decreto "
    "ordenanza oficio carta informe memorando caso tramite registro reclamo ticket solicitud "
    "queja hoja suministro medidor contrato recibo boleta factura serie partida codigo cod orden "
    "pedido denuncia acta proveido cargo folio articulo siaf snip cui linea ruta guia referencia "
    "ref norma directiva cas convocatoria proceso operacion rs dl du om"
)
# Between such a word and its number.
_FILLERS = wordset(
    "n no nro num numero de del es la el unico legislativo supremo ministerial directoral "
    "municipal judicial fiscal simple electronico electronica tramite ruta compra servicio "
    "atencion venta con o"
)
_TOKEN = re.compile(r"[a-z](?:\.?[a-z])*|\d+")
_FURTHEST = 6
_DAY = re.compile(
    r"\d{1,2}[ ./\-]\d{1,2}[ ./\-](?:19|20)\d\d|(?:19|20)\d\d[ ./\-]\d{1,2}[ ./\-]\d{1,2}"
)


def is_amount(text: str, start: int, end: int) -> bool:
    """Whether the number is money or a count of something."""
    before = text[max(0, start - 18) : start].rstrip(" :")
    return before.endswith(_MONEY) or bool(_UNIT.match(text, end))


def is_case_number(text: str, start: int) -> bool:
    """Whether the words before call it a file, a law, a receipt."""
    tokens = _TOKEN.findall(text, max(0, start - _BEFORE), start)
    for token in tokens[: -_FURTHEST - 1 : -1]:
        word = token.replace(".", "")
        if word in _CASES:
            return True
        if word not in _FILLERS and not (word.isdigit() and len(word) < 4):
            return False
    return False


def is_date(number: str) -> bool:
    """Whether it is a day: 20210105, 05012021, 5/1/2021."""
    if _DAY.match(number):
        return True
    if len(number) != 8 or not number.isdigit():
        return False
    return any(
        _is_day(year, month, day)
        for year, month, day in (
            (number[:4], number[4:6], number[6:]),
            (number[4:], number[2:4], number[:2]),
        )
    )


def _is_day(year: str, month: str, day: str) -> bool:
    return "1900" <= year <= "2099" and "01" <= month <= "12" and "01" <= day <= "31"
