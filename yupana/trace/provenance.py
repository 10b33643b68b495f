"""From a published version back to its file: commit, landing records, audit; and the road of an
answer, each station with what an auditor asks about it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from yupana.config.settings import Settings
from yupana.core.errors import YupanaError
from yupana.data.files import landing
from yupana.data.lake import delta, history
from yupana.data.lake.history import Publication
from yupana.ledger.fault import Fault
from yupana.lineage import contents
from yupana.lineage.events import Event
from yupana.trace import backward
from yupana.trace.backward import Node
from yupana.trace.index import Index
from yupana.tracking import roles


class VersionName(NamedTuple):
    """A version of a data set; None: the newest."""

    dataset: str
    version: int | None


def version_name(settings: Settings, reference: str) -> VersionName | None:
    """What `name` or `name@3` means; None when it names no data set."""
    name, _, version = reference.partition("@")
    if ":" in name or re.fullmatch(r"[0-9a-f]{32}", name):
        return None
    from yupana.data.contracts import contract

    if name not in contract.names(settings.root) or not (version.isdigit() or "@" not in reference):
        return None
    return VersionName(name, int(version) if version else None)


@dataclass(frozen=True)
class Audit:
    """An audit by its report.

    Attributes:
        rules: how many were asked; broken: rows that break one, counted by rule.
        page: path of its page, where it is still there.
    """

    success: bool
    rules: int
    broken: int
    page: str | None


@dataclass(frozen=True)
class Provenance:
    """Where a published version comes from.

    Attributes:
        landed: each time its file came: when, whence, what the server or portal said; empty when
            the file is no longer kept.
        audit: None for objects, and when it is no longer kept or no step vouches for it.
    """

    ref: str
    publication: Publication
    landed: tuple[landing.Record, ...]
    audit: Audit | None


def of_version(settings: Settings, name: str, version: int | None) -> Provenance:
    """Where a published version comes from; None takes the newest.

    Raises:
        UsageError: no publication has this version.
        TerminalError: nothing was published yet.
    """
    publication = history.at_version(settings.table("published", name), version)
    return Provenance(
        ref=f"delta:published/{name}@{publication.version}",
        publication=publication,
        landed=tuple(r for file in publication.sources for r in _landings(settings, name, file)),
        audit=_audit(settings, name, publication.validation),
    )


def _landings(settings: Settings, name: str, sha256: str) -> list[landing.Record]:
    path = settings.home / "landing" / name / sha256 / "landed.json"
    if not path.exists():
        return []
    records = json.loads(path.read_text("utf-8"))
    return list(records) if isinstance(records, list) else [records]


def _audit(settings: Settings, name: str, validation: str) -> Audit | None:
    path = settings.reports / "validation" / f"{name}-{validation}.json"
    if not path.exists() or not contents.is_known(settings, contents.file_ref(settings, path)):
        # A table from another machine has no event here, and what no event vouches for is no audit.
        return None
    report = json.loads(contents.read(settings, path))
    results = [r["result"] for r in report["results"]]
    return Audit(
        success=report["success"],
        rules=len(results),
        broken=sum(r.get("unexpected_count") or 0 for r in results),
        page=str(page) if (page := path.with_suffix(".html")).exists() else None,
    )


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
    by_kind: dict[str, list[Station]] = {kind: [] for kind in KINDS}
    for one in backward.nodes(node):
        for station in _stations(settings, one, index):
            if station.ref not in [s.ref for s in by_kind[station.kind]]:
                by_kind[station.kind].append(station)
    return [station for kind in KINDS for station in by_kind[kind]]


def faults(settings: Settings, stations: Iterable[Station]) -> list[Fault]:
    """What of a road is not as it was: tables that are not as their step left them, or that no
    step vouches for; source files with other bytes than those that landed."""
    refs = [station.ref for station in stations]
    tables = (ref for ref in refs if ref.startswith("delta:"))
    files = (ref.removeprefix("raw:") for ref in refs if ref.startswith("raw:"))
    return [
        *(fault for ref in tables if (fault := contents.check(settings, ref))),
        *(fault for sha256 in files for fault in landing.faults(settings, sha256)),
    ]


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
        then = {"registered_as": facts.get("alias"), "reason": facts.get("reason")}
        now = _roles(settings, node.ref)
        yield _station("model", node.ref, {**now, **then}, registered=event.get("time"))
        yield from _runs(node.ref, index)
    elif kind == "candidate":
        yield from _code(settings, node.ref, event)
    elif kind == "split":
        details = {"feature_service": facts.get("feature_service"), "parts": facts.get("parts")}
        yield _station("features", node.ref, details, as_of=facts.get("as_of"))
    elif node.ref.startswith("delta:features/"):
        names = ("feature_service", "rows", "data_as_of")
        details = {name: facts.get(name) for name in names}
        yield _station("features", node.ref, details, made=event.get("time"))
    elif node.ref.startswith("delta:published/"):
        yield from _of_table(settings, node.ref, event)
    elif kind == "raw":
        yield _source(settings, node.ref.removeprefix("raw:"), event)


def _station(kind: str, ref: str, facts: dict[str, Any], **more: Any) -> Station:
    values = {**facts, **more}
    return Station(kind, ref, {k: _text(v) for k, v in values.items() if v not in (None, "", {})})


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {_text(v)}" for k, v in value.items())
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _roles(settings: Settings, ref: str) -> dict[str, str]:
    """What the version is for now; a registry that is away says nothing."""
    use_case, _, version = ref.removeprefix("model:").partition("@")
    try:
        now, number = roles.of(settings, use_case), int(version)
    except (YupanaError, ValueError):
        return {}
    return {"alias": ", ".join(now.aliases_of(number)), "slot": ", ".join(now.slots_of(number))}


def _runs(model: str, index: Index) -> Iterator[Station]:
    for event in index.steps("train"):
        if model in event["inputs"]:
            details = {"step": "train", "seconds": event["seconds"]}
            details |= {"asked_by": event.get("asked_by"), "ended": event["time"]}
            yield _station("run", event["outputs"][0], details)


def _code(settings: Settings, candidate: str, event: Event) -> Iterator[Station]:
    """What the fit itself wrote down; else what its step did."""
    path = settings.home / "candidates" / candidate.partition(":")[2] / "run.json"
    code = event.get("facts", {}).get("code", {})
    if path.exists():
        fitted = json.loads(path.read_text())
        code = {**fitted["environment"], **fitted["code"]}
    if code:
        # Installed without git, the hash of the code itself stands for the commit.
        details = {
            "commit": code.get("commit") or "none (no git)",
            "uv_lock_sha256": code.get("lock"),
            "code_sha256": code.get("sha256"),
            "python": code.get("python"),
        }
        yield _station("code", candidate, details)


def _of_table(settings: Settings, ref: str, event: Event) -> Iterator[Station]:
    """A published version and its audit; from its commit where the log does not know it."""
    _, name, version = delta.parts(ref)
    facts = event.get("facts", {})
    if "source_sha256" not in facts:
        try:
            publication = asdict(history.at_version(settings.table("published", name), version))
        except YupanaError:
            publication = {}
        facts = {**publication, **facts}
    names = ("known_on", "rows", "contract_version", "contract_sha256", "run")
    yield _station("data", ref, {n: facts.get(n) for n in names}, published=event.get("time"))
    if validation := facts.get("validation"):
        details: dict[str, Any] = {}
        if audit := _audit(settings, name, str(validation)):
            details = {"rules": audit.rules, "rows_that_broke_one": audit.broken}
            details |= {"passed": audit.success, "page": audit.page}
        yield _station("validation", f"validation:{validation}", details)
    for sha256 in facts.get("sources", ()) if not event else ():
        yield _source(settings, str(sha256), {})


def _source(settings: Settings, sha256: str, event: Event) -> Station:
    facts = event.get("facts", {})
    name = event.get("subject") or next(
        (p.parent.name for p in (settings.home / "landing").glob(f"*/{sha256}")), ""
    )
    landings = _landings(settings, name, sha256) if name else []
    first = landings[0] if landings else {}
    details = {k: facts.get(k) for k in ("publisher", "licence", "contract_version")}
    if name and not details["publisher"]:
        from yupana.data.contracts import contract

        about = contract.load(settings.root, name)
        details |= {"publisher": about.publisher, "licence": about.licence}
    raw = facts.get("raw", {})
    details |= {"file": first.get("source") or raw.get("source"), "dataset": name}
    details |= {"bytes": first.get("size") or raw.get("size")}
    details |= {"landed": first.get("time") or event.get("time")}
    details |= {k: v for k, v in first.get("facts", {}).items() if isinstance(v, str)}
    return _station("source", f"raw:{sha256}", {"sha256": sha256, **details})
