"""The risk register: what it must state, what it may not, and targets against a model's scores."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from yupana.config.settings import ROOT
from yupana.core import evaluation, usecase
from yupana.core.errors import TerminalError, UsageError
from yupana.core.evaluation import Evaluation, Group
from yupana.core.hashing import file_sha256
from yupana.core.spec import Metric
from yupana.gate import evidence, measures, register
from yupana.gate.register import Bound

NAME = "outbreak"
WHY = {"es": "por qué", "en": "why"}


def register_root(root: Path, change: Callable[[dict[str, Any]], Any] = lambda _: None) -> Path:
    """A project with the shipped register, changed."""
    document = yaml.safe_load((ROOT / "models" / NAME / "governance.yaml").read_text())
    change(document)
    (root / "models" / NAME).mkdir(parents=True, exist_ok=True)
    (root / "models" / NAME / "governance.yaml").write_text(
        yaml.safe_dump(document, sort_keys=False)
    )
    return root


METRIC = Metric(name="wis", better="lower", baselines=("ar",))


def subject(folder: Path) -> measures.Subject:
    """A model with scores: WIS 1 against 2, in two provinces of 300 rows and one of 20."""
    whole = {"pool": {"wis": 1.0, "coverage_90": 0.9}, "ar": {"wis": 2.0, "coverage_90": 0.8}}
    groups = tuple(
        Group(group="province", of=of, n=n, scores={"pool": {"wis": wis}, "ar": {"wis": 2.0}})
        for of, n, wis in (("1601", 300, 1.0), ("1602", 300, 2.5), ("1603", 20, 9.0))
    )
    evaluation.write(folder, Evaluation(
        metric="wis", better="lower", final="pool", n=620, scores=whole, groups=groups
    ))  # fmt: skip
    return measures.Subject(NAME, 1, folder, "0" * 64, (), "pool", METRIC)


@pytest.mark.parametrize("name", usecase.names())
def test_a_shipped_register_states_all_that_is_asked_for(name: str) -> None:
    about = register.load(ROOT, name)
    assert about.stage == "trial" and about.level == "high"
    assert {"Ley 31814", "DS 115-2025-PCM", "Ley 29733"} <= {n.norm for n in about.legal_basis}
    assert len(about.ethics.principles) == 5 and len(about.ethics.requirements) == 8
    assert about.risk.strategy.reasons and about.risk.regulation.reasons
    roles = {role for person in about.people for role in person.roles}
    assert roles == {"supervisor", "deputy", "approver", "author"}
    assert not about.having("supervisor"), "the agency names its people; none is made up"
    assert about.targets.quantitative and about.targets.qualitative
    assert file_sha256(ROOT / about.notice.file) == about.notice.sha256


@pytest.mark.parametrize("name", usecase.names())
def test_every_file_and_test_that_a_shipped_register_names_is_there(name: str) -> None:
    about = register.load(ROOT, name)
    items = [
        *about.risk.factors, *about.data_protection.items, *about.targets.qualitative,
        *(item for _, item in about.ethics.items()), *(item for _, item in about.adoption.items()),
    ]  # fmt: skip
    refs = {ref for item in items for ref in item.evidence}
    looks = {"file": evidence._file, "test": evidence.absent_test}
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
    names = set(re.findall(r"`(test_[a-z_]+)`", page)) - {"test_"}
    files = (ROOT / "tests").rglob("test_*.py")
    there = {n for p in files for n in re.findall(r"^def (test_\w+)", p.read_text(), re.M)}
    assert len(names) > 25 and names <= there, names - there


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
        register.load(register_root(tmp_path, change), NAME)
    assert "governance.yaml, line " in caught.value.where


def test_the_stricter_of_both_schemes_counts(tmp_path: Path) -> None:
    def classes(document: dict[str, Any], areas: list[str], strategy: str, regulation: str) -> None:
        document["risk"]["areas"] = areas
        document["risk"]["strategy"]["of"], document["risk"]["regulation"]["of"] = (
            strategy,
            regulation,
        )

    for strategy, regulation, level in (
        ("low", "acceptable", "low"), ("medium", "acceptable", "medium"), ("low", "high", "high"),
        ("unacceptable", "acceptable", "prohibited"), ("low", "prohibited", "prohibited"),
    ):  # fmt: skip
        change = lambda t, s=strategy, r=regulation: classes(t, ["statistics"], s, r)  # noqa: E731
        assert register.load(register_root(tmp_path, change), NAME).level == level
    with pytest.raises(TerminalError, match="health is of high risk at least"):
        low = lambda t: classes(t, ["health"], "medium", "acceptable")  # noqa: E731
        register.load(register_root(tmp_path, low), NAME)


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
        ({"measure": "coverage_9", "at_least": 0.1}, ["no group has"]),
        ({"measure": "coverage_9", "by": "province", "at_least": 0.1}, ["was not measured"]),
    ],
)  # fmt: skip
def test_targets_and_limits_against_what_was_measured(
    bound: dict[str, Any], off: list[str], tmp_path: Path
) -> None:
    impact = {"groups": [{"by": "rural", "of": "rural", "n": 90, "missed": {"rate": 0.4}},
                         {"by": "rural", "of": "urban", "n": 90, "suppressed": True}]}  # fmt: skip
    faults = measures.beyond(Bound(**bound, why=WHY), subject(tmp_path), impact)
    assert len(faults) == len(off)
    assert all(part in fault for fault, part in zip(faults, off, strict=True)), faults


def test_a_hidden_figure_is_named_and_not_passed_over(tmp_path: Path) -> None:
    impact = {"groups": [{"by": "rural", "of": "urban", "n": 90, "suppressed": True}]}
    bound = Bound(measure="missed", by="rural", at_most=0.3, why=WHY)
    assert measures.hidden(bound, subject(tmp_path), impact) == ["missed rural urban"]


def test_a_classifier_without_measures_by_language_is_not_for_service(tmp_path: Path) -> None:
    """Its register's limits: what was not measured by language or length does not hold."""
    limits = register.load(ROOT, "complaints").limits
    assert {bound.by for bound in limits} == {"language", "length"}

    def off(*by: str) -> list[str]:
        scores = {"cascade": {"macro_f1": 0.6, "accuracy": 0.7}, "tfidf": {"macro_f1": 0.3}}
        groups = tuple(Group(group=group, of="es", n=100, scores=scores) for group in by)
        metric = Metric(name="macro_f1", better="higher", baselines=("tfidf",))
        evaluation.write(tmp_path, Evaluation(
            metric="macro_f1", better="higher", final="cascade", n=100, scores=scores,
            groups=groups,
        ))  # fmt: skip
        judged = measures.Subject("complaints", 1, tmp_path, "0" * 64, (), "cascade", metric)
        return [fault for bound in limits for fault in measures.beyond(bound, judged, {})]

    assert off("language", "length") == []
    assert [fault.split()[0] for fault in off("length")] == ["language"] * 2
    assert all("was not measured" in fault for fault in off())
