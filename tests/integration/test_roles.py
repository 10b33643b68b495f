"""Which model is champion and which answers: one truth each, and every surface tells the same."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from candidates import NAME, candidate, empty_home, tags
from command import yupana as command

from yupana.config.settings import Settings
from yupana.lineage import events
from yupana.orchestration import machine
from yupana.trace import backward, provenance
from yupana.trace.index import Index
from yupana.tracking import registry, roles, slots, versions
from yupana.tracking.slots import Placed

WHO = {"now": datetime(2026, 3, 1, tzinfo=UTC), "by": "test"}
DIFFERENCE = "champion of the registry: outbreak@2; what answers: outbreak@1"


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    """Version 1 was champion and answers; 2 was promoted at its registration, not deployed."""
    settings = empty_home(tmp_path)
    for name, wis in (("1", 1.5), ("2", 1.2)):
        registration = registry.register(
            settings, NAME, candidate(tmp_path / name, wis), tags(name)
        )
        events.append(
            settings, "register", NAME, status="done", inputs=(f"candidate:{name}",),
            outputs=(f"model:{NAME}@{name}",),
            facts={"alias": registration.alias, "reason": registration.reason},
        )  # fmt: skip
        if name == "1":
            slots.place(settings.platform_db, NAME, "champion", Placed(f"{NAME}:1"), **WHO)
    return settings


def _station(settings: Settings, version: int) -> dict[str, str]:
    index = Index(settings.events)
    node = backward.trace_in(index, f"model:{NAME}@{version}")
    return next(s.facts for s in provenance.road(settings, node, index) if s.kind == "model")


def _doctor(settings: Settings) -> machine.Check:
    return next(c for c in machine.check(settings) if c.what.startswith(NAME))


def _listed(settings: Settings) -> dict[str, tuple[list[str], list[str]]]:
    rows = json.loads(command(settings, "models", "list", NAME, "--json").stdout)
    return {row["version"]: (row["aliases"], row["slots"]) for row in rows}


def test_a_use_case_without_a_model_is_a_note_with_the_command(tmp_path: Path) -> None:
    check = _doctor(Settings(home=tmp_path))
    assert (check.sign, check.state, check.needed) == ("note", "none trained", False)
    assert f"yupana train {NAME}" in check.fix
    shown = command(Settings(home=tmp_path), "doctor").stdout
    (line,) = [one for one in shown.splitlines() if NAME in one and "champion" in one]
    assert "note" in line and " ok " not in line, shown


def test_every_surface_tells_a_promotion_that_is_not_deployed(home: Settings) -> None:
    now = roles.of(home, NAME)
    assert (now.aliases["champion"], now.slots) == (2, {"champion": 1})
    assert _listed(home) == {
        "model:outbreak@1": ([], ["champion"]), "model:outbreak@2": (["champion"], []),
    }  # fmt: skip
    text = command(home, "models", "list", NAME).stdout
    assert f"{DIFFERENCE} (yupana deploy outbreak)" in text
    report = json.loads(command(home, "models", "show", f"{NAME}@champion", "--json").stdout)
    assert (report["version"], report["slots"]) == ("model:outbreak@2", [])
    # Version 1 was registered as champion, which the log goes on telling: as what was.
    before, after = _station(home, 1), _station(home, 2)
    assert (before["registered_as"], before["slot"]) == ("champion", "champion")
    assert "alias" not in before and "slot" not in after
    assert after["alias"] == after["registered_as"] == "champion"
    check = _doctor(home)
    assert (check.ok, check.needed) == (False, False)
    assert (check.state, check.fix) == (DIFFERENCE, "yupana deploy outbreak")
    assert roles.served(home, NAME).ref == "model:outbreak@1"
    assert slots.champion(home.platform_db, NAME).model == "model:outbreak@1"


def test_once_deployed_nothing_is_left_to_tell(home: Settings) -> None:
    slots.place(home.platform_db, NAME, "champion", Placed(f"{NAME}:2"), **WHO)
    assert roles.of(home, NAME).difference == ("", "")
    assert _listed(home)["model:outbreak@2"] == (["champion"], ["champion"])
    assert "what answers" not in command(home, "models", "list", NAME).stdout
    assert (_doctor(home).ok, _doctor(home).state) == (True, "outbreak@2")
    assert (_station(home, 2)["alias"], _station(home, 2)["slot"]) == ("champion", "champion")
    assert "slot" not in _station(home, 1)


def test_the_registrys_alias_decides_whatever_the_log_tells(home: Settings) -> None:
    first = versions.find(home, f"{NAME}@1")
    versions.promote(home, first, reason="2 misses the peak", by="test")
    assert roles.of(home, NAME).difference == ("", "")
    assert (_station(home, 1)["alias"], _station(home, 2)["alias"]) == ("champion", "challenger")
    assert _station(home, 2)["registered_as"] == "champion"


def test_without_registry_and_service_there_is_nothing_to_tell(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    now = roles.of(settings, NAME)
    assert (now.aliases, now.slots, now.difference, now.fix) == ({}, {}, ("", ""), "")
    assert list(tmp_path.iterdir()) == []


def test_a_model_from_elsewhere_answers_where_none_was_trained(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    slots.place(settings.platform_db, NAME, "champion", Placed(f"{NAME}:7"), **WHO)
    now = roles.of(settings, NAME)
    assert now.difference[0] == "campeón del registro: ninguno; responde: outbreak@7"
    assert now.fix == "", "there is nothing to deploy"


def test_a_registry_that_is_away_stops_no_trace(home: Settings) -> None:
    (home.home / "mlflow" / "mlflow.db").write_text("this is no database, " * 100)
    assert _station(home, 2)["registered_as"] == "champion"
    check = _doctor(home)
    assert not check.ok and "does not answer" in check.state
