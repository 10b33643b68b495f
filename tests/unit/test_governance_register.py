"""The risk register: what it must state, what it may not, and targets against a model's scores."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from yupana.config.settings import ROOT
from yupana.core.errors import TerminalError, UsageError
from yupana.core.hashing import file_sha256
from yupana.governance import evidence, measures, register
from yupana.governance.register import Bound

NAME = "outbreak"
WHY = {"es": "por qué", "en": "why"}


def written(root: Path, change: Callable[[dict[str, Any]], Any] = lambda _: None) -> Path:
    """A project with the shipped register, changed."""
    told = yaml.safe_load((ROOT / "models" / f"{NAME}.governance.yaml").read_text())
    change(told)
    (root / "models").mkdir(parents=True, exist_ok=True)
    (root / "models" / f"{NAME}.governance.yaml").write_text(yaml.safe_dump(told, sort_keys=False))
    return root


def subject(folder: Path) -> measures.Subject:
    """A model with scores: WIS 1 against 2, in two provinces of 300 rows and one of 20."""
    scores: dict[str, Any] = {
        "pool": {"wis": 1.0, "coverage_90": 0.9, "counts": 620},
        "ar": {"wis": 2.0, "coverage_90": 0.8, "counts": 620},
    }
    scores["groups"] = [
        {"group": "province", "of": of, "n": n, "wis": {"pool": wis, "ar": 2.0}}
        for of, n, wis in (("1601", 300, 1.0), ("1602", 300, 2.5), ("1603", 20, 9.0))
    ]
    (folder / "evaluation.json").write_text(json.dumps(scores))
    return measures.Subject(NAME, 1, folder, "0" * 64, (), "pool")


def test_the_shipped_register_states_all_that_is_asked_for() -> None:
    about = register.load(ROOT, NAME)
    assert about.stage == "trial" and about.level == "high"
    assert {"Ley 31814", "DS 115-2025-PCM", "Ley 29733"} <= {n.norm for n in about.legal_basis}
    assert len(about.ethics.principles) == 5 and len(about.ethics.requirements) == 8
    assert about.risk.strategy.reasons and about.risk.regulation.reasons
    roles = {role for person in about.people for role in person.roles}
    assert roles == {"supervisor", "deputy", "approver", "author"}
    assert not about.having("supervisor"), "the agency names its people; none is made up"
    assert about.targets.quantitative and about.targets.qualitative
    assert file_sha256(ROOT / about.notice.file) == about.notice.sha256


def test_every_file_and_test_that_the_shipped_register_names_is_there() -> None:
    about = register.load(ROOT, NAME)
    items = [
        *about.risk.factors, *about.data_protection.items, *about.targets.qualitative,
        *(item for _, item in about.ethics.items()), *(item for _, item in about.adoption.items()),
    ]  # fmt: skip
    refs = {ref for item in items for ref in item.evidence}
    looks = {"file": evidence._file, "test": evidence._test}
    look: Any = type("Look", (), {"settings": type("S", (), {"root": ROOT})})
    missing = [
        looks[kind](look, rest)
        for kind, _, rest in (ref.partition(":") for ref in refs)
        if kind in looks
    ]
    assert [m for m in missing if m] == []
    assert len(missing) > 20


def test_every_test_that_the_page_names_is_there() -> None:
    page = (ROOT / "docs" / "governance.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_[a-z_]+)`", page)) - {"test_"}
    files = (ROOT / "tests" / "integration").glob("test_gate_*.py")
    there = {n for p in files for n in re.findall(r"^def (test_\w+)", p.read_text(), re.M)}
    assert len(named) > 25 and named <= there, named - there


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda t: t["ethics"]["principles"].pop("equity"), "principles"),
        (lambda t: t["ethics"]["requirements"].update(explainability=[]), "explainability"),
        (lambda t: t["ethics"]["principles"]["equity"][0].pop("evidence"), "equity"),
        (lambda t: t["adoption"].update(operation=[]), "operation"),
        (lambda t: t["risk"]["regulation"].update(reasons=[]), "reasons"),
        (lambda t: t["risk"]["regulation"].update(of="medium"), "regulation"),
        (lambda t: t["targets"]["quantitative"][0].pop("at_most"), "at_most or at_least"),
        (lambda t: t.update(legal_basis=[]), "legal_basis"),
        (lambda t: t.update(affected=[]), "affected"),
        (lambda t: t.update(note="kept elsewhere"), "note"),
        (lambda t: t["people"][0].update(accounts=["carla"]), "carla"),
        (lambda t: t.update(use_case="other"), "must be 'outbreak'"),
    ],
)  # fmt: skip
def test_what_is_left_out_or_unknown_is_refused_by_line(
    change: Callable[[dict[str, Any]], Any], where: str, tmp_path: Path
) -> None:
    with pytest.raises(TerminalError, match=where) as caught:
        register.load(written(tmp_path, change), NAME)
    assert "governance.yaml, line " in caught.value.where


def test_the_stricter_of_both_schemes_counts(tmp_path: Path) -> None:
    def classes(told: dict[str, Any], areas: list[str], strategy: str, regulation: str) -> None:
        told["risk"]["areas"] = areas
        told["risk"]["strategy"]["of"], told["risk"]["regulation"]["of"] = strategy, regulation

    for strategy, regulation, level in (
        ("low", "acceptable", "low"), ("medium", "acceptable", "medium"), ("low", "high", "high"),
        ("unacceptable", "acceptable", "prohibited"), ("low", "prohibited", "prohibited"),
    ):  # fmt: skip
        told = lambda t, s=strategy, r=regulation: classes(t, ["statistics"], s, r)  # noqa: E731
        assert register.load(written(tmp_path, told), NAME).level == level
    with pytest.raises(TerminalError, match="health is of high risk at least"):
        low = lambda t: classes(t, ["health"], "medium", "acceptable")  # noqa: E731
        register.load(written(tmp_path, low), NAME)


def test_a_use_case_without_a_register_is_told_how_to_write_one(tmp_path: Path) -> None:
    for name in ("other", "../outbreak", ""):
        with pytest.raises(UsageError, match="has no risk register"):
            register.load(tmp_path, name)


@pytest.mark.parametrize(
    ("bound", "off"),
    [
        ({"measure": "ratio", "against": "ar", "at_most": 0.5}, []),
        ({"measure": "ratio", "against": "ar", "at_most": 0.4}, ["is 0.500, over 0.4"]),
        ({"measure": "coverage_90", "at_least": 0.95}, ["is 0.900, under 0.95"]),
        ({"measure": "ratio", "against": "gone", "at_most": 1.0}, ["no group has"]),
        ({"measure": "ratio", "by": "province", "against": "ar", "at_most": 1.0, "least_n": 100},
         ["1602 is 1.250, over 1.0"]),
        ({"measure": "wis", "by": "province", "at_most": 2.0},
         ["1602 is 2.500, over 2.0", "1603 is 9.000, over 2.0"]),
        ({"measure": "missed", "by": "rural", "at_most": 0.3}, ["rural is 0.400, over 0.3"]),
        ({"measure": "missed", "by": "language", "at_most": 0.3}, ["was not measured"]),
        ({"measure": "missed", "by": "province", "at_most": 0.3}, ["was not measured"]),
    ],
)  # fmt: skip
def test_targets_and_limits_against_what_was_measured(
    bound: dict[str, Any], off: list[str], tmp_path: Path
) -> None:
    impact = {"groups": [{"by": "rural", "of": "rural", "n": 90, "missed": {"rate": 0.4}},
                         {"by": "rural", "of": "urban", "n": 90, "suppressed": True}]}  # fmt: skip
    found = measures.beyond(Bound(**bound, why=WHY), subject(tmp_path), impact)
    assert len(found) == len(off)
    assert all(said in told for told, said in zip(found, off, strict=True)), found


def test_a_hidden_figure_is_named_and_not_passed_over() -> None:
    impact = {"groups": [{"by": "rural", "of": "urban", "n": 90, "suppressed": True}]}
    bound = Bound(measure="missed", by="rural", at_most=0.3, why=WHY)
    assert measures.hidden(bound, impact) == ["missed rural urban"]
