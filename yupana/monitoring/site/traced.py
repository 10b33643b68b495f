"""The page of the trace: one prediction, back to the hash of the file that it came from."""

from __future__ import annotations

from functools import partial
from typing import Any

from yupana.data import prediction_table
from yupana.governance import predictions, trace, trace_graph
from yupana.governance.database import engine
from yupana.monitoring.site.parts import Asked, Basis, Missing, Page, of_file

NAME = "traza"
# Who asked, and by which request, is nobody's business on a page that may be handed on.
_TOLD = {
    "source": ("de", "from"),
    "bytes": ("bytes", "bytes"),
    "rows": ("filas", "rows"),
    "known_on": ("sabido al", "known on"),
    "validation": ("validación", "validation"),
    "publisher": ("publica", "publisher"),
    "licence": ("licencia", "licence"),
    "ubigeo": ("ubigeo", "ubigeo"),
    "data_as_of": ("datos hasta", "data as of"),
    "commit": ("commit", "commit"),
}
"""Facts of a step that an auditor asks first, and their names."""


def page(asked: Asked) -> Page:
    """The trace of the prediction that was asked for, or of the newest one.

    Raises:
        UsageError: no log names the prediction.
    """
    settings = asked.settings
    prediction = asked.prediction or _newest(asked)
    if not prediction:
        missing = Missing(
            "Nadie pidió todavía una predicción.",
            "Nobody has asked for a prediction yet.",
            f"yupana ask {asked.use_case} --ubigeo 160101",
        )
        return Page(NAME, {"tree": None}, missing=(missing,))
    node = trace.trace(settings.events, prediction, partial(prediction_table.found, settings))
    tree = _plain(trace.to_json(node))
    flat = list(_flat(tree))
    files = [n for n in flat if n["ref"].startswith("raw:")]
    basis = [
        Basis("Predicción", "Prediction", tree["ref"], time=tree["time"] or ""),
        *(
            Basis("Archivo de origen", "Source file", n["ref"], n["ref"][4:], n["time"] or "")
            for n in files
        ),
        of_file(asked, settings.events, "Bitácora de pasos", "Log of the steps"),
    ]
    values = {"tree": tree, "files": files, "steps": len(flat), "told": _TOLD}
    values["svg"] = trace_graph.svg(node)
    return Page(NAME, values, tuple(basis))


def _newest(asked: Asked) -> str:
    told = predictions.FORECASTS.c.use_case == asked.use_case
    query = predictions.joined(told, predictions.ANSWERS.c.kind == "answer")
    query = query.order_by(None).order_by(predictions.ANSWERS.c.seq.desc()).limit(1)
    with engine(asked.settings.platform_db, predictions.METADATA).connect() as connection:
        row = connection.execute(query).mappings().one_or_none()
    if row:
        return str(row["prediction_id"])
    kept = prediction_table.newest(asked.settings, asked.use_case, 1)
    return str(kept[-1]["prediction_id"]) if kept else ""


def _plain(node: dict[str, Any]) -> dict[str, Any]:
    """A node with the facts that an auditor asks first, each as text."""
    facts = node["facts"] or {}
    raw = facts.get("raw") or {}
    facts = {**facts, "source": raw["source"], "bytes": raw["size"]} if raw else facts
    return {
        "ref": node["ref"],
        "step": node["step"],
        "time": node["time"] or "",
        "facts": {k: _text(facts[k]) for k in _TOLD if k in facts},
        "again": node.get("again", False),
        "inputs": [_plain(child) for child in node["inputs"]],
    }


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {_text(v)}" for k, v in value.items())
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}".replace(",", "\u202f")
    return str(value)


def _flat(node: dict[str, Any]) -> list[dict[str, Any]]:
    """Every reference below a node once, in reading order."""
    found = [] if node["again"] else [node]
    for child in node["inputs"]:
        found += _flat(child)
    return found
