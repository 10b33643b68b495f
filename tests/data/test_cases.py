"""Small inputs that once failed, each a case with its right value (shared/cases/ingest)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from case_steps import CASES, NO_ENGINE, Case, Project
from cases_of_contracts import CONTRACTS, MENDED
from cases_of_files import DOCUMENTS, TEXT, WORKBOOKS
from cases_of_values import DATES, NUMBERS_AND_CODES, RELEASES
from command import yupana
from conftest import BOTH_ENGINES, BOTH_ENGINES_LATER
from realdata import whole_output

from yupana.core.progress import Silent
from yupana.data.contracts import contract
from yupana.orchestration.cards import cards
from yupana.orchestration.ingest import ingest

# Records are cut before the engine; `tests/parity` compares what engines make of dates and numbers.
BEFORE_ENGINE = [*CONTRACTS, *TEXT, *WORKBOOKS, *DOCUMENTS, *DATES, *NUMBERS_AND_CODES]
ALL = [*BEFORE_ENGINE, *RELEASES]
BROKEN_ALONE = {
    "K14-limit-str": "quarantineLimit",
    "K2-latency-1.5": "latency",
    "K3-no-description": "no purpose",
}
PERSONAL = "D-pseudo-personal-date"


@BOTH_ENGINES_LATER
@pytest.mark.parametrize("case", [c for c in RELEASES if c.engine], ids=str)
def test_the_right_value_comes_out_of_releases(case: Case, tmp_path: Path, engine: str) -> None:
    Project(case, tmp_path, engine).walk()


@BOTH_ENGINES_LATER
@pytest.mark.parametrize("case", [c for c in BEFORE_ENGINE if c.engine], ids=str)
def test_the_right_value_comes_out_of_a_file(case: Case, tmp_path: Path, engine: str) -> None:
    Project(case, tmp_path, engine).walk()


@pytest.mark.parametrize("case", [c for c in ALL if not c.engine], ids=str)
def test_it_is_refused_before_an_engine_starts(case: Case, tmp_path: Path) -> None:
    Project(case, tmp_path, NO_ENGINE).walk()


@pytest.mark.parametrize(("case", "attribute", "value"), MENDED, ids=str)
def test_the_mended_contract_is_read(
    case: Case, attribute: str, value: object, tmp_path: Path
) -> None:
    project = Project(case, tmp_path, NO_ENGINE)
    assert getattr(contract.load(project.lake.root, project.name), attribute) == value


@pytest.mark.parametrize("folder", BROKEN_ALONE)
def test_a_broken_contract_stops_no_other_data_set(folder: str, tmp_path: Path) -> None:
    project = Project(Case(folder, ()), tmp_path, NO_ENGINE)
    assert yupana(project.lake, "datasets").code == 0
    assert yupana(project.lake, "standards", "check", "dengue_linelist").code == 0
    faults = {card.name: card.fault for card in cards(project.lake)}
    assert BROKEN_ALONE[folder] in str(faults.pop(project.name))
    assert not any(faults.values()) and "dengue_linelist" in faults
    answer = yupana(project.lake, "contract", "check", project.name)
    assert answer.code == 1 and BROKEN_ALONE[folder] in answer.stdout + answer.stderr


@BOTH_ENGINES
def test_a_number_of_a_person_is_published_as_a_pseudonym(tmp_path: Path, engine: str) -> None:
    project = Project(Case(PERSONAL, ()), tmp_path, engine)
    ingest(project.lake, project.name, str(CASES / PERSONAL / "in.csv"), Silent())
    (first, one), (second, other) = project.published()
    assert (first, second) == (1, 2) and one != other
    assert all(re.fullmatch("[0-9a-f]{32}", name) for name in (one, other))
    assert "0012345" not in whole_output(project.lake) and not project.aside()


def test_every_case_has_its_test() -> None:
    if not CASES.exists():
        pytest.skip(f"the cases are not beside the clone: {CASES}")
    folders = {c.folder for c in ALL} | {PERSONAL, *BROKEN_ALONE}
    assert folders == {p.name for p in CASES.iterdir() if p.is_dir()}
