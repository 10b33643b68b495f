"""Any slip in a contract is one sentence with its place and mend, never a trace."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from yupana.config.settings import ROOT
from yupana.core.errors import TerminalError
from yupana.data.contracts import contract

NAMES = ("dengue_cases", "district_indicators", "iquitos_weekly")
CONTRACTS = {
    name: yaml.safe_load((ROOT / "expectations" / name / "contract.yaml").read_text())
    for name in NAMES
}
JUNK: list[Any] = [
    None, True, False, 0, -1, 5, 1.5, float("inf"), 10**30, "", " ", "x", "2%", "1.5 w", "30 min",
    "dd/mm/yyyy", "a.b", "[", "\0", "Ñandú", [], ["x"], [None], {}, {"a": 1}, {"value": 3}, [[1]],
]  # fmt: skip


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    listed = node if isinstance(node, list) else []
    items = node.items() if isinstance(node, dict) else enumerate(listed)
    for key, value in items:
        yield from places(value, (*path, key))


PLACES = [(name, place) for name in NAMES for place in places(CONTRACTS[name])]


def load(folder: Path, content: str) -> None:
    (folder / "contract.yaml").write_text(content, encoding="utf-8")
    try:
        contract.load(folder.parents[1], folder.name)
    except TerminalError as error:
        assert error.what and error.fix and "contract.yaml" in str(error.where)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("slips")
    (root / "expectations").symlink_to(ROOT / "expectations")
    own = root / "own" / "expectations" / "slip"
    own.mkdir(parents=True)
    for name in contract.names(ROOT):
        (own.parent / name).symlink_to(ROOT / "expectations" / name)
    return own


@settings(max_examples=50)
@given(st.sampled_from(PLACES), st.sampled_from(JUNK), st.sampled_from(["replace", "add", "drop"]))
def test_one_field_is_junk(
    folder: Path, where: tuple[str, tuple[Any, ...]], junk: Any, how: str
) -> None:
    name, place = where
    content = copy.deepcopy(CONTRACTS[name])
    node = content
    for key in place[:-1]:
        node = node[key]
    if how == "drop":
        del node[place[-1]]
    elif how == "add" and isinstance(node[place[-1]], list):
        node[place[-1]].append(junk)
    else:
        node[place[-1]] = junk
    load(folder, yaml.safe_dump(content, allow_unicode=True))


@settings(max_examples=30)
@given(
    st.sampled_from(NAMES),
    st.floats(0, 1, exclude_max=True),
    st.sampled_from(
        ["", "\t", "- ", ": ", "'", '"', "#", "{", "&a ", "*a ", "!!python/name:os ", "\x85"]
    ),
)
def test_one_character_too_many_or_the_rest_missing(
    folder: Path, name: str, share: float, typed: str
) -> None:
    text = (ROOT / "expectations" / name / "contract.yaml").read_text(encoding="utf-8")
    at = int(share * len(text))
    load(folder, text[:at] + typed + (text[at:] if typed else ""))
