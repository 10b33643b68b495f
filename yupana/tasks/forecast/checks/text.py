"""What an alarm says to people: one sentence in Spanish and in English, its weight, its runbook."""

from __future__ import annotations

from collections.abc import Sequence

from yupana.monitoring.check import Severity
from yupana.tasks.forecast.frequency import Frequency
from yupana.tasks.forecast.pages.words import WORDS

KINDS = {
    "swapped": ("columnas intercambiadas", "columns swapped"),
    "frozen": ("valores que no cambian", "values that stand still"),
    "split": ("un distrito dividido o un código nuevo", "a district split or a new code"),
    "places": ("distritos que faltan o sobran", "districts missing or too many"),
    "unit": ("otra unidad de medida", "another unit of measurement"),
    "doubled": ("casos contados dos veces", "cases counted twice"),
    "broken": ("una columna contradice a las demás", "a column contradicts the others"),
    "level": ("un salto fuera de lo conocido", "a jump beyond what is known"),
    "revised": ("períodos antiguos cambiados", "old periods changed"),
    "forecast": ("pronósticos fuera de lo usual", "forecasts out of the usual"),
    "performance": ("el modelo acierta menos", "the model does worse"),
}
"""What an alarm can say is wrong: Spanish, English."""

WEIGHTS: dict[str, Severity] = {
    "swapped": "critical",
    "frozen": "critical",
    "unit": "critical",
    "doubled": "critical",
    "broken": "critical",
    "split": "warning",
    "places": "warning",
    "level": "warning",
    "revised": "warning",
    "forecast": "warning",
    "performance": "warning",
}
"""Severity by kind: what a forecast must not rest on is critical."""

RUNBOOK = "docs/runbooks.md#{}"
UNKNOWN = RUNBOOK.format("unknown")
USUAL = RUNBOOK.format("usual")

_SENTENCES = {
    "swapped": (
        "Las columnas {columns} parecen intercambiadas{where}.",
        "The columns {columns} seem to be swapped{where}.",
    ),
    "frozen": (
        "{columns}{where}: repite los valores {of_before}.",
        "{columns}{where}: repeats the values of the {period} before.",
    ),
    "split": (
        "Un código de distrito nuevo o dormido trae casos{where}: ¿un distrito dividido, o un "
        "código equivocado?",
        "A new or silent district code brings cases{where}: a district split, or a wrong code?",
    ),
    "places": (
        "Faltan distritos que hace poco estaban, o que dejaron de notificar de golpe{where}.",
        "Districts that were there lately are missing, or stopped reporting all at once{where}.",
    ),
    "unit": (
        "{columns}{where}: los valores parecen estar en otra unidad.",
        "{columns}{where}: the values seem to be in another unit.",
    ),
    "doubled": (
        "Los casos parecen contados varias veces{where}.",
        "Cases seem to be counted several times{where}.",
    ),
    "broken": (
        "{columns}{where}: contradice a las demás columnas.",
        "{columns}{where}: contradicts the other columns.",
    ),
    "level": (
        "Los casos saltaron más de lo conocido{where}: ¿una epidemia, o un error?",
        "Cases jumped beyond what is known{where}: an epidemic, or an error?",
    ),
    "revised": (
        "Cambiaron {closed}{where}.",
        "{periods} that were closed have changed{where}.",
    ),
    "forecast": (
        "Los pronósticos no responden a los datos como antes{where}.",
        "Forecasts do not answer their inputs as before{where}.",
    ),
    "performance": (
        "El modelo acierta menos que en los años conocidos{where}.",
        "The model does worse than in the years known{where}.",
    ),
}


def sentences(
    kind: str, columns: Sequence[str], group: str, frequency: Frequency
) -> tuple[str, str]:
    """What seems wrong, in Spanish and in English.

    Args:
        kind: one of `KINDS`.
        columns: features it is about; none: the table as a whole.
        group: entities or their prefix, or a size group; empty: everywhere.
    """
    names = ", ".join(columns)
    es, en = _SENTENCES[kind]
    where, words = f" ({group})" if group else "", WORDS[frequency.name]
    periods = frequency.listing.capitalize()
    return (
        es.format_map({**words, "columns": names or "La tabla", "where": where}),
        en.format(
            columns=names or "The table", where=where, period=frequency.name, periods=periods
        ),
    )


def runbook(kind: str) -> str:
    """Where docs/runbooks.md says what to do."""
    return RUNBOOK.format(kind)


def usual(check: str, column: str, group: str) -> tuple[str, str]:
    """What a check says that finds nothing."""
    of = " ".join(part for part in (check, column, group) if part)
    return f"{of}: dentro de lo usual.", f"{of}: within the usual."


def part_of(kind: str, check: str, column: str, group: str) -> tuple[str, str]:
    """What a check says that alarms for a reason told already."""
    of = " ".join(part for part in (check, column, group) if part)
    es, en = KINDS[kind]
    return f"{of}: fuera de lo usual por lo mismo ({es}).", f"{of}: unusual, same reason ({en})."
