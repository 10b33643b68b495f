"""Every way round the gate that we could think of: each is refused, or told by name."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import governed
import pytest
from candidates import NAME
from governed import delete_events, now, standing

from yupana.config.settings import ROOT, Settings
from yupana.core.errors import TerminalError
from yupana.gate import decisions, gate, register
from yupana.ledger import writer
from yupana.ledger.entries import Entry
from yupana.tracking import deployment, registry, versions
from yupana.tracking.shared_models import SharedModel

WHO = {"now": now(), "by": "test"}


@pytest.fixture
def home(tmp_path: Path, own_store: None) -> Settings:
    """Stage service; nothing registered."""
    return governed.home(tmp_path)


def test_the_straight_way_goes_through(home: Settings, tmp_path: Path) -> None:
    model = governed.registered(home, tmp_path / "a")
    with pytest.raises(TerminalError, match="no champion"):
        registry.champion(home, NAME)
    assert governed.codes(home, model) == ["assessment", "approval"]
    governed.approved(home, model)
    assert governed.codes(home, model) == []
    versions.promote(home, versions.find(home, f"{NAME}@1"), reason="", by="ana")
    assert registry.champion(home, NAME)[0] == 1
    state = standing(home, model)
    assert state.allowed and not state.trial and not state.expired
    assert decisions.trouble(decisions.of(home, NAME)) == ""


def test_registration_and_the_api_called_directly_set_no_champion(
    home: Settings, tmp_path: Path
) -> None:
    model = governed.registered(home, tmp_path / "a")
    version = next(v for v in versions.listing(home, NAME))
    assert version.aliases == ("challenger",) and "approval" in version.reason
    with pytest.raises(gate.GateRefusedError, match="approval") as caught:
        versions.promote(home, version, reason="because", by="ana")
    assert "governance approve outbreak@1" in caught.value.fix
    with pytest.raises(gate.GateRefusedError):
        deployment.challenge(home, NAME, 0.5, **WHO)
    refused = [m for m in decisions.of(home, NAME) if m.kind == "gate" and "stage" in m.facts]
    assert refused and not any(m.facts["allowed"] for m in refused)
    assert not standing(home, model).allowed


def test_an_alias_set_by_hand_is_refused_by_name(home: Settings, tmp_path: Path) -> None:
    governed.registered(home, tmp_path / "a")
    registry.client(home).set_registered_model_alias(NAME, "champion", "1")
    for way in (
        lambda: registry.champion(home, NAME),
        lambda: deployment.deploy(home, NAME, **WHO),
    ):
        with pytest.raises(TerminalError, match=r"outbreak@1 may not be used.*no gate pass"):
            way()
    # Said to be champion already, it is judged all the same.
    with pytest.raises(gate.GateRefusedError):
        versions.promote(home, versions.find(home, f"{NAME}@1"), reason="it is there", by="ana")


def test_a_pass_written_by_hand_is_not_signed(home: Settings, tmp_path: Path) -> None:
    model = governed.registered(home, tmp_path / "a")
    facts = {
        "action": "promote", "version": 1, "sha256": model.sha256, "allowed": True,
        "stage": "service", "meets": "service", "accounts": [], "after": "", "signature": "ab" * 64,
    }  # fmt: skip
    writer.append(home, [Entry("gate", "outbreak@1", facts)])
    state = standing(home, model)
    assert not state.allowed and state.why and "not signed" in state.why[1]
    assert "ledger" in governed.codes(home, model)


def test_a_pass_is_for_exactly_its_files_and_its_version(home: Settings, tmp_path: Path) -> None:
    model = governed.registered(home, tmp_path / "a")
    governed.approved(home, model)
    gate.admit(home, NAME, model, "promote", now())
    other = governed.registered(home, tmp_path / "b", 0.9)
    assert standing(home, model).allowed
    for wrong in (
        dataclasses.replace(model, sha256=other.sha256), dataclasses.replace(model, version=2),
    ):  # fmt: skip
        assert not standing(home, wrong).allowed


def test_model_files_that_were_edited_are_refused(home: Settings, tmp_path: Path) -> None:
    model = governed.registered(home, tmp_path / "a")
    governed.approved(home, model)
    (model.folder / "weights.safetensors").write_bytes(b"others")
    changed = governed.judged(home, 1)
    assert {"files", "assessment", "approval"} <= set(governed.codes(home, changed))
    with pytest.raises(TerminalError, match="not those that its fit wrote"):
        versions.promote(home, versions.find(home, f"{NAME}@1"), reason="x", by="ana")
    # Also where the fit's own record was edited to agree.
    content = json.loads((model.folder / "run.json").read_text())
    content["files"] = {}
    (model.folder / "run.json").write_text(json.dumps(content))
    assert {"assessment", "approval"} <= set(governed.codes(home, governed.judged(home, 1)))


def test_an_assessment_expires_and_serving_says_so(home: Settings, tmp_path: Path) -> None:
    model = governed.registered(home, tmp_path / "a")
    governed.approved(home, model)
    gate.admit(home, NAME, model, "promote", now())
    late = governed.later(181)
    assert {"assessment", "impact"} <= set(governed.codes(home, model, late))
    state = gate.standing(home, NAME, "1", model.sha256, late)
    assert state.allowed and state.expired and state.trial


def test_a_clock_that_was_set_back_is_told(home: Settings, tmp_path: Path) -> None:
    model = governed.registered(home, tmp_path / "a")
    governed.approved(home, model)
    back = now() - timedelta(days=200)
    assert governed.codes(home, model, back) == ["clock"]
    with pytest.raises(gate.GateRefusedError, match="clock"):
        gate.admit(home, NAME, model, "promote", back)
    # An event of the future moves the ledger on: back to today is back all the same.
    writer.append(home, [Entry("step", "x")], now=governed.later(400))
    assert "clock" in governed.codes(home, model)


def test_a_register_that_was_edited_is_assessed_again(home: Settings, tmp_path: Path) -> None:
    model = governed.registered(home, tmp_path / "a")
    governed.approved(home, model)
    governed.edit(home.root, lambda told: told["costs"].update(missed_alert=1.5))
    assert governed.codes(home, model) == ["assessment", "approval"]
    with pytest.raises(gate.GateRefusedError, match="register was changed"):
        gate.admit(home, NAME, model, "promote", now())


def test_the_class_is_not_played_down(home: Settings) -> None:
    def down(register: dict[str, Any]) -> None:
        register["risk"]["strategy"]["of"], register["risk"]["regulation"]["of"] = (
            "low",
            "acceptable",
        )

    governed.edit(home.root, down)
    with pytest.raises(TerminalError, match="health is of high risk") as caught:
        register.load(home.root, NAME)
    assert "governance.yaml, line" in caught.value.where


def test_a_stage_that_was_flipped_to_trial_leaves_no_way_in(home: Settings, tmp_path: Path) -> None:
    governed.edit(home.root, governed.stage("trial"))
    model = governed.registered(home, tmp_path / "a")
    assert standing(home, model).trial, "on trial its answers say so"
    governed.edit(home.root, governed.stage("service"))
    state = standing(home, model)
    assert not state.allowed and state.why and "trial" in state.why[1]
    with pytest.raises(TerminalError, match="pass is of a trial"):
        registry.champion(home, NAME)
    # The stage alone may change: approved on trial, it serves without a gap.
    governed.edit(home.root, governed.stage("trial"))
    governed.approved(home, model)
    gate.admit(home, NAME, model, "deploy", now())
    assert standing(home, model).trial
    governed.edit(home.root, governed.stage("service"))
    assert standing(home, model).allowed and not standing(home, model).trial


@pytest.mark.parametrize("kind", ["approve", "assess"])
def test_an_approval_that_was_deleted_is_missed(kind: str, home: Settings, tmp_path: Path) -> None:
    model = governed.registered(home, tmp_path / "a")
    governed.approved(home, model)
    gate.admit(home, NAME, model, "promote", now())
    assert standing(home, model).allowed
    delete_events(home, kind)
    assert not standing(home, model).allowed
    assert "ledger" in governed.codes(home, model)


@pytest.mark.parametrize(
    ("part", "of"), [("strategy", "unacceptable"), ("regulation", "prohibited")]
)
def test_a_prohibited_use_is_refused_on_every_way_in(
    part: str, of: str, home: Settings, tmp_path: Path
) -> None:
    governed.edit(home.root, governed.stage("trial"))
    model = governed.registered(home, tmp_path / "a")
    version = versions.find(home, f"{NAME}@1")
    governed.edit(home.root, lambda told: told["risk"][part].update(of=of))
    ways: list[Callable[[], Any]] = [
        lambda: governed.registered(home, tmp_path / "b", 0.5),
        lambda: versions.promote(home, version, reason="because", by="ana"),
        lambda: deployment.deploy(home, NAME, **WHO),
        lambda: deployment.adopt(home, NAME, SharedModel(7, model.folder), **WHO),
        lambda: gate.admit(home, NAME, model, "shadow", now()),
        lambda: registry.champion(home, NAME),
        lambda: governed.approved(home, model),
    ]
    for way in ways:
        with pytest.raises(TerminalError, match="prohibi"):
            way()
    assert not standing(home, model).allowed


def test_a_foreign_model_is_adopted_by_its_approval_here(home: Settings, tmp_path: Path) -> None:
    folder = governed.measured(tmp_path / "theirs")
    with pytest.raises(gate.GateRefusedError, match="approval"):
        deployment.adopt(home, NAME, SharedModel(7, folder), **WHO)
    (folder / "weights.safetensors").write_bytes(b"changed on the way")
    governed.edit(home.root, governed.stage("trial"))
    with pytest.raises(gate.GateRefusedError, match="changed since the fit"):
        deployment.adopt(home, NAME, SharedModel(7, folder), **WHO)


@pytest.mark.parametrize(
    ("call", "where"),
    [
        ("set_registered_model_alias(", {"registry.py", "versions.py"}),
        ("slots.place(", {"deployment.py"}),
        ("bentoml.models.create(", {"deployment.py"}),
        ("SharedModel(", {"shared_models.py"}),
    ],
)
def test_commands_dags_and_pipelines_have_no_way_of_their_own(call: str, where: set[str]) -> None:
    rooms = ("yupana", "serving", "dags", "pipelines", "models", "feature_repo")
    files = (p for room in rooms for p in (ROOT / room).rglob("*.py"))
    callers = {p for p in files if call in p.read_text(encoding="utf-8")}
    assert {p.name for p in callers} == where
    assert {p.parent.name for p in callers} == {"tracking"}


def test_without_a_register_nothing_is_promoted(home: Settings, tmp_path: Path) -> None:
    governed.path_of(home.root).unlink()
    with pytest.raises(TerminalError, match="no risk register"):
        governed.registered(home, tmp_path / "a")
