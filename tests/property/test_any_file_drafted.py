"""Whatever a file holds, its draft can be read as a contract, or the file is refused in words; and
all faults of a contract are told wherever reading it would stop at one."""

from __future__ import annotations

import copy
import csv
import io
from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_contract_slips import CONTRACTS, JUNK, PLACES

from yupana.config.settings import ROOT, Settings
from yupana.core.errors import TerminalError, YupanaError
from yupana.core.progress import Silent
from yupana.data import draft as drafts
from yupana.data.contracts import contract
from yupana.data.contracts.checks import faults as contract_faults

CELL = st.one_of(
    st.sampled_from(["", "NA", "S/D", "-9999", "01/02/2021", "2021-13-01", "1,5", "1.234,5",
                     "10101", "160101", "sí", "007", "1e999", "Total", "9" * 40, '"', "{a: b}"]),
    st.text(max_size=8),
    st.integers().map(str),
    st.floats().map(str),
)  # fmt: skip
HEADER = st.one_of(
    st.sampled_from(["anio", "semana", "ubigeo", "DNI", "fecha", "Ñ", "2020", "x y"]),
    st.text(max_size=12),
)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    width = draw(st.integers(1, 4))
    header = draw(st.lists(HEADER, min_size=width, max_size=width))
    rows = draw(st.lists(st.lists(CELL, min_size=width, max_size=width), max_size=12))
    text = io.StringIO(newline="")
    delimiter = draw(st.sampled_from(",;\t|"))
    csv.writer(text, delimiter=delimiter).writerows([header, *rows])
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "latin-1", "cp850", "utf-16"]))
    return text.getvalue().encode(encoding, errors="replace")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("project")


@given(content=st.one_of(files(), st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
@example(content='a\x7f"b,c\u2028d,#e: f\n1,2,3\n'.encode())
@example(content=b"anio\n9e999\n")
@settings(max_examples=150)
def test_a_draft_is_a_contract_or_a_refusal(root: Path, content: bytes) -> None:
    path = root / "in.csv"
    path.write_bytes(content)
    lake = Settings(root=root, home=root / "home")
    try:
        draft = drafts.draft(lake, str(path), "any", Silent(), today=date(2024, 1, 1))
    except YupanaError as error:
        assert error.fix
        return
    folder = root / "expectations" / "any"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "contract.yaml").write_text(draft.text, encoding="utf-8")
    read = contract.load(root, "any")
    assert [c.published for c in read.columns] == [c.published for c in draft.columns]


@given(st.sampled_from(PLACES), st.sampled_from(JUNK))
@settings(max_examples=60)
def test_faults_are_told_wherever_reading_stops(
    root: Path, place: tuple[str, tuple[str | int, ...]], junk: object
) -> None:
    name, path = place
    content = copy.deepcopy(CONTRACTS[name])
    node = content
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = junk
    lists = root / "lists"
    folder = lists / "expectations" / name
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        for other in contract.names(ROOT):
            if not (folder.parent / other).exists():
                (folder.parent / other).symlink_to(ROOT / "expectations" / other)
        for changed in CONTRACTS:
            (folder.parent / changed).unlink(missing_ok=True)
            (folder.parent / changed).mkdir()
    (folder / "contract.yaml").write_text(yaml.safe_dump(content, allow_unicode=True))
    faults = contract_faults.every(lists, name)
    assert all(fault.what and fault.fix for fault in faults)
    try:
        contract.load(lists, name)
    except TerminalError as error:
        assert faults and error.exit_code == faults[0].exit_code
    else:
        assert faults == []
