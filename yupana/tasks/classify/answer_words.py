"""One classification as a line, for a trace, and as a table, for a terminal; light to import."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from yupana.core.spec import Bilingual, Spec
from yupana.predictions.entry import LogEntry

if TYPE_CHECKING:
    from rich.table import Table

ABSTENTIONS = {
    "not_sure": Bilingual(
        es="el modelo no está bastante seguro", en="the model is not sure enough"
    ),
    "language": Bilingual(es="no está en una lengua que lee", en="not in a language that it reads"),
    "too_short": Bilingual(es="es demasiado breve", en="it is too short"),
    "suspended": Bilingual(es="el modelo está suspendido", en="the model is suspended"),
}
"""Why a person decides, by the code of the reason."""


def words(entry: LogEntry) -> str:
    """The label with its confidence, or why a person decided.

    Example: limpieza 0.91; a una persona: el modelo no está bastante seguro / to a person: …
    """
    label, confidence = entry.payload.get("label"), entry.payload.get("confidence")
    if label is None or not isinstance(confidence, int | float):
        return "no se puede leer / cannot be read"
    line = f"{label} {confidence:.2f}"
    reason = ABSTENTIONS.get(str(entry.payload.get("abstention")))
    return f"{line}; a una persona / to a person: {reason.es} / {reason.en}" if reason else line


def table(spec: Spec, answer: Mapping[str, Any]) -> Table:
    """One answer: the labels by probability.

    Args:
        answer: one of the `predictions` of the endpoint `classify`.
    """
    from rich.table import Table

    title = f"{spec.title.es} / {spec.title.en}"
    shown = Table(title=title, title_justify="left", caption=_caption(answer))
    shown.add_column("etiqueta / label")
    shown.add_column("probabilidad / probability", justify="right")
    ranked = sorted(answer["probabilities"].items(), key=lambda pair: -pair[1])
    for label, share in ranked[:5]:
        shown.add_row(label, f"{share:.2f}")
    return shown


def _caption(answer: Mapping[str, Any]) -> str:
    reason = ABSTENTIONS.get(str(answer.get("abstention") or ""))
    return f"a una persona: {reason.es} / to a person: {reason.en}" if reason else ""
