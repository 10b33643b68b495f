"""Keys, tokens and passwords: for their owner alone, whole or not at all, the first one stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from yupana.core import private_file


def test_a_file_is_for_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        path = tmp_path / "keys" / "a.key"
        assert private_file.create(path, lambda: "one")
    finally:
        os.umask(old)
    assert path.stat().st_mode & 0o777 == 0o600 and not private_file.is_open(path)
    path.chmod(0o640)
    assert private_file.is_open(path)


def test_the_first_writer_wins_even_between_look_and_link(tmp_path: Path) -> None:
    path = tmp_path / "a.key"

    def another_comes_first() -> str:
        private_file.create(path, lambda: "first")
        return "second"

    assert not private_file.create(path, another_comes_first)
    assert path.read_text() == "first" and [p.name for p in tmp_path.iterdir()] == ["a.key"]
    assert not private_file.create(path, lambda: pytest.fail("made for nothing"))


def test_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    path.write_text("old")
    private_file.replace(path, "new")
    assert path.read_text() == "new" and not private_file.is_open(path)
    assert [p.name for p in tmp_path.iterdir()] == ["a.key"]
