"""Where somebody lives: a street with its number, a block and a plot."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TYPE = (
    r"(?:av(?:da|enida|d)?|jr|jiron|jir|calle|cal|cll?|ca(?=\.)|ps?je?|psj|pasaje|"
    r"prol(?:ongacion)?|malecon|"
    r"alameda|carretera|carr|autopista|urb(?:anizacion)?|aa\.? ?hh|asentamiento humano|pp\.? ?jj|"
    r"pueblo joven|asoc(?:iacion)?|coop(?:erativa)?|resid(?:encial)?|condominio|conjunto "
    r"habitacional|upis|"
    r"barrio|quinta|edificio|edif|caserio|c\.?p|centro poblado)"
)
_STOP = (
    r"(?:a|al|en|que|se|no|hay|estan?|es|hace|con|por|para|desde|hasta|entre|cuadra|cdra|cdr|"
    r"altura|"
    r"esquina|esq|cruce|frente|cerca|donde|como|son|fue|han?|me|mi|lo|le|una?|unos|unas|tiene|"
    r"casi|mas|"
    r"ya|si|pero|porque|cuando|sin|sobre|durante|ruta|linea|bus|anos?|tel|telf|telefono|cel|"
    r"celular|"
    r"dni|ruc|expediente|exp|ley|ni|o|u|este|esta|sus?|te|muy|vivo|soy|correo|placa|paso|pasa|mz|"
    r"mza|"
    r"manzana|lote|lt|km|kilometro)"
)
_WORD = rf"(?!{_STOP}\b)[a-z0-9][a-z0-9'°]{{0,24}}\.?"
_NAME = rf"(?:{_WORD})(?: {{1,3}}{_WORD}){{0,5}}?"
_NUMBER = r"(?:n[°o]{0,2}\.?|nro\.?|num\.?|numero|#|№)"
_UNIT = (
    r"(?! ?(?:veces|dias?|horas?|hrs|mes|meses|anos?|personas|vecinos|familias|cuadras|minutos|"
    r"am\b|pm\b|a\.m|p\.m|soles|metros|mts?\b|km|casos|buses|%|carros|de (?:enero|febrero|marzo|"
    r"abril|"
    r"mayo|junio|julio|agosto|se[pt]{1,2}iembre|octubre|noviembre|diciembre)))"
)
_HOUSE = (
    rf"(?:[ ,:.\-]{{1,3}}{_NUMBER} ?[:\-]? ?\d{{1,5}}|(?<! el)(?<! la)(?<! los)(?<! las)"
    r"(?<! de)(?<! del)(?<! y)(?:, ?| {1,3}|-| - )\d{2,5})"
    rf"(?:[ \-]?[a-h]\b)?(?:[/\-]\d{{2,4}}\b)?(?![\d:]|[.,/]\d){_UNIT}"
)
_INSIDE = (
    r"(?:[ ,.\-]{1,3}(?:dpto|depto|departamento|dep|int|interior|piso|of|oficina|block|blk|bloque|"
    r"torre|edif|"
    r"edificio|mz|mza|manzana|lt|lte|lote|etapa|zona|sector|puerta|casa|tienda|stand|cdra)"
    rf"\.? ?(?:{_NUMBER} ?)?[\"']?(?:\d{{1,4}}[a-z]?\d?|[a-z]\d{{0,2}})[\"']?(?!\w)){{0,4}}"
)
_STREET = rf"\b{_TYPE}\b\.? {{0,3}}{_NAME}{_HOUSE}{_INSIDE}"
_LIVES = (
    r"\b(?:domicili\w{1,5}(?: actual)?(?: (?:real|legal|fiscal))?(?: es)?(?: en| :)?|viv(?:o|e|"
    r"imos|en) en|"
    r"resid(?:o|e|imos|en) en|direccion(?: es)?|mi casa (?:es|queda en|esta en|en)|ubicad[oa] en)"
    rf"[ :]{{1,3}}(?P<it>{_NAME}{_HOUSE}{_INSIDE})"
)
_BLOCK = r"(?:mz|mza|manzana|mnz|mzna)[ .:]{0,2}[\"']?(?:[a-z]{1,2}\d{0,2}|\d{1,3}[a-z]?)['\"]{0,2}"
_PLOT = r"(?:lt|lte|lote|lot)[ .:]{0,2}(?:n[°o]\.? ?)?[\"']?\d{1,3}[a-z]?[\"']?"
_QUARTER = rf"(?:\b{_TYPE}\b\.? {{0,2}}{_NAME}[ ,.\-]{{1,3}})?"
_PLOTS = (
    rf"{_QUARTER}(?:\b{_BLOCK}[ ,.\-/]{{0,3}}(?:y )?{_PLOT}|\b{_PLOT}[ ,.\-/]{{1,3}}(?:de la "
    rf")?{_BLOCK})"
    rf"(?!\w){_INSIDE}"
)
_BLOCKED = re.compile(rf"{_PLOTS}")
_NUMBERED = re.compile(_STREET)
_LIVED = re.compile(_LIVES)
_FLAT = re.compile(r"\b(?:dpto|depto|dept)\.? ?(?:n[°o]?\.? ?)?\d{2,4}[a-z]?\b")
# Not a number of a house: "en la avenida Brasil el 10-08-2025".
_DAY = re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}$")


def addresses(text: str) -> Iterator[tuple[int, int]]:
    """Streets with their number, quarters with block and plot; a street alone is nobody's."""
    for pattern in (_BLOCKED, _NUMBERED, _LIVED, _FLAT):
        for match in pattern.finditer(text):
            if not _DAY.search(match.group()):
                yield match.span(match.lastgroup or 0)
