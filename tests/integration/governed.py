"""A project whose register is filled in as an agency would, and a model ready to be judged."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import yaml
from candidates import NAME, SCORED, candidate, empty_home, tags

from yupana.config.settings import ROOT, Settings
from yupana.core import evaluation as evaluations
from yupana.core.evaluation import Group
from yupana.core.hashing import value_sha256
from yupana.gate import actions, decisions, gate, measures
from yupana.identity import actors
from yupana.lineage import events
from yupana.tracking import registry, subjects

ME = actors.here()[0]
BERTA, CARLA, DIEGO = ("os:berta",), ("os:carla",), ("os:diego",)
PEOPLE = [
    {"id": "author-1", "name": "Ana Huamán Rojas", "roles": ["author"],
     "accounts": [*actors.here()]},
    {"id": "approver-1", "name": "Berta Flores Inga", "roles": ["approver"],
     "accounts": [*BERTA, "key:0123456789ab"]},
    {"id": "supervisor-1", "name": "Carla Ríos Tello", "roles": ["supervisor"],
     "accounts": [*CARLA]},
    {"id": "deputy-1", "name": "Diego Vela Soria", "roles": ["deputy"], "accounts": [*DIEGO]},
]  # fmt: skip
Change = Callable[[dict[str, Any]], None]


def now() -> datetime:
    return datetime.now(UTC)


def later(days: int) -> datetime:
    return now() + timedelta(days=days)


def same(_: dict[str, Any]) -> None:
    """No change."""


def path_of(root: Path) -> Path:
    return root / "models" / NAME / "governance.yaml"


def edit(root: Path, change: Change) -> None:
    """Change the register as an editor would."""
    register = yaml.safe_load(path_of(root).read_text())
    change(register)
    path_of(root).write_text(yaml.safe_dump(register, allow_unicode=True, sort_keys=False))


def stage(name: str) -> Change:
    return lambda told: told.update(stage=name)


def project(folder: Path, change: Change = same) -> Path:
    """A project with a filled-in register, at stage service, and what it names as evidence."""
    root = folder / "project"
    (root / "models" / NAME).mkdir(parents=True)
    (root / "docs" / "transparency").mkdir(parents=True)
    (root / "expectations").symlink_to(ROOT / "expectations")
    for name in (f"models/{NAME}/card.yaml", f"docs/transparency/{NAME}.md"):
        shutil.copy(ROOT / name, root / name)
    (root / "docs" / "evidence.md").write_text("as told\n")
    register = yaml.safe_load((ROOT / "models" / NAME / "governance.yaml").read_text())
    _close(register)
    for part in ("data_protection", "ethics", "adoption"):
        register[part]["reviewed"] = now().date()
    register["notice"]["published"] = now().date()
    register |= {"stage": "service", "people": PEOPLE}
    register["costs"]["set_by"] = "Dirección de Epidemiología, acta 12"
    change(register)
    path_of(root).write_text(yaml.safe_dump(register, allow_unicode=True, sort_keys=False))
    return root


def _close(part: Any) -> None:
    """Give every point the evidence that the test project has."""
    if isinstance(part, dict):
        if "what" in part:
            part.pop("gap", None)
            part["evidence"] = ["file:docs/evidence.md#as told"]
        for value in part.values():
            _close(value)
    elif isinstance(part, list):
        for value in part:
            _close(value)


def home(folder: Path, change: Change = same) -> Settings:
    """An empty registry on such a project."""
    return Settings(home=empty_home(folder).home, root=project(folder, change))


def measured(folder: Path, wis: float = 1.0) -> Path:
    """A candidate with scores by horizon and province."""
    candidate_folder = candidate(folder, wis)
    whole = evaluations.read(candidate_folder)
    assert whole
    by = [("horizon", "1"), ("horizon", "2"), ("province", "1601"), ("province", "1602")]
    groups = tuple(Group(group=g, of=of, n=300, scores=whole.scores) for g, of in by)
    evaluations.write(candidate_folder, whole.model_copy(update={"groups": groups}))
    return candidate_folder


def registered(settings: Settings, folder: Path, wis: float = 1.0) -> measures.Subject:
    """A version of such a candidate, with an impact report on it."""
    name = folder.name
    evaluation = evaluations.read(measured(folder, wis))
    assert evaluation
    ref = measures.evaluation_ref(f"candidate:{name}", evaluation)
    inputs = (f"candidate:{name}",)
    events.append(settings, "evaluate", NAME, status="done", inputs=inputs, outputs=(ref,))
    registration = registry.register(settings, NAME, folder, tags(name))
    measured_impact(settings, registration.version)
    return judged(settings, registration.version)


def measured_impact(
    settings: Settings, version: int, missed: float = 0.2, n: int = SCORED
) -> Path:
    """An impact report on a version, as its step leaves it."""
    rural = {"by": "rural", "of": "rural", "n": 400, "suppressed": False}
    everyone = {"by": "all", "of": "all", "n": n, "suppressed": False}
    groups = [everyone, {**rural, "missed": {"rate": missed}}]
    facts: dict[str, Any] = {"model": f"model:{NAME}@{version}", "groups": groups}
    facts["id"] = value_sha256(facts)[:12]
    path = settings.reports / NAME / f"impact-{facts['id']}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(facts))
    ref = f"report:{NAME}/{path.stem}"
    events.append(
        settings, "impact", NAME, status="done", inputs=(facts["model"],), outputs=(ref,)
    )  # fmt: skip
    return path


def judged(settings: Settings, version: int) -> measures.Subject:
    entry = registry.client(settings).get_model_version(NAME, str(version))
    return subjects.of_folder(NAME, version, Path(str(entry.source).removeprefix("file://")))


def approved(settings: Settings, model: measures.Subject) -> decisions.Record:
    """Assessed by its author, approved by another."""
    actions.assess(settings, model, now=now(), accounts=(ME,))
    return actions.approve(settings, model, "revisado en comité", now=now(), accounts=BERTA)


def codes(settings: Settings, model: measures.Subject, at: datetime | None = None) -> list[str]:
    """Conditions of service that do not hold."""
    decision = gate.decide(settings, NAME, model, "check", at or now(), "service")
    return [c.code for c in decision.unmet()]


def standing(settings: Settings, model: measures.Subject) -> gate.Standing:
    """What the gate says of a model, read anew."""
    decisions._CACHE.clear()
    return gate.standing(settings, NAME, str(model.version), model.sha256, now())


def untouchable(url: str) -> sa.Connection:
    """A connection of someone who may drop what guards the ledger."""
    connection = sa.create_engine(url).connect()
    for what in ("update", "delete"):
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS ledger_no_{what}")
    return connection


def delete_events(settings: Settings, kind: str) -> None:
    """Delete the ledger's events of a kind, as who may drop its guards."""
    with untouchable(settings.platform_db) as connection:
        connection.exec_driver_sql(f"DELETE FROM ledger WHERE kind = '{kind}'")
        connection.commit()
