"""What reports call sources, attributes and groups, and what nobody measures."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypedDict

from yupana.core.spec import Bilingual
from yupana.tasks.classify import language
from yupana.tasks.classify.impact.measure import EVERYONE
from yupana.tasks.classify.impact.rows import UNKNOWN, Source
from yupana.tasks.classify.options import Options

SOURCES: dict[Source, Bilingual] = {
    "held_out": Bilingual(es="textos de prueba", en="held-out texts"),
    "answers": Bilingual(es="respuestas dadas", en="answers given"),
    "cases": Bilingual(es="casos recibidos", en="cases received"),
}
BY = {
    "label": Bilingual(es="tema", en="topic"),
    "language": Bilingual(es="lengua", en="language"),
    "length": Bilingual(es="extensión", en="length"),
    "channel": Bilingual(es="canal", en="channel"),
    "area": Bilingual(es="área", en="area"),
}
LENGTH = {
    "short": Bilingual(es="textos cortos", en="short texts"),
    "middle": Bilingual(es="textos medianos", en="middle texts"),
    "long": Bilingual(es="textos largos", en="long texts"),
}


class Unmeasured(TypedDict):
    """Who or what is not measured, why, and the command that would bring it, if any."""

    by: str
    es: str
    en: str
    why: str
    why_en: str
    fix: str


def name(by: str, of: str, options: Options) -> Bilingual:
    """A group, as people call it."""
    if by == EVERYONE:
        return Bilingual(es="Todos", en="All")
    if of == UNKNOWN:
        return Bilingual(es=f"{attribute(by).es} sin saber", en=f"{attribute(by).en} not known")
    if by == "language":
        return language.name(of)
    if by == "length":
        return LENGTH[of]
    if by == "label":
        return options.label_of(of).title
    return Bilingual(es=of, en=of)


def attribute(by: str) -> Bilingual:
    """An attribute, as people call it."""
    return BY.get(by, Bilingual(es=by.replace("_", " "), en=by.replace("_", " ")))


def unmeasured(
    sources: Collection[Source], by: Collection[str], judged: bool, use_case: str
) -> list[Unmeasured]:
    """What the report cannot say.

    Args:
        sources: those that have rows.
        by: attributes that some source has.
        judged: whether users said of any answer whether it was right.
    """
    absent = [
        Unmeasured(by="person", es="Edad, sexo, discapacidad", en="Age, sex, disability",
                   why="Nadie los pregunta a quien escribe.", why_en="Nobody asks who writes.",
                   fix=""),
        Unmeasured(by="silent", es="Quien no escribe", en="Who does not write",
                   why="Quien no tiene internet, o no escribe, no está en los textos.",
                   why_en="Who has no internet, or does not write, is not in the texts.", fix=""),
    ]  # fmt: skip
    if "cases" not in sources:
        absent.append(Unmeasured(
            by="waiting", es="Cuánto se espera", en="How long people wait",
            why="Esta versión aún no leyó ningún caso.",
            why_en="This version has read no case yet.", fix=f"yupana serve {use_case}",
        ))  # fmt: skip
    if not judged:
        absent.append(Unmeasured(
            by="answers", es="Aciertos en el uso", en="Whether answers were right",
            why="Nadie dijo de ninguna respuesta si la etiqueta era la correcta.",
            why_en="Of no answer did anybody say whether its label was right.", fix="",
        ))  # fmt: skip
    for missing in ("channel", "area"):
        if missing not in by:
            words = attribute(missing)
            absent.append(Unmeasured(
                by=missing, es=words.es.capitalize(), en=words.en.capitalize(),
                why="Los textos no lo dicen.", why_en="The texts do not say it.", fix="",
            ))  # fmt: skip
    return absent
