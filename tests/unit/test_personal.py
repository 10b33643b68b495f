"""Pseudonyms: the same person is the same name, in one data set, for who has the key."""

from __future__ import annotations

import multiprocessing
import stat
from pathlib import Path

import pytest

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.core.hashing import pseudonym
from yupana.data.staging import personal


def test_the_same_value_has_the_same_pseudonym_in_one_column_only() -> None:
    one = pseudonym(b"k" * 32, "complaints.customer", "AFG-001830")
    assert one == pseudonym(b"k" * 32, "complaints.customer", "AFG-001830")
    assert one != pseudonym(b"k" * 32, "claims.customer", "AFG-001830")
    assert one != pseudonym(b"j" * 32, "complaints.customer", "AFG-001830")
    assert one and len(one) == 32 and "AFG" not in one
    assert pseudonym(b"k" * 32, "complaints.customer", None) is None


def test_the_key_is_its_owners_alone_and_lies_outside_the_lake(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    key = personal._key(settings)
    path = tmp_path / "keys" / "pseudonym.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.is_relative_to(settings.lake)
    assert personal._key(settings) == key


def test_two_processes_agree_on_one_key(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        keys = pool.map(personal._key, [Settings(home=tmp_path)] * 8)
    assert len(set(keys)) == 1
    assert [p.name for p in (tmp_path / "keys").glob("pseudonym*")] == ["pseudonym.key"]


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    personal._key(settings)
    (tmp_path / "keys" / "pseudonym.key").chmod(0o644)
    with pytest.raises(TerminalError, match="others may read"):
        personal._key(settings)
