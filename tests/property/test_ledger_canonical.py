"""Canonical JSON: one text for one value, and the verifier takes what the ledger writes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yupana.core.errors import TerminalError
from yupana.ledger.canonical import DECIMALS, canonical
from yupana.ledger.verifier import START, _block

NAMES = st.text(st.characters(max_codepoint=127), max_size=8)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.integers(1 - 2**53, 2**53 - 1) | st.floats(-1e12, 1e12, allow_nan=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


def rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DECIMALS)
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return {k: rounded(v) for k, v in value.items()} if isinstance(value, dict) else value


@given(VALUES)
def test_a_value_comes_back_and_has_one_text(value: Any) -> None:
    text = canonical(value)
    assert json.loads(text) == rounded(value)
    assert canonical(json.loads(text)) == text and "\n" not in text


@given(st.dictionaries(NAMES, VALUES, max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_members_does_not_matter(value: dict[str, Any], order: Any) -> None:
    names = list(value)
    order.shuffle(names)
    assert canonical({name: value[name] for name in names}) == canonical(value)


@given(st.dictionaries(NAMES, VALUES, max_size=4), TEXTS)
def test_the_verifier_takes_every_event_that_can_be_written(facts: Any, subject: str) -> None:
    event = {"actor": "", "facts": facts, "kind": "step", "previous": START, "seq": 1,
             "subject": subject, "time": "2026-03-01T00:00:00.000Z"}  # fmt: skip
    line = canonical(event).encode()
    block = _block([line])
    assert (block.seq, block.previous, block.time) == (1, START, event["time"])


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), 2**53, {"ñ": 1}, {1: 2}, "\ud800", b"x", {"a": {1, 2}}]
)
def test_what_two_writers_would_write_differently_is_refused(value: Any) -> None:
    with pytest.raises(TerminalError, match="does not take"):
        canonical(value)


def test_texts_that_look_alike_stay_two_texts() -> None:
    """Unicode forms are kept as they came (RFC 8785, 3.1): the hash is of the bytes."""
    assert canonical("\u00e9") != canonical("e\u0301")
    assert canonical([2.0, -0.0, 0.1 + 0.2, 1e11]) == "[2,0,0.3,100000000000]"
