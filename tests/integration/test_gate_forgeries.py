"""Ways round the gate by what lies beside it: copies, clocks, keys, files and other homes."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import governed
import pytest
from candidates import NAME, empty_home
from governed import BERTA, CARLA, DIEGO, ME, now

from tests import event_rows
from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.database.engine import engine
from yupana.gate import actions, decisions, gate, measures, register
from yupana.ledger import signing, writer
from yupana.ledger.entries import Entry
from yupana.tracking import deployment
from yupana.tracking.shared_models import SharedModel


@pytest.fixture
def home(tmp_path: Path, own_store: None) -> Settings:
    """Stage service; nothing registered."""
    return governed.home(tmp_path)


def standing(settings: Settings, model: measures.Subject) -> gate.Standing:
    decisions._CACHE.clear()
    decisions._checked.cache_clear()
    signing._private.cache_clear()
    return gate.standing(settings, NAME, str(model.version), model.sha256, now())


def serving(settings: Settings, folder: Path) -> measures.Subject:
    """A model with a pass of service."""
    model = governed.registered(settings, folder)
    governed.approved(settings, model)
    gate.admit(settings, NAME, model, "promote", now())
    assert standing(settings, model).allowed
    return model


def copy_database(one: Path, other: Path) -> None:
    with sqlite3.connect(one) as source, sqlite3.connect(other) as target:
        source.backup(target)
    source.close()
    target.close()


def test_an_approval_is_for_one_version(home: Settings, tmp_path: Path) -> None:
    model = serving(home, tmp_path / "a")
    other = governed.registered(home, tmp_path / "b", 0.9)
    same_files = dataclasses.replace(model, version=2)
    for one in (other, same_files):
        assert {"assessment", "approval"} <= set(governed.codes(home, one))
    with pytest.raises(TerminalError, match="assessment"):
        actions.approve(home, other, "la misma de antes", now=now(), accounts=BERTA)


def test_a_database_from_before_the_suspension_is_missed(home: Settings, tmp_path: Path) -> None:
    model = serving(home, tmp_path / "a")
    old, there = tmp_path / "old.db", home.home / "platform.db"
    copy_database(there, old)
    actions.suspend(home, actions.Order(NAME, "alertas falsas", now=now(), accounts=CARLA))
    assert standing(home, model).suspended
    engine(home.platform_db).dispose()
    copy_database(old, there)
    state = standing(home, model)
    assert not state.allowed and state.why and "witness" in state.why[1]
    assert "ledger" in governed.codes(home, model)


def test_another_ledger_key_makes_nothing_good(home: Settings, tmp_path: Path) -> None:
    model = serving(home, tmp_path / "a")
    elsewhere = empty_home(tmp_path / "elsewhere")
    signing.public_key(elsewhere)
    for ending in ("key", "pub"):
        shutil.copy(elsewhere.home / "keys" / f"ledger.{ending}", home.home / "keys")
    state = standing(home, model)
    assert not state.allowed and state.why and "not signed by this platform" in state.why[1]
    assert "ledger" in governed.codes(home, model)


def test_a_fresh_home_knows_no_approval(home: Settings, tmp_path: Path) -> None:
    model = serving(home, tmp_path / "a")
    fresh = Settings(home=empty_home(tmp_path / "fresh").home, root=home.root)
    state = standing(fresh, model)
    assert not state.allowed and state.why and "no gate pass" in state.why[1]
    with pytest.raises(gate.GateRefusedError, match="assessment"):
        deployment.adopt(fresh, NAME, SharedModel(1, model.folder), now=now(), by="test")


def test_a_root_elsewhere_is_another_register(home: Settings, tmp_path: Path) -> None:
    model = serving(home, tmp_path / "a")
    root = Path(shutil.copytree(home.root, tmp_path / "mine", symlinks=True))
    governed.edit(root, lambda told: told["limits"][0].update(at_most=9.0))
    mine = Settings(home=home.home, root=root)
    assert governed.codes(mine, model) == ["assessment", "approval"]


def test_a_lower_class_asks_for_what_the_higher_did(home: Settings, tmp_path: Path) -> None:
    def down(register: dict[str, Any]) -> None:
        register["risk"]["areas"] = ["statistics"]
        register["risk"]["strategy"]["of"], register["risk"]["regulation"]["of"] = (
            "low",
            "acceptable",
        )

    model = serving(home, tmp_path / "a")
    governed.edit(home.root, down)
    assert register.load(home.root, NAME).level == "low"
    assert governed.codes(home, model) == ["assessment", "approval"]
    # What lowers it is what raised it: an approval by another, under the new class.
    governed.approved(home, model)
    gate.admit(home, NAME, model, "promote", now())
    codes = {c.code for c in gate.decide(home, NAME, model, "check", now()).conditions}
    assert "approval" not in codes


def test_an_edit_under_the_old_time_and_size_is_read(home: Settings) -> None:
    path = governed.path_of(home.root)
    before = path.stat()
    assert register.load(home.root, NAME).stage == "service"
    text = path.read_text()
    path.write_text(text.replace("stage: service", "stage: 'trial'", 1).replace("'", "", 2))
    path.write_text(path.read_text() + "#" * (before.st_size - path.stat().st_size))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert register.load(home.root, NAME).stage == "trial"


def test_a_clock_set_back_after_the_approval_ended_is_told(home: Settings, tmp_path: Path) -> None:
    model = serving(home, tmp_path / "a")
    assert not standing(home, model).expired
    # Some step ran when the approval was over; now the clock says that it is not.
    writer.append(home, [Entry("step", "x")], now=governed.later(400))
    state = standing(home, model)
    assert state.expired and state.trial


def test_an_impact_report_is_as_its_step_wrote_it(home: Settings, tmp_path: Path) -> None:
    model = governed.registered(home, tmp_path / "a")
    where = home.reports / NAME
    good = next(where.glob("impact-*.json"))
    content = json.loads(good.read_text())
    # Edited; copied under another name; made by nobody.
    everyone, rural = content["groups"]
    better = {**content, "groups": [everyone, {**rural, "missed": {"rate": 0.0}}]}
    good.write_text(json.dumps(better))
    assert "impact" in governed.codes(home, model)
    shutil.copy(good, where / "impact-000000000000.json")
    assert "impact" in governed.codes(home, model)
    ref = f"report:{NAME}/impact-000000000000"
    line = {"step": "impact", "subject": NAME, "status": "done", "time": now().isoformat(),
            "inputs": [f"model:{NAME}@1"], "outputs": [ref]}  # fmt: skip
    event_rows.add(home, line)
    assert "impact" in governed.codes(home, model)
    good.write_text(json.dumps(content))
    assert "impact" not in governed.codes(home, model)
    # A file's time makes no old report young, and another version's report is none.
    os.utime(good, (2e9, 2e9))
    assert "impact" in governed.codes(home, model, governed.later(190))
    assert "impact" in governed.codes(home, dataclasses.replace(model, version=2))


def test_scores_are_those_that_an_evaluation_wrote(home: Settings, tmp_path: Path) -> None:
    model = governed.registered(home, tmp_path / "a")
    assert "scores" not in governed.codes(home, model)
    path = model.folder / "evaluation.json"
    content = json.loads(path.read_text())
    content["groups"][0]["scores"]["pool"]["wis"] = 0.001
    path.write_text(json.dumps(content))
    assert "scores" in governed.codes(home, governed.judged(home, 1))


def test_a_group_beyond_its_limit_is_refused(home: Settings, tmp_path: Path) -> None:
    model = governed.registered(home, tmp_path / "a")
    governed.measured_impact(home, model.version, missed=0.8)
    decision = gate.decide(home, NAME, model, "check", now(), "service")
    groups = next(c for c in decision.conditions if c.code == "groups")
    assert not groups.met and "rural missed rural is 0.800, over 0.5" in groups.evidence


def test_a_chosen_season_is_no_impact_report(home: Settings, tmp_path: Path) -> None:
    model = governed.registered(home, tmp_path / "a")
    governed.measured_impact(home, model.version, missed=0.1, n=governed.SCORED - 1)
    decision = gate.decide(home, NAME, model, "check", now(), "service")
    impact = next(c for c in decision.conditions if c.code == "impact")
    assert not impact.met and "1999 predictions, and 2000 were scored" in impact.evidence


def test_a_step_is_done_when_the_ledger_says_so(home: Settings, tmp_path: Path) -> None:
    def by_step(register: dict[str, Any]) -> None:
        register["risk"]["factors"][0]["evidence"] = ["step:monitor"]

    governed.edit(home.root, by_step)
    model = governed.registered(home, tmp_path / "a")
    line = {"step": "monitor", "subject": NAME, "status": "done", "time": now().isoformat(),
            "inputs": [], "outputs": [], "key": "", "facts": {}}  # fmt: skip
    event_rows.add(home, line)
    assert "risks" in governed.codes(home, model)


def test_what_is_a_link_is_refused(home: Settings, tmp_path: Path) -> None:
    model = serving(home, tmp_path / "a")
    (tmp_path / "networks").mkdir()
    (model.folder / "networks").symlink_to(tmp_path / "networks")
    with pytest.raises(TerminalError, match="is a link"):
        governed.judged(home, 1)
    (model.folder / "networks").unlink()
    weights = model.folder / "weights.safetensors"
    shutil.move(weights, tmp_path / "weights")
    weights.symlink_to(tmp_path / "weights")
    with pytest.raises(TerminalError, match="is a link"):
        governed.judged(home, 1)


def test_a_suspension_between_the_look_and_the_pass_holds(
    home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = governed.registered(home, tmp_path / "a")
    governed.approved(home, model)
    write = decisions.write

    def late(*arguments: Any, **options: Any) -> decisions.Record:
        monkeypatch.setattr(decisions, "write", write)
        actions.suspend(home, actions.Order(NAME, "alertas falsas", now=now(), accounts=CARLA))
        return write(*arguments, **options)

    monkeypatch.setattr(decisions, "write", late)
    assert gate.admit(home, NAME, model, "promote", now()).allowed
    assert standing(home, model).suspended


def test_two_machines_may_decide_in_the_same_instant(
    home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = serving(home, tmp_path / "a")
    before = decisions.of(home, NAME)
    monkeypatch.setattr(decisions, "of", lambda *_: before)
    for accounts in (CARLA, DIEGO):
        facts = {"role": "deputy", "reason_es": "alertas", "reason_en": "alerts"}
        decisions.write(home, "suspend", NAME, facts, accounts=accounts, now=now())
    monkeypatch.undo()
    assert standing(home, model).suspended
    assert decisions.trouble(decisions.of(home, NAME)) == ""


def test_a_decision_names_the_register_that_made_the_role(home: Settings, tmp_path: Path) -> None:
    model = serving(home, tmp_path / "a")
    actions.suspend(home, actions.Order(model.name, "alertas falsas", now=now(), accounts=CARLA))
    mallory = {"id": "supervisor-2", "name": "Mario Lora Vega", "roles": ["supervisor"],
               "accounts": ["os:mallory"]}  # fmt: skip
    governed.edit(home.root, lambda told: told["people"].append(mallory))
    actions.resume(
        home, actions.Order(model.name, "ya está bien", now=now(), accounts=("os:mallory",))
    )
    before, after = decisions.of(home, NAME)[-2:]
    assert before.facts["register"] != after.facts["register"], "who looks, sees the edit"


def test_a_suspension_of_what_is_not_there_is_an_error(home: Settings, tmp_path: Path) -> None:
    model = serving(home, tmp_path / "a")
    with pytest.raises(UsageError, match=r"outbreak@11 was never brought in.*\n.*\n.*outbreak@1"):
        actions.suspend(
            home, actions.Order(f"{NAME}@11", "alertas falsas", now=now(), accounts=CARLA)
        )
    actions.suspend(home, actions.Order(f"{NAME}@01", "alertas falsas", now=now(), accounts=CARLA))
    assert standing(home, model).suspended


def test_an_approval_raises_the_pass_of_what_serves(home: Settings, tmp_path: Path) -> None:
    from yupana.tracking import versions

    governed.edit(home.root, governed.stage("trial"))
    model = governed.registered(home, tmp_path / "a")
    assert gate.is_settled(home, model, now())
    governed.approved(home, model)
    assert not gate.is_settled(home, model, now())
    versions.promote(home, versions.find(home, model.name), reason="", by=ME)
    assert gate.is_settled(home, model, now())
    governed.edit(home.root, governed.stage("service"))
    state = standing(home, model)
    assert state.allowed and not state.trial
