"""From a published version back to its file: commit, landing records, audit; and the road of an
answer, each station with what an auditor asks about it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from yupana.config.settings import Settings
from yupana.core.errors import YupanaError
from yupana.data import delta, history
from yupana.governance import trace
from yupana.governance.events import Event
from yupana.governance.trace import Node
from yupana.governance.trace_index import Index


def named(settings: Settings, reference: str) -> tuple[str, int | None] | None:
    """(data set, version) of `name` or `name@3`; None when it names no data set."""
    name, _, version = reference.partition("@")
    if ":" in name or re.fullmatch(r"[0-9a-f]{32}", name):
        return None
    from yupana.data import contract

    if name not in contract.names(settings.root) or not (version.isdigit() or "@" not in reference):
        return None
    return name, int(version) if version else None


def of_version(settings: Settings, name: str, version: int | None) -> dict[str, Any]:
    """Where a published version comes from; None takes the newest.

    Returns:
        ref, publication (`history.Publication`), landed (each time its file came: when, whence,
        what the server or portal said; empty when the file is no longer kept) and audit
        (success, rules, broken, page; None for objects or when it is no longer kept).

    Raises:
        UsageError: no publication has this version.
        TerminalError: nothing was published yet.
    """
    known = history.at_version(settings.table("published", name), version)
    return {
        "ref": f"delta:published/{name}@{known.version}",
        "publication": asdict(known),
        "landed": [one for sha256 in known.sources for one in _landed(settings, name, sha256)],
        "audit": _audit(settings, name, known.validation),
    }


def _landed(settings: Settings, name: str, sha256: str) -> list[dict[str, Any]]:
    path = settings.home / "landing" / name / sha256 / "landed.json"
    if not path.exists():
        return []
    found = json.loads(path.read_text("utf-8"))
    return list(found) if isinstance(found, list) else [found]


def _audit(settings: Settings, name: str, validation: str) -> dict[str, Any] | None:
    path = settings.reports / "validation" / f"{name}-{validation}.json"
    if not path.exists():
        return None
    told = json.loads(path.read_text("utf-8"))
    results = [r["result"] for r in told["results"]]
    return {
        "success": told["success"],
        "rules": len(results),
        "broken": sum(r.get("unexpected_count") or 0 for r in results),
        "page": str(page) if (page := path.with_suffix(".html")).exists() else None,
    }


@dataclass(frozen=True)
class Station:
    """One stop of the road from an answer to the source file.

    Attributes:
        kind: prediction, model, run, code, features, data, validation or source.
        facts: what is known of it, by name, as text; empty values are left out.
    """

    kind: str
    ref: str
    facts: dict[str, str]


def road(settings: Settings, node: Node, index: Index) -> list[Station]:
    """The road from a traced reference to its source files, in this order: prediction, model,
    pipeline run, code, features, published data, validation, source file."""
    found: dict[str, list[Station]] = {kind: [] for kind in KINDS}
    for one in trace.nodes(node):
        for station in _stations(settings, one, index):
            if station.ref not in [s.ref for s in found[station.kind]]:
                found[station.kind].append(station)
    return [station for kind in KINDS for station in found[kind]]


KINDS = {
    "prediction": ("Predicción", "Prediction"),
    "model": ("Modelo", "Model"),
    "run": ("Corrida", "Pipeline run"),
    "code": ("Código", "Code"),
    "features": ("Variables", "Features"),
    "data": ("Datos publicados", "Published data"),
    "validation": ("Validación", "Validation"),
    "source": ("Archivo de origen", "Source file"),
}
"""Stations in the order of the road: Spanish and English name."""


def _stations(settings: Settings, node: Node, index: Index) -> Iterator[Station]:
    kind = node.ref.partition(":")[0]
    event = node.event or {}
    facts = event.get("facts", {})
    if kind == "prediction":
        yield _station("prediction", node.ref, facts, time=event.get("time"))
    elif kind == "model":
        told = {k: facts.get(k) for k in ("alias", "reason")}
        yield _station("model", node.ref, told, registered=event.get("time"))
        yield from _runs(node.ref, index)
    elif kind == "candidate":
        yield from _code(settings, node.ref, event)
    elif kind == "split":
        told = {"feature_service": facts.get("feature_service"), "parts": facts.get("parts")}
        yield _station("features", node.ref, told, as_of=facts.get("as_of"))
    elif node.ref.startswith("delta:features/"):
        names = ("feature_service", "rows", "data_as_of")
        told = {name: facts.get(name) for name in names}
        yield _station("features", node.ref, told, made=event.get("time"))
    elif node.ref.startswith("delta:published/"):
        yield from _of_table(settings, node.ref, event)
    elif kind == "raw":
        yield _source(settings, node.ref.removeprefix("raw:"), event)


def _station(kind: str, ref: str, facts: dict[str, Any], **more: Any) -> Station:
    told = {**facts, **more}
    return Station(kind, ref, {k: _text(v) for k, v in told.items() if v not in (None, "", {})})


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {_text(v)}" for k, v in value.items())
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _runs(model: str, index: Index) -> Iterator[Station]:
    for event in index.steps("train"):
        if model in event["inputs"]:
            told = {"step": "train", "seconds": event["seconds"], "asked_by": event.get("asked_by")}
            yield _station("run", event["outputs"][0], told, ended=event["time"])


def _code(settings: Settings, candidate: str, event: Event) -> Iterator[Station]:
    """What the fit itself wrote down; else what its step did."""
    path = settings.home / "candidates" / candidate.partition(":")[2] / "run.json"
    made = event.get("facts", {}).get("code", {})
    if path.exists():
        fitted = json.loads(path.read_text())
        made = {**fitted["environment"], **fitted["code"]}
    if made:
        # Installed without git, the hash of the code itself stands for the commit.
        told = {"commit": made.get("commit") or "none (no git)", "uv_lock_sha256": made.get("lock")}
        told |= {"code_sha256": made.get("sha256"), "python": made.get("python")}
        yield _station("code", candidate, told)


def _of_table(settings: Settings, ref: str, event: Event) -> Iterator[Station]:
    """A published version and its audit; from its commit where the log does not know it."""
    _, name, version = delta.parts(ref)
    facts = event.get("facts", {})
    if "source_sha256" not in facts:
        try:
            known = asdict(history.at_version(settings.table("published", name), version))
        except YupanaError:
            known = {}
        facts = {**known, **facts}
    names = ("known_on", "rows", "contract_version", "contract_sha256", "run")
    yield _station("data", ref, {n: facts.get(n) for n in names}, published=event.get("time"))
    if validation := facts.get("validation"):
        audit = _audit(settings, name, str(validation)) or {}
        told = {"rules": audit.get("rules"), "rows_that_broke_one": audit.get("broken")}
        told |= {"passed": audit.get("success"), "page": audit.get("page")}
        yield _station("validation", f"validation:{validation}", told)
    for sha256 in facts.get("sources", ()) if not event else ():
        yield _source(settings, str(sha256), {})


def _source(settings: Settings, sha256: str, event: Event) -> Station:
    facts = event.get("facts", {})
    name = event.get("subject") or next(
        (p.parent.name for p in (settings.home / "landing").glob(f"*/{sha256}")), ""
    )
    landed = _landed(settings, name, sha256) if name else []
    first = landed[0] if landed else {}
    told = {k: facts.get(k) for k in ("publisher", "licence", "contract_version")}
    if name and not told["publisher"]:
        from yupana.data import contract

        about = contract.load(settings.root, name)
        told |= {"publisher": about.publisher, "licence": about.licence}
    raw = facts.get("raw", {})
    told |= {"file": first.get("source") or raw.get("source"), "dataset": name}
    told |= {"bytes": first.get("size") or raw.get("size")}
    told |= {"landed": first.get("time") or event.get("time")}
    told |= {k: v for k, v in first.get("facts", {}).items() if isinstance(v, str)}
    return _station("source", f"raw:{sha256}", {"sha256": sha256, **told})
