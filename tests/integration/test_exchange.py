"""What is shared can be fetched elsewhere, by tag, byte for byte."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from deltalake import write_deltalake

from yupana.config.settings import QUIET, Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.core.hashing import file_sha256
from yupana.tracking.exchange import share_model, share_table

FACTS = {
    "contract_version": "1.0.0",
    "licence": "ODC-BY",
    "publisher": "CDC Perú",
    "source_sha256": "b" * 64,
}
FIRST = pl.DataFrame(
    {"ubigeo": ["160101", "150101", None], "cases": [3, 1, 0], "weeks": [[1], [2, 3], []]}
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "var")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Delta table `cases` with the versions 0 (three rows) and 1 (one row more), of which
    version 0 is shared by the exchange of the home `var`."""
    folder = tmp_path_factory.mktemp("exchange")
    write_deltalake(str(folder / "cases"), FIRST)
    more = pl.DataFrame({"ubigeo": ["010101"], "cases": [9], "weeks": [[4]]})
    write_deltalake(str(folder / "cases"), more, mode="append")
    share = share_table(Settings(home=folder / "var"), folder / "cases", "cases", 0, FACTS)
    assert share == "shared:cases@cases-v0"
    return folder


@pytest.fixture
def shared(first: Path, tmp_path: Path) -> Settings:
    """That home, for one test; exchange and store can move together."""
    return Settings(home=shutil.copytree(first / "var", tmp_path / "var", symlinks=True))


@pytest.fixture
def table(first: Path, tmp_path: Path) -> Path:
    """That table, for one test."""
    return shutil.copytree(first / "cases", tmp_path / "cases")


def _dvc(folder: Path, *arguments: str) -> None:
    folder.mkdir(exist_ok=True)
    subprocess.run(
        [sys.executable, "-m", "dvc", *arguments, "--quiet"],
        cwd=folder,
        check=True,
        env={**os.environ, **QUIET},
    )


def _git(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout


def _state(settings: Settings) -> str:
    folder = settings.home / "exchange"
    return _git(folder, "show-ref") + _git(folder, "status", "--porcelain")


def test_table_is_fetched_by_tag_from_another_folder(
    shared: Settings, table: Path, tmp_path: Path
) -> None:
    assert share_table(shared, table, "cases", 1, FACTS) == "shared:cases@cases-v1"
    before = _state(shared)
    assert share_table(shared, table, "cases", 0, FACTS) == "shared:cases@cases-v0"
    assert _state(shared) == before, "sharing a version again changes nothing"

    # The store alone must do: a receiver's machine has no cache of the exchange.
    exchange, elsewhere = shared.home / "exchange", tmp_path / "elsewhere"
    shutil.rmtree(exchange / ".dvc" / "cache")
    for version, rows in ((0, 3), (1, 4)):
        tag = f"cases-v{version}"
        for file in ("cases.parquet", "metadata.json"):
            _dvc(elsewhere, "get", str(exchange), f"datasets/cases/{file}", "--rev", tag, "--force")
        content: dict[str, Any] = json.loads((elsewhere / "metadata.json").read_text())
        assert content["sha256"] == file_sha256(elsewhere / "cases.parquet")
        assert (content["rows"], content["delta_version"]) == (rows, version)
        assert FACTS.items() <= content.items()
        assert pl.read_parquet(elsewhere / "cases.parquet").height == rows


def test_table_is_imported_by_another_dvc_repository(shared: Settings, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    _git(other, "init", "--quiet")
    _dvc(other, "init")
    _dvc(
        other,
        "import",
        str(shared.home / "exchange"),
        "datasets/cases/cases.parquet",
        "--rev",
        "cases-v0",
    )
    assert pl.read_parquet(other / "cases.parquet").sort("ubigeo").equals(FIRST.sort("ubigeo"))
    assert (other / "cases.parquet.dvc").exists()


def test_same_rows_in_other_files_are_the_same_bytes(shared: Settings, table: Path) -> None:
    shutil.rmtree(table)
    write_deltalake(str(table), FIRST.reverse())
    share_table(shared, table, "cases", 0, FACTS)


def test_shared_version_is_never_replaced(shared: Settings, table: Path) -> None:
    with pytest.raises(TerminalError, match="already shared") as caught:
        share_table(shared, table, "cases", 0, {**FACTS, "licence": "none"})
    assert "licence differ" in caught.value.where


def test_model_folder_is_fetched_whole_and_user_settings_do_not_matter(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "gitconfig"
    config.write_text("[commit]\n gpgsign = true\n[user]\n useConfigOnly = true\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    # What git sets while a hook of an outer repository runs.
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "outer.git"))
    model = tmp_path / "model"
    (model / "deep").mkdir(parents=True)
    (model / "weights.bin").write_bytes(bytes(range(256)))
    (model / "deep" / "facts.json").write_text("{}")
    assert share_model(settings, model, "outbreak", "3", FACTS) == "shared:outbreak@outbreak-v3"
    monkeypatch.delenv("GIT_DIR")
    before = _state(settings)
    assert share_model(settings, model, "outbreak", "3", FACTS) == "shared:outbreak@outbreak-v3"
    assert _state(settings) == before
    author = _git(settings.home / "exchange", "log", "-1", "--format=%an <%ae>")
    assert author.strip() == "yupana <yupana@localhost>"
    elsewhere = tmp_path / "elsewhere"
    _dvc(
        elsewhere,
        "get",
        str(settings.home / "exchange"),
        "models/outbreak/model",
        "--rev",
        "outbreak-v3",
    )
    assert (elsewhere / "model" / "weights.bin").read_bytes() == bytes(range(256))
    assert (elsewhere / "model" / "deep" / "facts.json").read_text() == "{}"


@pytest.mark.parametrize(("name", "version"), [("cases", 7), ("../cases", 0), ("no such", 0)])
def test_unknown_version_and_bad_name_are_told(
    shared: Settings, table: Path, name: str, version: int
) -> None:
    with pytest.raises(UsageError):
        share_table(shared, table, name, version, FACTS)


def test_missing_table_and_missing_model_are_told(shared: Settings, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Delta table"):
        share_table(shared, tmp_path / "none", "cases", 0, FACTS)
    with pytest.raises(UsageError, match="folder"):
        share_model(shared, tmp_path / "none", "outbreak", "1", FACTS)


def test_missing_git_is_told(
    settings: Settings, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TerminalError, match="'git'"):
        share_table(settings, table, "cases", 0, FACTS)
    assert not (settings.home / "exchange").exists(), "a half-made exchange is not kept"
