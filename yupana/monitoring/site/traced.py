"""The page of the trace: one prediction, back to the hash of the file that it came from."""

from __future__ import annotations

from functools import partial
from typing import Any

from yupana.lineage import events
from yupana.monitoring.site.parts import Basis, Missing, Page, SiteRequest
from yupana.predictions import lake_table, prediction_log
from yupana.trace import backward, graph

NAME = "traza"
# Who asked, and by which request, is nobody's business on a page that may be handed on.
_FACTS = {
    "source": ("de", "from"),
    "bytes": ("bytes", "bytes"),
    "rows": ("filas", "rows"),
    "known_on": ("sabido al", "known on"),
    "validation": ("validación", "validation"),
    "publisher": ("publica", "publisher"),
    "licence": ("licencia", "licence"),
    lake_table.ENTITY: ("sobre", "about"),
    "data_as_of": ("datos hasta", "data as of"),
    "commit": ("commit", "commit"),
}
"""Facts of a step that an auditor asks first, and their names."""


def page(request: SiteRequest) -> Page:
    """The trace of the prediction that was asked for, or of the newest one.

    Raises:
        UsageError: no log names the prediction.
    """
    settings = request.settings
    prediction = request.prediction or _newest(request)
    if not prediction:
        missing = Missing(
            "Nadie pidió todavía una predicción.",
            "Nobody has asked for a prediction yet.",
            f"yupana ask {request.use_case} --help",
        )
        return Page(NAME, {"tree": None}, missing=(missing,))
    find = partial(lake_table.by_id, settings, use_case=request.use_case)
    node = backward.trace(settings.events, prediction, find)
    tree = _plain(backward.to_json(node))
    flat = list(_flat(tree))
    files = [n for n in flat if n["ref"].startswith("raw:")]
    basis = [
        Basis("Predicción", "Prediction", tree["ref"], time=tree["time"] or ""),
        *(
            Basis("Archivo de origen", "Source file", n["ref"], n["ref"][4:], n["time"] or "")
            for n in files
        ),
        Basis(
            "Bitácora de pasos", "Log of the steps", events.EXPORT, events.sha256(settings.events)
        ),
    ]
    values = {"tree": tree, "files": files, "steps": len(flat), "fact_names": _FACTS}
    values["svg"] = graph.svg(node)
    return Page(NAME, values, tuple(basis))


def _newest(request: SiteRequest) -> str:
    """The newest answer in the database, or else in the lake; empty when nobody asked yet."""
    if prediction_id := prediction_log.newest_id(request.settings.platform_db, request.use_case):
        return prediction_id
    newest = lake_table.newest(request.settings, request.use_case, 1)
    return newest[-1].prediction_id if newest else ""


def _plain(node: dict[str, Any]) -> dict[str, Any]:
    """A node with the facts that an auditor asks first, each as text."""
    facts = node["facts"] or {}
    raw = facts.get("raw") or {}
    facts = {**facts, "source": raw["source"], "bytes": raw["size"]} if raw else facts
    return {
        "ref": node["ref"],
        "step": node["step"],
        "time": node["time"] or "",
        "facts": {k: _text(facts[k]) for k in _FACTS if k in facts},
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
    every = [] if node["again"] else [node]
    for child in node["inputs"]:
        every += _flat(child)
    return every
