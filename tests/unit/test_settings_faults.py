"""What is wrong in the environment is one sentence, whichever command was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import yupana

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.data.engine import memory, sail, spark


def said(lake: Settings, *words: str) -> str:
    done = yupana(lake, *words)
    assert done.code == 2 and "Traceback" not in done.stderr
    return done.stderr


def test_a_project_that_is_not_there(tmp_path: Path) -> None:
    lake = Settings(root=tmp_path / "nowhere", home=tmp_path / "home")
    assert f"YUPANA_ROOT={tmp_path / 'nowhere'}" in said(lake, "datasets")


def test_a_project_without_contracts_says_so(tmp_path: Path) -> None:
    told = yupana(Settings(root=tmp_path, home=tmp_path / "home"), "datasets")
    assert told.code == 0 and "There is no contract in" in told.stdout


@pytest.mark.parametrize("below", ["", "deeper"])
def test_a_home_that_is_a_file(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("")
    home = tmp_path / "file" / below
    assert f"YUPANA_HOME={home}" in said(Settings(root=tmp_path, home=home), "datasets")


def test_a_setting_of_another_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = Settings(root=tmp_path, home=tmp_path / "home")
    monkeypatch.setenv("YUPANA_KEEP_DAYS", "soon")
    assert "YUPANA_KEEP_DAYS=soon" in said(lake, "datasets")


@pytest.mark.parametrize("text", ["0g", "0", "2x", "", "-1g"])
def test_memory_that_is_none(tmp_path: Path, text: str) -> None:
    lake = Settings(home=tmp_path, engine_memory=text)
    with pytest.raises(UsageError, match=r"too little|not a size") as error:
        sail.environment(lake)
    assert error.value.where == "YUPANA_ENGINE_MEMORY"


def test_memory_that_spark_cannot_work_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spark, "must_have_java", lambda: None)
    with pytest.raises(UsageError, match="too little"):
        spark.options(Settings(home=tmp_path, engine_memory="100m"), None, "")  # type: ignore[arg-type]
    assert memory.size("512m") == 512 << 20 and memory.size("2g") == 2 << 30
