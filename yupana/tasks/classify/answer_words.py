"""One classification as a line, for a trace, and as a table, for a terminal; light to import."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from yupana.core.spec import Bilingual, Spec
from yupana.predictions.entry import LogEntry
from yupana.tasks.classify import abstentions

if TYPE_CHECKING:
    from rich.table import Table

def words(entry: LogEntry) -> str:
    """The label with its confidence, or why a person decided.

    Example: limpieza 0.91; a una persona: el modelo no está bastante seguro / to a person: …
    """
    label, confidence = entry.payload.get("label"), entry.payload.get("confidence")
    if label is None or not isinstance(confidence, int | float):
        return "no se puede leer / cannot be read"
    line = f"{label} {confidence:.2f}"
    if reason := _reason(entry.payload):
        return f"{line}; a una persona / to a person: {reason.es} / {reason.en}"
    return line


def table(spec: Spec, answer: Mapping[str, Any]) -> Table:
    """One answer: its labels by probability, or the cases that it is one of.

    Args:
        answer: one of the `predictions` of the endpoint `classify`, or what `try_out` returned.
    """
    from rich.table import Table

    title = f"{spec.title.es} / {spec.title.en}"
    shown = Table(title=title, title_justify="left")
    if "cases" in answer:
        for column in ("texto / text", "estado / state", "tema, o por qué decide una persona"):
            shown.add_column(column)
        for one in answer["cases"]:
            reason = _reason(one)
            why = f"{reason.es} / {reason.en}" if reason else f"{one['label']}"
            shown.add_row(one["text"][:44], one["state"], f"{why} ({one['confidence']:.2f})")
        return shown
    shown.caption = _caption(answer)
    shown.add_column("etiqueta / label")
    shown.add_column("probabilidad / probability", justify="right")
    ranked = sorted(answer["probabilities"].items(), key=lambda pair: -pair[1])
    for label, share in ranked[:5]:
        shown.add_row(label, f"{share:.2f}")
    return shown


def _caption(answer: Mapping[str, Any]) -> str:
    reason = _reason(answer)
    return f"a una persona: {reason.es} / to a person: {reason.en}" if reason else ""


def _reason(answer: Mapping[str, Any]) -> Bilingual | None:
    code = str(answer.get("abstention") or "")
    return abstentions.reason(code, str(answer.get("language") or "")) if code else None
