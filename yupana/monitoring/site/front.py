"""The first page: four questions, each answered in a word and a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from yupana.monitoring.site.parts import Answer, Page

NAME = "index"
QUESTIONS = {
    "deriva": ("¿Sigue funcionando el modelo?", "Does the model still hold?"),
    "impacto": ("¿Sirve para todos?", "Does it hold for everyone?"),
    "compuertas": ("¿Puede usarse?", "May it be used?"),
    "registro": ("¿Está íntegro el registro?", "Is the record whole?"),
}


def page(read: Sequence[Page]) -> Page:
    """The answers of the other pages, and everything that was not run.

    Args:
        read: the pages that stand below this one.
    """
    by_name = {p.name: p for p in read}
    unknown = Answer("unknown", "No se comprobó.", "It was not checked.")
    questions = [
        {"page": name, "es": es, "en": en, "answer": by_name[name].answer or unknown}
        for name, (es, en) in QUESTIONS.items()
    ]
    absent = [(p.name, m) for p in read for m in p.missing]
    values = {"questions": questions, "absent": absent, "trace": by_name["traza"].values}
    basis = [b for p in read for b in p.basis[:1]]
    return Page(NAME, values, tuple(basis))
