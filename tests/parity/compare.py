"""Whether two lakes hold the same: tables by row and type, audits by number, commits by fact."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from conftest import engine_or_skip
from deltalake import DeltaTable

from yupana.config.settings import ROOT, Settings
from yupana.core import private_file
from yupana.core.types import StepResult
from yupana.data.lake import delta

ZONES = ("staging", "quarantine", "published")
# What differs between two runs of one engine as well.
_OWN = {"run", "validation", "known_on", "inputs"}


def pair(folder: Path, root: Path = ROOT) -> tuple[Settings, Settings]:
    """An empty lake for each engine, with one key for pseudonyms."""
    key = folder / "pseudonym.key"
    private_file.create(key, lambda: "5e" * 32)
    sail, spark = (
        Settings(root=root, home=folder / e, engine=engine_or_skip(e), pseudonym_key=key)
        for e in ("sail", "spark")
    )
    return sail, spark


def differences(
    results: tuple[StepResult, StepResult], lakes: tuple[Settings, Settings], name: str
) -> list[str]:
    """What is not equal after the same ingest in two lakes; empty: nothing."""
    lines = [d for zone in ZONES for d in _tables(*(s.table(zone, name) for s in lakes))]
    audits = [_audit(s, r) for s, r in zip(lakes, results, strict=True)]
    lines += [f"audit {k}: {v} and {audits[1].get(k)}" for k, v in audits[0].items()
              if v != audits[1].get(k)]  # fmt: skip
    facts = [_facts(s, name) for s in lakes]
    if facts[0] != facts[1]:
        lines.append(f"commit: {facts[0]} and {facts[1]}")
    return lines


def _tables(one: Any, other: Any) -> list[str]:
    if delta.exists(one) != delta.exists(other):
        return [f"{one} or {other} is not there"]
    if not delta.exists(one):
        return []
    schemas = [DeltaTable(t).schema().to_json() for t in (one, other)]
    if schemas[0] != schemas[1]:
        return [f"{one.parent.name} schema: {schemas[0]} and {schemas[1]}"]
    here, there = (delta.read(t).sort("source_line") for t in (one, other))
    if here.equals(there):
        return []
    if here.height != there.height:
        return [f"{one.parent.name}: {here.height} and {there.height} rows"]
    wrong = [c for c in here.columns if not here[c].equals(there[c])]
    return [f"{one.parent.name}.{c}: {_first(here[c], there[c])}" for c in wrong]


def _first(here: Any, there: Any) -> str:
    pairs = enumerate(zip(here.to_list(), there.to_list(), strict=True))
    return next(f"row {i}: {a!r} and {b!r}" for i, (a, b) in pairs if repr(a) != repr(b))


def _audit(lake: Settings, result: StepResult) -> dict[str, Any]:
    """Counts of each rule in the audit's JSON."""
    identity = next(o for o in result.outputs if o.startswith("validation:")).split(":")[1]
    (path,) = (lake.reports / "validation").glob(f"*-{identity}.json")
    return {
        str(r["expectation_config"]["meta"]): {
            k: v for k, v in r["result"].items() if k.endswith(("count", "percent", "value"))
        }
        for r in json.loads(path.read_text())["results"]
        if r["expectation_config"]["meta"]
    }


def _facts(lake: Settings, name: str) -> dict[str, Any]:
    facts = delta.commit_facts(lake.table("published", name))
    return {k: v for k, v in facts.items() if k not in _OWN}
